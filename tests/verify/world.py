"""A small shop made by hand, and tasks whose plans are run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from toolc_runtime.draws import Draws
from toolc_runtime.episode import Episode, Opening, Prepared, Start
from toolc_runtime.errors import Fail
from toolc_runtime.schema import compile_parameters
from toolc_runtime.state import Base, Source, State, append, assign
from toolc_runtime.task import Task
from toolc_runtime.values import plain
from toolc_runtime.verify import (
    Verdict,
    answer,
    encode_changes,
    encode_writes,
    match,
    solve_f1,
    state,
    steps,
)

CLOCK = datetime(2024, 5, 15, 15)
ROWS: dict[str, dict[Any, Any]] = {
    "orders": {
        f"#W{number}": {
            "order_id": f"#W{number}",
            "user": "ann",
            "status": status,
            "amount": amount,
            "payments": [{"type": "payment", "amount": amount, "at": "2024-05-01T10:00:00"}],
            "gift": False,
            "options": {"size": "M"},
        }
        for number, status, amount in (
            (1, "pending", 40.0),
            (2, "pending", 12.5),
            (3, "delivered", 7.25),
        )
    },
    "users": {"ann": {"name": "Ann", "balance": 100.0}, "bob": {"name": "Bob", "balance": 0.0}},
}
SCALARS = {"cancelled_today": 0}


def get_order(state: Any, order_id: str) -> Any:
    row = state.orders.get(order_id)
    if row is None:
        raise Fail("order not found")
    return row


def cancel(state: Any, order_id: str, reason: str) -> Any:
    row = get_order(state, order_id)
    if row["status"] != "pending":
        raise Fail({"error": "only a pending order can be cancelled", "status": row["status"]})
    assign(state.orders, order_id, "status", value="cancelled")
    assign(state.orders, order_id, "cancel_reason", value=reason)
    refund = {"type": "refund", "amount": row["amount"], "at": "2024-05-15T15:00:00"}
    append(state.orders, order_id, "payments", value=refund)
    user = state.users[row["user"]]
    assign(state.users, row["user"], "balance", value=user["balance"] + row["amount"])
    state.cancelled_today += 1
    return state.orders[order_id]


def create(state: Any, user: str, amount: float) -> str:
    order_id: str = state._toolc.draws.fresh_id("#N", 4)
    row = {"order_id": order_id, "user": user, "status": "pending", "amount": amount}
    state.orders.insert(order_id, {**row, "payments": []})
    return order_id


def note(state: Any, order_id: str, text: str) -> str:
    get_order(state, order_id)
    assign(state.orders, order_id, "note", value=f"{text} ({order_id})")
    return "noted"


def drop(state: Any, order_id: str) -> bool:
    state.orders.delete(order_id)
    return True


def ping(state: Any, host: str) -> str:
    return "pong"


def broken(state: Any) -> None:
    raise ZeroDivisionError


_TEXT = {"type": "string"}
_PARAMETERS: dict[Callable[..., Any], dict[str, Any]] = {
    get_order: {"order_id": _TEXT},
    cancel: {"order_id": _TEXT, "reason": {"type": "string", "default": "no longer needed"}},
    create: {"user": _TEXT, "amount": {"type": "number"}},
    note: {"order_id": _TEXT, "text": _TEXT},
    drop: {"order_id": _TEXT},
    ping: {"host": _TEXT},
    broken: {},
}


def _prepared(function: Callable[..., Any]) -> Prepared:
    properties = _PARAMETERS[function]
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name, item in properties.items() if "default" not in item],
        "additionalProperties": False,
    }
    writes = ("cancelled_today",) if function is cancel else ()
    return Prepared(
        function=function,
        names=tuple(properties),
        check=compile_parameters(schema).check,
        scalars=writes,
        keeps_effects=False,
    )


TOOLS = {function.__name__: _prepared(function) for function in _PARAMETERS}


@dataclass(frozen=True)
class Do:
    """One call of a plan; `after` are the steps whose results it uses."""

    tool: str
    arguments: Mapping[str, Any]
    pinned: Sequence[str] = ()
    after: Sequence[int] = ()
    fails: bool = False


@dataclass(frozen=True)
class Turn:
    """What the user says, the calls that answer it, and the answer, where there is one."""

    user: str = "Do it."
    steps: Sequence[Do] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


Verifier = Callable[[Any, Any], Verdict]


def default(episode: Any, task: Any) -> Verdict:
    """What a scenario without `verify` gets."""
    run = match(episode, task)
    goals = steps(run)
    if task.state:
        goals.append(state(run))
    if any("answer" in turn for turn in task.turns):
        goals.append(answer(run))
    return solve_f1(run, goals)


def start(task: Task | None = None, verifier: Verifier = default, seed: int = 1) -> Start:
    """Where episodes start."""
    base = Base({name: Source(rows) for name, rows in ROWS.items()}, SCALARS, CLOCK)
    turns = tuple(Opening() for _ in (task.turns if task else ()))
    return Start(State, base, TOOLS, task, turns, verifier, seed)


def task_of(*turns: Turn, kind: str = "multi_hop", seed: int = 1, system: str = "") -> Task:
    """Runs the plan; `$0` in an argument stands for the result of step 0."""
    episode = Episode(start(seed=seed), Draws(seed))
    lines = []
    results: list[Any] = []
    for turn in turns:
        made = []
        for do in turn.steps:
            arguments = {
                name: results[int(value[1:])]
                if isinstance(value, str) and value.startswith("$")
                else value
                for name, value in do.arguments.items()
            }
            episode.call(do.tool, arguments)
            call = episode.trace[-1]
            assert call.status == ("failed" if do.fails else "ok"), call
            results.append(plain(call.result))
            made.append(
                {
                    "question": "",
                    "tool": do.tool,
                    "arguments": plain(dict(call.arguments)),
                    "pinned": list(do.pinned),
                    "failure" if do.fails else "result": plain(call.result),
                    "writes": encode_writes(call.writes),
                    "after": list(do.after),
                }
            )
        lines.append({"user": turn.user, "steps": made, **turn.extra})
    return Task(
        {
            "id": "task",
            "scenario": "task",
            "kind": kind,
            "system": system or None,
            "turns": lines,
            "state": encode_changes(episode.changes()),
            "fresh": list(episode.fresh),
        }
    )


Played = tuple[str, Mapping[str, Any]] | str


def play(
    task: Task, *moves: Played, verifier: Verifier = default, seed: int = 1, end: str | None = None
) -> Episode:
    """Plays calls and replies (texts), then finishes."""
    episode = Episode(start(task, verifier, seed), Draws(seed))
    for move in moves:
        if isinstance(move, str):
            episode.reply(move)
        else:
            episode.call(*move)
    episode.finish(end)
    return episode


def verdict(task: Task, *moves: Played, **options: Any) -> Verdict:
    """The verdict of a play."""
    found = play(task, *moves, **options).verdict
    assert found is not None
    return found
