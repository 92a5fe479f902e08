"""Python as the emitter writes it: immutable nodes, printed by `emit.printer`.

Expressions know nothing of layout and hold no parentheses: the printer puts them where
precedence or the line length asks for them.
"""

from __future__ import annotations

from toolc.node import Node

# ---------------------------------------------------------------- expressions


class Expr(Node):
    pass


class Name(Expr):
    id: str


class Literal(Expr):
    """`None`, `True`, `False`, `...` or a number, as written."""

    text: str


class Str(Expr):
    value: str


class FString(Expr):
    """Texts and holes. A hole's expression must be one that `fits_in_hole`."""

    parts: tuple[str | Hole, ...]


class Hole(Node):
    value: Expr
    format: str = ""


class Attribute(Expr):
    base: Expr
    name: str


class Subscript(Expr):
    """`base[index]`; several indexes stand as a bare tuple."""

    base: Expr
    indexes: tuple[Expr, ...]


class Slice(Expr):
    start: Expr | None
    stop: Expr | None


class Call(Expr):
    function: Expr
    arguments: tuple[Expr, ...] = ()
    keywords: tuple[tuple[str, Expr], ...] = ()


class Binary(Expr):
    operator: str
    left: Expr
    right: Expr


class Unary(Expr):
    """`-` or `not`."""

    operator: str
    operand: Expr


class Logic(Expr):
    """`and` or `or` over at least two operands."""

    operator: str
    operands: tuple[Expr, ...]


class Compare(Expr):
    operands: tuple[Expr, ...]
    operators: tuple[str, ...]


class IfElse(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr


class ListDisplay(Expr):
    items: tuple[Expr, ...]


class TupleDisplay(Expr):
    items: tuple[Expr, ...]


class DictDisplay(Expr):
    """A key of None is a spread."""

    entries: tuple[tuple[Expr | None, Expr], ...]


class Star(Expr):
    """`*value` in a list."""

    value: Expr


class Comprehension(Expr):
    """`kind`: "list", "generator" or "dict" (then `key` is set)."""

    kind: str
    element: Expr
    clauses: tuple[For | Expr, ...]
    key: Expr | None = None


class For(Node):
    """`for targets in source`; in a comprehension a bare expression is a condition."""

    targets: tuple[str, ...]
    source: Expr


class Lambda(Expr):
    parameters: tuple[str, ...]
    body: Expr


# ---------------------------------------------------------------- statements


class Statement(Node):
    pass


class Assign(Statement):
    """`targets = value`; several targets take a tuple apart. With `annotation`, one target."""

    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None = None


class AugmentedAssign(Statement):
    target: Expr
    operator: str
    value: Expr


class ExprStatement(Statement):
    value: Expr


class If(Statement):
    branches: tuple[tuple[Expr, Block], ...]
    otherwise: Block = ()


class ForLoop(Statement):
    targets: tuple[str, ...]
    source: Expr
    body: Block


class Try(Statement):
    """`handlers`: the exception's name and what is done."""

    body: Block
    handlers: tuple[tuple[str, Block], ...]


class Raise(Statement):
    value: Expr | None
    from_none: bool = False


class Return(Statement):
    value: Expr | None


class Continue(Statement):
    pass


class Break(Statement):
    pass


class Pass(Statement):
    pass


class Comment(Statement):
    """Lines of a comment, without the `#`."""

    lines: tuple[str, ...]


class Docstring(Statement):
    text: str


class Parameter(Node):
    """`prefix` is "", "*" or "**"."""

    name: str
    annotation: Expr | None = None
    default: Expr | None = None
    prefix: str = ""


class Function(Statement):
    name: str
    parameters: tuple[Parameter, ...]
    result: Expr | None
    body: Block
    decorators: tuple[Expr, ...] = ()


class Class(Statement):
    name: str
    bases: tuple[Expr, ...]
    body: Block
    keywords: tuple[tuple[str, Expr], ...] = ()


class Import(Statement):
    module: str


class ImportFrom(Statement):
    """`names`: the name, and what it is called here, or None."""

    module: str
    names: tuple[tuple[str, str | None], ...]


class Blank(Statement):
    """One empty line between statements of a body."""


Block = tuple[Statement, ...]


class Module(Node):
    banner: tuple[str, ...]
    docstring: str
    body: Block


# ---------------------------------------------------------------- constructors

NONE, TRUE, FALSE = Literal("None"), Literal("True"), Literal("False")


def number(value: int | float) -> Expr:
    """A number as a reader likes it: digits in groups from five on."""
    if value < 0:
        return Unary("-", number(-value))
    if isinstance(value, float):
        return Literal(repr(value).replace("e+", "e"))
    return Literal(f"{value:_}" if value >= 10_000 else str(value))


def call(function: str | Expr, *arguments: Expr, **keywords: Expr) -> Call:
    """`function(*arguments, **keywords)`."""
    target = Name(function) if isinstance(function, str) else function
    return Call(target, arguments, tuple(keywords.items()))


def dotted(path: str) -> Expr:
    """`a.b.c`."""
    head, *rest = path.split(".")
    node: Expr = Name(head)
    for name in rest:
        node = Attribute(node, name)
    return node


_NEGATED = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}


def negate(value: Expr) -> Expr:
    """`not value`, as one would write it. Orders are turned round: none here holds NaN."""
    match value:
        case Unary(operator="not"):
            return value.operand
        case Compare(operators=(operator,)):
            return Compare(value.operands, (_NEGATED[operator],))
        case Logic():
            other = "or" if value.operator == "and" else "and"
            return Logic(other, tuple(map(negate, value.operands)))
        case Literal(text="True"):
            return FALSE
        case Literal(text="False"):
            return TRUE
    return Unary("not", value)


def is_none(value: Expr) -> Expr:
    return Compare((value, NONE), ("is",))


def is_not_none(value: Expr) -> Expr:
    return Compare((value, NONE), ("is not",))
