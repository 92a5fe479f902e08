"""The typed tree to Python: what a good programmer would write for it.

An expression becomes a Python expression and, where it needs statements of its own (`else fail`,
`??`, a conditional with such parts), statements before it, in the order of evaluation. Where
those would run too early (in a comprehension, behind `and`), loops and branches are written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS
from toolc.analysis.types import Type
from toolc.emit import data, py
from toolc.emit.namer import MODULES, Scope, free, is_plain, names_used
from toolc.emit.printer import fits_in_hole
from toolc.emit.tidy import names_in, tidy
from toolc.node import Node, same

_SMALL = 16  # members of a constant that a loop need not charge for
_WORD = 2**63 - 1
_METHODS = {
    "lower": "lower",
    "upper": "upper",
    "strip": "strip",
    "starts_with": "startswith",
    "ends_with": "endswith",
}
_PLAIN = frozenset({"len", "count", "any", "all", "sorted", "abs"})
_HELPERS = {
    "/": "divide",
    "//": "floor_divide",
    "%": "modulo",
    "*": "multiply",
    "**": "power",
    "+": "add",
    "-": "subtract",
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BOUNDS = {"minimum": 0, "exclusive_minimum": 0, "maximum": 1, "exclusive_maximum": 1}

Path = tuple[core.Expr, tuple[core.Expr | str, ...]]


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

    def default_constants(self) -> Iterator[py.Statement]:
        """The assignments of the defaults that have names."""
        for function in self._environment.functions:
            for parameter in function.parameters:
                name = self._defaults.get((function.name, parameter.field.name))
                if name:
                    kind = data.annotation(parameter.field.type, self.types)
                    yield py.Assign((py.Name(name),), _default(parameter), kind)

    def parameters(self, function: core.Function) -> tuple[str, ...]:
        """The Python names of a function's parameters."""
        scope = Scope(names_used(function.body or (), self.taken))
        return tuple(scope.bind(parameter.symbol) for parameter in function.parameters)


class Lowered(Node):
    """A body's statements, its parameters' names, and the imported names that it refers to."""

    body: py.Block
    parameters: tuple[str, ...]
    used: frozenset[str]


def lower_body(
    body: core.Block | core.Expr, parameters: Sequence[core.Symbol], globals_: Globals
) -> Lowered:
    """A function's body; an expression's value is returned."""
    block = body if isinstance(body, tuple) else (core.Return(body.span, body),)
    lowering = Lowering(globals_, block)
    names = tuple(lowering.scope.bind(symbol) for symbol in parameters)
    made = tidy(lowering.statements(block))
    used = {name for name in names_in(made) if name in lowering.imported}
    return Lowered(made, names, frozenset(used | _exceptions(made)))


def _exceptions(block: py.Block) -> set[str]:
    """The exceptions that `except` clauses name."""
    found: set[str] = set()
    stack: list[Any] = [block]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, py.Try):
            found.update(name.split()[0] for name, _ in node.handlers)
            stack.extend((node.body, node.handlers))
        elif isinstance(node, Node):
            stack.extend(value for value in node.__dict__.values() if isinstance(value, tuple))
    return found


def nodes(root: Any) -> Iterator[Node]:
    """Every node of a typed tree, types and symbols left out."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Node) and not isinstance(node, (core.Symbol, Type)):
            yield node
            stack.extend(
                value for key, value in node.__dict__.items() if key not in ("type", "span")
            )


class Lowering:
    """One body on its way: names in scope, statements written so far."""

    def __init__(self, globals_: Globals, root: core.Block) -> None:
        self.globals = globals_
        self.scope = Scope(names_used(root, globals_.taken))
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
            if place is not None and place.root == "local" and _in_place(node, place):
                self.owned.add(id(place.symbol))

    # ------------------------------------------------------------ building

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
                _STATEMENTS[type(statement)](self, statement)

        return self.block(write)

    def set_(self, name: str, value: py.Expr) -> None:
        self.out.append(py.Assign((py.Name(name),), value))

    def temporary(self, value: py.Expr, hint: str = "value") -> py.Expr:
        name = self.scope.fresh(hint)
        self.set_(name, value)
        return py.Name(name)

    def simple(self, value: py.Expr, hint: str = "value") -> py.Expr:
        """The value as something that may be written twice."""
        return value if _stable(value) else self.temporary(value, hint)

    def is_steady(self, value: py.Expr) -> bool:
        """Whether the value is the same after the statements of another expression."""
        if isinstance(value, py.Attribute) and isinstance(value.base, py.Name):
            return value.base.id == "state" and not self.calls_writers
        return _stable(value)

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

    # ------------------------------------------------------------ expressions

    def expr(self, node: core.Expr) -> py.Expr:
        """The value, which may be kept."""
        known = self.known.get(id(node))
        if known is not None:
            return known
        return _EXPRESSIONS[type(node)](self, node)

    def borrow(self, node: core.Expr) -> py.Expr:
        """The value, only to be looked at: a mutable local is not copied."""
        while isinstance(node, core.Narrowed):
            node = node.value
        if isinstance(node, core.Local):
            return py.Name(self.scope.name(node.symbol))
        return self.expr(node)

    def local(self, node: core.Local) -> py.Expr:
        name = py.Name(self.scope.name(node.symbol))
        if id(node.symbol) in self.owned and not self.returning:
            return py.call("list" if _is_list(node.symbol.type) else "dict", name)
        return name

    def field(self, node: core.Field) -> py.Expr:
        base = self.borrow(node.base)
        if node.optional:
            return py.call(py.Attribute(base, "get"), py.Str(node.name))
        return py.Subscript(base, (py.Str(node.name),))

    def tuple_(self, node: core.TupleOf) -> py.Expr:
        return py.TupleDisplay(tuple(self.exprs(*node.items)))

    def lookup(self, node: core.Lookup) -> py.Expr:
        return py.Subscript(_state(node.table.name), (self.expr(node.key),))

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

    def arithmetic(self, node: core.Arithmetic) -> py.Expr:
        left, right = self.borrows(node.left, node.right)
        return self.combine(node, left, right)

    def combine(self, node: core.Arithmetic, left: py.Expr, right: py.Expr) -> py.Expr:
        """`left operator right`, checked where it may fail or grow."""
        if node.kind == "list":
            value: py.Expr = _concatenated(left, right)
            return self.grown(value, node.left, node.right)
        value = py.Binary(node.operator, left, right) if node.operator != "**" else py.NONE
        if node.kind == "text":
            return self.grown(value, node.left, node.right)
        if self.needs_check(node):
            return self.call(_HELPERS[node.operator], left, right)
        return value

    def grown(self, value: py.Expr, *parts: core.Expr) -> py.Expr:
        """The value, its size checked where a part was itself put together."""
        built = any(self.is_built(part) and not t.is_number(part.type) for part in parts)
        if self.failing or not built:
            return value
        return self.call("grow", value)

    def needs_check(self, node: core.Arithmetic) -> bool:
        """Whether the operation may fail or leave its bounds."""
        kind = t.strip(node.left.type)
        if node.kind == "time":
            both = {t.strip(node.left.type), t.strip(node.right.type)}
            return not (node.operator == "-" and both <= {t.DATE, t.DATETIME})
        if kind == t.DECIMAL or node.operator == "**":
            return True
        if node.operator in ("+", "-"):
            return kind == t.INT and self.is_built(node.left) and self.is_built(node.right)
        if node.operator == "*":
            return kind == t.INT and not _bounded_product(node.left, node.right)
        return not all(divisor >= 1 for divisor in self.divisors(node.right))

    def divisors(self, node: core.Expr) -> list[Any]:
        """The numbers that a constant, or a member of a constant dict, may be; 0 for unknown."""
        bare = _bare(node.value) if isinstance(node, core.ToFloat) else _bare(node)
        if isinstance(bare, core.Item) and isinstance(bare.base, core.ConstantRef):
            return list(self.globals.values[bare.base.name].values())
        value = _constant(node)
        return [0 if value is None else value]

    def is_built(self, node: core.Expr) -> bool:
        """Whether a text, list or int was itself put together, so that it may have grown."""
        match node:
            case core.Local():
                return id(node.symbol) in self.built
            case core.Comprehension():
                return self.is_built(node.element)
            case core.Arithmetic() | core.Text() | core.CallFunction():
                return _grows(node.type) and any(
                    not isinstance(p, core.Constant) for p in _parts(node)
                )
            case core.CallBuiltin() if node.name not in _KEEPING:
                return _grows(node.type) and t.strip(node.type) != t.INT
            case (
                core.Constant()
                | core.ConstantRef()
                | core.ScalarRef()
                | core.TableRef()
                | core.Lookup()
            ):
                return False
            case core.Conditional():
                return self.is_built(node.then) or self.is_built(node.otherwise)
        return any(self.is_built(part) for part in _parts(node))

    def negate(self, node: core.Negate) -> py.Expr:
        return py.Unary("-", self.expr(node.operand))

    def not_(self, node: core.Not) -> py.Expr:
        return py.negate(self.expr(node.operand))

    def logic(self, node: core.Logic) -> py.Expr:
        parts = [self.captured(operand) for operand in node.operands]
        if not any(before for before, _ in parts[1:]):
            self.out.extend(parts[0][0])
            return py.Logic(node.operator, tuple(value for _, value in parts))
        name = self.scope.fresh("holds")
        self._logic(name, node.operator, parts)
        return py.Name(name)

    def _logic(self, name: str, operator: str, parts: list[tuple[py.Block, py.Expr]]) -> None:
        (before, value), *rest = parts
        self.out.extend(before)
        self.set_(name, value)
        if rest:
            with self.elsewhere() as out:
                self._logic(name, operator, rest)
                body = tuple(out)
            target = py.Name(name)
            self.out.append(py.If(((target if operator == "and" else py.negate(target), body),)))

    def comparison(self, node: core.Comparison) -> py.Expr:
        first, second, *rest = node.operands
        parts = [self.capture(lambda value=value: self.borrow(value)) for value in rest]  # type: ignore[misc]
        left, right = self.borrows(first, second)
        if not rest:
            return self.compare(node.operators[0], first, second, left, right)
        if not any(before for before, _ in parts):
            values = (left, right, *(value for _, value in parts))
            return py.Compare(values, node.operators)
        # A later operand is evaluated only where the earlier comparisons hold.
        left, right = self.simple(left), self.simple(right)
        links: list[tuple[py.Block, py.Expr]] = [
            ((), py.Compare((left, right), (node.operators[0],)))
        ]
        for operator, (before, value) in zip(node.operators[1:], parts, strict=True):
            kept = value if _stable(value) else py.Name(self.scope.fresh("value"))
            if kept is not value:
                before = (*before, py.Assign((kept,), value))
            link = (kept, right), (_MIRRORED[operator],)
            if not _is_fixed(right) or _is_fixed(kept):
                link = (right, kept), (operator,)
            links.append((before, py.Compare(*link)))
            right = kept
        name = self.scope.fresh("holds")
        self._logic(name, "and", links)
        return py.Name(name)

    def compare(
        self, operator: str, left: core.Expr, right: core.Expr, a: py.Expr, b: py.Expr
    ) -> py.Expr:
        """Two values compared; null and truth values by identity."""
        if _is_singleton(left):
            left, right, a, b = right, left, b, a
        if not _is_singleton(right) or operator not in ("==", "!="):
            if _is_fixed(a) and not _is_fixed(b):
                return py.Compare((b, a), (_MIRRORED[operator],))
            return py.Compare((a, b), (operator,))
        equal = operator == "=="
        value = right.value  # type: ignore[attr-defined]
        if value is not None and t.strip(left.type) == t.BOOL:
            return a if value is equal else py.negate(a)
        return py.Compare((a, b), ("is" if equal else "is not",))

    def contains(self, node: core.Contains) -> py.Expr:
        container = node.container
        items: tuple[core.Expr, ...] | None = None
        if isinstance(container, core.ListOf) and all(
            isinstance(item, core.Constant) for item in container.items
        ):
            items = container.items
        item, made = self.borrows(node.item, container)
        if items and isinstance(made, py.ListDisplay):
            made = py.TupleDisplay(made.items)
        return py.Compare((item, made), ("not in" if node.negated else "in",))

    def conditional(self, node: core.Conditional) -> py.Expr:
        (condition,) = self.exprs(node.condition)
        before_then, then = self.capture(lambda: self.expr(node.then))
        before_else, otherwise = self.capture(lambda: self.expr(node.otherwise))
        if not before_then and not before_else:
            if same(then, otherwise) and self.is_total(node.condition):
                return then
            return py.IfElse(condition, then, otherwise)
        name = self.scope.fresh("value")
        self._branch(
            name, condition, (*before_then, _set(name, then)), (*before_else, _set(name, otherwise))
        )
        return py.Name(name)

    def _branch(self, name: str, condition: py.Expr, then: py.Block, otherwise: py.Block) -> None:
        self.out.append(py.If(((condition, then),), otherwise))

    def absent(self, node: core.Absent) -> py.Expr:
        return py.Compare((py.Str(node.name), self.borrow(node.base)), ("not in",))

    # ------------------------------------------------------------ what may be missing

    def into(self, name: str, node: core.Expr) -> None:
        """Assigns the value to a name."""
        match node:
            case core.OrFail():
                self.into_or_fail(name, node)
            case core.Coalesce():
                self.into_coalesce(name, node, missing=False)
            case core.Conditional():
                self.into_conditional(name, node)
            case core.Comprehension(order=()) | core.DictComprehension():
                made = self.gathered(node, name)
                if not _same_name(made, name):
                    self.set_(name, made)
            case core.Narrowed(value=core.OrFail() | core.Coalesce() | core.Conditional() as inner):
                self.into(name, inner)
            case _:
                self.set_(name, self.expr(node))

    def into_conditional(self, name: str, node: core.Conditional) -> None:
        (condition,) = self.exprs(node.condition)
        then = self.block(lambda: self.into(name, node.then))
        otherwise = self.block(lambda: self.into(name, node.otherwise))
        self._branch(name, condition, then, otherwise)

    def into_coalesce(self, name: str, node: core.Coalesce, *, missing: bool) -> None:
        """`left ?? right`; with `missing`, None where right is missing, too."""
        default = self.with_default(node)
        if default is not None and not missing:
            self.set_(name, default)
            return
        self.into_maybe(name, node.left)
        if isinstance(node.right, core.Constant) and node.right.value is None:
            return
        if missing:
            body = self.block(lambda: self.into_maybe(name, node.right))
        else:
            body = self.block(lambda: self.into(name, node.right))
        self.out.append(py.If(((py.is_none(py.Name(name)), body),)))

    def with_default(self, node: core.Coalesce) -> py.Expr | None:
        """`d.get(key, default)`, or the like, where that is all there is to it."""
        left = _bare(node.left)
        if isinstance(left, core.CallBuiltin) and isinstance(node.right, core.Constant):
            return None if t.nullable(left.type) else self.found(left, self.expr(node.right))
        if (
            isinstance(left, core.Item)
            and not t.nullable(left.type)
            and self.is_total(left.base)
            and isinstance(node.right, core.Constant)
        ):
            base, key = self.borrows(left.base, left.key)
            return py.call(py.Attribute(base, "get"), key, self.expr(node.right))
        return None

    def into_maybe(self, name: str, node: core.Expr) -> None:
        """Assigns the value, or None where it is missing."""
        match node:
            case core.Coalesce():
                self.into_coalesce(name, node, missing=True)
            case core.Narrowed():
                self.into_maybe(name, node.value)
            case core.ToFloat() | core.ToDecimal():
                self.into_maybe(name, node.value)
                function = "float" if isinstance(node, core.ToFloat) else "Decimal"
                if function == "Decimal":
                    self.imported.add(function)
                target = py.Name(name)
                self.out.append(
                    py.If(((py.is_not_none(target), (_set(name, py.call(function, target)),)),))
                )
            case core.CallBuiltin() if BUILTINS[node.name].partial:
                made = self.maybe_called(node, name)
                if not _same_name(made, name):
                    self.set_(name, made)
            case _:
                self.set_(name, self.maybe(node))

    def maybe(self, node: core.Expr) -> py.Expr:
        """The value, or None where a link of its path is missing."""
        root, path = _path(node)
        called = isinstance(root, core.CallBuiltin) and BUILTINS[root.name].partial
        if not called and not any(isinstance(link, core.Expr) for link in path):
            return self.expr(_bare(node))
        keys = [link for link in path if isinstance(link, core.Expr)]
        if isinstance(root, core.TableRef):
            base: py.Expr = _state(root.name)
            made = self.exprs(*keys)
        else:
            start = (
                self.maybe_called if isinstance(root, core.CallBuiltin) and called else self.borrow
            )
            base, *made = self.operands(
                lambda: start(root),
                *(lambda key=key: self.expr(key) for key in keys),
            )
        if not path:
            return base
        values = iter(made)
        steps = [py.Str(link) if isinstance(link, str) else next(values) for link in path]
        bare = _bare(node)
        if len(steps) == 1 and isinstance(bare, (core.Lookup, core.Item)):
            return py.call(py.Attribute(base, "get"), steps[0])
        return self.call("peek", base, *steps)

    def maybe_called(self, call: core.Expr, name: str = "") -> py.Expr:
        """A partial built-in's result, or None where it fails; `name` may hold it.

        What fails in an argument is no failure of the call.
        """
        assert isinstance(call, core.CallBuiltin)
        found = self.found(call)
        if found is not None:
            return found
        partial = [argument for argument in call.arguments if not self.is_total(argument)]
        for argument in partial:
            self.known[id(argument)] = self.simple(self.borrow(argument), _hint(argument))
        before, value = self.captured(call)
        for argument in partial:
            del self.known[id(argument)]
        name = name or self.scope.fresh("result")
        self.attempt((*before, _set(name, value)), (_set(name, py.NONE),))
        return py.Name(name)

    def found(self, call: core.CallBuiltin, default: py.Expr = py.NONE) -> py.Expr | None:
        """`first(items)` and `last(items)`, or the default; None for other calls."""
        if call.name not in ("first", "last"):
            return None
        (items,) = call.arguments
        match = self.first_match(call, default)
        if match is not None:
            return match
        found = self.simple(self.borrow(items), "found")
        return py.IfElse(found, py.Subscript(found, (_end(call),)), default)

    def first_match(self, call: core.CallBuiltin, default: py.Expr = py.NONE) -> py.Expr | None:
        """`next((x for …), default)`, where no member is null and the items need no statements."""
        (items,) = call.arguments
        if call.name != "first" or not isinstance(items, core.Comprehension) or items.order:
            return None
        if t.nullable(items.element.type) or not self.is_total(items):
            return None
        given = self.scope.given()
        before, value = self.capture(lambda: self.comprehension(items))
        if not isinstance(value, py.Comprehension):
            self.scope.forget(given)
            return None
        self.out.extend(before)
        members = py.Comprehension("generator", value.element, value.clauses)
        return py.call("next", members, default)

    def attempt(self, body: py.Block, handler: py.Block) -> None:
        """`body`, or `handler` where it fails, but for an exhausted budget."""
        self.imported |= {"Fail", "BudgetExceeded"}
        self.out.append(py.Try(body, (("BudgetExceeded", (py.Raise(None),)), ("Fail", handler))))

    def into_or_fail(self, name: str, node: core.OrFail) -> None:
        value = node.value
        if self._first_or_fail(name, node):
            return
        target = py.Name(name)
        refuse = (py.is_none(target), self.block(lambda: self.fail(node.error)))
        if not t.nullable(node.type) and self.misses_only(value):
            self.into_maybe(name, value)
            self.out.append(py.If((refuse,)))
            return
        body = self.block(lambda: self.into(name, value))
        outer, self.handling = self.handling, True
        handler = self.block(lambda: self.fail(node.error))
        self.handling = outer
        self.attempt(body, handler)
        if t.nullable(value.type) and not t.nullable(node.type):
            self.out.append(py.If((refuse,)))

    def _first_or_fail(self, name: str, node: core.OrFail) -> bool:
        """`first(items) else fail …`, where nothing but an empty list is in the way."""
        call = _bare(node.value)
        if not isinstance(call, core.CallBuiltin) or call.name not in ("first", "last"):
            return False
        (items,) = call.arguments
        if not self.is_total(items) or (t.nullable(call.type) and not t.nullable(node.type)):
            return False
        refuse = self.block(lambda: self.fail(node.error))
        match = self.first_match(call)
        if match is not None:
            self.set_(name, match)
            self.out.append(py.If(((py.is_none(py.Name(name)), refuse),)))
            return True
        found = self.simple(self.borrow(items), "found")
        self.out.append(py.If(((py.negate(found), refuse),)))
        self.set_(name, py.Subscript(found, (_end(call),)))
        return True

    def fail(self, error: core.Expr) -> None:
        """`raise Fail(error)`; a text that ends the call need not be kept from growing."""
        outer, self.failing = self.failing, True
        value = self.expr(error)
        self.failing = outer
        self.out.append(py.Raise(self.call("Fail", value), from_none=self.handling))

    def misses_only(self, node: core.Expr) -> bool:
        """Whether all that can go wrong is that a link of the path is missing, or null."""
        match node:
            case core.Coalesce():
                return self.misses_only(node.left) and self.misses_only(node.right)
            case core.Narrowed() | core.ToFloat() | core.ToDecimal():
                return self.misses_only(node.value)
            case core.CallBuiltin() if BUILTINS[node.name].partial:
                return False
        root, path = _path(node)
        return self.is_total(root) and all(
            self.is_total(link) for link in path if isinstance(link, core.Expr)
        )

    def is_total(self, node: Any) -> bool:
        """Whether evaluating cannot fail, but for an exhausted budget."""
        match node:
            case core.Item(base=core.ConstantRef() as base):
                known = self.globals.values[base.name]
                key = node.key
                asked = (
                    (key.value,) if isinstance(key, core.Constant) else t.literal_values(key.type)
                )
                covered = asked is not None and set(asked) <= set(known)
                return covered and self.is_total(node.key)
            case core.Lookup() | core.Item() | core.At() | core.OrFail() | core.CallFunction():
                return False
            case core.CallBuiltin() if BUILTINS[node.name].partial:
                return False
            case core.Arithmetic() if node.kind in ("time", "number") and self.needs_check(node):
                return False
            case core.Coalesce():
                return self.misses_only(node.left) and self.is_total(node.right)
        return all(map(self.is_total, _parts(node)))

    def or_fail(self, node: core.OrFail) -> py.Expr:
        return self.named(node, _hint(node.value))

    def coalesce(self, node: core.Coalesce) -> py.Expr:
        default = self.with_default(node)
        return default if default is not None else self.named(node, _hint(node.left))

    def named(self, node: core.Expr, hint: str) -> py.Expr:
        name = self.scope.fresh(hint)
        self.into(name, node)
        return py.Name(name)

    # ------------------------------------------------------------ calls

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
        return _state(node.name) if isinstance(node, core.TableRef) else self.borrow(node)

    # ------------------------------------------------------------ containers and texts

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
        return value if fits_in_hole(value) else self.temporary(value, _hint(hole.value))

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
            first, *others = _conjuncts(clause.condition)
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
            if built and _grows(symbol.type):
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
            table: py.Expr = _state(source.name)
            if pairs:
                table = py.call(py.Attribute(table, "items"))
            return self.call("each", py.Name("state"), table)
        value = self.borrow(source)
        bare = t.strip(source.type)
        if isinstance(bare, t.Dict):
            if pairs:
                value = py.call(py.Attribute(value, "items"))
            if isinstance(_bare(source), core.Local) and id(_bare(source).symbol) in self.owned:  # type: ignore[attr-defined]
                value = py.call("list", value)
        if isinstance(_bare(source), (core.Comprehension, core.DictComprehension)):
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
        element = _bare(node.element)
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
            {} if _same_name(key_value, outer) else {"key": py.Lambda((outer,), key_value)}
        )
        if reverse:
            keywords["reverse"] = py.TRUE
        made = py.call("sorted", rows, **keywords)
        return made if alone else py.Comprehension("list", shown, (py.For((outer,), made),))

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
        match _bare(node):
            case core.Coalesce(left=left, right=core.ListOf(items=())):
                return py.Logic("or", (self.maybe(left), py.ListDisplay(())))
        return self.borrow(node)

    def to_float(self, node: core.ToFloat) -> py.Expr:
        return self._converted("float", node.value)

    def to_decimal(self, node: core.ToDecimal) -> py.Expr:
        self.imported.add("Decimal")
        return self._converted("Decimal", node.value)

    def _converted(self, function: str, node: core.Expr) -> py.Expr:
        value = self.borrow(node)
        if t.nullable(node.type):
            value = self.simple(value)
            return py.IfElse(py.is_none(value), py.NONE, py.call(function, value))
        return py.call(function, value)

    def constant(self, node: core.Constant) -> py.Expr:
        value = data.expression(node.value)
        self.imported.update(name for name in names_in(value) if name in MODULES)
        return value

    # ------------------------------------------------------------ statements

    def let(self, node: core.Let) -> None:
        if len(node.targets) > 1:
            (value,) = self.exprs(node.value)
            names = tuple(py.Name(self.bind_symbol(symbol)) for symbol in node.targets)
            self.out.append(py.Assign(names, value))
            return
        symbol = node.targets[0]
        call = _bare(node.value)
        if id(symbol) not in self.used and isinstance(call, core.CallFunction):
            self.write(self.expr(call))
            return
        built = symbol.mutable and _grows(symbol.type)
        if built or (self.is_built(node.value) and _grows(symbol.type)):
            self.built.add(id(symbol))
        name = self.bind_symbol(symbol)
        if id(symbol) in self.owned:
            self.set_(name, self.own(node.value))
        else:
            self.into(name, node.value)
        made = self.out[-1]
        if symbol.mutable and isinstance(made, py.Assign) and _is_empty(made.value):
            kind = data.annotation(symbol.type, self.globals.types)
            self.imported.update(n for n in names_in(kind) if n in MODULES)
            self.out[-1] = py.Assign(made.targets, made.value, kind)

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
        return py.call("list" if _is_list(node.type) else "dict", value)

    def assign(self, node: core.Assign) -> None:
        place = node.place
        if place.root == "local":
            self.assign_local(node)
        elif place.root == "state":
            target = _state(place.name)
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
            table = _state(place.name)
            if len(steps) == 1:
                self.write(py.call(py.Attribute(table, "put"), steps[0], value))
            else:
                self.write(self.call("assign", table, *steps, value=value))

    def stored(self, node: core.Expr, value: py.Expr) -> py.Expr:
        """A value on its way into the state, its size checked where it was put together."""
        bare = t.strip(node.type)
        grows = t.is_text(bare) or isinstance(bare, t.List)
        if not grows or not self.is_built(node) or _is_grown(value):
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
            elif node.operator == "=" and not _mentions(node.value, symbol):
                self.into(name, node.value)
            elif node.operator == "=":
                self.set_(name, self.expr(node.value))
            else:
                self.update(target, node)
            return
        steps = self.steps(place)
        (value,) = self.exprs(node.value)
        if _in_place(node, place):
            self.out.append(py.Assign((py.Subscript(target, (steps[0],)),), value))
        else:
            self.set_(name, self.call("with_path", target, *steps, to=value))

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

    def write(self, value: py.Expr) -> None:
        self.out.append(py.ExprStatement(value))

    def if_(self, node: core.If) -> None:
        self._branches(list(node.branches), node.otherwise)

    def _branches(
        self, branches: list[tuple[core.Expr, core.Block]], otherwise: core.Block | None
    ) -> None:
        condition, body = branches[0]
        first, *others = _conjuncts(condition)
        if others and len(branches) == 1 and not otherwise:
            given = self.scope.given()
            before, _ = self.captured(condition)
            self.scope.forget(given)
            if before:
                inner = others[0] if len(others) == 1 else condition.replace(operands=tuple(others))
                nested = core.If(condition.span, ((inner, body),), None)
                self._branches([(first, (nested,))], None)
                return
        made: list[tuple[py.Expr, py.Block]] = []
        rest: py.Block | None = None
        for index, (condition, body) in enumerate(branches):
            before, value = self.capture(lambda condition=condition: self.expr(condition))  # type: ignore[misc]
            if before and index:
                rest = self.block(lambda index=index: self._branches(branches[index:], otherwise))  # type: ignore[misc]
                break
            self.out.extend(before)
            made.append((value, self.statements(body)))
        if rest is None:
            rest = self.statements(otherwise) if otherwise else ()
        self.out.append(py.If(tuple(made), rest))

    def for_(self, node: core.For) -> None:
        source = self.source(node)
        self.scope.push()
        targets = self.bind(node, statement=True)

        def write() -> None:
            if node.condition is not None:
                condition = self.expr(node.condition)
                if len(node.body) == 1 and not self.out:
                    self.out.append(py.If(((condition, self.statements(node.body)),)))
                    return
                self.out.append(py.If(((py.negate(condition), (py.Continue(),)),)))
            for statement in node.body:
                _STATEMENTS[type(statement)](self, statement)

        body = self.block(write)
        self.scope.pop()
        self.out.append(py.ForLoop(targets, source, body))

    def match(self, node: core.Match) -> None:
        subject = self.borrow(node.subject)
        if node.tag is not None:
            subject = py.Subscript(self.simple(subject, _hint(node.subject)), (py.Str(node.tag),))
        branches = []
        if len(node.cases) > 1:
            subject = self.simple(subject, node.tag or _hint(node.subject))
        for values, body in node.cases:
            if len(values) == 1:
                condition = py.Compare((subject, py.Str(values[0])), ("==",))
            else:
                condition = py.Compare(
                    (subject, py.TupleDisplay(tuple(map(py.Str, values)))), ("in",)
                )
            branches.append((condition, self.statements(body)))
        otherwise = self.statements(node.otherwise) if node.otherwise else ()
        if node.otherwise is None and branches:
            otherwise = branches.pop()[1]
            while branches and not branches[-1][1] and not otherwise:
                branches.pop()
        if not branches:
            self.out.extend(otherwise)
        else:
            self.out.append(py.If(tuple(branches), otherwise))

    def require(self, node: core.Require) -> None:
        (condition,) = self.exprs(node.condition)
        self.out.append(py.If(((py.negate(condition), self.block(lambda: self.fail(node.error))),)))

    def fail_with(self, node: core.FailWith) -> None:
        self.fail(node.error)

    def return_(self, node: core.Return) -> None:
        self.returning = True  # a mutable local may leave the body as it is
        self.out.append(py.Return(self.borrow(node.value)))
        self.returning = False

    def insert(self, node: core.Insert) -> None:
        insert = py.Attribute(_state(node.table), "insert")
        if node.key is not None:
            key, value = self.exprs(node.key, node.value)
        else:
            value = self.expr(node.value)
            given = _entries(value)
            if all(name in given and _stable(given[name]) for name in node.key_fields):
                parts = tuple(given[name] for name in node.key_fields)
            else:
                value = value if isinstance(value, py.Name) else self.temporary(value, "row")
                parts = tuple(py.Subscript(value, (py.Str(name),)) for name in node.key_fields)
            key = parts[0] if len(parts) == 1 else py.TupleDisplay(parts)
        self.write(py.call(insert, key, value))

    def append(self, node: core.Append) -> None:
        self._change(node.place, node.value, "append", "with_appended", _in_place(node, node.place))

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
            target = _state(place.name)
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
            target = _state(place.name)
        if place.root == "table":
            change: py.Statement = py.ExprStatement(self.call("erase", target, *steps))
        else:
            change = py.Assign((target,), self.call("without", target, *steps))
        last = place.path[-1]
        field = _bare(place.value)
        if isinstance(last, core.FieldStep) and isinstance(field, core.Field):
            present = py.Compare((py.Str(last.name), self.borrow(field.base)), ("in",))
            change = py.If(((present, (change,)),))
        self.out.append(change)

    def evaluate(self, node: core.Evaluate) -> None:
        self.write(self.expr(node.call))

    def advance(self, node: core.Advance) -> None:
        self.write(self.call("advance", py.Name("state"), self.expr(node.by)))

    def expect(self, node: core.Expect) -> None:
        """`expect(index, holds, actual)`, which whoever runs tests provides."""
        index = py.number(self.expectations)
        self.expectations += 1
        failure = py.Attribute(py.Name("failure"), "value")

        def judge(holds: py.Expr, actual: py.Expr) -> None:
            self.write(py.call("expect", index, holds, actual))

        def succeed() -> None:
            if node.fails:
                judge(py.FALSE, self.expr(node.value))
                return
            match node.value:
                case core.Comparison(operands=(left, right), operators=(operator,)):
                    a, b = self.operands(lambda: self.expr(left), lambda: self.expr(right))
                    a = self.simple(a, "actual")
                    judge(self.compare(operator, left, right, a, b), a)
                case _:
                    judge(self.simple(self.expr(node.value), "actual"), py.NONE)

        def refuse() -> None:
            if not node.fails:
                judge(py.FALSE, failure)
            elif node.error is None:
                judge(py.TRUE, failure)
            else:
                judge(py.Compare((failure, self.expr(node.error)), ("==",)), failure)

        self.imported.add("Fail")
        self.out.append(py.Try(self.block(succeed), (("Fail as failure", self.block(refuse)),)))


# ---------------------------------------------------------------- helpers

_FRESH = frozenset(
    {"list", "dict", "sorted", "with_path", "with_appended", "with_removed", "without"}
)
_KEEPING = frozenset(
    [
        "sorted",
        "reversed",
        "unique",
        "take",
        "drop",
        "first",
        "last",
        "min",
        "max",
        "keys",
        "values",
        "items",
        "zip",
        "enumerate",
        "lower",
        "upper",
        "strip",
        "title",
        "split",
        "choice",
        "shuffle",
    ]
)
"""Built-ins whose result is no larger than what they are given."""


def _default(parameter: core.Parameter) -> py.Expr | None:
    """A parameter's default as Python; None where it has to be given."""
    field = parameter.field
    if field.has_default:
        return data.expression(data.parsed(field.default, field.type))
    return py.NONE if field.optional else None


def _state(name: str) -> py.Expr:
    return py.Attribute(py.Name("state"), name)


def _set(name: str, value: py.Expr) -> py.Statement:
    return py.Assign((py.Name(name),), value)


def _end(call: core.CallBuiltin) -> py.Expr:
    """The index of what `first` or `last` gives."""
    return py.number(0 if call.name == "first" else -1)


def _stable(value: py.Expr) -> bool:
    """Whether writing it twice means the same, and reads as well."""
    match value:
        case py.Name() | py.Literal() | py.Str():
            return True
        case py.Subscript(indexes=(py.Str(),)):
            return isinstance(value.base, py.Name)
        case py.TupleDisplay():
            return all(map(_stable, value.items))
        case py.Unary(operator="-"):
            return isinstance(value.operand, py.Literal)
    return False


def _is_fixed(value: py.Expr) -> bool:
    """Whether a comparison reads better with the value on the right."""
    match value:
        case py.Literal() | py.Str():
            return True
        case py.Unary(operator="-"):
            return _is_fixed(value.operand)
        case py.ListDisplay() | py.TupleDisplay():
            return all(map(_is_fixed, value.items))
        case py.Name():
            return value.id.isupper()
    return False


def _same_name(value: py.Expr, name: str) -> bool:
    return isinstance(value, py.Name) and value.id == name


def _is_grown(value: py.Expr) -> bool:
    return (
        isinstance(value, py.Call)
        and isinstance(value.function, py.Name)
        and value.function.id == "grow"
    )


def _is_empty(value: py.Expr | None) -> bool:
    return (isinstance(value, py.ListDisplay) and not value.items) or (
        isinstance(value, py.DictDisplay) and not value.entries
    )


def _entries(value: py.Expr) -> dict[str, py.Expr]:
    """The entries of a dict display without spreads, by label."""
    if not isinstance(value, py.DictDisplay) or any(key is None for key, _ in value.entries):
        return {}
    return {key.value: item for key, item in value.entries if isinstance(key, py.Str)}


def _concatenated(left: py.Expr, right: py.Expr) -> py.Expr:
    """Lists, one after the other."""
    if not isinstance(left, py.ListDisplay) and not isinstance(right, py.ListDisplay):
        return py.Binary("+", left, right)
    items: list[py.Expr] = []
    for part in (left, right):
        items.extend(part.items if isinstance(part, py.ListDisplay) else (py.Star(part),))
    return py.ListDisplay(tuple(items))


def _is_list(kind: Type) -> bool:
    return isinstance(t.strip(kind), t.List)


def _grows(kind: Type) -> bool:
    """Whether values of the type may get ever larger."""
    bare = t.strip(t.required(kind))
    return bare != t.BOOL and bare != t.FLOAT and not isinstance(bare, (t.Literals, t.Enum))


def _is_singleton(node: core.Expr) -> bool:
    return isinstance(node, core.Constant) and (node.value is None or isinstance(node.value, bool))


def _negatable(kind: Type) -> bool:
    return t.strip(kind) in (t.INT, t.FLOAT, t.DECIMAL, t.DURATION)


def _bare(node: core.Expr) -> core.Expr:
    while isinstance(node, core.Narrowed):
        node = node.value
    return node


def _conjuncts(node: core.Expr) -> tuple[core.Expr, ...]:
    """The parts of an `and`, in order; else the condition itself."""
    return node.operands if isinstance(node, core.Logic) and node.operator == "and" else (node,)


def _constant(node: core.Expr) -> int | float | Decimal | None:
    """The number that a constant is, also one that was converted."""
    node = node.value if isinstance(node, (core.ToFloat, core.ToDecimal, core.Narrowed)) else node
    value = node.value if isinstance(node, core.Constant) else None
    return (
        value if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else None
    )


def _bounded_product(left: core.Expr, right: core.Expr) -> bool:
    bounds = (_magnitude(left), _magnitude(right))
    return None not in bounds and bounds[0] * bounds[1] <= _WORD  # type: ignore[operator]


def _magnitude(node: core.Expr) -> int | None:
    """The largest absolute value that an int can have, where its facets say so."""
    value = _constant(node)
    if isinstance(value, int):
        return abs(value)
    if isinstance(node, core.CallBuiltin) and node.name in ("len", "count"):
        return 10**7
    if isinstance(node, core.Local) and node.symbol.mutable:
        return None
    bounds: list[int | None] = [None, None]
    kind = node.type
    while isinstance(kind, t.Refined):
        for name, bound in kind.facets:
            if name in _BOUNDS and isinstance(bound, int):
                bounds[_BOUNDS[name]] = bound
        kind = kind.inner
    low, high = bounds
    return None if low is None or high is None else max(abs(low), abs(high))


def _parts(node: Any) -> Iterator[Any]:
    """The expressions right inside a node."""
    for key, value in node.__dict__.items():
        if key in ("type", "span", "symbol", "binder", "targets"):
            continue
        members = value if isinstance(value, tuple) else (value,)
        for member in members:
            if isinstance(member, core.Expr):
                yield member
            elif isinstance(member, Node) and not isinstance(member, (Type, core.Symbol)):
                yield from _parts(member)


def _path(node: core.Expr) -> Path:
    """The root of a path and its links from there: labels, keys and indexes."""
    links: list[core.Expr | str] = []
    current = _bare(node)
    while True:
        match current:
            case core.Field():
                links.append(current.name)
                current = current.base
            case core.Item():
                links.append(current.key)
                current = current.base
            case core.At():
                links.append(current.index)
                current = current.base
            case core.Lookup():
                links.append(current.key)
                return current.table, tuple(reversed(links))
            case core.Narrowed():
                current = current.value
            case _:
                return current, tuple(reversed(links))


def _mentions(node: core.Expr, symbol: core.Symbol) -> bool:
    """Whether an expression reads a local."""
    return any(isinstance(each, core.Local) and each.symbol is symbol for each in nodes(node))


def _hint(node: core.Expr) -> str:
    """A name for a value, from what it is."""
    match _bare(node):
        case core.Field() as field:
            return field.name
        case core.Lookup():
            return "row"
        case core.Local() as local:
            return local.symbol.name
        case core.CallFunction() | core.CallBuiltin():
            return "result"
        case core.Coalesce() as both:
            return _hint(both.left)
    return "value"


def _in_place(node: Node, place: core.Place) -> bool:
    """Whether a write to a local changes the list or dict that it holds."""
    if place.symbol is None:
        return False
    kind = t.strip(place.symbol.type)
    if isinstance(node, core.Append):
        return not place.path and isinstance(kind, t.List)
    if not isinstance(node, core.Assign) or len(place.path) != 1:
        return False
    step = place.path[0]
    if isinstance(step, core.KeyStep):
        return isinstance(kind, t.Dict)
    return isinstance(step, core.FieldStep) and isinstance(kind, (t.Record, t.Case))


_EXPRESSIONS: dict[type[core.Expr], Callable[[Lowering, Any], py.Expr]] = {
    core.Constant: Lowering.constant,
    core.Local: Lowering.local,
    core.ConstantRef: lambda self, node: py.Name(self.globals.constants[node.name]),
    core.ScalarRef: lambda self, node: _state(node.name),
    core.TableRef: lambda self, node: _state(node.name),
    core.Field: Lowering.field,
    core.Lookup: Lowering.lookup,
    core.Item: Lowering.item,
    core.At: Lowering.at,
    core.SliceOf: Lowering.slice_,
    core.TupleOf: Lowering.tuple_,
    core.Arithmetic: Lowering.arithmetic,
    core.Negate: Lowering.negate,
    core.Not: Lowering.not_,
    core.Logic: Lowering.logic,
    core.Comparison: Lowering.comparison,
    core.Contains: Lowering.contains,
    core.Conditional: Lowering.conditional,
    core.Coalesce: Lowering.coalesce,
    core.OrFail: Lowering.or_fail,
    core.Absent: Lowering.absent,
    core.CallFunction: Lowering.call_function,
    core.CallBuiltin: Lowering.call_builtin,
    core.ListOf: Lowering.list_,
    core.RecordOf: Lowering.record,
    core.DictOf: Lowering.dict_,
    core.Text: Lowering.text,
    core.Comprehension: Lowering.comprehension,
    core.DictComprehension: Lowering.gathered,
    core.WalkOf: Lowering.walk,
    core.ToFloat: Lowering.to_float,
    core.ToDecimal: Lowering.to_decimal,
    core.Narrowed: lambda self, node: self.expr(node.value),
}
_STATEMENTS: dict[type[core.Statement], Callable[[Lowering, Any], None]] = {
    core.Let: Lowering.let,
    core.Assign: Lowering.assign,
    core.If: Lowering.if_,
    core.For: Lowering.for_,
    core.Match: Lowering.match,
    core.Require: Lowering.require,
    core.FailWith: Lowering.fail_with,
    core.Return: Lowering.return_,
    core.Continue: lambda self, node: self.out.append(py.Continue()),
    core.Break: lambda self, node: self.out.append(py.Break()),
    core.Insert: Lowering.insert,
    core.Append: Lowering.append,
    core.Remove: Lowering.remove,
    core.Delete: Lowering.delete,
    core.Evaluate: Lowering.evaluate,
    core.Advance: Lowering.advance,
    core.Expect: Lowering.expect,
}
