"""What is known at a point of the program: narrowed types of immutable paths.

A *path* is a local, a state scalar or a row of a table, followed by fields and keys. Facts about
locals hold until the local is assigned, facts about places until a write that may reach them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.coerce import merge_cases
from toolc.analysis.types import Type

Path = tuple[Any, ...]
Facts = Mapping[Path, Type]


def path(expr: core.Expr) -> Path | None:
    """The path that an expression reads, or None."""
    match expr:
        case core.Local():
            return ("local", id(expr.symbol), expr.symbol.mutable)
        case core.ScalarRef():
            return ("place", expr.name)
        case core.Constant():
            return ("constant", expr.value)
        case core.Narrowed():
            return path(expr.value)
        case core.Lookup():
            key = path(expr.key)
            return ("place", expr.table.name, key) if key is not None else None
        case core.Field():
            base = path(expr.base)
            return ("field", base, expr.name) if base is not None else None
        case core.Item() | core.At():
            base = path(expr.base)
            key = path(expr.key if isinstance(expr, core.Item) else expr.index)
            return ("item", base, key) if base is not None and key is not None else None
        case _:
            return None


def _mentions(where: Any, test: Any) -> bool:
    if isinstance(where, tuple):
        return bool(test(where)) or any(_mentions(part, test) for part in where)
    return False


def without_places(facts: Facts, names: Iterable[str] | None) -> Facts:
    """The facts that outlive a write to the tables and scalars named (None: to any)."""
    reached = None if names is None else frozenset(names)

    def test(part: Path) -> bool:
        return len(part) > 1 and part[0] == "place" and (reached is None or part[1] in reached)

    return {where: kind for where, kind in facts.items() if not _mentions(where, test)}


def without_local(facts: Facts, symbol: core.Symbol) -> Facts:
    """The facts that outlive an assignment to a local."""

    def test(part: Path) -> bool:
        return len(part) > 1 and part[0] == "local" and part[1] == id(symbol)

    return {where: kind for where, kind in facts.items() if not _mentions(where, test)}


def without_mutable(facts: Facts) -> Facts:
    """The facts that hold at every turn of a loop, whatever its body assigns."""
    kept = without_places(facts, None)

    def test(part: Path) -> bool:
        return len(part) > 2 and part[0] == "local" and part[2]

    return {where: kind for where, kind in kept.items() if not _mentions(where, test)}


def facts_of(condition: core.Expr, truth: bool) -> dict[Path, Type]:
    """What holds once a condition is known to be true or false."""
    match condition:
        case core.Not():
            return facts_of(condition.operand, not truth)
        case core.Logic():
            if (condition.operator == "and") == truth:
                found: dict[Path, Type] = {}
                for operand in condition.operands:
                    found |= facts_of(operand, truth)
                return found
            return {}
        case core.Comparison() if len(condition.operators) == 1 and condition.operators[0] in (
            "==",
            "!=",
        ):
            equal = (condition.operators[0] == "==") == truth
            left, right = condition.operands
            return _equality(left, right, equal) or _equality(right, left, equal)
        case core.Absent() if not truth:
            return {}
        case _:
            return {}


def _equality(subject: core.Expr, other: core.Expr, equal: bool) -> dict[Path, Type]:
    if not isinstance(other, core.Constant):
        return {}
    where = path(subject)
    if where is not None and t.nullable(subject.type) and t.strip(subject.type) != t.JSON:
        if other.value is None:
            return {where: t.NULL if equal else t.required(subject.type)}
        if equal:
            return {where: t.required(subject.type)}
    if isinstance(subject, core.Field) and isinstance(other.value, str):
        base = subject.base
        where = path(base)
        kind = t.strip(base.type)
        cases = cases_of(kind)
        if where is not None and cases and subject.name == next(iter(cases.values())).tag:
            kept = [value for value in cases if (value == other.value) == equal]
            if kept:
                return {where: narrow_cases(kind, kept)}
    return {}


def cases_of(kind: Type) -> dict[str, t.Case]:
    """The single cases that a union, or a case of several values, may be."""
    if isinstance(kind, t.Union):
        return kind.cases
    if isinstance(kind, t.Case) and len(kind.values) == 1:
        return {kind.values[0]: kind}
    if isinstance(kind, t.Case):
        return {part.values[0]: part for part in kind.parts}
    return {}


def narrow_cases(kind: Type, values: list[str]) -> t.Case:
    """The union (or case) `kind` where its tag is one of the values."""
    cases = cases_of(kind)
    return merge_cases([cases[value] for value in values])
