"""Which expressions may fail, and what `??` catches."""

from __future__ import annotations

from typing import Any

from toolc.analysis import core
from toolc.analysis.builtins import BUILTINS


def may_miss(value: core.Expr) -> bool:
    """Whether `??` has something to catch: a path that may find nothing."""
    match value:
        case core.Lookup() | core.Item() | core.At() | core.Present():
            return True
        case core.Field():
            return may_miss(value.base)
        case core.Narrowed():
            return may_miss(value.value)
        case core.Coalesce():
            return may_miss(value.right)
        case _:
            return isinstance(value, core.CallBuiltin) and BUILTINS[value.name].partial


def partial(value: Any) -> bool:
    """Whether evaluating may fail, not counting budgets."""
    match value:
        case core.Lookup() | core.Item() | core.At() | core.Present():
            return True
        case core.CallBuiltin():
            return BUILTINS[value.name].partial or any(map(partial, value.arguments))
        case core.CallFunction() | core.OrFail():
            return True
        case core.Arithmetic():
            checked = value.operator in ("/", "//", "%", "**", "*") and not isinstance(
                value.right, core.Constant
            )
            return checked or value.kind == "time" or partial(value.left) or partial(value.right)
        case core.Coalesce():
            return partial(value.right)
        case core.Expr():
            return any(map(partial, value.__dict__.values()))
        case (
            core.EntryOf()
            | core.DictEntry()
            | core.HoleOf()
            | core.ForIn()
            | core.Where()
            | core.OrderKey()
        ):
            return any(map(partial, value.__dict__.values()))
        case tuple():
            return any(map(partial, value))
        case _:
            return False
