"""Matching arguments against the signatures of built-ins."""

from __future__ import annotations

from collections.abc import Callable

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import Variable
from toolc.analysis.checker import ORDERED
from toolc.analysis.coerce import (
    Mismatch,
    assignable,
    coerce,
    join,
)
from toolc.analysis.types import Type


def concrete(kind: Type) -> bool:
    if isinstance(kind, Variable):
        return False
    parts = kind.items if isinstance(kind, t.Tuple) else kind.__dict__.values()
    return all(concrete(part) for part in parts if isinstance(part, Type))


def unify(value: core.Expr, pattern: Type, bound: dict[str, Type]) -> core.Expr | None:
    """The argument as the parameter wants it, with the pattern's variables bound; else None."""
    if concrete(pattern):
        try:
            return coerce(value, pattern)
        except Mismatch:
            return None
    return value if _match(value.type, pattern, bound) else None


def _match(kind: Type, pattern: Type, bound: dict[str, Type]) -> bool:
    bare = t.strip(kind)
    match pattern:
        case Variable(name="table"):
            if not isinstance(bare, t.TableType):
                return False
            key: Type = bare.key if len(bare.keys) == 1 else t.Tuple(bare.keys)
            bound.update(key=key, row=bare.row)
            return True
        case Variable():
            if isinstance(bare, t.TableType) or (isinstance(bare, t.Tuple) and pattern.name != "T"):
                return False
            allowed = _CLASSES.get(pattern.name)
            if allowed is not None and bare != t.NEVER and not allowed(bare):
                return False
            joined = join(bound.get(pattern.name, t.NEVER), kind)
            if joined is None:
                return False
            bound[pattern.name] = joined
            return True
        case t.List():
            return isinstance(bare, t.List) and _match(bare.item, pattern.item, bound)
        case t.Dict():
            return (
                isinstance(bare, t.Dict)
                and _match(bare.key, pattern.key, bound)
                and _match(bare.value, pattern.value, bound)
            )
        case t.Tuple():
            return (
                isinstance(bare, t.Tuple)
                and len(bare.items) == len(pattern.items)
                and all(_match(a, b, bound) for a, b in zip(bare.items, pattern.items, strict=True))
            )
        case _:
            return assignable(kind, pattern)


_CLASSES: dict[str, Callable[[Type], bool]] = {
    "N": t.is_number,
    "O": lambda kind: kind in ORDERED or t.is_text(kind),
    "C": lambda kind: t.is_text(kind) or kind == t.INT,
    "R": lambda kind: isinstance(kind, t.Record) and kind.open,
}


def substitute(kind: Type, bound: dict[str, Type]) -> Type:
    match kind:
        case Variable():
            found = bound.get(kind.name, t.NEVER)
            return t.INT if found == t.NEVER and kind.name == "N" else found
        case t.List():
            return t.List(substitute(kind.item, bound))
        case t.Dict():
            return t.Dict(substitute(kind.key, bound), substitute(kind.value, bound))
        case t.Tuple():
            return t.Tuple(tuple(substitute(item, bound) for item in kind.items))
        case t.Optional():
            return t.optional(substitute(kind.inner, bound))
        case _:
            return kind
