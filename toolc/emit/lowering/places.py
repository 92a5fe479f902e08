"""Writes: assignment to places, and the statements that change lists, dicts and tables."""

from __future__ import annotations

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.emit import py
from toolc.emit.lowering.missing import Missing
from toolc.emit.lowering.shapes import entries_of, is_grown, is_stable, state_of
from toolc.emit.lowering.trees import in_place, is_list, mentions, unnarrowed

_FRESH = frozenset(
    {"list", "dict", "sorted", "with_path", "with_appended", "with_removed", "without"}
)


class Places(Missing):
    """What a body changes."""

    def assign(self, node: core.Assign) -> None:
        place = node.place
        if place.root == "local":
            self.assign_local(node)
        elif place.root == "state":
            target = state_of(place.name)
            steps = self.steps(place)
            if not steps:
                self.update(target, node)
            else:
                (value,) = self.exprs(node.value)
                made = self.call("with_path", target, *steps, to=self.stored(node.value, value))
                self.out.append(py.Assign((target,), made))
        else:
            steps = self.steps(place)
            value = self.stored(node.value, self.expr(node.value))
            table = state_of(place.name)
            if len(steps) == 1:
                self.write(py.call(py.Attribute(table, "put"), steps[0], value))
            else:
                self.write(self.call("assign", table, *steps, value=value))

    def stored(self, node: core.Expr, value: py.Expr) -> py.Expr:
        """A value on its way into the state, its size checked where it was put together."""
        bare = t.strip(node.type)
        grows = t.is_text(bare) or isinstance(bare, t.List)
        if not grows or not self.is_built(node) or is_grown(value):
            return value
        return self.call("grow", value)

    def update(self, target: py.Expr, node: core.Assign) -> None:
        """`target = value`, or `target += part`."""
        value = node.value
        if (
            node.operator != "="
            and isinstance(value, core.Arithmetic)
            and value.kind == "number"
            and not self.needs_check(value)
        ):
            given = self.scope.given()
            before, right = self.captured(value.right)
            if not before or node.place.root == "local" or not self.calls_writers:
                self.out.extend(before)
                self.out.append(py.AugmentedAssign(target, node.operator, right))
                return
            self.scope.forget(given)
        if node.place.root == "state":
            self.out.append(py.Assign((target,), self.stored(value, self.expr(value))))
        else:
            self.out.append(py.Assign((target,), self.expr(value)))

    def assign_local(self, node: core.Assign) -> None:
        place = node.place
        symbol = place.symbol
        assert symbol is not None
        name = self.scope.name(symbol)
        target = py.Name(name)
        if not place.path:
            if id(symbol) in self.owned and node.operator == "=":
                self.set_(name, self.own(node.value))
            elif node.operator == "=" and not mentions(node.value, symbol):
                self.into(name, node.value)
            elif node.operator == "=":
                self.set_(name, self.expr(node.value))
            else:
                self.update(target, node)
            return
        steps = self.steps(place)
        (value,) = self.exprs(node.value)
        if in_place(node, place):
            self.out.append(py.Assign((py.Subscript(target, (steps[0],)),), value))
        else:
            self.set_(name, self.call("with_path", target, *steps, to=value))

    def own(self, node: core.Expr) -> py.Expr:
        """A value that a `var` may change: a copy, unless it was just made."""
        value = self.expr(node)
        if isinstance(value, (py.ListDisplay, py.DictDisplay, py.Comprehension)):
            return value
        if (
            isinstance(value, py.Call)
            and isinstance(value.function, py.Name)
            and value.function.id in _FRESH
        ):
            return value
        return py.call("list" if is_list(node.type) else "dict", value)

    def steps(self, place: core.Place) -> list[py.Expr]:
        """The keys, labels and indexes of a place; each is evaluated once."""
        keys: list[core.Expr] = []
        for step in place.path:
            if isinstance(step, core.KeyStep):
                keys.append(step.key)
            elif isinstance(step, core.IndexStep):
                keys.append(step.index)
        for key in keys:
            self.known.pop(id(key), None)
        made = self.exprs(*keys)
        for position, (key, value) in enumerate(zip(keys, made, strict=True)):
            if not isinstance(key, core.TupleOf):
                made[position] = self.simple(value, "key")
                self.known[id(key)] = made[position]
        values = iter(made)
        return [
            py.Str(step.name) if isinstance(step, core.FieldStep) else next(values)
            for step in place.path
        ]

    def insert(self, node: core.Insert) -> None:
        insert = py.Attribute(state_of(node.table), "insert")
        if node.key is not None:
            key, value = self.exprs(node.key, node.value)
        else:
            value = self.expr(node.value)
            given = entries_of(value)
            if all(name in given and is_stable(given[name]) for name in node.key_fields):
                parts = tuple(given[name] for name in node.key_fields)
            else:
                value = value if isinstance(value, py.Name) else self.temporary(value, "row")
                parts = tuple(py.Subscript(value, (py.Str(name),)) for name in node.key_fields)
            key = parts[0] if len(parts) == 1 else py.TupleDisplay(parts)
        self.write(py.call(insert, key, value))

    def append(self, node: core.Append) -> None:
        self._change(node.place, node.value, "append", "with_appended", in_place(node, node.place))

    def remove(self, node: core.Remove) -> None:
        self._change(node.place, node.value, "remove", "with_removed", False)

    def _change(
        self, place: core.Place, node: core.Expr, on_table: str, on_value: str, in_place: bool
    ) -> None:
        steps = self.steps(place)
        value = self.expr(node)
        if place.root == "local":
            assert place.symbol is not None
            target: py.Expr = py.Name(self.scope.name(place.symbol))
            if in_place:
                self.write(py.call(py.Attribute(target, "append"), value))
                return
        else:
            target = state_of(place.name)
            value = self.stored(node, value)
        if place.root == "table":
            self.write(self.call(on_table, target, *steps, value=value))
        else:
            self.out.append(py.Assign((target,), self.call(on_value, target, *steps, value=value)))

    def delete(self, node: core.Delete) -> None:
        place = node.place
        steps = self.steps(place)
        if place.root == "local":
            assert place.symbol is not None
            target: py.Expr = py.Name(self.scope.name(place.symbol))
        else:
            target = state_of(place.name)
        if place.root == "table":
            change: py.Statement = py.ExprStatement(self.call("erase", target, *steps))
        else:
            change = py.Assign((target,), self.call("without", target, *steps))
        last = place.path[-1]
        field = unnarrowed(place.value)
        if isinstance(last, core.FieldStep) and isinstance(field, core.Field):
            present = py.Compare((py.Str(last.name), self.borrow(field.base)), ("in",))
            change = py.If(((present, (change,)),))
        self.out.append(change)
