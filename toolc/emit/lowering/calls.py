"""Calls: of declared functions, of built-ins, and of `walk`."""

from __future__ import annotations

from toolc.analysis import core
from toolc.analysis.builtins import BUILTINS
from toolc.emit import py
from toolc.emit.lowering.missing import Missing
from toolc.emit.lowering.shapes import state_of
from toolc.emit.lowering.trees import unnarrowed
from toolc.emit.tidy import tidy

_METHODS = {
    "lower": "lower",
    "upper": "upper",
    "strip": "strip",
    "starts_with": "startswith",
    "ends_with": "endswith",
}

_PLAIN = frozenset({"len", "count", "any", "all", "sorted", "abs"})


class Calls(Missing):
    """A call, its arguments in order."""

    def call_function(self, node: core.CallFunction) -> py.Expr:
        function = self.globals.functions[node.name]
        given = [argument for argument in node.arguments if argument is not None]
        made = iter(self.exprs(*given))
        positional: list[py.Expr] = [py.Name("state")]
        keywords: list[tuple[str, py.Expr]] = []
        skipped = False
        names = self.globals.parameters(function) if None in node.arguments else ()
        defaults = self.globals.defaults(function)
        for index, argument in enumerate(node.arguments):
            if argument is None and defaults[index] is None:
                default = self.globals.default(function, function.parameters[index])
                positional.append(default or py.NONE)
            elif argument is None:
                skipped = True
            elif skipped:
                keywords.append((names[index], next(made)))
            else:
                positional.append(next(made))
        return py.Call(py.Name(self.globals.names[node.name]), tuple(positional), tuple(keywords))

    def call_builtin(self, node: core.CallBuiltin) -> py.Expr:
        builtin = BUILTINS[node.name]
        if node.name in ("any", "all") and isinstance(node.arguments[0], core.Comprehension):
            value = self.comprehension(node.arguments[0])
            if isinstance(value, py.Comprehension) and self.is_total(node.arguments[0]):
                value = py.Comprehension("generator", value.element, value.clauses)
            return py.call(builtin.python, value)
        values = self.operands(
            *(lambda value=value: self.argument(value) for value in node.arguments)
        )
        if node.name in _METHODS:
            return py.call(py.Attribute(values[0], _METHODS[node.name]), *values[1:])
        if node.name in _PLAIN:
            return py.call(builtin.python, *values)
        if builtin.state:
            values.insert(0, py.Name("state"))
        return self.call(builtin.python, *values)

    def argument(self, node: core.Expr) -> py.Expr:
        return state_of(node.name) if isinstance(node, core.TableRef) else self.borrow(node)

    def walk(self, node: core.WalkOf) -> py.Expr:
        """`walk(start, step)`: the step a lambda, or a function where it needs statements."""
        (start,) = self.borrows(node.start)
        self.scope.push()
        name = self.scope.bind(node.binder)
        before, step = self.capture(lambda: self._step(node.step))
        self.scope.pop()
        if not before:
            return self.call("walk", start, py.Lambda((name,), step))
        function = self.scope.fresh("step")
        body = tidy((*before, py.Return(step)))
        self.out.append(py.Function(function, (py.Parameter(name),), None, body))
        return self.call("walk", start, py.Name(function))

    def _step(self, node: core.Expr) -> py.Expr:
        """A step of a walk; one that leads nowhere may be any false value."""
        match unnarrowed(node):
            case core.Coalesce(left=left, right=core.ListOf(items=())):
                return py.Logic("or", (self.maybe(left), py.ListDisplay(())))
        return self.borrow(node)
