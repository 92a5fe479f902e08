"""What is known of an expression before it runs: whether it may fail, miss, or grow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS
from toolc.emit import py
from toolc.emit.lowering.body import Body
from toolc.emit.lowering.trees import grows, parts_of, path_of, unnarrowed

_WORD = 2**63 - 1

_BOUNDS = {"minimum": 0, "exclusive_minimum": 0, "maximum": 1, "exclusive_maximum": 1}

_KEEPING = frozenset(
    [
        "sorted",
        "reversed",
        "unique",
        "take",
        "drop",
        "first",
        "last",
        "min",
        "max",
        "keys",
        "values",
        "items",
        "zip",
        "enumerate",
        "lower",
        "upper",
        "strip",
        "title",
        "split",
        "choice",
        "shuffle",
    ]
)
"""Built-ins whose result is no larger than what they are given."""


class Facts(Body):
    """What the compiler need not check at run time."""

    def is_total(self, node: Any) -> bool:
        """Whether evaluating cannot fail, but for an exhausted budget."""
        match node:
            case core.Item(base=core.ConstantRef() as base):
                known = self.globals.values[base.name]
                key = node.key
                asked = (
                    (key.value,) if isinstance(key, core.Constant) else t.literal_values(key.type)
                )
                covered = asked is not None and set(asked) <= set(known)
                return covered and self.is_total(node.key)
            case core.Lookup() | core.Item() | core.At() | core.Present():
                return False
            case core.OrFail() | core.CallFunction():
                return False
            case core.CallBuiltin() if BUILTINS[node.name].partial:
                return False
            case core.Arithmetic() if node.kind in ("time", "number") and self.needs_check(node):
                return False
            case core.Coalesce():
                return self.misses_only(node.left) and self.is_total(node.right)
        return all(map(self.is_total, parts_of(node)))

    def misses_only(self, node: core.Expr) -> bool:
        """Whether all that can go wrong is that a link of the path is missing, or null."""
        match node:
            case core.Coalesce():
                return self.misses_only(node.left) and self.misses_only(node.right)
            case core.Narrowed() | core.ToFloat() | core.ToDecimal():
                return self.misses_only(node.value)
            case core.CallBuiltin() if BUILTINS[node.name].partial:
                return False
        root, path = path_of(node)
        return self.is_total(root) and all(
            self.is_total(link) for link in path if isinstance(link, core.Expr)
        )

    def needs_check(self, node: core.Arithmetic) -> bool:
        """Whether the operation may fail or leave its bounds."""
        kind = t.strip(node.left.type)
        if node.kind == "time":
            both = {t.strip(node.left.type), t.strip(node.right.type)}
            return not (node.operator == "-" and both <= {t.DATE, t.DATETIME})
        if kind == t.DECIMAL or node.operator == "**":
            return True
        if node.operator in ("+", "-"):
            return kind == t.INT and self.is_built(node.left) and self.is_built(node.right)
        if node.operator == "*":
            return kind == t.INT and not _bounded_product(node.left, node.right)
        return not all(divisor >= 1 for divisor in self.divisors(node.right))

    def divisors(self, node: core.Expr) -> list[Any]:
        """The numbers that a constant, or a member of a constant dict, may be; 0 for unknown."""
        bare = unnarrowed(node.value) if isinstance(node, core.ToFloat) else unnarrowed(node)
        if isinstance(bare, core.Item) and isinstance(bare.base, core.ConstantRef):
            return list(self.globals.values[bare.base.name].values())
        value = _constant(node)
        return [0 if value is None else value]

    def is_built(self, node: core.Expr) -> bool:
        """Whether a text, list or int was itself put together, so that it may have grown."""
        match node:
            case core.Local():
                return id(node.symbol) in self.built
            case core.Comprehension():
                return self.is_built(node.element)
            case core.Arithmetic() | core.Text() | core.CallFunction():
                return grows(node.type) and any(
                    not isinstance(p, core.Constant) for p in parts_of(node)
                )
            case core.CallBuiltin() if node.name not in _KEEPING:
                return grows(node.type) and t.strip(node.type) != t.INT
            case (
                core.Constant()
                | core.ConstantRef()
                | core.ScalarRef()
                | core.TableRef()
                | core.Lookup()
            ):
                return False
            case core.Conditional():
                return self.is_built(node.then) or self.is_built(node.otherwise)
        return any(self.is_built(part) for part in parts_of(node))

    def grown(self, value: py.Expr, *parts: core.Expr) -> py.Expr:
        """The value, its size checked where a part was itself put together."""
        built = any(self.is_built(part) and not t.is_number(part.type) for part in parts)
        if self.failing or not built:
            return value
        return self.call("grow", value)


def _constant(node: core.Expr) -> int | float | Decimal | None:
    """The number that a constant is, also one that was converted."""
    node = node.value if isinstance(node, (core.ToFloat, core.ToDecimal, core.Narrowed)) else node
    value = node.value if isinstance(node, core.Constant) else None
    return (
        value if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else None
    )


def _bounded_product(left: core.Expr, right: core.Expr) -> bool:
    bounds = (_magnitude(left), _magnitude(right))
    return None not in bounds and bounds[0] * bounds[1] <= _WORD  # type: ignore[operator]


def _magnitude(node: core.Expr) -> int | None:
    """The largest absolute value that an int can have, where its facets say so."""
    value = _constant(node)
    if isinstance(value, int):
        return abs(value)
    if isinstance(node, core.CallBuiltin) and node.name in ("len", "count"):
        return 10**7
    if isinstance(node, core.Local) and node.symbol.mutable:
        return None
    bounds: list[int | None] = [None, None]
    kind = node.type
    while isinstance(kind, t.Refined):
        for name, bound in kind.facets:
            if name in _BOUNDS and isinstance(bound, int):
                bounds[_BOUNDS[name]] = bound
        kind = kind.inner
    low, high = bounds
    return None if low is None or high is None else max(abs(low), abs(high))
