"""Comparison of recorded episodes with what an environment does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from toolc.replay import (
    ABSENT,
    InitialError,
    Totals,
    changes_difference,
    difference,
    parse_episode,
    play,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (2, 2.0),
        (12.34, 12.340000000000003),
        (1e12, 1e12 + 1),
        (0, 1e-10),
        ({"a": 1, "b": [1, None]}, {"b": [1.0, None], "a": 1}),
        ("é", "é"),
    ],
)
def test_equal(left: Any, right: Any) -> None:
    assert difference(left, right) is None


@pytest.mark.parametrize(
    ("left", "right", "path", "expected", "actual"),
    [
        (True, 1, "$", True, 1),
        (0, False, "$", 0, False),
        (1, 1.00001, "$", 1, 1.00001),
        ("1", 1, "$", "1", 1),
        (None, 0, "$", None, 0),
        ([1, 2], [2, 1], "$[0]", 1, 2),
        ([1], [1, 2], "$[1]", ABSENT, 2),
        ({"a": {"b c": 1}}, {"a": {"b c": 2}}, '$.a["b c"]', 1, 2),
        ({"a": 1}, {}, "$.a", 1, ABSENT),
        ({}, {"a": None}, "$.a", ABSENT, None),
        ({}, [], "$", {}, []),
    ],
)
def test_differing(left: Any, right: Any, path: str, expected: Any, actual: Any) -> None:
    assert difference(left, right) == (path, expected, actual)


BEFORE = {"orders": {"1": {"n": 1}, "2": {"n": 2}}, "open": True, "_force": 0}


def after(**changes: Any) -> dict[str, Any]:
    return {**BEFORE, **changes}


@pytest.mark.parametrize(
    ("recorded", "state", "path"),
    [
        ({}, after(_force=3), None),
        ({}, after(open=False), "$.open"),
        ({"open": False}, after(open=False), None),
        ({"open": False}, after(), "$.open"),
        # changed rows alone
        ({"orders": {"2": {"n": 3}}}, after(orders={"1": {"n": 1}, "2": {"n": 3}}), None),
        (
            {"orders": {"2": {"n": 3}}},
            after(orders={"1": {"n": 9}, "2": {"n": 3}}),
            '$.orders["1"].n',
        ),
        ({"orders": {"2": None}}, after(orders={"1": {"n": 1}}), None),
        ({"orders": {"2": None}}, after(), '$.orders["2"]'),
        (
            {"orders": {"3": {"n": 3}}},
            after(orders={"1": {"n": 1}, "2": {"n": 2}, "3": {"n": 3}}),
            None,
        ),
        # the whole table
        (
            {"orders": {"1": {"n": 1}, "2": {"n": 3}}},
            after(orders={"1": {"n": 1}, "2": {"n": 3}}),
            None,
        ),
        ({"orders": {"1": {"n": 1}}}, after(orders={"1": {"n": 1}}), None),
        ({"orders": {"1": {"n": 1}}}, after(), '$.orders["2"]'),
        ({"orders": {}}, after(orders={}), None),
        ({"unknown": 1}, after(), "$.unknown"),
        ({}, after(unknown=1), "$.unknown"),
    ],
)
def test_changes(recorded: dict[str, Any], state: dict[str, Any], path: str | None) -> None:
    found = changes_difference(recorded, BEFORE, state, {"orders"})
    assert (found.path if found else None) == path


class Counter:
    """An environment of one number: `add` refuses negative numbers, and fractions as arguments."""

    tables: frozenset[str] = frozenset()

    def __init__(self, total: int) -> None:
        self.total = total

    def call(self, name: str, arguments: Any) -> tuple[Any, str]:
        if name != "add" or not isinstance(arguments.get("n"), int):
            return {"error": "bad call"}, "rejected"
        if arguments["n"] < 0:
            return {"error": "negative"}, "failed"
        self.total += arguments["n"]
        return self.total, "ok"

    def state(self) -> dict[str, Any]:
        return {"total": self.total}


def start(episode: Mapping[str, Any]) -> Counter:
    total = episode.get("initial", {"total": 0})["total"]
    if not isinstance(total, int):
        raise InitialError("`total` is no integer")
    return Counter(total)


def call(n: Any, result: Any, error: bool = False, name: str = "add") -> dict[str, Any]:
    return {"name": name, "arguments": {"n": n}, "result": result, "error": error}


def totals(*episodes: dict[str, Any]) -> Totals:
    found = Totals(limit=2)
    for line, episode in enumerate(episodes, 1):
        found.add(play({"id": str(line), "changes": {}, **episode}, line, start, {"add"}))
    return found


def test_a_matching_episode() -> None:
    calls = [call(2, 2.0), call(-1, {"error": "negative"}, True), call(3, 5)]
    report = totals({"calls": calls, "changes": {"total": 5}})
    assert not report.failed
    assert report.report() == {
        "episodes": 1,
        "calls": 3,
        "matching_calls": 3,
        "matching_episodes": 1,
        "matching_changes": 1,
        "malformed_lines": 0,
        "mismatching": 0,
        "set_apart": 0,
        "set_apart_episodes": 0,
        "set_apart_changes": 0,
        "mismatches": [],
    }


def test_mismatches_say_where() -> None:
    report = totals(
        {"calls": [call(2, 3), call(1, 3, True)], "changes": {"total": 4}},
        {"calls": [call(1, 1, name="gone")]},
    )
    assert report.failed
    assert report.counts["matching_calls"] == 0
    assert report.counts["matching_episodes"] == 0
    assert report.counts["mismatching"] == 4
    first, second = report.report()["mismatches"]
    assert first["line"] == 1 and first["call"] == 0 and first["what"] == "add: another result (ok)"
    assert (first["path"], first["expected"], first["actual"]) == ("$", 3, 2)
    assert second["what"] == "add: the same result, but ok"
    json.dumps(report.report())


def test_a_call_that_breaks_the_schema_is_set_apart() -> None:
    refused = totals({"calls": [call(0.5, "?", True), call(1, 1)], "changes": {"total": 1}})
    assert not refused.failed
    assert refused.counts["matching_calls"] == 1 and refused.counts["matching_episodes"] == 1
    assert refused.apart == {"episodes": 0, "calls": 1, "changes": 0}
    taken = totals({"calls": [call(1, 1), call(0.5, 1.5), call(1, 99)], "changes": {"total": 9}})
    assert not taken.failed
    assert taken.counts["matching_calls"] == 1 and taken.counts["matching_episodes"] == 0
    assert taken.apart == {"episodes": 0, "calls": 2, "changes": 1}


def test_an_initial_state_that_does_not_fit() -> None:
    episode = {"initial": {"total": "x"}, "calls": [call(1, 1)], "changes": {}}
    assert totals(episode).failed
    apart = totals({**episode, "quirks": ["text_for_number"]})
    assert not apart.failed
    assert apart.apart == {"episodes": 1, "calls": 1, "changes": 1}
    fitting = totals({**episode, "initial": {"total": 1}, "quirks": ["harmless"]})
    assert fitting.failed


GOOD: dict[str, Any] = {"id": "x", "calls": [call(1, 1)], "changes": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "malformed JSON: expecting property name"),
        ("[]", "an episode is an object"),
        ("[" * 100_000, "nested deeper"),
        ('{"id": "x", "calls": []}', "`changes` is missing"),
        (json.dumps({**GOOD, "calls": {}}), "`calls` is not a list"),
        (json.dumps({**GOOD, "calls": [3]}), "call 0 lacks one of arguments, error, name, result"),
        (json.dumps({**GOOD, "calls": [{**call(1, 1), "error": 1}]}), "call 0: `name` is a text"),
        (json.dumps({**GOOD, "draws": 3}), "`draws` is not a list"),
    ],
)
def test_malformed_lines(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_episode(text)
    parse_episode(json.dumps(GOOD))
