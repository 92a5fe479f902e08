"""The argument check accepts exactly what a JSON Schema validator does."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from toolc_runtime.schema import Problems, compile_parameters, compile_schema
from toolc_runtime.values import equal, plain

FORMATS = FormatChecker(formats=())
DIGITS = {
    "date": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])",
    "time-local": r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?",
    "date-time-local": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):00:00",
    "duration": r"-?P(\d{1,3}D|T\d{1,3}[HMS])",
    "decimal": r"-?\d{1,9}(\.\d{1,9})?",
}
for _name, _pattern in DIGITS.items():
    FORMATS.checks(_name)(
        lambda text, pattern=_pattern: (
            not isinstance(text, str) or bool(re.fullmatch(pattern, text, re.ASCII))
        )
    )

# Texts near the formats; years from 1000, since a date of year 0 is none.
TEXTS = st.one_of(
    st.sampled_from(("", "a", "b", "ab", "aab", "x", "1", "é", "aa")),
    st.sampled_from(("2024-05-01", "2024-13-01", "10:00:00", "25:00:00", "2024-05-01T10:00:00")),
    st.sampled_from(("2024-05-01T10:00", "P3D", "PT4H", "P", "-P1D", "1.50", "-2", "1e5", "PT")),
)
NUMBERS = st.one_of(
    st.integers(-4, 4),
    st.sampled_from([-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 2.5, 4.0, 1e9]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NAMES = st.sampled_from(["a", "b", "c", "kind"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
BOUNDS = st.integers(0, 3)


def _with(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


def _merge(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {k: v for part in found for k, v in part.items()})


def _leaf() -> st.SearchStrategy[Any]:
    number = _with(
        minimum=NUMBERS,
        maximum=NUMBERS,
        exclusiveMinimum=NUMBERS,
        exclusiveMaximum=NUMBERS,
        multipleOf=st.sampled_from([1, 2, 0.5, 1.5]),
    )
    text = _with(
        minLength=BOUNDS,
        maxLength=BOUNDS,
        pattern=st.sampled_from(["^a", "b$", "^[ab]{2}$", "a|é", "^[^a]*$"]),
        format=st.sampled_from([*DIGITS, "email"]),
    )
    kinds = st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=3, unique=True))
    return st.one_of(
        st.booleans(),
        st.fixed_dictionaries({"type": kinds}),
        _merge(number, st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])})),
        _merge(text, st.fixed_dictionaries({"type": st.just("string")})),
        _merge(number, text),
        st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"const": VALUES}, optional={"type": kinds}),
        st.just({"$ref": "#/$defs/Tree"}),
        st.just({"$ref": "#/$defs/Short"}),
    )


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    array = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={"items": inner, "minItems": BOUNDS, "maxItems": BOUNDS},
    )
    scalars = st.fixed_dictionaries(
        {"items": st.just({"type": ["integer", "string", "boolean"]}), "uniqueItems": st.booleans()}
    )
    thing = st.fixed_dictionaries(
        {"properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={
            "type": st.just("object"),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "minProperties": BOUNDS,
        },
    )
    union = st.lists(inner, min_size=1, max_size=3)
    cases = st.lists(inner, min_size=2, max_size=3).map(
        lambda schemas: {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"kind": {"const": tag}, "a": schema},
                    "required": ["kind"],
                }
                for tag, schema in zip(("a", "b", "ab"), schemas, strict=False)
            ]
        }
    )
    return st.one_of(
        array,
        scalars,
        thing,
        cases,
        st.fixed_dictionaries({"anyOf": union}),
        st.fixed_dictionaries({"oneOf": union}, optional={"type": TYPES}),
        inner.map(lambda schema: {"anyOf": [schema, {"type": "null"}]}),
    )


SCHEMAS = st.recursive(_leaf(), _nested, max_leaves=5)
DEFINITIONS = {
    "Short": {"type": "string", "maxLength": 2},
    "Tree": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/Tree"}},
        "required": ["a"],
        "additionalProperties": False,
    },
}


def _accepts(schema: Any, value: Any) -> bool:
    whole = {"$defs": DEFINITIONS, "allOf": [schema]}
    return Draft202012Validator(whole, format_checker=FORMATS).is_valid(value)


@settings(max_examples=600, deadline=None)
@given(SCHEMAS, VALUES)
def test_accepts_what_the_schema_accepts(schema: Any, value: Any) -> None:
    problems: Problems = []
    converted = compile_schema(schema, DEFINITIONS)(value, (), problems)
    assert (not problems) == _accepts(schema, value), problems
    if not problems:
        back = plain(converted)
        assert _texts_shortened(back, value)


def _texts_shortened(back: Any, value: Any) -> bool:
    """Equal, but for texts of formats, which have one canonical form."""
    if isinstance(value, str):
        return isinstance(back, str)
    if isinstance(value, list):
        return len(back) == len(value) and all(map(_texts_shortened, back, value))
    if isinstance(value, dict):
        return list(back) == list(value) and all(
            _texts_shortened(back[key], value[key]) for key in value
        )
    return equal(back, value)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(NAMES, SCHEMAS, max_size=3),
    st.sets(NAMES),
    st.booleans(),
    st.dictionaries(NAMES, VALUES, max_size=4),
)
def test_parameters_agree_too(
    properties: dict[str, Any], required: set[str], extra: bool, arguments: dict[str, Any]
) -> None:
    schema = {
        "type": "object",
        "properties": properties,
        "required": sorted(required & properties.keys()),
        "additionalProperties": extra,
    }
    problems: Problems = []
    names, check = compile_parameters(schema, DEFINITIONS)
    values = check(dict(arguments), problems)
    assert (not problems) == _accepts(schema, arguments), problems
    assert names == tuple(properties) and len(values) == len(names)
