"""Checking expressions: the literals, and how each kind of expression is checked."""

from __future__ import annotations

from decimal import Decimal

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.calls import Calls
from toolc.analysis.coerce import Mismatch, formats, read_literal
from toolc.analysis.objects import Objects
from toolc.analysis.operators import Operators
from toolc.analysis.paths import Paths
from toolc.analysis.types import Type
from toolc.syntax import tree


class Expressions(Objects, Paths, Operators, Calls):
    """The checker of one file's expressions."""

    def _null(self, node: tree.Null, expected: Type | None) -> core.Expr:
        return core.Constant(node.span, t.NULL, None)

    def _bool(self, node: tree.Bool, expected: Type | None) -> core.Expr:
        return core.Constant(node.span, t.BOOL, node.value)

    def _number(self, node: tree.Number, expected: Type | None) -> core.Expr:
        value = node.value
        if isinstance(value, int):
            if value >= 2**63:
                return self.wrong("TC0313", node.span, text=node.text)
            return core.Constant(node.span, t.INT, value)
        if value in (float("inf"), float("-inf")):
            return self.wrong("TC0313", node.span, text=node.text)
        if expected is not None and t.strip(t.required(expected)) == t.DECIMAL:
            return self._decimal(node, value, expected)
        return core.Constant(node.span, t.FLOAT, value)

    def _decimal(self, node: tree.Number, value: float, expected: Type) -> core.Expr:
        text = node.text.replace("_", "")
        if value:  # the exponent is one of a float, so that this is short
            text = format(Decimal(text), "f")
        try:
            return core.Constant(node.span, t.DECIMAL, read_literal(text, t.DECIMAL))
        except Mismatch:
            reason = f"`{node.text}` is no decimal"
            return self.wrong("TC0310", node.span, reason=reason, type=t.show(expected))

    def _string(self, node: tree.String, expected: Type | None) -> core.Expr:
        return core.Constant(node.span, t.STR, node.value)

    def _interpolation(self, node: tree.Interpolation, expected: Type | None) -> core.Expr:
        parts: list[str | core.HoleOf] = []
        for part in node.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            value = self.expr(part.value)
            if isinstance(t.strip(value.type), (t.TableType, t.Tuple)):
                value = self.wrong(
                    "TC0301", value.span, expected="a value", found=t.show(value.type)
                )
            if part.format and value.type != t.NEVER and not formats(part.format, value.type):
                self.report("TC0314", part.span, format=part.format, type=t.show(value.type))
            parts.append(core.HoleOf(value, part.format))
        return core.Text(node.span, t.STR, tuple(parts))

    def _list(self, node: tree.ListLiteral, expected: Type | None) -> core.Expr:
        wanted = t.strip(t.required(expected)) if expected is not None else None
        if isinstance(wanted, t.List):
            items = tuple(self.check(item, wanted.item) for item in node.items)
            value = core.ListOf(node.span, wanted, items)
            self.list_facets(node.span, items, expected)
            return value
        if wanted == t.JSON:
            return core.ListOf(
                node.span, t.List(t.JSON), tuple(self.check(item, t.JSON) for item in node.items)
            )
        found = [self.expr(item) for item in node.items]
        kind = self.join_all(found)
        return core.ListOf(node.span, t.List(kind), tuple(self.fit(item, kind) for item in found))

    def _bare_comprehension(self, node: tree.Expr, expected: Type | None) -> core.Expr:
        return self.wrong("TC0216", node.span, name="this")


Expressions.rules = {
    tree.Null: Expressions._null,
    tree.Bool: Expressions._bool,
    tree.Number: Expressions._number,
    tree.String: Expressions._string,
    tree.Interpolation: Expressions._interpolation,
    tree.Ref: Expressions._ref,
    tree.Attribute: Expressions._attribute,
    tree.Index: Expressions._index,
    tree.Slice: Expressions._slice,
    tree.Call: Expressions._call,
    tree.ListLiteral: Expressions._list,
    tree.Object: Expressions._object,
    tree.ListComprehension: Expressions._list_comprehension,
    tree.DictComprehension: Expressions._dict_comprehension,
    tree.Comprehension: Expressions._bare_comprehension,
    tree.Walk: Expressions._bare_comprehension,
    tree.Unary: Expressions._unary,
    tree.Binary: Expressions._binary,
    tree.Compare: Expressions._compare,
    tree.Conditional: Expressions._conditional,
    tree.OrFail: Expressions._or_fail,
}
