"""Checking calls: of declared functions, of built-ins, and of the special forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS, Signature, Variable, signatures
from toolc.analysis.checker import NULL_HELP
from toolc.analysis.coerce import (
    assignable,
    coerce,
)
from toolc.analysis.comprehensions import Comprehensions
from toolc.analysis.constants import NotConstant
from toolc.analysis.declare import File
from toolc.analysis.methods import function_fix, method_fix
from toolc.analysis.names import listed, respell, suggest
from toolc.analysis.signatures import concrete, substitute, unify
from toolc.analysis.type_arguments import as_type
from toolc.analysis.types import Type
from toolc.node import Span
from toolc.syntax import tree


class Calls(Comprehensions):
    """Built-ins may be overloaded; declared functions and tools take names or positions."""

    def _call(self, node: tree.Call, expected: Type | None) -> core.Expr:
        if not isinstance(node.base, tree.Ref):
            return self._method(node)
        name = node.base.name
        file, item = self.file.values.get(name, (self.file, None))
        if isinstance(item, tree.Function) or (
            isinstance(item, tree.Tool)
            and (self.context.kind == "test" or name not in {*BUILTINS, *_SPECIAL})
        ):
            if self.context.kind == "constant":  # its parameters' defaults may hold this very call
                return self.wrong("TC0312", node.span)
            return self.call_declared(node, item, file)
        special = _SPECIAL.get(name)
        found = special(self, node, expected) if special is not None else None
        if found is not None:
            return found
        if name in BUILTINS:
            return self._call_builtin(node, name, expected)
        if item is not None or self.scope.find(name) is not None:
            return self.wrong("TC0211", node.base.span, name=name)
        functions = [
            key
            for key, (_, item) in self.file.values.items()
            if isinstance(item, (tree.Function, tree.Tool))
        ]
        help = (
            (f"toolc calls it `{_OTHER_NAMES[name]}`",)
            if name in _OTHER_NAMES
            else suggest(name, [*functions, *BUILTINS])
        )
        fix = function_fix(node, self._only(node)) or respell(
            node.base.span, name, [*functions, *BUILTINS]
        )
        return self.wrong("TC0212", node.base.span, name=name, help=help, fix=fix)

    def _only(self, node: tree.Call) -> Type | None:
        """The type of a call's only argument."""
        if len(node.arguments) != 1 or isinstance(
            node.arguments[0].value, (tree.Comprehension, tree.Walk)
        ):
            return None
        return t.strip(self.expr(node.arguments[0].value).type)

    def _method(self, node: tree.Call) -> core.Expr:
        if isinstance(node.base, tree.Attribute):
            name = node.base.name.text
            known = _OTHER_NAMES.get(name, name)
            help = (
                (f"write `{known}(…)` with the value as first argument",)
                if known in BUILTINS
                else ()
            )
            if name == "append":
                help = ("write `append value to place`",)
            base = self.expr(node.base.base)
            if base.type == t.NEVER and not isinstance(base, (core.ListOf, core.DictOf)):
                return base
            fix = method_fix(node, base.type)
            return self.wrong("TC0213", node.base.name.span, name=name, help=help, fix=fix)
        return self.wrong("TC0211", node.base.span, name="this")

    def call_declared(
        self, node: tree.Call, item: tree.Function | tree.Tool, file: File
    ) -> core.Expr:
        """A call of a declared function, or of a tool where those may be called."""
        name = item.name.text
        if isinstance(item, tree.Tool) and self.context.kind != "test":
            return self.wrong("TC0214", node.base.span, name=name)
        if isinstance(item, tree.Function) and item.writes and not self.context.writes:
            self.report("TC0215", node.base.span, name=name)
        arguments = self.arguments(node, item, file)
        if isinstance(item, tree.Tool) or item.writes:
            self.facts = flow.without_places(self.facts, None)
        return core.CallFunction(
            node.span, self.declarations.type(file, item.result), name, arguments
        )

    def arguments(
        self, node: tree.Call, item: tree.Function | tree.Tool, file: File
    ) -> tuple[core.Expr | None, ...]:
        """The arguments in order of the parameters; None for one left out."""
        fields = {field.name: field for field in self.parameters(item, file)}
        given: dict[str, core.Expr] = {}
        positional = iter(fields)
        for argument in node.arguments:
            if isinstance(argument.value, (tree.Comprehension, tree.Walk)):
                self.report("TC0216", argument.span, name=item.name.text)
                continue
            name = argument.name.text if argument.name is not None else next(positional, None)
            if name is None:
                self.report("TC0217", argument.span, name=item.name.text, wanted=len(fields))
                self.expr(argument.value)
                continue
            where = argument.name.span if argument.name is not None else argument.span
            if name not in fields:
                self.report(
                    "TC0218",
                    where,
                    name=name,
                    function=item.name.text,
                    help=suggest(name, set(fields) - set(given)),
                )
                self.expr(argument.value)
                continue
            if name in given:
                self.report("TC0202", where, name=name)
            given[name] = self.check(argument.value, fields[name].type)
        missing = [
            field.name for field in fields.values()
            if field.name not in given and not field.optional and not field.has_default
        ]  # fmt: skip
        if missing:
            self.report("TC0219", node.span, function=item.name.text, names=listed(missing))
        return tuple(given.get(name) for name in fields)

    def parameters(self, item: tree.Function | tree.Tool, file: File) -> tuple[t.FieldType, ...]:
        """The parameters of a declared function: implemented where functions are resolved."""
        raise NotImplementedError

    def _call_builtin(self, node: tree.Call, name: str, expected: Type | None) -> core.Expr:
        if self.context.kind == "constant":
            raise NotConstant(node.span)
        overloads = signatures(name)
        arguments = node.arguments
        if len(arguments) == 1 and isinstance(arguments[0].value, tree.Comprehension):
            return self._over(node, name, arguments[0].value, expected)
        misplaced = self._misplaced(name, arguments)
        if misplaced is not None:
            return misplaced
        fitting = [overload for overload in overloads if len(overload.parameters) == len(arguments)]
        if not fitting:
            counts = sorted({len(overload.parameters) for overload in overloads})
            return self.wrong(
                "TC0220",
                node.span,
                name=name,
                wanted=" or ".join(map(str, counts)),
                found=len(arguments),
                help=_usage(name),
            )
        hint = fitting[0] if len(fitting) == 1 else None
        values = []
        for index, argument in enumerate(arguments):
            wanted = hint.parameters[index].type if hint else None
            values.append(
                self.expr(
                    argument.value, wanted if wanted is not None and concrete(wanted) else None
                )
            )
        return self.apply_builtin(node.span, name, fitting, values)

    def _misplaced(self, name: str, arguments: tuple[tree.Argument, ...]) -> core.Expr | None:
        """A report of an argument that a built-in cannot take where it stands; else None."""
        names = [parameter.name for parameter in signatures(name)[-1].parameters]
        for index, argument in enumerate(arguments):
            if isinstance(argument.value, (tree.Comprehension, tree.Walk)):
                return self.wrong("TC0216", argument.span, name=name)
            if argument.name is not None and (
                index >= len(names) or argument.name.text != names[index]
            ):
                return self.wrong(
                    "TC0218",
                    argument.name.span,
                    name=argument.name.text,
                    function=name,
                    help=suggest(argument.name.text, names),
                )
        return None

    def apply_builtin(
        self, span: Span, name: str, overloads: Iterable[Signature], values: list[core.Expr]
    ) -> core.Expr:
        """The call under the first overload that its arguments fit."""
        if any(
            value.type == t.NEVER and not isinstance(value, (core.ListOf, core.DictOf))
            for value in values
        ):
            return core.Constant(span, t.NEVER, None)
        for overload in overloads:
            bound: dict[str, Type] = {}
            fitted = []
            for value, parameter in zip(values, overload.parameters, strict=True):
                match = unify(value, parameter.type, bound)
                if match is None:
                    break
                fitted.append(match)
            else:
                final = tuple(
                    _as_bound(value, parameter.type, bound)
                    for value, parameter in zip(fitted, overload.parameters, strict=True)
                )
                return core.CallBuiltin(span, substitute(overload.result, bound), name, final)
        for value in values:
            if isinstance(t.strip(value.type), t.Optional):
                return self.wrong("TC0311", value.span, type=t.show(value.type), help=NULL_HELP)
        found = ", ".join(t.show(value.type) for value in values)
        return self.wrong("TC0221", span, name=name, found=found, help=_usage(name))

    def _over(
        self, node: tree.Call, name: str, inner: tree.Comprehension, expected: Type | None
    ) -> core.Expr:
        """A built-in over a comprehension: `sum(x.a for x in xs)`, `max(x for x in xs by x.a)`."""
        wanted = (
            t.strip(expected)
            if expected is not None and name in ("sorted", "reversed", "unique", "take")
            else None
        )
        made = self.comprehension(inner, wanted.item if isinstance(wanted, t.List) else None)
        if made.order:
            if name == "sorted":
                return made
            if name not in ("min", "max", "first", "last"):
                return self.wrong("TC0222", node.span, name=name)
            if name == "max":
                order = tuple(core.OrderKey(key.value, not key.descending) for key in made.order)
                made = core.Comprehension(made.span, made.type, made.element, made.clauses, order)
            name = "last" if name == "last" else "first"
        overloads = [overload for overload in signatures(name) if len(overload.parameters) == 1]
        if not overloads:
            return self.wrong("TC0216", node.span, name=name)
        return self.apply_builtin(node.span, name, overloads, [made])

    def _absent(self, node: tree.Call, expected: Type | None) -> core.Expr | None:
        if len(node.arguments) != 1:
            return self.wrong(
                "TC0220", node.span, name="absent", wanted="1", found=len(node.arguments)
            )
        value = self.expr(node.arguments[0].value)
        inner = value.value if isinstance(value, core.Narrowed) else value
        if not isinstance(inner, core.Field) or not inner.optional:
            if value.type == t.NEVER:
                return value
            return self.wrong("TC0334", node.arguments[0].span)
        return core.Absent(node.span, t.BOOL, inner.base, inner.name)

    def _values(self, node: tree.Call, expected: Type | None) -> core.Expr | None:
        """`values(Unit)`; None when the argument is no type."""
        argument = node.arguments[0].value if len(node.arguments) == 1 else None
        if (
            not isinstance(argument, tree.Ref)
            or self.scope.find(argument.name) is not None
            or argument.name in self.file.values
        ):
            return None
        found = self.file.types.get(argument.name)
        if found is None:
            return None
        kind = self.declarations.declared(*found)
        values = t.literal_values(kind)
        if values is None:
            return self.wrong("TC0335", argument.span, name=argument.name)
        items = tuple(core.Constant(argument.span, kind, value) for value in values)
        return core.ListOf(node.span, t.List(kind), items)

    def tool_names(self) -> list[str]:
        """The tools of the file."""
        return [name for name, (_, item) in self.file.values.items() if isinstance(item, tree.Tool)]

    def _calls_of(self, node: tree.Call, expected: Type | None) -> core.Expr | None:
        """`calls(tool)`, in a constraint; None elsewhere."""
        if not isinstance(self.scope.find("calls"), core.Measure):
            return None
        match node.arguments:
            case (tree.Argument(name=None, value=tree.Ref(name=name, span=span)),):
                names = self.tool_names()
                if name not in names:
                    return self.wrong("TC0660", span, name=name, help=suggest(name, names))
                measure = core.Measure(f"calls_of_{name}", t.INT, tool=name)
                return core.Local(node.span, t.INT, measure)
        return self.wrong("TC0668", node.span)

    def _parse_json(self, node: tree.Call, expected: Type | None) -> core.Expr | None:
        """`parse_json(text, T)`; None without a type, where it is like any other built-in."""
        if len(node.arguments) != 2:
            return None
        if self.context.kind == "constant":
            raise NotConstant(node.span)
        misplaced = self._misplaced("parse_json", node.arguments)
        if misplaced is not None:
            return misplaced
        text, wanted = (argument.value for argument in node.arguments)
        known = {*self.file.types, *t.SCALARS}
        values = {*self.scope.names(), *self.file.values} - known
        written = as_type(wanted)
        if written is None or (isinstance(wanted, tree.Ref) and wanted.name in values):
            return self.wrong("TC0343", wanted.span)
        kind = self.declarations.type(self.file, written)
        value = self.check(text, t.STR)
        if kind == t.NEVER:
            return core.Constant(node.span, t.NEVER, None)
        wanted_type = () if kind == t.JSON else (core.TypeArgument(wanted.span, kind),)
        return core.CallBuiltin(node.span, kind, "parse_json", (value, *wanted_type))

    def _walk(self, node: tree.Call, expected: Type | None) -> core.Expr | None:
        argument = node.arguments[0].value if len(node.arguments) == 1 else None
        if not isinstance(argument, tree.Walk):
            return self.wrong("TC0336", node.span)
        start = self.expr(argument.start)
        with self.inner():
            binder = self.bind(argument.binder, start.type)
            step = self.expr(argument.step)
        bare = t.strip(step.type)
        if step.type != t.NEVER and not (
            isinstance(bare, t.List) and assignable(bare.item, start.type)
        ):
            self.report(
                "TC0301", step.span, expected=f"list[{t.show(start.type)}]", found=t.show(step.type)
            )
        return core.WalkOf(node.span, t.List(start.type), binder, start, step)

    def _file(self, node: tree.Call, expected: Type | None) -> core.Expr | None:
        return self.wrong("TC0452", node.span)


def _as_bound(value: core.Expr, pattern: Type, bound: dict[str, Type]) -> core.Expr:
    """A number as the one number type that a signature's variable stands for."""
    if isinstance(pattern, Variable) and t.is_number(value.type):
        return coerce(value, bound[pattern.name])
    return value


def _usage(name: str) -> tuple[str, ...]:
    return tuple(f"`{name}{signature}`" for signature in BUILTINS[name].signatures)


_OTHER_NAMES = {
    "length": "len",
    "size": "len",
    "lowercase": "lower",
    "uppercase": "upper",
    "toLowerCase": "lower",
    "trim": "strip",
    "startswith": "starts_with",
    "endswith": "ends_with",
    "startsWith": "starts_with",
    "endsWith": "ends_with",
    "contains": "in",
    "includes": "in",
    "has_key": "in",
    "sort": "sorted",
    "concat": "+",
    "string": "str",
    "integer": "int",
    "number": "float",
    "average": "sum",
    "distinct": "unique",
    "dedupe": "unique",
    "reverse": "reversed",
    "current_time": "now",
    "rjust": "pad",
    "zfill": "pad",
    "index": "find",
    "regex": "matches",
    "from_json": "parse_json",
    "json_parse": "parse_json",
    "loads": "parse_json",
    "match": "matches",
    "random": "random_float",
    "randint": "random_int",
    "uuid": "fresh_id",
}


_SPECIAL: dict[str, Callable[[Calls, tree.Call, Type | None], core.Expr | None]] = {
    "absent": Calls._absent,
    "values": Calls._values,
    "calls": Calls._calls_of,
    "parse_json": Calls._parse_json,
    "walk": Calls._walk,
    "file": Calls._file,
}
