"""One body on its way to Python: names in scope, statements written so far, order of evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from toolc.analysis import core
from toolc.analysis.effects import nodes
from toolc.emit import py
from toolc.emit.lowering.globals import Globals
from toolc.emit.lowering.shapes import is_stable
from toolc.emit.lowering.trees import in_place


class Body:
    """One body on its way: names in scope, statements written so far."""

    expressions: ClassVar[dict[type[core.Expr], Callable[[Any, Any], py.Expr]]]
    """How each kind of expression is lowered."""
    statement_rules: ClassVar[dict[type[core.Statement], Callable[[Any, Any], None]]]
    """How each kind of statement is lowered."""

    def __init__(self, globals_: Globals, root: core.Block) -> None:
        self.globals = globals_
        self.scope = globals_.scope(root)
        self.out: list[py.Statement] = []
        self.imported: set[str] = set()
        self.owned: set[int] = set()
        self.used: set[int] = set()
        self.built: set[int] = set()
        self.known: dict[int, py.Expr] = {}
        self.expectations = 0
        self.failing = False
        self.returning = False
        self.handling = False
        self.calls_writers = any(
            isinstance(node, core.CallFunction) and globals_.functions[node.name].effects.writes
            for node in nodes(root)
        )
        for node in nodes(root):
            if isinstance(node, core.Local) or (
                isinstance(node, core.Place) and node.symbol is not None
            ):
                self.used.add(id(node.symbol))
        for node in nodes(root):
            place = getattr(node, "place", None)
            if place is not None and place.root == "local" and in_place(node, place):
                self.owned.add(id(place.symbol))

    def name(self, python: str) -> py.Name:
        """An imported name."""
        self.imported.add(python)
        return py.Name(python)

    def call(self, python: str, *arguments: py.Expr, **keywords: py.Expr) -> py.Call:
        """A call of an imported function."""
        return py.call(self.name(python), *arguments, **keywords)

    @contextmanager
    def elsewhere(self) -> Iterator[list[py.Statement]]:
        """Statements written inside go to the list."""
        saved, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = saved

    def capture(self, build: Callable[[], py.Expr]) -> tuple[py.Block, py.Expr]:
        """An expression, and the statements that it needs before it."""
        with self.elsewhere() as out:
            value = build()
            return tuple(out), value

    def captured(self, node: core.Expr) -> tuple[py.Block, py.Expr]:
        return self.capture(lambda: self.expr(node))

    def block(self, write: Callable[[], None]) -> py.Block:
        """The statements that `write` writes, in a scope of their own."""
        self.scope.push()
        with self.elsewhere() as out:
            write()
            made = tuple(out)
        self.scope.pop()
        return made

    def statements(self, block: core.Block) -> py.Block:
        def write() -> None:
            for statement in block:
                self.statement_rules[type(statement)](self, statement)

        return self.block(write)

    def set_(self, name: str, value: py.Expr) -> None:
        self.out.append(py.Assign((py.Name(name),), value))

    def write(self, value: py.Expr) -> None:
        self.out.append(py.ExprStatement(value))

    def temporary(self, value: py.Expr, hint: str = "value") -> py.Expr:
        name = self.scope.fresh(hint)
        self.set_(name, value)
        return py.Name(name)

    def simple(self, value: py.Expr, hint: str = "value") -> py.Expr:
        """The value as something that may be written twice."""
        return value if is_stable(value) else self.temporary(value, hint)

    def is_steady(self, value: py.Expr) -> bool:
        """Whether the value is the same after the statements of another expression."""
        if isinstance(value, py.Attribute) and isinstance(value.base, py.Name):
            return value.base.id == "state" and not self.calls_writers
        return is_stable(value)

    def operands(self, *builders: Callable[[], py.Expr]) -> list[py.Expr]:
        """Expressions evaluated in order, also where some of them need statements."""
        parts = [self.capture(build) for build in builders]
        last = max((index for index, (before, _) in enumerate(parts) if before), default=-1)
        values = []
        for index, (before, value) in enumerate(parts):
            self.out.extend(before)
            movable = index >= last or self.is_steady(value)
            values.append(value if movable else self.temporary(value))
        return values

    def exprs(self, *values: core.Expr) -> list[py.Expr]:
        return self.operands(*(lambda value=value: self.expr(value) for value in values))

    def borrows(self, *values: core.Expr) -> list[py.Expr]:
        return self.operands(*(lambda value=value: self.borrow(value) for value in values))

    def expr(self, node: core.Expr) -> py.Expr:
        """The value, which may be kept."""
        known = self.known.get(id(node))
        if known is not None:
            return known
        return self.expressions[type(node)](self, node)

    def borrow(self, node: core.Expr) -> py.Expr:
        """The value, only to be looked at: a mutable local is not copied."""
        while isinstance(node, core.Narrowed):
            node = node.value
        if isinstance(node, core.Local):
            return py.Name(self.scope.name(node.symbol))
        return self.expr(node)
