"""Conversions, messages and refusals of compiled schemas."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from toolc_runtime.errors import SchemaError
from toolc_runtime.schema import Problems, compile_parameters, compile_schema


def check(schema: Any, value: Any) -> tuple[Any, list[tuple[str, ...]]]:
    problems: Problems = []
    converted = compile_schema(schema)(value, (), problems)
    return converted, [tuple(problem) for problem in problems]


@pytest.mark.parametrize(
    ("schema", "value", "converted"),
    [
        ({"type": "integer"}, 2.0, 2),
        ({"type": "number"}, 2, 2.0),
        ({"type": ["number", "null"]}, 2, 2.0),
        ({"enum": [1, 2.5]}, 1.0, 1),
        ({"type": "string", "format": "date"}, "2024-05-01", date(2024, 5, 1)),
        ({"type": "string", "format": "decimal"}, "1.50", Decimal("1.50")),
        ({"anyOf": [{"type": "null"}, {"type": "number"}]}, 1, 1.0),
        (
            {"type": "object", "propertyNames": {"format": "integer"}},
            {"1": "a", "-2": "b"},
            {1: "a", -2: "b"},
        ),
        (
            {"properties": {"a": {"type": "string", "format": "date", "default": "2024-05-01"}}},
            {},
            {"a": date(2024, 5, 1)},
        ),
        ({"items": {"type": "integer"}}, [1, 2.0], [1, 2]),
    ],
)
def test_conversions(schema: Any, value: Any, converted: Any) -> None:
    found, problems = check(schema, value)
    assert problems == []
    assert found == converted and type(found) is type(converted)
    if isinstance(found, list):
        assert list(map(type, found)) == list(map(type, converted))


@pytest.mark.parametrize(
    ("bound", "right", "wrong"),
    [
        ({"minimum": 0.1}, "0.1", "0.09"),
        ({"maximum": 25}, "25.00", "25.01"),
        ({"exclusiveMinimum": 0}, "0.01", "0"),
        ({"exclusiveMaximum": 1}, "-3", "1.0"),
        ({"multipleOf": 0.05}, "12.35", "12.36"),
    ],
)
def test_bounds_hold_for_decimals(bound: dict[str, float], right: str, wrong: str) -> None:
    schema = {"type": "string", "format": "decimal", **bound}
    assert check(schema, right) == (Decimal(right), [])
    _, [(path, message)] = check(schema, wrong)
    assert path == "" and wrong in message


def test_unchanged_values_are_not_copied() -> None:
    schema = {"properties": {"a": {"items": {"type": "integer"}}}}
    value = {"a": [1, 2]}
    assert check(schema, value)[0] is value


CASES = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"source": {"const": "card"}, "last": {"type": "string"}},
            "required": ["source", "last"],
        },
        {
            "type": "object",
            "properties": {"source": {"const": "gift"}, "balance": {"type": "number"}},
            "required": ["source", "balance"],
        },
    ]
}


@pytest.mark.parametrize(
    ("schema", "value", "problems"),
    [
        ({"type": "integer"}, "2", [("", 'expected an integer, found `"2"`')]),
        ({"type": "integer"}, True, [("", "expected an integer, found `true`")]),
        ({"type": "integer"}, 1e300, [("", "is an integer beyond 64 bits")]),
        (
            {"type": ["string", "null"]},
            {},
            [("", "expected null or a text, found an object of 0")],
        ),
        ({"enum": ["a", "b"]}, "c", [("", 'expected `"a"` or `"b"`, found `"c"`')]),
        (
            {"items": {"properties": {"a/b": {"type": "number"}}}},
            [{}, {"a/b": None}],
            [("/1/a~1b", "expected a number, found `null`")],
        ),
        (
            {"properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
            {"b": 1},
            [("/b", "is not expected, the names are a"), ("/a", "is required")],
        ),
        (CASES, {"source": "gift"}, [("/balance", "is required")]),
        (
            CASES,
            {"source": "x"},
            [("/source", 'expected `"card"` or `"gift"`, found `"x"`')],
        ),
        (CASES, {}, [("/source", "is required")]),
        (
            {"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]},
            "a",
            [("", '`"a"` has fewer than 2 characters')],
        ),
        (
            {"type": "string", "pattern": "^a$"},
            "b",
            [("", '`"b"` does not match the pattern `^a$`')],
        ),
        (
            {"type": "string", "format": "date"},
            "x",
            [("", '`"x"` is not a date such as 2024-05-15')],
        ),
    ],
)
def test_messages(schema: Any, value: Any, problems: list[tuple[str, str]]) -> None:
    assert check(schema, value)[1] == problems


def test_problems_are_bounded() -> None:
    assert len(check({"items": {"type": "string"}}, [1] * 1_000)[1]) == 20


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"not": {}},
        {"$ref": "#/$defs/Missing"},
        {"$ref": "#"},
        {"$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}, "$ref": "#/$defs/A"},
        {"properties": {"a": {"type": "string", "default": 1}}},
        {"pattern": "(?=a)"},
        {"items": 3},
    ],
)
def test_refused_schemas(schema: Any) -> None:
    with pytest.raises(SchemaError):
        compile_schema(schema)


def test_parameters() -> None:
    names, check_all = compile_parameters(
        {
            "type": "object",
            "properties": {
                "day": {"type": "string", "format": "date"},
                "limit": {"type": "integer", "default": 5},
                "unit": {"type": "string"},
            },
            "required": ["day"],
            "additionalProperties": False,
        }
    )
    arguments = {"day": "2024-05-01"}
    problems: Problems = []
    assert names == ("day", "limit", "unit")
    assert check_all(arguments, problems) == [date(2024, 5, 1), 5, None]
    assert arguments == {"day": date(2024, 5, 1), "limit": 5}
    check_all({"limit": 1.5, "extra": 1}, problems)
    assert [problem.path for problem in problems] == ["/day", "/limit", "/extra"]
