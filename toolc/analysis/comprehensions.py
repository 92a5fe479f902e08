"""Checking what runs over members: sources, binders, comprehensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.checker import NULL_HELP, ORDERED, Checker
from toolc.analysis.names import counted
from toolc.analysis.scope import Scope
from toolc.analysis.types import Type
from toolc.syntax import tree


class Comprehensions(Checker):
    """Lists and dicts made from other values."""

    @contextmanager
    def clauses(
        self, nodes: tuple[tree.Clause, ...]
    ) -> Iterator[tuple[core.ForIn | core.Where, ...]]:
        """The clauses of a comprehension, with their names in scope inside the block."""
        saved_scope, saved_facts = self.scope, self.facts
        self.scope = Scope(saved_scope)
        found: list[core.ForIn | core.Where] = []
        for node in nodes:
            if isinstance(node, tree.ForClause):
                source = self.source(node.source)
                self.scope = Scope(self.scope)
                found.append(core.ForIn(self.targets(node.targets, source), source))
            elif isinstance(node, tree.IfClause):
                condition = self.condition(node.condition)
                self.facts = {**self.facts, **flow.facts_of(condition, True)}
                found.append(core.Where(condition))
        try:
            yield tuple(found)
        finally:
            self.scope, self.facts = saved_scope, saved_facts

    def source(self, node: tree.Expr) -> core.Expr:
        """What a `for` runs over."""
        value = self.expr(node)
        bare = t.strip(value.type)
        if isinstance(bare, t.Optional):
            return self.wrong("TC0311", value.span, type=t.show(value.type), help=NULL_HELP)
        if bare == t.NEVER or isinstance(bare, (t.List, t.Dict, t.TableType)) or t.is_text(bare):
            return value
        return self.wrong("TC0332", value.span, type=t.show(bare))

    def targets(self, names: tuple[tree.Name, ...], source: core.Expr) -> tuple[core.Symbol, ...]:
        """Binders for the members of a source."""
        bare = t.strip(source.type)
        count = len(names)
        kinds: tuple[Type, ...] | None = None
        if bare == t.NEVER:
            kinds = (t.NEVER,) * count
        elif isinstance(bare, t.TableType):
            whole = bare.key if len(bare.keys) == 1 else t.Tuple(bare.keys)
            kinds = {1: (bare.row,), 2: (whole, bare.row)}.get(count)
        elif isinstance(bare, t.Dict):
            kinds = {1: (bare.key,), 2: (bare.key, bare.value)}.get(count)
        elif isinstance(bare, t.List):
            item = t.strip(bare.item)
            if isinstance(item, t.Tuple):
                kinds = item.items if len(item.items) == count else None
            else:
                kinds = (bare.item,) if count == 1 else None
        elif count == 1:
            kinds = (t.STR,)
        if kinds is None:
            self.report(
                "TC0333", names[0].span.to(names[-1].span), names=counted(count), type=t.show(bare)
            )
            kinds = (t.NEVER,) * count
        return tuple(self.bind(name, kind) for name, kind in zip(names, kinds, strict=True))

    def comprehension(
        self, node: tree.Comprehension, expected: Type | None = None
    ) -> core.Comprehension:
        """The list that a comprehension makes, ordered."""
        with self.clauses(node.clauses) as found:
            element = (
                self.check(node.element, expected)
                if expected is not None
                else self.expr(node.element)
            )
            order = []
            for key in node.order:
                value = self.expr(key.value)
                bare = t.strip(value.type)
                if isinstance(bare, t.Optional):
                    self.report("TC0311", value.span, type=t.show(value.type), help=NULL_HELP)
                elif bare not in (*ORDERED, t.BOOL, t.NEVER) and not t.is_text(bare):
                    self.report("TC0328", value.span, operator="by", type=t.show(value.type))
                order.append(core.OrderKey(value, key.descending))
        if isinstance(t.strip(element.type), (t.TableType, t.Tuple)):
            self.report("TC0301", element.span, expected="a value", found=t.show(element.type))
        return core.Comprehension(node.span, t.List(element.type), element, found, tuple(order))

    def _list_comprehension(self, node: tree.ListComprehension, expected: Type | None) -> core.Expr:
        wanted = t.strip(t.required(expected)) if expected is not None else None
        return self.comprehension(node.inner, wanted.item if isinstance(wanted, t.List) else None)

    def _dict_comprehension(self, node: tree.DictComprehension, expected: Type | None) -> core.Expr:
        wanted = t.strip(t.required(expected)) if expected is not None else None
        with self.clauses(node.clauses) as found:
            if isinstance(wanted, t.Dict):
                key, value = self.check(node.key, wanted.key), self.check(node.value, wanted.value)
            else:
                key, value = self.expr(node.key), self.expr(node.value)
        if not (t.is_text(key.type) or t.strip(key.type) in (t.INT, t.NEVER)):
            self.report("TC0304", key.span, type=t.show(key.type))
        return core.DictComprehension(node.span, t.Dict(key.type, value.type), key, value, found)
