"""Loops: comprehensions, their order, and what loops run over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.types import Type
from toolc.emit import py
from toolc.emit.lowering.facts import Facts
from toolc.emit.lowering.shapes import is_name, state_of
from toolc.emit.lowering.trees import conjuncts, grows, unnarrowed

_SMALL = 16  # members of a constant that a loop need not charge for


class Comprehensions(Facts):
    """Comprehensions, written out as loops where parts of them need statements."""

    def comprehension(self, node: core.Comprehension) -> py.Expr:
        return self.ordered(node) if node.order else self.gathered(node)

    def gathered(
        self, node: core.Comprehension | core.DictComprehension, name: str = ""
    ) -> py.Expr:
        """A comprehension, or the name of what the loops that it stands for make: `name`."""
        if isinstance(node, core.DictComprehension):
            return self.loops(
                node.clauses,
                lambda: py.TupleDisplay(tuple(self.exprs(node.key, node.value))),
                lambda pair, clauses: py.Comprehension(
                    "dict", pair.items[1], clauses, pair.items[0]
                ),
                lambda found, pair: py.Assign(
                    (py.Subscript(found, (pair.items[0],)),), pair.items[1]
                ),
                py.DictDisplay(()),
                name,
            )
        return self.loops(
            node.clauses,
            lambda: self.expr(node.element),
            lambda element, clauses: py.Comprehension("list", element, clauses),
            lambda found, element: py.ExprStatement(
                py.call(py.Attribute(found, "append"), element)
            ),
            py.ListDisplay(()),
            name,
        )

    def loops(
        self,
        clauses: tuple[core.ForIn | core.Where, ...],
        element: Callable[[], Any],
        compact: Callable[[Any, tuple[py.For | py.Expr, ...]], py.Expr],
        store: Callable[[py.Expr, Any], py.Statement],
        empty: py.Expr,
        name: str,
    ) -> py.Expr:
        """A comprehension, or the loops that it stands for where parts need statements."""
        given = self.scope.given()
        self.scope.push()
        made: list[py.For | py.Expr] = []
        before: list[py.Block] = []
        for clause in clauses:
            statements, value = self.capture(lambda clause=clause: self._clause(clause, made))  # type: ignore[misc]
            before.append(statements)
            if not isinstance(clause, core.ForIn):
                made.append(value)
        statements, value = self.capture(element)
        before.append(statements)
        self.scope.pop()
        if not any(before[1:]):
            self.out.extend(before[0])
            return compact(value, tuple(made))
        self.scope.forget(given)
        found = name or self.scope.fresh("found")
        self.set_(found, empty)
        self.scope.push()
        self._written(list(clauses), lambda: self.out.append(store(py.Name(found), element())))
        self.scope.pop()
        return py.Name(found)

    def _clause(self, clause: core.ForIn | core.Where, made: list[py.For | py.Expr]) -> py.Expr:
        if isinstance(clause, core.Where):
            return self.expr(clause.condition)
        source = self.source(clause)
        made.append(py.For(self.bind(clause), source))
        return source

    def _written(self, clauses: list[core.ForIn | core.Where], inner: Callable[[], None]) -> None:
        if not clauses:
            inner()
            return
        clause, *rest = clauses
        if isinstance(clause, core.Where):
            first, *others = conjuncts(clause.condition)
            rest = [*map(core.Where, others), *rest]
            condition = self.expr(first)
            body = self.block(lambda: self._written(rest, inner))
            self.out.append(py.If(((condition, body),)))
            return
        source = self.source(clause)
        self.scope.push()
        targets = self.bind(clause, statement=True)
        body = self.block(lambda: self._written(rest, inner))
        self.scope.pop()
        self.out.append(py.ForLoop(targets, source, body))

    def bind(self, clause: core.ForIn | core.For, *, statement: bool = False) -> tuple[str, ...]:
        """The names of a loop's targets; a `for` statement hides no imported name."""
        if statement:
            self.scope.reserve(self.globals.imported)
        built = self.is_built(clause.source)
        for symbol in clause.targets:
            if built and grows(symbol.type):
                self.built.add(id(symbol))
        return tuple(self.bind_symbol(symbol) for symbol in clause.targets)

    def bind_symbol(self, symbol: core.Symbol) -> str:
        """A name; with an underscore before it where nothing refers to it."""
        if id(symbol) not in self.used:
            name = symbol.name.lstrip("_") or "unused"
            symbol_name = self.scope.fresh(f"_{name}", "_")
            self.scope.rename(symbol, symbol_name)
            return symbol_name
        return self.scope.bind(symbol)

    def source(self, clause: core.ForIn | core.For) -> py.Expr:
        """What a loop runs over, charged to the call's budget unless it is a small constant."""
        source = clause.source
        pairs = len(clause.targets) > 1
        if isinstance(source, core.TableRef):
            table: py.Expr = state_of(source.name)
            if pairs:
                table = py.call(py.Attribute(table, "items"))
            return self.call("each", py.Name("state"), table)
        value = self.borrow(source)
        bare = t.strip(source.type)
        if isinstance(bare, t.Dict):
            if pairs:
                value = py.call(py.Attribute(value, "items"))
            local = unnarrowed(source)
            if isinstance(local, core.Local) and id(local.symbol) in self.owned:
                value = py.call("list", value)
        if isinstance(unnarrowed(source), (core.Comprehension, core.DictComprehension)):
            return value  # made and charged just now
        if self.is_small(source):
            return py.TupleDisplay(value.items) if isinstance(value, py.ListDisplay) else value
        return self.call("each", py.Name("state"), value)

    def is_small(self, node: core.Expr) -> bool:
        if isinstance(node, core.ConstantRef):
            return len(self.globals.values[node.name]) <= _SMALL
        return isinstance(node, core.ListOf) and 0 < len(node.items) <= _SMALL

    def ordered(self, node: core.Comprehension) -> py.Expr:
        """A comprehension with `by`: sorted by a key, or by lists of keys."""
        single = self._sorted_by_key(node)
        if single is not None:
            return single
        keys = tuple(key.value for key in node.order)
        symbol_types = (*(key.type for key in keys), node.element.type)
        bare = node.replace(
            element=core.TupleOf(node.span, t.Tuple(symbol_types), (*keys, node.element)), order=()
        )
        value = self.comprehension(bare)
        found = value if isinstance(value, py.Name) else self.temporary(value, "found")
        row = self.scope.fresh("entry")
        each = (py.For((row,), found),)
        columns = [
            py.Comprehension("list", py.Subscript(py.Name(row), (py.number(index),)), each)
            for index in range(len(keys) + 1)
        ]
        order = py.ListDisplay(
            tuple(
                py.TupleDisplay((column, py.TRUE if key.descending else py.FALSE))
                for column, key in zip(columns, node.order, strict=False)
            )
        )
        return self.call("sorted_by", columns[-1], order)

    def _sorted_by_key(self, node: core.Comprehension) -> py.Expr | None:
        """`sorted(rows, key=lambda c: (-c["population"], c["name"]))`, where that does."""
        loops = [clause for clause in node.clauses if isinstance(clause, core.ForIn)]
        if len(loops) != 1 or len(loops[0].targets) != 1:
            return None
        symbol = loops[0].targets[0]
        element = unnarrowed(node.element)
        alone = isinstance(element, core.Local) and element.symbol is symbol
        conditions = [clause for clause in node.clauses if isinstance(clause, core.Where)]
        if not all(map(self.is_total, conditions)) and not all(map(self.is_total, node.order)):
            return None
        if not alone and not self.is_total(node.element):
            return None
        descending = [key.descending for key in node.order]
        if not (
            all(descending)
            or all(
                not d or _negatable(k.value.type)
                for d, k in zip(descending, node.order, strict=True)
            )
        ):
            return None
        self.scope.push()
        outer = self.scope.bind(symbol)
        before: list[py.Statement] = []
        keys: list[py.Expr] = []
        for key in node.order:
            statements, value = self.capture(lambda key=key: self.borrow(key.value))  # type: ignore[misc]
            before.extend(statements)
            keys.append(value)
        statements, shown = self.capture(lambda: self.expr(node.element))
        before.extend(statements)
        self.scope.pop()
        if before:
            return None
        reverse = all(descending) and not all(_negatable(key.value.type) for key in node.order)
        if not reverse:
            keys = [
                py.Unary("-", key) if d else key for d, key in zip(descending, keys, strict=True)
            ]
        rows = self.comprehension(
            node.replace(element=core.Local(node.span, symbol.type, symbol), order=())
        )
        if isinstance(rows, py.Comprehension):
            (loop,) = [clause for clause in rows.clauses if isinstance(clause, py.For)]
            if len(rows.clauses) == 1:
                rows = loop.source
            else:
                rows = py.Comprehension("generator", rows.element, rows.clauses)
        key_value = keys[0] if len(keys) == 1 else py.TupleDisplay(tuple(keys))
        keywords: dict[str, py.Expr] = (
            {} if is_name(key_value, outer) else {"key": py.Lambda((outer,), key_value)}
        )
        if reverse:
            keywords["reverse"] = py.TRUE
        made = py.call("sorted", rows, **keywords)
        return made if alone else py.Comprehension("list", shown, (py.For((outer,), made),))


def _negatable(kind: Type) -> bool:
    return t.strip(kind) in (t.INT, t.FLOAT, t.DECIMAL, t.DURATION)
