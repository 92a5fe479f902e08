"""A task's plan, made ready once to be compared with many episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from toolc_runtime.verify.answers import Answer
from toolc_runtime.verify.equality import OPEN, Value
from toolc_runtime.verify.record import Log, Task


class Step:
    """One step: what a call must be like to match it."""

    __slots__ = (
        "_seen",
        "after",
        "fails",
        "index",
        "name",
        "pinned",
        "question",
        "result",
        "tool",
        "turn",
        "writes",
        "written",
    )

    def __init__(self, index: int, turn: int, line: Mapping[str, Any]) -> None:
        self.index = index
        self.name = f"step {index + 1}"
        self.turn = turn
        self.question: str = line.get("question") or ""
        self.tool: str = line["tool"]
        self.fails = "failure" in line
        arguments: Mapping[str, Any] = line.get("arguments") or {}
        pinned = line.get("pinned") or ()
        self.pinned = tuple((name, Value(arguments.get(name))) for name in pinned)
        self.result = Value(line["failure"] if self.fails else line.get("result"))
        self.writes: Mapping[str, Any] = {} if self.fails else line.get("writes") or {}
        self.written = Value(self.writes)
        self.after: tuple[int, ...] = tuple(line.get("after") or ())
        self._seen: tuple[tuple[str, Any, Value, Value], ...] | None = None

    def wrote_again(self, log: Log) -> bool:
        """Whether these are writes that `remember` was given: from equal rows to equal ones.

        So a plan that is followed by many episodes is compared field by field once.
        """
        seen = self._seen
        if seen is None or len(log) != len(seen):
            return False
        for (name, key, before, after), (table, row, old, new) in zip(seen, log, strict=True):
            if (
                name != table
                or key != row
                or not before.matches(old, exactly=True)
                or not after.matches(new, exactly=True)
            ):
                return False
        return True

    def remember(self, log: Log) -> None:
        """Keep writes that were found to be the step's, for `wrote_again`."""
        self._seen = tuple(
            (name, key, Value(before), Value(after)) for name, key, before, after in log
        )


class Plan:
    """The steps of all turns in one row, and the partial order between them."""

    __slots__ = (
        "_rows",
        "answers",
        "before",
        "fresh",
        "moving",
        "state",
        "states",
        "steps",
        "turns",
    )

    def __init__(self, task: Task) -> None:
        self.turns: list[list[Step]] = []
        self.steps: list[Step] = []
        for turn, line in enumerate(task.turns):
            start = len(self.steps)
            for step in line.get("steps") or ():
                self.steps.append(Step(len(self.steps), turn, opened(step)))
            self.turns.append(self.steps[start:])
        self.fresh: tuple[str, ...] = tuple(task.fresh or ())
        self.state: Mapping[str, Any] = opened(task.record).get("state") or {}
        """The changes that the plan makes."""
        self.states: list[Mapping[str, Any]] = [
            opened(line).get("state") or {} for line in task.turns
        ]
        """Those up to the end of each turn, where they are asked for."""
        self.before = self._closure()
        self.moving = any(line.get("given") for line in task.turns[1:])
        """Whether the state is changed between turns."""
        self.answers = [
            answer_of(line, line["answer"]) if "answer" in line else None for line in task.turns
        ]
        self._rows: dict[tuple[str, str], Value] = {}

    def row(self, table: str, key: str, row: Any) -> Value:
        """A row of the plan's final state, made ready; `row` is what the task says."""
        known = self._rows.get((table, key))
        if known is None or known.json is not row:
            known = self._rows[table, key] = Value(row)
        return known

    def _closure(self) -> tuple[frozenset[int], ...]:
        """For each step all those that come before it."""
        before: list[frozenset[int]] = []
        for step in self.steps:
            direct = [index for index in step.after if 0 <= index < step.index]
            before.append(frozenset(direct).union(*(before[index] for index in direct)))
        return tuple(before)


def opened(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of scenarios.jsonl, or a part of it, with `OPEN` in the places that `open` lists."""
    made = line
    for path in line.get("open") or ():
        made = _with_open(made, path)
    return made


def _with_open(value: Any, path: Sequence[Any]) -> Any:
    if not path:
        return OPEN
    label, *rest = path
    if isinstance(value, Mapping):
        if label not in value and rest:
            return value
        return {**value, label: _with_open(value.get(label), rest)}
    if isinstance(value, list) and type(label) is int and 0 <= label < len(value):
        return [*value[:label], _with_open(value[label], rest), *value[label + 1 :]]
    return value


def answer_of(line: Mapping[str, Any], value: Any) -> Answer:
    """A turn's answer, made ready; `value` is the answer with the episode's ids."""
    kind = line.get("answer_type") or ""
    return Answer(value, kind, line.get("answer_candidates") or ())


@lru_cache(maxsize=4096)
def plan_of(task: Task) -> Plan:
    """The plan of a task; the last ones asked for are kept."""
    return Plan(task)
