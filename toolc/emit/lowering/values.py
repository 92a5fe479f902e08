"""Values that an expression puts together: constants, containers, texts."""

from __future__ import annotations

from collections.abc import Callable

from toolc.analysis import core
from toolc.emit import data, py
from toolc.emit.lowering.facts import Facts
from toolc.emit.lowering.trees import hint
from toolc.emit.namer import MODULES, is_plain
from toolc.emit.printer import fits_in_hole
from toolc.emit.tidy import names_in


class Values(Facts):
    """Literals, with whatever stands in them."""

    def constant(self, node: core.Constant) -> py.Expr:
        value = data.expression(node.value)
        self.imported.update(name for name in names_in(value) if name in MODULES)
        return value

    def type_argument(self, node: core.TypeArgument) -> py.Expr:
        """The check that reads values of the type."""
        return py.Name(self.globals.checks[node.type])

    def tuple_(self, node: core.TupleOf) -> py.Expr:
        return py.TupleDisplay(tuple(self.exprs(*node.items)))

    def list_(self, node: core.ListOf) -> py.Expr:
        return py.ListDisplay(tuple(self.exprs(*node.items)))

    def record(self, node: core.RecordOf) -> py.Expr:
        values = self.operands(*(self._entry(entry.name, entry.value) for entry in node.entries))
        return py.DictDisplay(
            tuple(
                (None if entry.name is None else py.Str(entry.name), value)
                for entry, value in zip(node.entries, values, strict=True)
            )
        )

    def _entry(self, name: object, value: core.Expr) -> Callable[[], py.Expr]:
        return (lambda: self.borrow(value)) if name is None else (lambda: self.expr(value))

    def dict_(self, node: core.DictOf) -> py.Expr:
        values = self.operands(*(self._entry(entry.key, entry.value) for entry in node.entries))
        return py.DictDisplay(
            tuple(
                (None if entry.key is None else self.expr(entry.key), value)
                for entry, value in zip(node.entries, values, strict=True)
            )
        )

    def text(self, node: core.Text) -> py.Expr:
        holes = [part for part in node.parts if isinstance(part, core.HoleOf)]
        values = iter(self.operands(*(lambda hole=hole: self.hole(hole) for hole in holes)))
        parts: list[str | py.Hole] = []
        for part in node.parts:
            value = None if isinstance(part, str) else next(values)
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(value, py.Str) and not part.format:
                parts.append(value.value)
            elif value is not None:
                parts.append(py.Hole(value, part.format))
        if all(isinstance(part, str) for part in parts):
            return py.Str("".join(part for part in parts if isinstance(part, str)))
        return self.grown(py.FString(tuple(parts)), *(hole.value for hole in holes))

    def hole(self, hole: core.HoleOf) -> py.Expr:
        value = self.borrow(hole.value)
        if not is_plain(hole):
            value = self.call("text", value)
        return value if fits_in_hole(value) else self.temporary(value, hint(hole.value))
