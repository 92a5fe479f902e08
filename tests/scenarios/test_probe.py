"""Other values of an argument."""

from __future__ import annotations

from typing import Any

import pytest

from toolc.analysis import types as t
from toolc.analysis.types import FieldType, Type
from toolc.scenarios.probe import MOST, UNRELATED, alternatives

KEYS: dict[str, list[Any]] = {"users": ["ada", "bob", "cyd"], "rooms": [1, 2, 3]}

POINT = t.Record("Point", lambda: (FieldType("x", t.INT), FieldType("y", t.INT, optional=True)))
SHAPE = t.Union(
    "Shape",
    "kind",
    lambda: {
        "dot": t.Case(
            "Shape", "kind", ("dot",), lambda: (FieldType("kind", t.STR), FieldType("n", t.INT))
        )
    },
)


@pytest.mark.parametrize(
    ("kind", "value", "some"),
    [
        (t.BOOL, True, [False]),
        (t.INT, 2, [1, 3]),
        (t.FLOAT, 0.5, [1.5, -0.5]),
        (t.DECIMAL, "1.50", ["2.50", "0.50"]),
        (t.STR, "ada", ["bob", "cyd", UNRELATED]),
        (t.STR, "nobody", [UNRELATED]),
        (t.DATE, "2024-02-28", ["2024-02-29", "2024-02-27"]),
        (t.TIME, "23:30:00", ["00:30:00"]),
        (t.DATETIME, "2024-01-01T00:00:00", ["2024-01-01T01:00:00"]),
        (t.DURATION, "P1D", ["PT1H"]),
        (t.JSON, 5, [None, {}]),
        (t.Literals(("a", "b", "c")), "b", ["a", "c"]),
        (t.Enum("E", ("a", "b")), "a", ["b"]),
        (t.Ref("users", lambda: t.STR), "bob", ["ada", "cyd"]),
        (t.Optional(t.INT), 1, [None, 2]),
        (t.Refined(t.INT, (("minimum", 0),)), 4, [5, 3]),
        (t.List(t.INT), [1, 2], [[1], [2, 1], [2, 2], []]),
        (t.Dict(t.STR, t.INT), {"a": 1}, [{}, {"a": 2}]),
        (POINT, {"x": 1, "y": 2}, [{"x": 2, "y": 2}, {"x": 1, "y": 3}]),
        (SHAPE, {"kind": "dot", "n": 1}, [{"kind": "dot", "n": 2}]),
    ],
)
def test_other_values_of_the_type(kind: Type, value: Any, some: list[Any]) -> None:
    found = alternatives(FieldType("p", kind), value, KEYS)
    assert value not in found
    assert all(found.count(other) == 1 for other in found)
    assert len(found) <= MOST
    assert [other for other in some if other not in found] == []


def test_a_null_has_no_neighbours_but_those_used_elsewhere() -> None:
    field = FieldType("p", t.Optional(t.INT))
    assert alternatives(field, None, KEYS) == []
    assert alternatives(field, None, KEYS, [3]) == [3]


def test_the_default_comes_first_and_values_used_elsewhere_take_turns() -> None:
    field = FieldType("p", t.STR, has_default=True, default="d")
    assert alternatives(field, "v", KEYS, ["v", "u"]) == ["d", UNRELATED, "u"]


def test_dates_at_the_ends_of_the_calendar() -> None:
    assert "0001-01-02" in alternatives(FieldType("p", t.DATE), "0001-01-01", KEYS)
    assert "9999-12-30" in alternatives(FieldType("p", t.DATE), "9999-12-31", KEYS)
    assert alternatives(FieldType("p", t.DATETIME), "0001-01-01T00:00:00", KEYS)


def test_true_is_not_one() -> None:
    assert 1 in alternatives(FieldType("p", t.JSON), True, KEYS, [1])
