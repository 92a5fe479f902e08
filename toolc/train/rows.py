"""The rows of a data set.

Payloads that differ from row to row are JSON text, as Arrow would fill them up with nulls.

An `rl` row is one turn of a task, for a trainer to sample: the earlier turns stand in its prompt
and are replayed as the plan has them, and so are the later ones when it is judged::

    id           "shop/cancel_open:1002" or, of several turns, "shop/cancel_open:1002@1"
    prompt       messages as OpenAI's chat format has them
    tools        JSON text: the schemas of the tools offered
    environment  which set of tools it is, "shop/0": the key of TRL's `environment_factory`
    of, task, scenario, kind, steps, depth, width, offered
                 the environment, the task and what is known of it
    prefix, rest JSON text for `toolc_runtime.trl`: what happened before and what follows
    unseen       of a test row what training has not seen: "tasks", "families", "environment"

An `sft` row is a task done as its plan does it: `id`, `messages`, `tools`, `environment`, `of`,
`task`, `scenario`, `kind`, `steps`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.train.reference import Demonstration, demonstrate
from toolc_runtime.chat.message import Message
from toolc_runtime.environment import Environment
from toolc_runtime.task import Task
from toolc_runtime.trl import method_names
from toolc_runtime.values import canonical

Row = dict[str, Any]


class Source(NamedTuple):
    """An environment whose tasks become rows."""

    environment: Environment
    names: Mapping[str, str]
    """By tool the name under which it is offered."""
    sets: Mapping[tuple[str, ...], str]
    """By the tools offered the key of the set."""


def source(environment: Environment) -> Source:
    """An environment with the keys of its sets of tools, numbered as its tasks have them."""
    sets: dict[tuple[str, ...], str] = {}
    for task in environment.tasks.values():
        sets.setdefault(offered(environment, task), f"{environment.name}/{len(sets)}")
    names = method_names([*environment.tools, *environment.guests])
    return Source(environment, names, sets)


def offered(environment: Environment, task: Task) -> tuple[str, ...]:
    """The names of the tools that a task offers, in the order of their schemas."""
    return tuple(schema["function"]["name"] for schema in environment.schemas_of(task))


def schemas(source: Source, task: Task) -> list[dict[str, Any]]:
    """The schemas of the tools that a task offers, under the names it offers them."""
    return renamed_schemas(source.environment.schemas_of(task), source.names)


def renamed_schemas(
    schemas: Sequence[dict[str, Any]], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Schemas under other names, by tool."""
    return [
        {**schema, "function": {**schema["function"], "name": names[schema["function"]["name"]]}}
        for schema in schemas
    ]


def renamed_calls(message: Message, names: Mapping[str, str]) -> Message:
    """A message with other names of tools; a name that is not among them stays."""
    made = dict(message)
    if made.get("name") is not None:
        made["name"] = names.get(made["name"], made["name"])
    if made.get("tool_calls"):
        made["tool_calls"] = [
            {**call, "function": {**call["function"], "name": names.get(name, name)}}
            for call in made["tool_calls"]
            for name in (call["function"]["name"],)
        ]
    return made


def rl_rows(source: Source, task: Task, unseen: str = "") -> list[Row]:
    """A row for each turn of a task."""
    done = demonstrate(source.environment, task, names=source.names.__getitem__)
    turns = len(done.turns)
    return [_rl_row(source, task, done, turn, unseen) for turn in range(turns)]


def _rl_row(source: Source, task: Task, done: Demonstration, turn: int, unseen: str) -> Row:
    shared = facts(source, task)
    difficulty = task.difficulty
    suffix = f"@{turn}" if len(done.turns) > 1 else ""
    return {
        "id": f"{shared['of']}/{task.id}{suffix}",
        "prompt": done.messages(turn),
        **shared,
        **{name: int(difficulty.get(name, 0)) for name in ("depth", "width")},
        "offered": len(offered(source.environment, task)),
        "prefix": canonical(done.events(slice(turn))),
        "rest": canonical(done.events(slice(turn + 1, None))),
        "unseen": unseen,
    }


def whole_tasks(rows: Iterable[Row]) -> list[Row]:
    """Of `rl` rows a row a task, from its first turn on, with nothing that is replayed."""
    return [
        {**row, "id": row["id"].removesuffix("@0"), "rest": "[]"}
        for row in rows
        if row["prefix"] == "[]"
    ]


def sft_rows(source: Source, task: Task, orders: int, seed: int) -> Iterator[Row]:
    """The task done in up to so many orders of its independent steps, all different."""
    seen: set[str] = set()
    for number in range(orders):
        done = rewarded(source, task, f"{seed}:{number}" if number else None)
        messages = done.messages() if done else []
        text = json.dumps(messages)
        if done is None or text in seen:
            continue
        seen.add(text)
        shared = facts(source, task)
        yield {"id": f"{shared['of']}/{task.id}#{len(seen) - 1}", "messages": messages, **shared}


def rewarded(source: Source, task: Task, order: str | None = None) -> Demonstration | None:
    """The task done in an order that earns the whole reward, with calls together only where it
    takes that; None where no way does."""
    for together in (False, True):
        done = demonstrate(
            source.environment,
            task,
            order,
            together=together,
            names=source.names.__getitem__,
        )
        if done.reward == 1:
            return done
    return None


def facts(source: Source, task: Task) -> Row:
    """The columns that all rows of a task share."""
    return {
        "tools": json.dumps(schemas(source, task), ensure_ascii=False),
        "environment": source.sets[offered(source.environment, task)],
        "of": source.environment.name,
        "task": task.id,
        "scenario": task.scenario,
        "kind": task.kind,
        "steps": int(task.difficulty.get("steps", 0)),
    }
