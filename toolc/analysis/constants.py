"""The values of constant expressions, and the expressions of constant values."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.coerce import is_literal_type, read_literal
from toolc.analysis.types import Type
from toolc.node import Span
from toolc_runtime import arithmetic
from toolc_runtime.errors import Fail


class NotConstant(Exception):
    """An expression that has no value at compile time."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


def fold(value: core.Expr) -> Any:
    """The value of a constant expression; NotConstant where it has none."""
    rule = _FOLDS.get(type(value))
    if rule is None:
        raise NotConstant(value.span)
    return rule(value)


def _fold_record(value: core.RecordOf) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in value.entries:
        folded = fold(entry.value)
        found |= folded if entry.name is None else {entry.name: folded}
    return found


def _fold_dict(value: core.DictOf) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for entry in value.entries:
        folded = fold(entry.value)
        found |= folded if entry.key is None else {fold(entry.key): folded}
    return found


def _fold_text(value: core.Text) -> str:
    if any(isinstance(part, core.HoleOf) for part in value.parts):
        raise NotConstant(value.span)
    return "".join(part for part in value.parts if isinstance(part, str))


def _fold_arithmetic(value: core.Arithmetic) -> Any:
    left, right = fold(value.left), fold(value.right)
    if value.kind == "list":
        return left + right
    if value.kind == "text":
        raise NotConstant(value.span)
    try:
        return _OPERATIONS[value.operator](left, right)
    except Fail:
        raise NotConstant(value.span) from None


def _fold_negation(value: core.Negate) -> Any:
    try:
        return -fold(value.operand)
    except OverflowError:
        raise NotConstant(value.span) from None


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "//": arithmetic.floor_divide,
    "%": arithmetic.modulo,
    "**": arithmetic.power,
}
_FOLDS: dict[type, Callable[[Any], Any]] = {
    core.Constant: lambda value: value.value,
    core.ListOf: lambda value: [fold(item) for item in value.items],
    core.RecordOf: _fold_record,
    core.DictOf: _fold_dict,
    core.Negate: _fold_negation,
    core.ToFloat: lambda value: float(fold(value.value)),
    core.ToDecimal: lambda value: Decimal(fold(value.value)),
    core.Narrowed: lambda value: fold(value.value),
    core.Text: _fold_text,
    core.Arithmetic: _fold_arithmetic,
}


def literal(value: core.Constant) -> core.Expr:
    """A constant of any shape as literals."""
    raw, span = value.value, value.span
    if isinstance(raw, list):
        return core.ListOf(
            span,
            value.type,
            tuple(literal(core.Constant(span, _member(value.type), item)) for item in raw),
        )
    if isinstance(raw, dict):
        bare = t.strip(t.required(value.type))
        if isinstance(bare, t.Dict):
            entries = tuple(
                core.DictEntry(
                    core.Constant(span, bare.key, key),
                    literal(core.Constant(span, bare.value, item)),
                )
                for key, item in raw.items()
            )
            return core.DictOf(span, value.type, entries)
        fields = tuple(
            core.EntryOf(key, literal(core.Constant(span, _field_type(bare, key), item)))
            for key, item in raw.items()
        )
        return core.RecordOf(span, value.type, fields)
    bare = t.strip(t.required(value.type))
    if isinstance(raw, str) and is_literal_type(bare):  # a default, which is kept as JSON
        return core.Constant(span, value.type, read_literal(raw, bare))
    return value


def _member(kind: Type) -> Type:
    bare = t.strip(t.required(kind))
    return bare.item if isinstance(bare, t.List) else t.JSON


def _field_type(kind: Type, name: str) -> Type:
    field = kind.field(name) if isinstance(kind, (t.Record, t.Case)) else None
    return field.type if field is not None else t.JSON
