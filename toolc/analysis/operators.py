"""Checking operators: arithmetic, comparison, membership, logic, `??`, `if` and `else fail`."""

from __future__ import annotations

from contextlib import suppress

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.checker import NULL_HELP, ORDERED, Checker
from toolc.analysis.coerce import (
    Mismatch,
    coerce,
    is_literal_type,
    join,
)
from toolc.analysis.effects import nodes
from toolc.analysis.partiality import may_miss, partial
from toolc.analysis.types import Type
from toolc.diagnostics.diagnostic import Edit, Fix
from toolc.node import Span, same
from toolc.syntax import tree


class Operators(Checker):
    """Each operator has one meaning for each pair of types."""

    def _unary(self, node: tree.Unary, expected: Type | None) -> core.Expr:
        if node.operator == "not":
            return core.Not(node.span, t.BOOL, self.condition(node.operand))
        value = self.expr(node.operand, expected)
        bare = t.strip(value.type)
        if bare == t.NEVER:
            return value
        if bare not in (t.INT, t.FLOAT, t.DECIMAL, t.DURATION):
            return self.wrong("TC0323", node.span, operator="-", left=t.show(value.type), right="")
        if isinstance(value, core.Constant):
            return core.Constant(node.span, value.type, -value.value)
        return core.Negate(node.span, bare, value)

    def _binary(self, node: tree.Binary, expected: Type | None) -> core.Expr:
        if node.operator in ("and", "or"):
            return self._logic(node)
        if node.operator == "??":
            return self._coalesce(node, expected)
        left = self.expr(node.left, expected if node.operator in "+-" else None)
        right = self.expr(node.right)
        return self.arithmetic(node.span, node.operator, left, right)

    def _logic(self, node: tree.Binary) -> core.Expr:
        default = self._falsy_default(node) if node.operator == "or" else None
        if default is not None:
            return default
        left = self.condition(node.left)
        with self.inner(flow.facts_of(left, node.operator == "and")):
            right = self.condition(node.right)
        operands = (
            (*left.operands, right)
            if isinstance(left, core.Logic) and left.operator == node.operator
            else (left, right)
        )
        return core.Logic(node.span, t.BOOL, node.operator, operands)

    def _falsy_default(self, node: tree.Binary) -> core.Expr | None:
        """Report `value or default`; None where the left side is a condition."""
        if isinstance(node.left, (tree.Compare, tree.Binary, tree.Unary)):
            return None
        before = len(self.file.reporter.diagnostics)
        value = self.expr(node.left)
        if len(self.file.reporter.diagnostics) != before or not t.nullable(value.type):
            return None
        edit = Edit(Span(node.left.span.end, node.right.span.start), " ?? ")
        fix = Fix("write `??`", (edit,), "unsafe")
        found = t.show(value.type)
        return self.wrong("TC0301", node.left.span, expected="bool", found=found, fix=fix)

    def _coalesce(self, node: tree.Binary, expected: Type | None) -> core.Expr:
        left = self.path(node.left, expected)
        right = self.expr(node.right, t.required(left.type) if expected is None else expected)
        if (
            is_literal_type(t.required(left.type))
            or t.literal_values(t.required(left.type)) is not None
        ):
            with suppress(Mismatch):
                right = coerce(right, t.optional(left.type))
        kind = join(t.required(left.type) if left.type != t.NULL else t.NEVER, right.type)
        if kind is None:
            return self.wrong("TC0324", node.span, left=t.show(left.type), right=t.show(right.type))
        if not t.nullable(left.type) and not may_miss(left) and left.type != t.NEVER:
            self.report("TC0325", node.left.span, type=t.show(left.type))
        if not t.nullable(kind) or t.nullable(right.type):
            right = self.fit(right, kind)
        if t.strip(t.required(left.type)) == t.INT and t.strip(kind) in (t.FLOAT, t.DECIMAL):
            return self.wrong("TC0324", node.span, left=t.show(left.type), right=t.show(right.type))
        return core.Coalesce(node.span, kind, left, right)

    def arithmetic(self, span: Span, operator: str, left: core.Expr, right: core.Expr) -> core.Expr:
        """`left operator right`, with operands made one type."""
        for side in (left, right):
            if isinstance(t.strip(side.type), t.Optional):
                return self.wrong("TC0311", side.span, type=t.show(side.type), help=NULL_HELP)
        a, b = t.strip(left.type), t.strip(right.type)
        if (
            t.NEVER in (a, b)
            and not isinstance(left, core.ListOf)
            and not isinstance(right, core.ListOf)
        ):
            return core.Constant(span, t.NEVER, None)
        left, right = self._literal_operands(operator, left, right)
        a, b = t.strip(left.type), t.strip(right.type)
        if t.is_number(a) and t.is_number(b):
            return self._numeric(span, operator, left, right)
        if operator == "+" and t.is_text(a) and t.is_text(b):
            return core.Arithmetic(span, t.STR, "+", left, right, "text")
        if operator == "+" and isinstance(a, t.List) and isinstance(b, t.List):
            kind = join(a, b)
            if kind is not None:
                return core.Arithmetic(span, kind, "+", left, right, "list")
        timed = TIME_RULES.get((operator, a, b))
        if timed is not None:
            return core.Arithmetic(span, timed, operator, left, right, "time")
        help: tuple[str, ...] = ()
        fix: Fix | None = None
        if operator == "+" and (t.is_text(a) or t.is_text(b)):
            help = ('put a value into a text by interpolation: `"… {value} …"`',)
            other = left if t.is_text(b) else right
            if isinstance(t.strip(other.type), t.Scalar) and t.strip(other.type) not in (
                t.NULL,
                t.JSON,
            ):
                start, end = other.span
                edits = (Edit(Span(start, start), "str("), Edit(Span(end, end), ")"))
                fix = Fix("make it a text with `str(…)`", edits)
        return self.wrong(
            "TC0323",
            span,
            operator=operator,
            left=t.show(left.type),
            right=t.show(right.type),
            help=help,
            fix=fix,
        )

    def _literal_operands(
        self, operator: str, left: core.Expr, right: core.Expr
    ) -> tuple[core.Expr, core.Expr]:
        """Text literals as dates or durations, beside a date or a duration."""
        dated = (t.DATE, t.TIME, t.DATETIME, t.DURATION)
        if (
            isinstance(right, core.Constant)
            and isinstance(right.value, str)
            and t.strip(left.type) in dated
        ):
            for kind in (t.strip(left.type), t.DURATION) if operator == "-" else (t.DURATION,):
                try:
                    return left, coerce(right, kind)
                except Mismatch:
                    continue
        if (
            isinstance(left, core.Constant)
            and isinstance(left.value, str)
            and t.strip(right.type) in dated
        ):
            for kind in (t.DATETIME, t.DATE, t.DURATION):
                try:
                    return coerce(left, kind), right
                except Mismatch:
                    continue
        return left, right

    def _numeric(self, span: Span, operator: str, left: core.Expr, right: core.Expr) -> core.Expr:
        kind = join(t.strip(left.type), t.strip(right.type))
        if kind is None:
            return self.wrong(
                "TC0323", span, operator=operator, left=t.show(left.type), right=t.show(right.type)
            )
        left, right = self.fit(left, kind), self.fit(right, kind)
        if operator in ("/", "//", "%") and isinstance(right, core.Constant) and right.value == 0:
            return self.wrong("TC0326", right.span)
        result = t.FLOAT if operator == "/" and kind == t.INT else kind
        return core.Arithmetic(span, result, operator, left, right, "number")

    def _compare(self, node: tree.Compare, expected: Type | None) -> core.Expr:
        if node.operators[0] in ("in", "not in"):
            return self._contains(node)
        operands = [self.expr(node.operands[0])]
        for operator, right in zip(node.operators, node.operands[1:], strict=True):
            left = operands[-1]
            value = self.expr(right, left.type if t.strip(left.type) != t.NULL else None)
            operands[-1], value = self._comparable(node.span, operator, left, value)
            operands.append(value)
        if len(node.operators) == 1:
            self._warn_of_constancy(node, operands[0], operands[1])
        return core.Comparison(node.span, t.BOOL, tuple(operands), node.operators)

    def _warn_of_constancy(self, node: tree.Compare, left: core.Expr, right: core.Expr) -> None:
        """Reports a value that is compared with itself, or with a null that it never is."""
        operator = node.operators[0]
        value = "true" if operator in ("==", "<=", ">=") else "false"
        if same(*node.operands) and not any(isinstance(x, tree.Call) for x in nodes(node)):
            self.report("TC0514", node.span, value=value, why="both sides are the same")
        elif operator in ("==", "!=") and t.NEVER not in (left.type, right.type):
            for one, other in ((left, right), (right, left)):
                if t.strip(one.type) == t.NULL and not t.nullable(other.type):
                    value = "true" if operator == "!=" else "false"
                    why = f"`{t.show(other.type)}` is never null"
                    self.report("TC0514", node.span, value=value, why=why)
                    return

    def _comparable(
        self, span: Span, operator: str, left: core.Expr, right: core.Expr
    ) -> tuple[core.Expr, core.Expr]:
        """Both sides made one type, or a report."""
        if t.NEVER in (left.type, right.type):
            return left, right
        left, right = self._literal_side(left, right), self._literal_side(right, left)
        if t.NEVER in (left.type, right.type):
            return left, right
        kind = join(left.type, right.type)
        if kind is None or isinstance(t.strip(kind), (t.TableType, t.Tuple)):
            a, b = t.show(left.type), t.show(right.type)
            if operator in ("==", "!="):
                self.report("TC0327", span, left=a, right=b)
            else:
                self.report("TC0323", span, operator=operator, left=a, right=b)
            return left, right
        values_left, values_right = (
            t.literal_values(t.required(left.type)),
            t.literal_values(t.required(right.type)),
        )
        if (
            values_left is not None
            and values_right is not None
            and not set(values_left) & set(values_right)
        ):
            self.report("TC0327", span, left=t.show(left.type), right=t.show(right.type))
        if operator not in ("==", "!="):
            bare = t.strip(kind)
            if isinstance(bare, t.Optional):
                side = left if t.nullable(left.type) else right
                self.report("TC0311", side.span, type=t.show(side.type), help=NULL_HELP)
            elif bare not in ORDERED and not t.is_text(bare):
                self.report("TC0328", span, operator=operator, type=t.show(kind))
        if {t.strip(left.type), t.strip(right.type)} == {t.INT, t.DECIMAL}:
            left, right = self.fit(left, t.DECIMAL), self.fit(right, t.DECIMAL)
        return left, right

    def _literal_side(self, value: core.Expr, other: core.Expr) -> core.Expr:
        """A text literal as a value of the other side's type."""
        wanted = t.required(other.type)
        if not isinstance(value, core.Constant) or not isinstance(value.value, str):
            return value
        if isinstance(other, core.Constant) or not (
            is_literal_type(wanted) or t.literal_values(wanted) is not None
        ):
            return value
        return self.fit(value, t.strip(wanted))

    def _contains(self, node: tree.Compare) -> core.Expr:
        container = self.expr(node.operands[1])
        bare = t.strip(container.type)
        negated = node.operators[0] == "not in"
        if len(node.operators) > 1:
            return self.wrong("TC0329", node.span)
        if isinstance(bare, t.TableType):
            item = self._table_key(node.operands[0], bare)
            return core.Contains(node.span, t.BOOL, item, container, "table", negated)
        if isinstance(bare, t.Dict):
            item = self.check(node.operands[0], bare.key)
            return core.Contains(node.span, t.BOOL, item, container, "dict", negated)
        item = self.expr(node.operands[0], bare.item if isinstance(bare, t.List) else None)
        if isinstance(bare, t.List):
            if isinstance(item, core.Constant) and item.type != bare.item:
                item = self.fit(item, bare.item) if bare.item != t.NEVER else item
            elif join(item.type, bare.item) is None:
                self.report("TC0327", node.span, left=t.show(item.type), right=t.show(bare.item))
            return core.Contains(node.span, t.BOOL, item, container, "list", negated)
        if t.is_text(bare):
            return core.Contains(
                node.span, t.BOOL, self.fit(item, t.STR), container, "text", negated
            )
        if bare == t.NEVER:
            return container
        if isinstance(bare, t.Optional):
            return self.wrong("TC0311", container.span, type=t.show(container.type), help=NULL_HELP)
        return self.wrong("TC0330", container.span, type=t.show(bare))

    def _table_key(self, node: tree.Expr, table: t.TableType) -> core.Expr:
        if len(table.keys) == 1:
            return self.check(node, table.key)
        if isinstance(node, tree.ListLiteral) and len(node.items) == len(table.keys):
            keys = tuple(
                self.check(item, key) for item, key in zip(node.items, table.keys, strict=True)
            )
            return core.TupleOf(node.span, t.Tuple(table.keys), keys)
        return self.wrong("TC0322", node.span, table=table.name, wanted=len(table.keys), found=1)

    def _conditional(self, node: tree.Conditional, expected: Type | None) -> core.Expr:
        condition = self.condition(node.condition)
        with self.inner(flow.facts_of(condition, True)):
            then = self.expr(node.then, expected)
        with self.inner(flow.facts_of(condition, False)):
            otherwise = self.expr(node.otherwise, expected)
        if expected is not None:
            return core.Conditional(
                node.span,
                expected,
                condition,
                self.fit(then, expected),
                self.fit(otherwise, expected),
            )
        kind = join(then.type, otherwise.type)
        if kind is None:
            return self.wrong(
                "TC0324", node.span, left=t.show(then.type), right=t.show(otherwise.type)
            )
        return core.Conditional(
            node.span, kind, condition, self.fit(then, kind), self.fit(otherwise, kind)
        )

    def _or_fail(self, node: tree.OrFail, expected: Type | None) -> core.Expr:
        value = self.path(node.value, expected)
        error = self.check(node.error, t.JSON)
        if value.type != t.NEVER and not t.nullable(value.type) and not partial(value):
            self.report("TC0331", node.value.span)
        kind = t.required(value.type)
        return core.OrFail(node.span, kind, value, error)


TIME_RULES: dict[tuple[str, Type, Type], Type] = {
    ("+", t.DATE, t.DURATION): t.DATE,
    ("-", t.DATE, t.DURATION): t.DATE,
    ("-", t.DATE, t.DATE): t.DURATION,
    ("+", t.DATETIME, t.DURATION): t.DATETIME,
    ("-", t.DATETIME, t.DURATION): t.DATETIME,
    ("-", t.DATETIME, t.DATETIME): t.DURATION,
    ("+", t.DURATION, t.DURATION): t.DURATION,
    ("-", t.DURATION, t.DURATION): t.DURATION,
    ("*", t.DURATION, t.INT): t.DURATION,
    ("*", t.DURATION, t.FLOAT): t.DURATION,
    ("*", t.INT, t.DURATION): t.DURATION,
    ("*", t.FLOAT, t.DURATION): t.DURATION,
    ("/", t.DURATION, t.INT): t.DURATION,
    ("/", t.DURATION, t.FLOAT): t.DURATION,
    ("/", t.DURATION, t.DURATION): t.FLOAT,
}
