"""Recorded episodes played again on a compiled environment, and what differs.

A recorded episode is an object with `id`, `calls` (each with `name`, `arguments`, `result`,
`error`), `changes`, and optionally `initial`, `draws`, `quirks`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, Protocol

from toolc.data import parse_json
from toolc.files import DataError

TOLERANCE = 1e-9
"""Numbers within this of each other, absolute or relative, are equal."""


class Player(Protocol):
    """One fresh episode of the environment under test; `tables` are the names of its tables."""

    @property
    def tables(self) -> Collection[str]: ...

    def call(self, name: str, arguments: Any) -> tuple[Any, str]:
        """The result as JSON, and the status: ok, failed, rejected, exhausted, fault."""

    def state(self) -> Mapping[str, Any]:
        """The whole state as JSON: a table is an object from key to row. What has not changed is
        the same object as before, which makes comparison quick."""


class InitialError(Exception):
    """An initial state that the environment's types do not hold."""


class Difference(NamedTuple):
    """The first place where two JSON values differ; `path` is readable, `$` the whole."""

    path: str
    expected: Any
    actual: Any


class Mismatch(NamedTuple):
    """Something recorded that came out otherwise. `call` counts from 0; None: not at a call."""

    line: int
    episode: str
    call: int | None
    what: str
    arguments: Any = None
    difference: Difference | None = None


class Outcome(NamedTuple):
    """How one episode went. A call is compared, set apart, or comes after the comparison ended,
    which counts as set apart too; so do the changes of such an episode."""

    calls: int
    matching_calls: int
    calls_apart: int
    changes_match: bool
    changes_apart: bool
    episode_apart: bool
    mismatches: tuple[Mismatch, ...]


class _Missing:
    """Stands for what one side does not have; shown as nothing that JSON can hold."""

    def __repr__(self) -> str:
        return "(absent)"


ABSENT = _Missing()


def difference(expected: Any, actual: Any, path: str = "$") -> Difference | None:
    """Where two JSON values first differ: numbers by value within TOLERANCE, `true` is not `1`,
    objects regardless of order, lists in order, text exactly."""
    if expected is actual:
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = [*expected, *(key for key in actual if key not in expected)]
        pairs = (
            (_step(path, key), expected.get(key, ABSENT), actual.get(key, ABSENT)) for key in keys
        )
    elif isinstance(expected, list) and isinstance(actual, list):
        size = max(len(expected), len(actual))
        pairs = ((f"{path}[{i}]", _at(expected, i), _at(actual, i)) for i in range(size))
    else:
        return None if _equal(expected, actual) else Difference(path, expected, actual)
    for inner, left, right in pairs:
        found = difference(left, right, inner)
        if found is not None:
            return found
    return None


def _equal(expected: Any, actual: Any) -> bool:
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in (expected, actual)]
    if all(numbers):
        return math.isclose(expected, actual, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(expected) is type(actual) and bool(expected == actual)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _step(path: str, key: str) -> str:
    return (
        f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    )


def changes_difference(
    recorded: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    tables: Collection[str],
) -> Difference | None:
    """Where the state after an episode first differs from what the recorded changes say.

    A changed attribute is recorded whole; or, for a table, by its changed rows alone, null for a
    deleted one: it is so where no recorded row is as it was before. Attributes that begin with
    `_` may change unrecorded.
    """
    expected = dict(before)
    for name, value in recorded.items():
        old = before.get(name)
        if (
            name in tables
            and isinstance(value, dict)
            and isinstance(old, dict)
            and _by_row(value, old)
        ):
            rows = {**old, **value}
            expected[name] = {key: row for key, row in rows.items() if row is not None}
        else:
            expected[name] = value
    for name in [*expected, *(name for name in after if name not in expected)]:
        if name.startswith("_") and name not in recorded:
            continue
        found = difference(expected.get(name, ABSENT), after.get(name, ABSENT), _step("$", name))
        if found is not None:
            return found
    return None


def _by_row(rows: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    return bool(rows) and not any(
        key in old and difference(old[key], row) is None for key, row in rows.items()
    )


def parse_episode(text: str) -> dict[str, Any]:
    """One line of a file of episodes. Raises ValueError with what is wrong."""
    try:
        episode = parse_json(text)
    except DataError as error:
        raise ValueError(f"malformed JSON: {error.values.get('reason', error.code)}") from None
    if not isinstance(episode, dict):
        raise ValueError("an episode is an object")
    for name, kind, shown in _SHAPE:
        if name in episode and not isinstance(episode[name], kind):
            raise ValueError(f"`{name}` is not {shown}")
    for name in ("id", "calls", "changes"):
        if name not in episode:
            raise ValueError(f"`{name}` is missing")
    for number, call in enumerate(episode["calls"]):
        if not isinstance(call, dict) or not call.keys() >= _CALL:
            raise ValueError(f"call {number} lacks one of {', '.join(sorted(_CALL))}")
        if not isinstance(call["name"], str) or not isinstance(call["error"], bool):
            raise ValueError(f"call {number}: `name` is a text and `error` a boolean")
    return episode


_CALL = {"name", "arguments", "result", "error"}
_SHAPE: tuple[tuple[str, type, str], ...] = (
    ("id", str, "a text"),
    ("calls", list, "a list"),
    ("changes", dict, "an object"),
    ("initial", dict, "an object"),
    ("draws", list, "a list"),
    ("quirks", list, "a list"),
)


def play(
    episode: Mapping[str, Any],
    line: int,
    start: Callable[[Mapping[str, Any]], Player],
    tools: Collection[str],
) -> Outcome:
    """Plays one recorded episode and compares. `start` gives a fresh episode or raises
    `InitialError`; `tools` are the names of those that the environment has."""
    name, calls = episode["id"], episode["calls"]
    try:
        player = start(episode)
    except InitialError as error:
        if episode.get("quirks"):
            return Outcome(len(calls), 0, len(calls), False, True, True, ())
        mismatch = Mismatch(line, name, None, f"the initial state does not fit: {error}")
        return Outcome(len(calls), 0, 0, False, False, False, (mismatch,))
    before = player.state()
    matching, apart = 0, 0
    mismatches: list[Mismatch] = []
    for number, call in enumerate(calls):
        result, status = player.call(call["name"], call["arguments"])
        if status == "rejected" and call["name"] in tools:
            if not call["error"]:
                apart += len(calls) - number
                return Outcome(len(calls), matching, apart, False, True, False, tuple(mismatches))
            apart += 1
            continue
        what, found = _judge(call, result, status)
        if what:
            where = (line, name, number)
            mismatches.append(Mismatch(*where, f"{call['name']}: {what}", call["arguments"], found))
        else:
            matching += 1
    found = changes_difference(episode["changes"], before, player.state(), player.tables)
    if found is not None:
        mismatches.append(Mismatch(line, name, None, "the state afterwards differs", None, found))
    return Outcome(len(calls), matching, apart, found is None, False, False, tuple(mismatches))


def _judge(call: Mapping[str, Any], result: Any, status: str) -> tuple[str, Difference | None]:
    found = difference(call["result"], result)
    if found is not None:
        return f"another result ({status})", found
    if call["error"] != (status != "ok"):
        return f"the same result, but {status}", Difference("$", call["error"], status != "ok")
    return "", None


class Totals:
    """Sums outcomes into a report; keeps at most `limit` mismatches in full."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counts = dict.fromkeys(
            (
                "episodes",
                "calls",
                "matching_calls",
                "matching_episodes",
                "matching_changes",
                "malformed_lines",
                "mismatching",
            ),
            0,
        )
        self.apart = {"episodes": 0, "calls": 0, "changes": 0}
        self.mismatches: list[Mismatch] = []

    def add(self, outcome: Outcome) -> None:
        """Counts an episode."""
        apart = outcome.episode_apart or outcome.changes_apart
        self._count(
            episodes=1,
            calls=outcome.calls,
            matching_calls=outcome.matching_calls,
            matching_episodes=int(not outcome.mismatches and not apart),
            matching_changes=int(outcome.changes_match),
            mismatching=len(outcome.mismatches),
        )
        self.apart["episodes"] += int(outcome.episode_apart)
        self.apart["calls"] += outcome.calls_apart
        self.apart["changes"] += int(outcome.changes_apart)
        self._keep(outcome.mismatches)

    def add_malformed(self, line: int, message: str) -> None:
        """Counts a line that holds no episode."""
        self._count(malformed_lines=1, mismatching=1)
        self._keep((Mismatch(line, "", None, message),))

    def _count(self, **more: int) -> None:
        for name, number in more.items():
            self.counts[name] += number

    def _keep(self, mismatches: tuple[Mismatch, ...]) -> None:
        self.mismatches.extend(mismatches[: max(0, self.limit - len(self.mismatches))])

    @property
    def failed(self) -> bool:
        """Whether anything that was not set apart differs."""
        return self.counts["mismatching"] > 0

    def report(self) -> dict[str, Any]:
        """The totals as JSON."""
        return {
            **self.counts,
            "set_apart": self.apart["calls"],
            "set_apart_episodes": self.apart["episodes"],
            "set_apart_changes": self.apart["changes"],
            "mismatches": [_as_json(mismatch) for mismatch in self.mismatches],
        }


def _as_json(mismatch: Mismatch) -> dict[str, Any]:
    found: dict[str, Any] = {
        "line": mismatch.line,
        "episode": mismatch.episode,
        "call": mismatch.call,
        "what": mismatch.what,
    }
    if mismatch.difference is not None:
        sides = {"expected": mismatch.difference.expected, "actual": mismatch.difference.actual}
        found |= {"arguments": mismatch.arguments, "path": mismatch.difference.path}
        found |= {name: value for name, value in sides.items() if value is not ABSENT}
    return found
