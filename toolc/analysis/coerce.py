"""When a value of one type may stand where another is expected, and what that takes."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.types import Type
from toolc_runtime.values import FORMATS

_PARSED: dict[Type, str] = {
    t.DATE: "date",
    t.TIME: "time-local",
    t.DATETIME: "date-time-local",
    t.DURATION: "duration",
    t.DECIMAL: "decimal",
}


class Mismatch(Exception):
    """The value cannot stand there; `reason` names the rule that was broken, or is ""."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


def read_literal(text: str, kind: Type) -> Any:
    """A text literal as a date, time, datetime, duration or decimal; Mismatch if it is none."""
    try:
        return FORMATS[_PARSED[kind]](text)
    except ValueError:
        raise Mismatch(f"`{text}` is no {t.show(kind)}") from None


def is_literal_type(kind: Type) -> bool:
    """Whether a text literal is taken as a value of that type."""
    return t.strip(kind) in _PARSED


Assumed = frozenset[tuple[str, str]]
"""Pairs of named records that are being compared: recursive ones are taken to fit meanwhile."""


def assignable(source: Type, target: Type, assumed: Assumed = frozenset()) -> bool:
    """Whether every value of `source` is a value of `target`, without any conversion."""
    target = t.strip(target)
    source = t.strip(source)
    if source == t.NEVER or target == t.NEVER:
        return True
    if isinstance(target, t.Optional):
        return source == t.NULL or assignable(t.required(source), target.inner, assumed)
    if target == t.JSON:
        return not isinstance(source, (t.TableType, t.Tuple))
    if isinstance(source, t.Optional):
        return False
    rule = _RULES.get(type(target))
    return rule(source, target, assumed) if rule else source == target


def _scalar(source: Type, target: Type, assumed: Assumed) -> bool:
    return source == target or (target == t.STR and isinstance(source, (t.Literals, t.Enum)))


def _texts(source: Type, target: Type, assumed: Assumed) -> bool:
    values = t.literal_values(source)
    allowed = t.literal_values(target)
    return values is not None and allowed is not None and set(values) <= set(allowed)


def _record(source: Type, target: Any, assumed: Assumed) -> bool:
    if not isinstance(source, (t.Record, t.Case)):
        return False
    pair = (source.name if isinstance(source, t.Record) else t.show(source), target.name)
    if pair in assumed or (target.name and source == target):
        return True
    if all(pair):
        assumed |= {pair}
    given = {member.name: member for member in source.members}
    wanted = {member.name: member for member in target.members}
    loose = isinstance(source, t.Record) and source.open
    if not target.open and (loose or set(given) - set(wanted)):
        return False
    return all(_member(given.get(name), loose, wanted[name], assumed) for name in wanted)


def _member(given: t.FieldType | None, loose: bool, wanted: t.FieldType, assumed: Assumed) -> bool:
    if given is None:
        return wanted.optional and not loose
    if given.optional and not wanted.optional:
        return False
    return assignable(given.type, wanted.type, assumed)


def _union(source: Type, target: t.Union, assumed: Assumed) -> bool:
    return source == target or (isinstance(source, t.Case) and source.union == target.name)


def _case(source: Type, target: t.Case, assumed: Assumed) -> bool:
    return (
        isinstance(source, t.Case)
        and source.union == target.union
        and set(source.values) <= set(target.values)
    )


def _list(source: Type, target: t.List, assumed: Assumed) -> bool:
    return isinstance(source, t.List) and assignable(source.item, target.item, assumed)


def _dict(source: Type, target: t.Dict, assumed: Assumed) -> bool:
    return (
        isinstance(source, t.Dict)
        and assignable(source.key, target.key, assumed)
        and assignable(source.value, target.value, assumed)
    )


def _tuple(source: Type, target: t.Tuple, assumed: Assumed) -> bool:
    return (
        isinstance(source, t.Tuple)
        and len(source.items) == len(target.items)
        and all(assignable(*pair, assumed) for pair in zip(source.items, target.items, strict=True))
    )


_RULES: dict[type, Callable[[Type, Any, Assumed], bool]] = {
    t.Scalar: _scalar,
    t.Literals: _texts,
    t.Enum: _texts,
    t.Record: _record,
    t.Union: _union,
    t.Case: _case,
    t.List: _list,
    t.Dict: _dict,
    t.Tuple: _tuple,
}


def coerce(value: core.Expr, target: Type) -> core.Expr:
    """The value as one of `target`; Mismatch where it cannot be."""
    wanted = t.strip(target)
    given = t.strip(value.type)
    if given == t.NEVER or wanted == t.NEVER:
        return value
    if isinstance(wanted, t.Optional) and given != t.NULL and not isinstance(given, t.Optional):
        return coerce(value, wanted.inner)
    if isinstance(value, core.Constant) and value.value is not None:
        converted = _constant(value, wanted)
        if converted is not None:
            check_facets(converted.value, target)
            return converted
    if given == t.INT and wanted == t.FLOAT:
        return core.ToFloat(value.span, t.FLOAT, value)
    if given == t.INT and wanted == t.DECIMAL:
        return core.ToDecimal(value.span, t.DECIMAL, value)
    if isinstance(value, core.Conditional) and not assignable(given, wanted):
        then, otherwise = coerce(value.then, target), coerce(value.otherwise, target)
        return core.Conditional(value.span, target, value.condition, then, otherwise)
    if assignable(given, wanted):
        return value
    raise Mismatch


def _constant(value: core.Constant, wanted: Type) -> core.Constant | None:
    """A literal as a value of a type that literals convert to."""
    raw = value.value
    if isinstance(raw, str):
        values = t.literal_values(wanted)
        if values is not None:
            if raw not in values:
                raise Mismatch("value")
            return value.replace(type=wanted)  # type: ignore[no-any-return]
        if wanted in _PARSED:
            return core.Constant(value.span, wanted, read_literal(raw, wanted))
        return value if wanted == t.STR else None
    if type(raw) is int:
        if wanted == t.FLOAT:
            return core.Constant(value.span, t.FLOAT, float(raw))
        if wanted == t.DECIMAL:
            return core.Constant(value.span, t.DECIMAL, decimal.Decimal(raw))
    return value if value.type == wanted else None


def check_facets(value: Any, target: Type) -> None:
    """Mismatch where a literal breaks a facet of the type it is used for."""
    while isinstance(target, (t.Refined, t.Ref, t.Optional)):
        if isinstance(target, t.Ref):
            target = target.key
            continue
        if isinstance(target, t.Refined):
            for name, bound in target.facets:
                if not _HOLDS[name](value, bound):
                    raise Mismatch(f"{name}: {bound}")
        target = target.inner


def _pattern(value: str, pattern: str) -> bool:
    from toolc_runtime.errors import SchemaError
    from toolc_runtime.patterns import Pattern

    try:
        return Pattern(pattern).search(value)
    except SchemaError:
        return True


def _readable(value: str, name: str) -> bool:
    try:
        FORMATS[name](value)
    except ValueError:
        return False
    return True


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusive_minimum": lambda value, bound: value > bound,
    "exclusive_maximum": lambda value, bound: value < bound,
    "multiple_of": lambda value, bound: value % bound == 0,
    "min_length": lambda value, bound: len(value) >= bound,
    "max_length": lambda value, bound: len(value) <= bound,
    "pattern": _pattern,
    "format": lambda value, name: name not in FORMATS or _readable(value, name),
    "min_items": lambda value, bound: len(value) >= bound,
    "max_items": lambda value, bound: len(value) <= bound,
    "unique_items": lambda value, flag: True,
    "min_properties": lambda value, bound: len(value) >= bound,
    "max_properties": lambda value, bound: len(value) <= bound,
}


def join(a: Type, b: Type) -> Type | None:
    """The narrowest type that holds the values of both; None where there is none."""
    if a == t.NEVER or b == t.NEVER:
        return b if a == t.NEVER else a
    if assignable(a, b):
        return b
    if assignable(b, a):
        return a
    left, right = t.strip(a), t.strip(b)
    if t.NULL in (left, right) or isinstance(left, t.Optional) or isinstance(right, t.Optional):
        bare_left = t.NEVER if left == t.NULL else t.required(left)
        bare_right = t.NEVER if right == t.NULL else t.required(right)
        inner = join(bare_left, bare_right)
        return t.optional(inner) if inner is not None else None
    if {left, right} <= {t.INT, t.FLOAT}:
        return t.FLOAT
    if {left, right} <= {t.INT, t.DECIMAL}:
        return t.DECIMAL
    values_left, values_right = t.literal_values(left), t.literal_values(right)
    if values_left is not None and values_right is not None:
        return t.Literals(tuple(dict.fromkeys((*values_left, *values_right))))
    if isinstance(left, t.Case) and isinstance(right, t.Case) and left.union == right.union:
        return merge_cases([*(left.parts or (left,)), *(right.parts or (right,))])
    if isinstance(left, t.List) and isinstance(right, t.List):
        item = join(left.item, right.item)
        return t.List(item) if item is not None else None
    return None


def merge_cases(cases: list[t.Case]) -> t.Case:
    """A case that may be any of several of one union: it has the fields that they share."""
    parts = tuple({case.values[0]: case for case in cases}.values())
    first, *rest = parts
    if not rest:
        return first
    shared = [m for m in first.members if all(case.field(m.name) == m for case in rest)]
    values = tuple(case.values[0] for case in parts)
    tag = t.FieldType(first.tag, t.Literals(values))
    members = (tag, *(member for member in shared if member.name != first.tag))
    return t.Case(first.union, first.tag, values, lambda: members, parts)


_NUMBER_FORMAT = re.compile(r"[<>^]?[+ ]?0?[0-9]{0,3},?(\.[0-9]{1,2})?[fdeg%]?")
_NUMBERS: dict[Type, Any] = {t.INT: 1, t.FLOAT: 1.0, t.DECIMAL: decimal.Decimal(1)}


def formats(spec: str, kind: Type) -> bool:
    """Whether numbers of that type can be written by a format such as `.2f` or `,`."""
    number = _NUMBERS.get(t.strip(kind))
    if number is None or not _NUMBER_FORMAT.fullmatch(spec):
        return False
    try:
        format(number, spec)
    except ValueError:
        return False
    return True
