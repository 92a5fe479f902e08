"""What every body of an environment may refer to, and the Python names of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolc.analysis import core
from toolc.analysis.effects import nodes
from toolc.analysis.types import Type
from toolc.emit import data, py
from toolc.emit.namer import Scope, free, names_used, shouted
from toolc.emit.schemas import type_schema
from toolc.emit.tidy import names_in


class Globals:
    """What every body of an environment may refer to: declared names and their Python names."""

    def __init__(
        self,
        environment: core.EnvironmentDef,
        names: dict[str, str],
        constants: dict[str, str],
        types: dict[str, str],
    ) -> None:
        self.names = names
        self.constants = constants
        self.types = types
        self.functions = {function.name: function for function in environment.functions}
        self.values = {constant.name: constant.value for constant in environment.constants}
        self.imported: frozenset[str] = frozenset()
        """What the module imports, once that is known: no loop takes such a name."""
        self._environment = environment
        self._defaults: dict[tuple[str, str], str] = {}
        for function in environment.functions:
            self._name_defaults(function)
        self.checks: dict[Type, str] = {}
        """The check of each type that `parse_json` reads, under its name."""
        for node in nodes(environment):
            if isinstance(node, core.TypeArgument) and node.type not in self.checks:
                taken = {*self.checks.values(), *constants.values(), *names.values()}
                self.checks[node.type] = free(f"{shouted(node.type)}_JSON", taken)
        self.taken = {**names, **{f"constant {name}": python for name, python in constants.items()}}

    def _name_defaults(self, function: core.Function) -> None:
        """Defaults that Python evaluates once, and that are no plain constants, get names."""
        for parameter in function.parameters:
            if isinstance(_default(parameter), (py.ListDisplay, py.DictDisplay, py.Call)):
                taken = {*self._defaults.values(), *self.constants.values(), *self.names.values()}
                name = free(f"DEFAULT_{parameter.field.name.upper()}", taken)
                self._defaults[function.name, parameter.field.name] = name

    def default(self, function: core.Function, parameter: core.Parameter) -> py.Expr | None:
        """What a parameter is when it is left out; None where it may not be."""
        name = self._defaults.get((function.name, parameter.field.name))
        return py.Name(name) if name else _default(parameter)

    def defaults(self, function: core.Function) -> tuple[py.Expr | None, ...]:
        """The defaults in the signature: Python wants them at the end."""
        made = [self.default(function, parameter) for parameter in function.parameters]
        last = max((index for index, value in enumerate(made) if value is None), default=-1)
        return tuple(None if index < last else value for index, value in enumerate(made))

    def default_constants(self) -> Iterator[py.Assign]:
        """The assignments of the defaults that have names."""
        for function in self._environment.functions:
            for parameter in function.parameters:
                name = self._defaults.get((function.name, parameter.field.name))
                if name:
                    kind = data.annotation(parameter.field.type, self.types)
                    yield py.Assign((py.Name(name),), _default(parameter), kind)

    def check_constants(self, body: Iterable[py.Statement]) -> Iterator[py.Statement]:
        """The assignments of the checks that a module's statements refer to."""
        used = {name for statement in body for name in names_in(statement)}
        for kind, name in self.checks.items():
            if name in used:
                schema = data.expression(type_schema(kind))
                yield py.Assign((py.Name(name),), py.call("compile_schema", schema))

    def scope(self, root: core.Block) -> Scope:
        """The scope of a body, in which no local has a name that its Python refers to."""
        checks = {self.checks[n.type] for n in nodes(root) if isinstance(n, core.TypeArgument)}
        return Scope(names_used(root, self.taken) | checks)

    def parameters(self, function: core.Function) -> tuple[str, ...]:
        """The Python names of a function's parameters."""
        scope = self.scope(function.body or ())
        return tuple(scope.bind(parameter.symbol) for parameter in function.parameters)


def _default(parameter: core.Parameter) -> py.Expr | None:
    """A parameter's default as Python; None where it has to be given."""
    field = parameter.field
    if field.has_default:
        return data.expression(data.parsed(field.default, field.type))
    return py.NONE if field.optional else None
