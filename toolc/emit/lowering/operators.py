"""Operators: arithmetic, logic, comparison, membership, conversion of numbers."""

from __future__ import annotations

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.emit import py
from toolc.emit.lowering.facts import Facts
from toolc.emit.lowering.shapes import assigned, concatenated, is_fixed, is_stable
from toolc.emit.lowering.trees import is_singleton, nests
from toolc.node import same

_HELPERS = {
    "/": "divide",
    "//": "floor_divide",
    "%": "modulo",
    "*": "multiply",
    "**": "power",
    "+": "add",
    "-": "subtract",
}

_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Operators(Facts):
    """An operator of the language as one of Python, or as a call that checks its result."""

    def arithmetic(self, node: core.Arithmetic) -> py.Expr:
        left, right = self.borrows(node.left, node.right)
        return self.combine(node, left, right)

    def combine(self, node: core.Arithmetic, left: py.Expr, right: py.Expr) -> py.Expr:
        """`left operator right`, checked where it may fail or grow."""
        if node.kind == "list":
            value: py.Expr = concatenated(left, right)
            return self.grown(value, node.left, node.right)
        value = py.Binary(node.operator, left, right) if node.operator != "**" else py.NONE
        if node.kind == "text":
            return self.grown(value, node.left, node.right)
        if self.needs_check(node):
            return self.call(_HELPERS[node.operator], left, right)
        return value

    def negate(self, node: core.Negate) -> py.Expr:
        return py.Unary("-", self.expr(node.operand))

    def not_(self, node: core.Not) -> py.Expr:
        return py.negate(self.expr(node.operand))

    def logic(self, node: core.Logic) -> py.Expr:
        parts = [self.captured(operand) for operand in node.operands]
        if not any(before for before, _ in parts[1:]):
            self.out.extend(parts[0][0])
            return py.Logic(node.operator, tuple(value for _, value in parts))
        name = self.scope.fresh("holds")
        self._logic(name, node.operator, parts)
        return py.Name(name)

    def _logic(self, name: str, operator: str, parts: list[tuple[py.Block, py.Expr]]) -> None:
        (before, value), *rest = parts
        self.out.extend(before)
        self.set_(name, value)
        if rest:
            with self.elsewhere() as out:
                self._logic(name, operator, rest)
                body = tuple(out)
            target = py.Name(name)
            self.out.append(py.If(((target if operator == "and" else py.negate(target), body),)))

    def comparison(self, node: core.Comparison) -> py.Expr:
        first, second, *rest = node.operands
        parts = [self.capture(lambda value=value: self.borrow(value)) for value in rest]  # type: ignore[misc]
        left, right = self.borrows(first, second)
        if not rest:
            if nests(first.type) and nests(second.type):
                left = self.call("weighed", left)
            return compare(node.operators[0], first, second, left, right)
        if not any(before for before, _ in parts):
            values = (left, right, *(value for _, value in parts))
            return py.Compare(values, node.operators)
        # A later operand is evaluated only where the earlier comparisons hold.
        left, right = self.simple(left), self.simple(right)
        links: list[tuple[py.Block, py.Expr]] = [
            ((), py.Compare((left, right), (node.operators[0],)))
        ]
        for operator, (before, value) in zip(node.operators[1:], parts, strict=True):
            kept = value if is_stable(value) else py.Name(self.scope.fresh("value"))
            if kept is not value:
                before = (*before, py.Assign((kept,), value))
            link = (kept, right), (_MIRRORED[operator],)
            if not is_fixed(right) or is_fixed(kept):
                link = (right, kept), (operator,)
            links.append((before, py.Compare(*link)))
            right = kept
        name = self.scope.fresh("holds")
        self._logic(name, "and", links)
        return py.Name(name)

    def contains(self, node: core.Contains) -> py.Expr:
        container = node.container
        items: tuple[core.Expr, ...] | None = None
        if isinstance(container, core.ListOf) and all(
            isinstance(item, core.Constant) for item in container.items
        ):
            items = container.items
        item, made = self.borrows(node.item, container)
        if node.kind == "list" and nests(node.item.type):
            item = self.call("weighed", item)
        if items and isinstance(made, py.ListDisplay):
            made = py.TupleDisplay(made.items)
        return py.Compare((item, made), ("not in" if node.negated else "in",))

    def conditional(self, node: core.Conditional) -> py.Expr:
        (condition,) = self.exprs(node.condition)
        before_then, then = self.capture(lambda: self.expr(node.then))
        before_else, otherwise = self.capture(lambda: self.expr(node.otherwise))
        if not before_then and not before_else:
            if same(then, otherwise) and self.is_total(node.condition):
                return then
            return py.IfElse(condition, then, otherwise)
        name = self.scope.fresh("value")
        then_block = (*before_then, assigned(name, then))
        else_block = (*before_else, assigned(name, otherwise))
        self.out.append(py.If(((condition, then_block),), else_block))
        return py.Name(name)

    def to_float(self, node: core.ToFloat) -> py.Expr:
        return self._converted("float", node.value)

    def to_decimal(self, node: core.ToDecimal) -> py.Expr:
        self.imported.add("Decimal")
        return self._converted("Decimal", node.value)

    def _converted(self, function: str, node: core.Expr) -> py.Expr:
        value = self.borrow(node)
        if t.nullable(node.type):
            value = self.simple(value)
            return py.IfElse(py.is_none(value), py.NONE, py.call(function, value))
        return py.call(function, value)


def compare(operator: str, left: core.Expr, right: core.Expr, a: py.Expr, b: py.Expr) -> py.Expr:
    """Two values compared; null and truth values by identity."""
    if is_singleton(left):
        left, right, a, b = right, left, b, a
    if not is_singleton(right) or operator not in ("==", "!="):
        if is_fixed(a) and not is_fixed(b):
            return py.Compare((b, a), (_MIRRORED[operator],))
        return py.Compare((a, b), (operator,))
    equal = operator == "=="
    value = right.value  # type: ignore[attr-defined]
    if value is not None and t.strip(left.type) == t.BOOL:
        return a if value is equal else py.negate(a)
    return py.Compare((a, b), ("is" if equal else "is not",))
