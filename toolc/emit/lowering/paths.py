"""Names, and the fields, keys, indexes and slices that lead on from them."""

from __future__ import annotations

from toolc.analysis import core
from toolc.emit import py
from toolc.emit.lowering.facts import Facts
from toolc.emit.lowering.shapes import state_of
from toolc.emit.lowering.trees import is_list


class Paths(Facts):
    """What is read from a value."""

    def local(self, node: core.Local) -> py.Expr:
        name = py.Name(self.scope.name(node.symbol))
        if id(node.symbol) in self.owned and not self.returning:
            return py.call("list" if is_list(node.symbol.type) else "dict", name)
        return name

    def field(self, node: core.Field) -> py.Expr:
        base = self.borrow(node.base)
        if node.optional:
            return py.call(py.Attribute(base, "get"), py.Str(node.name))
        return py.Subscript(base, (py.Str(node.name),))

    def lookup(self, node: core.Lookup) -> py.Expr:
        return py.Subscript(state_of(node.table.name), (self.expr(node.key),))

    def item(self, node: core.Item) -> py.Expr:
        base, key = self.borrows(node.base, node.key)
        if self.is_total(node):
            return py.Subscript(base, (key,))
        return self.call("item", base, key)

    def at(self, node: core.At) -> py.Expr:
        base, index = self.borrows(node.base, node.index)
        return self.call("at", base, index)

    def slice_(self, node: core.SliceOf) -> py.Expr:
        bounds = [bound for bound in (node.start, node.stop) if bound is not None]
        base, *made = self.borrows(node.base, *bounds)
        start = made.pop(0) if node.start is not None else None
        stop = made.pop(0) if node.stop is not None else None
        return py.Subscript(base, (py.Slice(start, stop),))

    def present(self, node: core.Present) -> py.Expr:
        return self.call("present", self.borrow(node.value))

    def absent(self, node: core.Absent) -> py.Expr:
        return py.Compare((py.Str(node.name), self.borrow(node.base)), ("not in",))
