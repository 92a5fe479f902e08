"""The meaning of the typed tree, spelled out: an evaluator over plain Python values.

It knows nothing of the lowering: the state is `{name: {key: row} or value}` and is changed in
place (run it on a deep copy), values are copied whenever they are stored. Slow and obvious.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t

MISSING = object()


class Failure(Exception):
    """A tool failure with the value that the model reads."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class Exhausted(Exception):
    """A number or a size beyond its cap."""


class _Returned(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class _Continued(Exception):
    pass


class _Broken(Exception):
    pass


def call(
    environment: core.EnvironmentDef, state: dict[str, Any], name: str, *arguments: Any
) -> Any:
    """The result of a declared function, after its effects on the state; or `Failure`."""
    functions = {function.name: function for function in environment.functions}
    constants = {constant.name: constant.value for constant in environment.constants}
    return Evaluator(functions, constants, state).call(name, arguments)


def shown(value: Any) -> str:
    """A key, in a standard message."""
    return f'"{value}"' if isinstance(value, str) else str(value)


class Evaluator:
    def __init__(
        self, functions: dict[str, core.Function], constants: dict[str, Any], state: dict[str, Any]
    ) -> None:
        self.functions = functions
        self.constants = constants
        self.state = state
        self.locals: dict[int, Any] = {}

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        function = self.functions[name]
        inner = Evaluator(self.functions, self.constants, self.state)
        for parameter, value in zip(function.parameters, arguments, strict=True):
            default = copy.deepcopy(parameter.field.default)
            inner.locals[id(parameter.symbol)] = default if value is MISSING else value
        try:
            inner.block(function.body or ())
        except _Returned as returned:
            return returned.value
        return None

    # ------------------------------------------------------------ expressions

    def value(self, node: core.Expr) -> Any:
        return getattr(self, type(node).__name__)(node)

    def Constant(self, node: core.Constant) -> Any:
        return node.value

    def Local(self, node: core.Local) -> Any:
        return copy.deepcopy(self.locals[id(node.symbol)])

    def ConstantRef(self, node: core.ConstantRef) -> Any:
        return copy.deepcopy(self.constants[node.name])

    def ScalarRef(self, node: core.ScalarRef) -> Any:
        return copy.deepcopy(self.state[node.name])

    def TableRef(self, node: core.TableRef) -> Any:
        return self.state[node.name]

    def Narrowed(self, node: core.Narrowed) -> Any:
        return self.value(node.value)

    def Field(self, node: core.Field) -> Any:
        base = self.value(node.base)
        return base.get(node.name) if node.optional else base[node.name]

    def Lookup(self, node: core.Lookup) -> Any:
        key = self.value(node.key)
        rows = self.state[node.table.name]
        if key not in rows:
            raise Failure(f"{node.table.name} has no {shown(key)}")
        return copy.deepcopy(rows[key])

    def Item(self, node: core.Item) -> Any:
        base, key = self.value(node.base), self.value(node.key)
        if key not in base:
            raise Failure(f"there is no {shown(key)}")
        return base[key]

    def At(self, node: core.At) -> Any:
        base, index = self.value(node.base), self.value(node.index)
        if not -len(base) <= index < len(base):
            raise Failure(f"index {index} is out of range, the length is {len(base)}")
        return base[index]

    def SliceOf(self, node: core.SliceOf) -> Any:
        base = self.value(node.base)
        start = None if node.start is None else self.value(node.start)
        stop = None if node.stop is None else self.value(node.stop)
        return base[start:stop]

    def TupleOf(self, node: core.TupleOf) -> Any:
        return tuple(map(self.value, node.items))

    def Arithmetic(self, node: core.Arithmetic) -> Any:
        return self.combined(node, self.value(node.left), self.value(node.right))

    def combined(self, node: core.Arithmetic, left: Any, right: Any) -> Any:
        if node.operator in ("/", "//", "%") and right == 0:
            raise Failure("division by zero")
        result = _OPERATORS[node.operator](left, right)
        if type(result) is int and not -(2**63) <= result < 2**63:
            raise Exhausted
        return result

    def Negate(self, node: core.Negate) -> Any:
        return -self.value(node.operand)

    def Not(self, node: core.Not) -> Any:
        return not self.value(node.operand)

    def Logic(self, node: core.Logic) -> Any:
        stop = node.operator == "or"
        for operand in node.operands:
            if self.value(operand) is stop:
                return stop
        return not stop

    def Comparison(self, node: core.Comparison) -> Any:
        left = self.value(node.operands[0])
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            right = self.value(operand)
            if not _COMPARISONS[operator](left, right):
                return False
            left = right
        return True

    def Contains(self, node: core.Contains) -> Any:
        item, container = self.value(node.item), self.value(node.container)
        return (item in container) is not node.negated

    def Conditional(self, node: core.Conditional) -> Any:
        return self.value(node.then if self.value(node.condition) else node.otherwise)

    def Coalesce(self, node: core.Coalesce) -> Any:
        found = self.reach(node.left)
        return self.value(node.right) if found is MISSING or found is None else found

    def reach(self, node: core.Expr) -> Any:
        """The value at the end of a path, MISSING where a link is missing."""
        match node:
            case core.Narrowed() | core.Present():
                return self.reach(node.value)
            case core.Coalesce():
                found = self.reach(node.left)
                return self.reach(node.right) if found is MISSING or found is None else found
            case core.Lookup():
                return self.state[node.table.name].get(self.value(node.key), MISSING)
            case core.Field() | core.Item() | core.At():
                base = self.reach(node.base)
                if isinstance(node, core.Field):
                    step: Any = node.name
                else:
                    step = self.value(node.key if isinstance(node, core.Item) else node.index)
                if base is MISSING or base is None:
                    return MISSING
                if isinstance(node, core.At):
                    return base[step] if -len(base) <= step < len(base) else MISSING
                return base.get(step, MISSING)
            case core.CallBuiltin():
                values = [self.value(argument) for argument in node.arguments]
                try:
                    return self.called(node.name, values)
                except Failure:
                    return MISSING
        return self.value(node)

    def OrFail(self, node: core.OrFail) -> Any:
        try:
            found = self.value(node.value)
        except Failure:
            raise Failure(self.value(node.error)) from None
        if found is None and not t.nullable(node.type):
            raise Failure(self.value(node.error))
        return found

    def Present(self, node: core.Present) -> Any:
        found = self.value(node.value)
        if found is None:
            raise Failure("the value is null")
        return found

    def Absent(self, node: core.Absent) -> Any:
        return node.name not in self.value(node.base)

    def CallFunction(self, node: core.CallFunction) -> Any:
        values = tuple(MISSING if a is None else self.value(a) for a in node.arguments)
        return self.call(node.name, values)

    def CallBuiltin(self, node: core.CallBuiltin) -> Any:
        return self.called(node.name, [self.value(argument) for argument in node.arguments])

    def called(self, name: str, values: list[Any]) -> Any:
        if name in ("first", "last") and not values[0]:
            raise Failure(f"{name} of an empty list")
        return _BUILTINS[name](*values)

    def TypeArgument(self, node: core.TypeArgument) -> Any:
        return node.type

    def ListOf(self, node: core.ListOf) -> Any:
        return list(map(self.value, node.items))

    def RecordOf(self, node: core.RecordOf) -> Any:
        made: dict[str, Any] = {}
        for entry in node.entries:
            value = self.value(entry.value)
            made.update(value if entry.name is None else {entry.name: value})
        return made

    def DictOf(self, node: core.DictOf) -> Any:
        made: dict[Any, Any] = {}
        for entry in node.entries:
            value = self.value(entry.value)
            made.update(value if entry.key is None else {self.value(entry.key): value})
        return made

    def Text(self, node: core.Text) -> Any:
        return "".join(part if isinstance(part, str) else self.hole(part) for part in node.parts)

    def hole(self, hole: core.HoleOf) -> str:
        value = self.value(hole.value)
        if hole.format:
            return format(value, hole.format)
        if value is None or isinstance(value, bool):
            return "null" if value is None else str(value).lower()
        return str(value)

    def Comprehension(self, node: core.Comprehension) -> Any:
        found = []
        for _ in self.clauses(node.clauses):
            keys = [self.value(key.value) for key in node.order]
            found.append((keys, self.value(node.element)))
        for index, key in reversed(list(enumerate(node.order))):
            found.sort(key=lambda pair, index=index: pair[0][index], reverse=key.descending)  # type: ignore[misc]
        return [element for _, element in found]

    def DictComprehension(self, node: core.DictComprehension) -> Any:
        return {self.value(node.key): self.value(node.value) for _ in self.clauses(node.clauses)}

    def clauses(self, clauses: tuple[core.ForIn | core.Where, ...]) -> Iterator[None]:
        if not clauses:
            yield
            return
        clause, *rest = clauses
        if isinstance(clause, core.Where):
            if self.value(clause.condition):
                yield from self.clauses(tuple(rest))
            return
        for _ in self.turns(clause):
            yield from self.clauses(tuple(rest))

    def turns(self, clause: core.ForIn | core.For) -> Iterator[None]:
        """Binds a loop's targets, turn by turn."""
        source = copy.deepcopy(self.value(clause.source))
        pairs = len(clause.targets) > 1
        if isinstance(clause.source, core.TableRef):
            members = list(source.items() if pairs else source.values())
        elif isinstance(source, dict):
            members = list(source.items() if pairs else source)
        else:
            members = list(source)
        for member in members:
            for symbol, value in zip(clause.targets, member if pairs else (member,), strict=True):
                self.locals[id(symbol)] = value
            yield

    def ToFloat(self, node: core.ToFloat) -> Any:
        return float(self.value(node.value))

    # ------------------------------------------------------------ statements

    def block(self, block: core.Block) -> None:
        for statement in block:
            getattr(self, type(statement).__name__)(statement)

    def Let(self, node: core.Let) -> None:
        value = self.value(node.value)
        values = (value,) if len(node.targets) == 1 else value
        for symbol, member in zip(node.targets, values, strict=True):
            self.locals[id(symbol)] = member

    def place(self, place: core.Place) -> tuple[Any, list[Any]]:
        """The holder of the root and the steps from there."""
        steps = [
            step.name
            if isinstance(step, core.FieldStep)
            else self.value(step.key if isinstance(step, core.KeyStep) else step.index)
            for step in place.path
        ]
        if place.root == "local":
            return self.locals, [id(place.symbol), *steps]
        return self.state, [place.name, *steps]

    def innermost(self, place: core.Place, holder: Any, steps: list[Any]) -> tuple[Any, Any]:
        """The innermost container of a place, and the step into it; fails on a missing link."""
        for index, step in enumerate(steps[:-1]):
            if place.root == "table" and index == 1 and step not in holder:
                raise Failure(f"{place.name} has no {shown(step)}")
            holder = self.follow(holder, step)
        return holder, steps[-1]

    def follow(self, holder: Any, step: Any) -> Any:
        if isinstance(holder, list):
            if not -len(holder) <= step < len(holder):
                raise Failure(f"there is no {shown(step)}")
            return holder[step]
        if holder.get(step) is None:
            raise Failure(f"there is no {shown(step)}")
        return holder[step]

    def Assign(self, node: core.Assign) -> None:
        root, steps = self.place(node.place)
        value = self.value(node.value)
        holder, step = self.innermost(node.place, root, steps)
        if isinstance(holder, list) and not -len(holder) <= step < len(holder):
            raise Failure(f"index {step} is out of range, the length is {len(holder)}")
        holder[step] = value

    def Append(self, node: core.Append) -> None:
        root, steps = self.place(node.place)
        value = self.value(node.value)
        holder, step = self.innermost(node.place, root, steps)
        self.follow(holder, step).append(value)

    def Remove(self, node: core.Remove) -> None:
        root, steps = self.place(node.place)
        value = self.value(node.value)
        holder, step = self.innermost(node.place, root, steps)
        items = self.follow(holder, step)
        if value not in items:
            raise Failure(f"{shown(value)} is not in the list")
        items.remove(value)

    def Insert(self, node: core.Insert) -> None:
        key = None if node.key is None else self.value(node.key)
        value = self.value(node.value)
        if node.key is None:
            parts = tuple(value[name] for name in node.key_fields)
            key = parts[0] if len(parts) == 1 else parts
        rows = self.state[node.table]
        if key in rows:
            raise Failure(f"{node.table} already has {shown(key)}")
        rows[key] = value

    def Delete(self, node: core.Delete) -> None:
        holder, step = self.innermost(node.place, *self.place(node.place))
        if isinstance(node.place.path[-1], core.FieldStep):
            holder.pop(step, None)
        elif step not in holder:
            row = node.place.root == "table" and len(node.place.path) == 1
            raise Failure(
                f"{node.place.name} has no {shown(step)}" if row else f"there is no {shown(step)}"
            )
        else:
            del holder[step]

    def If(self, node: core.If) -> None:
        for condition, body in node.branches:
            if self.value(condition):
                self.block(body)
                return
        self.block(node.otherwise or ())

    def For(self, node: core.For) -> None:
        for _ in self.turns(node):
            try:
                if node.condition is None or self.value(node.condition):
                    self.block(node.body)
            except _Continued:
                continue
            except _Broken:
                break

    def Match(self, node: core.Match) -> None:
        subject = self.value(node.subject)
        value = subject if node.tag is None else subject[node.tag]
        for values, body in node.cases:
            if value in values:
                self.block(body)
                return
        self.block(node.otherwise or ())

    def Require(self, node: core.Require) -> None:
        if not self.value(node.condition):
            raise Failure(self.value(node.error))

    def FailWith(self, node: core.FailWith) -> None:
        raise Failure(self.value(node.error))

    def Return(self, node: core.Return) -> None:
        raise _Returned(self.value(node.value))

    def Continue(self, node: core.Continue) -> None:
        raise _Continued

    def Break(self, node: core.Break) -> None:
        raise _Broken

    def Evaluate(self, node: core.Evaluate) -> None:
        self.value(node.call)


def read(text: str, kind: t.Type = t.JSON) -> Any:
    """The value of a JSON text of ints, texts, lists, dicts and records."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Failure(f"not JSON: {error}") from None
    return fitted(value, kind)


def fitted(value: Any, kind: t.Type) -> Any:
    """The value as one of a type."""
    match t.strip(kind):
        case t.Scalar(name="json"):
            return value
        case t.Scalar(name="int") if type(value) is int:
            return value
        case t.Scalar(name="str") if type(value) is str:
            return value
        case t.List() as wanted if type(value) is list:
            return [fitted(item, wanted.item) for item in value]
        case t.Dict() as wanted if type(value) is dict:
            return {key: fitted(item, wanted.value) for key, item in value.items()}
        case t.Record() as record if type(value) is dict:
            fields = {member.name: member for member in record.members}
            needed = {f.name for f in record.members if not f.optional and not f.has_default}
            if needed <= value.keys() <= fields.keys():
                defaults = {f.name: f.default for f in record.members if f.has_default}
                given = {name: fitted(item, fields[name].type) for name, item in value.items()}
                return {**copy.deepcopy(defaults), **given}
    raise Failure("unexpected JSON")


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_BUILTINS: dict[str, Callable[..., Any]] = {
    "len": len,
    "count": len,
    "abs": abs,
    "any": any,
    "all": all,
    "sum": lambda items: (
        math.fsum(items) if any(isinstance(i, float) for i in items) else sum(items)
    ),
    "sorted": sorted,
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "take": lambda items, count: items[: max(0, count)],
    "drop": lambda items, count: items[max(0, count) :],
    "lower": str.lower,
    "upper": str.upper,
    "starts_with": str.startswith,
    "keys": list,
    "values": lambda entries: list(entries.values()),
    "join": lambda parts, separator: separator.join(parts),
    "reversed": lambda items: items[::-1],
    "parse_json": read,
}
