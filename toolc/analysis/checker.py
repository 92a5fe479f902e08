"""What every part of the checker shares: the point of the program, reports, expected types.

`expr(node, expected)` elaborates a node; `expected` guides literals and objects and may be None.
`check(node, type)` also makes the value one of that type, or reports. After a report the
result has type `NEVER`, which fits everywhere, so that one mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.coerce import (
    Mismatch,
    assignable,
    check_facets,
    coerce,
    is_literal_type,
    join,
)
from toolc.analysis.constants import NotConstant, fold
from toolc.analysis.declare import Declarations, File
from toolc.analysis.names import listed, suggest
from toolc.analysis.scope import Context, Scope
from toolc.analysis.types import Type
from toolc.diagnostics.diagnostic import Edit, Fix
from toolc.node import Span
from toolc.syntax import tree

ORDERED = (t.INT, t.FLOAT, t.DECIMAL, t.DATE, t.TIME, t.DATETIME, t.DURATION)


NULL_HELP = ('handle null with `?? default`, `else fail "…"`, or test `!= null` before',)


class Checker:
    """The checker of one file, at one point of it."""

    rules: ClassVar[dict[type, Callable[[Any, Any, Type | None], core.Expr]]]
    """How each kind of expression is checked."""

    def __init__(self, declarations: Declarations, file: File) -> None:
        self.declarations = declarations
        self.file = file
        self.scope = Scope()
        self.context = Context("constant")
        self.facts: flow.Facts = {}
        self.handled: frozenset[int] = frozenset()
        """The nodes (by identity) that a path goes on from, and whose null `??` or `else fail`
        handles."""
        # Every local that was declared, where, and in which file.
        self.bound: list[tuple[core.Symbol, Span, File]] = []

    def report(
        self,
        code: str,
        span: Span,
        *,
        help: tuple[str, ...] = (),
        fix: Fix | None = None,
        **values: Any,
    ) -> None:
        self.file.reporter.report(code, span, help=help, fix=fix, **values)

    def wrong(
        self,
        code: str,
        span: Span,
        *,
        help: tuple[str, ...] = (),
        fix: Fix | None = None,
        **values: Any,
    ) -> core.Expr:
        """Report, and give something that fits everywhere."""
        self.report(code, span, help=help, fix=fix, **values)
        return core.Constant(span, t.NEVER, None)

    @contextmanager
    def inner(self, facts: flow.Facts | None = None) -> Iterator[Scope]:
        """A nested scope, with further facts; both end with the block."""
        outer_scope, outer_facts = self.scope, self.facts
        self.scope = Scope(outer_scope)
        if facts:
            self.facts = {**outer_facts, **facts}
        try:
            yield self.scope
        finally:
            self.scope, self.facts = outer_scope, outer_facts

    def bind(self, name: tree.Name, kind: Type, mutable: bool = False) -> core.Symbol:
        """Declare a local."""
        if name.text in self.scope.symbols:
            self.report("TC0202", name.span, name=name.text)
        if name.text.startswith("__"):
            self.report("TC0205", name.span, name=name.text)
        symbol = self.scope.add(name.text, kind, mutable)
        self.bound.append((symbol, name.span, self.file))
        return symbol

    def expr(self, node: tree.Expr, expected: Type | None = None) -> core.Expr:
        """The typed form of an expression."""
        result = self.rules[type(node)](self, node, expected)
        if isinstance(
            result, (core.Field, core.Local, core.Lookup, core.Item, core.ScalarRef, core.At)
        ):
            where = flow.path(result)
            known = self.facts.get(where) if where is not None else None
            if known is not None:
                return core.Narrowed(result.span, known, result)
        return result

    def path(self, node: tree.Expr, expected: Type | None) -> core.Expr:
        """The left side of `??` or `else fail`, which handle null wherever its path goes on."""
        outer = self.handled
        self.handled |= {id(base) for base in _bases(node)}
        try:
            return self.expr(node, expected)
        finally:
            self.handled = outer

    def base(self, node: tree.Expr) -> core.Expr:
        """What a path goes on from."""
        value = self.expr(node)
        if id(node) in self.handled and isinstance(t.strip(value.type), t.Optional):
            return core.Present(value.span, t.required(value.type), value)
        return value

    def check(self, node: tree.Expr, expected: Type) -> core.Expr:
        """The expression as a value of a type."""
        return self.fit(self.expr(node, expected), expected)

    def fit(self, value: core.Expr, expected: Type) -> core.Expr:
        """The value as one of a type, or a report."""
        try:
            return coerce(value, expected)
        except Mismatch as mismatch:
            return self._mismatch(value, expected, mismatch.reason)

    def _mismatch(self, value: core.Expr, expected: Type, reason: str) -> core.Expr:
        values = t.literal_values(expected)
        if values is not None and isinstance(value, core.Constant) and isinstance(value.value, str):
            return self.wrong(
                "TC0309",
                value.span,
                value=value.value,
                type=t.show(expected),
                help=suggest(value.value, values) or (f"the values are {listed(values)}",),
            )
        if reason:
            return self.wrong("TC0310", value.span, reason=reason, type=t.show(expected))
        given = t.strip(value.type)
        if isinstance(given, t.Optional) and assignable(given.inner, expected):
            return self.wrong("TC0311", value.span, type=t.show(value.type), help=NULL_HELP)
        return self.wrong(
            "TC0301",
            value.span,
            expected=t.show(expected),
            found=t.show(value.type),
            help=_mismatch_help(value, expected),
        )

    def condition(self, node: tree.Expr) -> core.Expr:
        """A bool."""
        value = self.expr(node)
        bare = t.strip(value.type)
        test = (
            ("", " != null")
            if isinstance(bare, t.Optional)
            else ("len(", ") > 0")
            if isinstance(bare, (t.List, t.Dict, t.TableType)) or t.is_text(bare)
            else None
        )
        if test is None:
            return self.fit(value, t.BOOL)
        edits = (
            Edit(Span(node.span.start, node.span.start), test[0]),
            Edit(Span(node.span.end, node.span.end), test[1]),
        )
        fix = Fix(f"test `{test[0]}…{test[1]}`", edits, "unsafe")
        return self.wrong("TC0301", node.span, expected="bool", found=t.show(value.type), fix=fix)

    def constant(self, node: tree.Expr, expected: Type | None) -> tuple[Type, Any] | None:
        """A constant's type and value; None after a report."""
        context, self.context = self.context, Context("constant")
        try:
            value = self.check(node, expected) if expected is not None else self.expr(node)
            if value.type == t.NEVER and not isinstance(value, (core.ListOf, core.DictOf, core.At)):
                return None
            return value.type, fold(value)
        except NotConstant as found:
            self.report("TC0312", found.span)
            return None
        finally:
            self.context = context

    def join_all(self, values: Iterable[core.Expr]) -> Type:
        kind: Type = t.NEVER
        for value in values:
            joined = join(kind, value.type)
            if joined is None:
                self.report("TC0301", value.span, expected=t.show(kind), found=t.show(value.type))
                return t.NEVER
            kind = joined
        return kind

    def list_facets(self, span: Span, items: tuple[core.Expr, ...], expected: Type | None) -> None:
        if expected is None:
            return
        try:
            check_facets(items, expected)
        except Mismatch as mismatch:
            self.report("TC0310", span, reason=mismatch.reason, type=t.show(expected))


def _bases(node: tree.Expr) -> Iterator[tree.Expr]:
    """What the path of an expression goes on from, outside in; of `a ?? b` either path."""
    match node:
        case tree.Attribute() | tree.Index():
            yield node.base
            yield from _bases(node.base)
        case tree.Binary(operator="??"):
            yield from _bases(node.left)
            yield from _bases(node.right)


def _mismatch_help(value: core.Expr, expected: Type) -> tuple[str, ...]:
    given, wanted = t.strip(value.type), t.strip(expected)
    if isinstance(value, core.CallBuiltin) and value.name == "parse_json":
        return (f"`parse_json(text, {t.show(expected)})` reads a value of that type",)
    if wanted == t.INT and given == t.FLOAT:
        return ("`round(x)`, `floor(x)` or `int(x)` makes an int of a float",)
    if wanted == t.STR and given not in (t.JSON, t.NULL):
        return ('`"{x}"` or `str(x)` makes a text',)
    if is_literal_type(wanted) and given == t.STR:
        name = t.show(wanted)
        return (f"only literals are taken as {name}; `{name}(text)` reads a computed text",)
    return ()
