"""Constant values as Python expressions, and types as annotations."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from toolc.analysis import types as t
from toolc.analysis.types import Type
from toolc.emit import py
from toolc_runtime.values import FORMATS

_FORMATS: dict[Type, str] = {
    t.DATE: "date",
    t.TIME: "time-local",
    t.DATETIME: "date-time-local",
    t.DURATION: "duration",
    t.DECIMAL: "decimal",
}
_ANNOTATIONS = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "decimal": "Decimal",
    "str": "str",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
    "duration": "timedelta",
    "json": "Any",
    "null": "None",
}
Names = Mapping[str, str]
"""Python names of declared types."""


def parsed(value: Any, kind: Type) -> Any:
    """A JSON-like constant as the run-time value of its type: dates and decimals as objects."""
    bare = t.strip(t.required(kind))
    if isinstance(value, str) and bare in _FORMATS:
        return FORMATS[_FORMATS[bare]](value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if bare == t.FLOAT:
            return float(value)
        return Decimal(value) if bare == t.DECIMAL else value
    if isinstance(value, list) and isinstance(bare, t.List):
        return [parsed(item, bare.item) for item in value]
    if isinstance(value, dict):
        return _parsed_dict(value, bare)
    return value


def _parsed_dict(value: dict[Any, Any], bare: Type) -> dict[Any, Any]:
    if isinstance(bare, t.Dict):
        return {key: parsed(item, bare.value) for key, item in value.items()}
    if isinstance(bare, t.Union):
        bare = bare.cases.get(value.get(bare.tag, ""), bare)
    if isinstance(bare, (t.Record, t.Case)):
        fields = {member.name: member.type for member in bare.members}
        return {key: parsed(item, fields.get(key, t.JSON)) for key, item in value.items()}
    return value


def expression(value: Any) -> py.Expr:
    """The Python that makes a run-time value."""
    return _VALUES[type(value)](value)


def _arguments(function: str, *numbers: int) -> py.Expr:
    return py.call(function, *map(py.number, numbers))


def _time(value: datetime.time) -> py.Expr:
    parts = [value.hour, value.minute, value.second, value.microsecond]
    while len(parts) > 2 and parts[-1] == 0:
        parts.pop()
    return _arguments("time", *parts)


def _datetime(value: datetime.datetime) -> py.Expr:
    parts = [value.hour, value.minute, value.second, value.microsecond]
    while parts and parts[-1] == 0:
        parts.pop()
    return _arguments("datetime", value.year, value.month, value.day, *parts)


def _timedelta(value: datetime.timedelta) -> py.Expr:
    units = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    if not value.days and not value.microseconds:
        for name, size in (("hours", 3600), ("minutes", 60)):
            if value.seconds and value.seconds % size == 0:
                units = {name: value.seconds // size}
                break
    return py.call("timedelta", **{name: py.number(size) for name, size in units.items() if size})


_VALUES: dict[type, Callable[[Any], py.Expr]] = {
    type(None): lambda value: py.NONE,
    bool: lambda value: py.TRUE if value else py.FALSE,
    int: py.number,
    float: py.number,
    str: py.Str,
    Decimal: lambda value: py.call("Decimal", py.Str(str(value))),
    datetime.date: lambda value: _arguments("date", value.year, value.month, value.day),
    datetime.time: _time,
    datetime.datetime: _datetime,
    datetime.timedelta: _timedelta,
    list: lambda value: py.ListDisplay(tuple(map(expression, value))),
    tuple: lambda value: py.ListDisplay(tuple(map(expression, value))),
    dict: lambda value: py.DictDisplay(
        tuple((expression(key), expression(item)) for key, item in value.items())
    ),
}


def annotation(kind: Type, names: Names) -> py.Expr:
    """A type as an annotation. Named types stand under their name, inline records as dicts."""
    return _TYPES[type(kind)](kind, names)


def _of(name: str, *arguments: py.Expr) -> py.Expr:
    return py.Subscript(py.Name(name), arguments)


def _refined(kind: t.Refined, names: Names) -> py.Expr:
    return py.Name(names[kind.name]) if kind.name in names else annotation(kind.inner, names)


def _named(kind: Any, names: Names) -> py.Expr:
    return py.Name(names[kind.name]) if kind.name in names else _of("dict", *_key_any())


def _key_any() -> tuple[py.Expr, py.Expr]:
    return py.Name("str"), py.Name("Any")


def _enum(kind: t.Enum, names: Names) -> py.Expr:
    return py.Name(names[kind.name]) if kind.name in names else literal(kind.values)


def _optional(kind: t.Optional, names: Names) -> py.Expr:
    inner = annotation(kind.inner, names)
    return inner if inner.__dict__.get("id") == "Any" else py.Binary("|", inner, py.NONE)


def literal(values: tuple[str, ...]) -> py.Expr:
    """`Literal["a", "b"]`."""
    return py.Subscript(py.Name("Literal"), tuple(map(py.Str, values)))


_TYPES: dict[type, Callable[[Any, Names], py.Expr]] = {
    t.Scalar: lambda kind, names: py.NONE if kind == t.NULL else py.Name(_ANNOTATIONS[kind.name]),
    t.Never: lambda kind, names: py.Name("Any"),
    t.Literals: lambda kind, names: literal(kind.values),
    t.Enum: _enum,
    t.Refined: _refined,
    t.Record: _named,
    t.Case: lambda kind, names: _of("dict", *_key_any()),
    t.Union: _named,
    t.List: lambda kind, names: _of("list", annotation(kind.item, names)),
    t.Dict: lambda kind, names: _of(
        "dict", annotation(kind.key, names), annotation(kind.value, names)
    ),
    t.Ref: lambda kind, names: annotation(kind.key, names),
    t.Optional: _optional,
    t.TableType: lambda kind, names: _of(
        "Table", key_annotation(kind.keys, names), annotation(kind.row, names)
    ),
    t.Tuple: lambda kind, names: _of("tuple", *(annotation(item, names) for item in kind.items)),
}


def key_annotation(keys: tuple[Type, ...], names: Names) -> py.Expr:
    """A table's key: its type, or a tuple for a composite one."""
    made = tuple(annotation(key, names) for key in keys)
    return made[0] if len(made) == 1 else py.Subscript(py.Name("tuple"), made)
