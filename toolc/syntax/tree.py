"""The syntax tree: what a `.toolc` file says, before any name is resolved.

Every node starts with the span it was read from. Tuples, never lists. A `Name` keeps the span
of the identifier itself, so that a diagnostic points at the word and not at its declaration.
Strings are already unescaped; a string that interpolates is an `Interpolation`, one that
stands where strings are raw (facets, descriptions, labels) is a `Text` or a plain `Name`.
"""

from __future__ import annotations

from toolc.node import Node, Span


class Syntax(Node):
    span: Span


class Name(Syntax):
    """An identifier, or a quoted label (`"MA(5)"`), with `text` unquoted."""

    text: str
    quoted: bool = False


class Text(Syntax):
    """A raw string: a description, a facet's value, a file's path, an enum's value."""

    value: str


# ---------------------------------------------------------------- types


class TypeExpr(Syntax):
    pass


class NamedType(TypeExpr):
    """`int`, `str`, `json`, or the name of an alias, enum, record or union."""

    name: str


class RefType(TypeExpr):
    """`ref table`: a key of that table."""

    table: Name


class OptionalType(TypeExpr):
    """`T?`: may be null."""

    inner: TypeExpr


class GenericType(TypeExpr):
    """`list[T]`, `dict[K, V]`."""

    name: str
    arguments: tuple[TypeExpr, ...]


class RecordType(TypeExpr):
    """`{a: int, b: str, ...}`; `open` when it ends in `...`."""

    members: tuple[Field, ...]
    open: bool


class LiteralType(TypeExpr):
    """`"a" | "b" | null`; a null member is None."""

    values: tuple[Text | None, ...]


class RefinedType(TypeExpr):
    """`T(minimum: 1)`."""

    inner: TypeExpr
    facets: tuple[Facet, ...]


class Facet(Syntax):
    name: Name
    value: Expr


class Field(Syntax):
    """A member of a record, a union's shared field, or a parameter."""

    name: Name
    optional: bool  # `name?:` may be absent
    type: TypeExpr
    default: Expr | None
    description: Text | None


# ---------------------------------------------------------------- expressions


class Expr(Syntax):
    pass


class Null(Expr):
    pass


class Bool(Expr):
    value: bool


class Number(Expr):
    """`text` as written; an int unless it has a point or an exponent."""

    text: str

    @property
    def value(self) -> int | float:
        plain = self.text.replace("_", "")
        try:
            return int(plain) if plain.isdigit() else float(plain)
        except ValueError:
            return 0  # reported by the lexer


class String(Expr):
    """A string without any interpolation."""

    value: str


class Interpolation(Expr):
    """`"a {x:.2f}"`: text pieces and holes in order."""

    parts: tuple[str | Hole, ...]


class Hole(Syntax):
    value: Expr
    format: str  # what follows the colon, or ""


class Ref(Expr):
    """A name used as a value."""

    name: str


class Attribute(Expr):
    base: Expr
    name: Name


class Index(Expr):
    """`base[a]`, `base[a, b]`."""

    base: Expr
    indices: tuple[Expr, ...]


class Slice(Expr):
    base: Expr
    start: Expr | None
    stop: Expr | None


class Call(Expr):
    """`f(…)`; `base` is a `Ref` in every valid program. A comprehension may stand as the only
    argument (`sum(x.a for x in xs)`), as may a walk (`walk(n from root by n.children)`)."""

    base: Expr
    arguments: tuple[Argument, ...]


class Argument(Syntax):
    name: Name | None
    value: Expr


class Comprehension(Expr):
    """`element for a in xs if c … by key desc`: inside `[…]`, or the argument of a call."""

    element: Expr
    clauses: tuple[Clause, ...]
    order: tuple[SortKey, ...]


class ListComprehension(Expr):
    inner: Comprehension


class DictComprehension(Expr):
    """`{[key]: value for …}`."""

    key: Expr
    value: Expr
    clauses: tuple[Clause, ...]


class Clause(Syntax):
    pass


class ForClause(Clause):
    targets: tuple[Name, ...]
    source: Expr


class IfClause(Clause):
    condition: Expr


class SortKey(Syntax):
    value: Expr
    descending: bool


class Walk(Expr):
    """`binder from start by next`: the argument of `walk`."""

    binder: Name
    start: Expr
    step: Expr


class ListLiteral(Expr):
    items: tuple[Expr, ...]


class Object(Expr):
    """`{a: 1, "b c": 2, ...rest}`: a record or a dict; the expected type decides."""

    entries: tuple[Entry | Spread, ...]


class Entry(Syntax):
    label: Name
    value: Expr


class Spread(Syntax):
    value: Expr


class Unary(Expr):
    """`-x`, `not x`."""

    operator: str
    operand: Expr


class Binary(Expr):
    """`+ - * / // % ** ?? and or`."""

    left: Expr
    operator: str
    right: Expr


class Compare(Expr):
    """`a < b <= c`, `a in b`, `a not in b`: operands are one more than operators."""

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]


class Conditional(Expr):
    """`if c then a else b`."""

    condition: Expr
    then: Expr
    otherwise: Expr


class OrFail(Expr):
    """`value else fail error`."""

    value: Expr
    error: Expr


# ---------------------------------------------------------------- statements


class Statement(Syntax):
    pass


class Block(Syntax):
    statements: tuple[Statement, ...]


class Let(Statement):
    targets: tuple[Name, ...]
    type: TypeExpr | None
    value: Expr
    mutable: bool  # `var`


class Assign(Statement):
    """`place = value`; operator is `=`, `+=`, `-=` or `*=`."""

    place: Expr
    operator: str
    value: Expr


class Require(Statement):
    condition: Expr
    error: Expr


class Fail(Statement):
    error: Expr


class Return(Statement):
    value: Expr


class Continue(Statement):
    pass


class Break(Statement):
    pass


class If(Statement):
    """`if … else if … else`: branches in order; `otherwise` is the last `else`."""

    branches: tuple[Branch, ...]
    otherwise: Block | None


class Branch(Syntax):
    condition: Expr
    body: Block


class For(Statement):
    targets: tuple[Name, ...]
    source: Expr
    condition: Expr | None
    body: Block


class Match(Statement):
    subject: Expr
    cases: tuple[Case, ...]
    otherwise: Block | None


class Case(Syntax):
    values: tuple[Text, ...]
    body: Block


class Insert(Statement):
    """`insert row into table` or `insert row into table[key]`."""

    value: Expr
    place: Expr


class Append(Statement):
    value: Expr
    place: Expr


class Remove(Statement):
    """`remove value from list`: the first equal member; failing when there is none."""

    value: Expr
    place: Expr


class Delete(Statement):
    """`delete table[key]`, `delete row.optional_field`, `delete dict[key]`."""

    place: Expr


class Expect(Statement):
    """`expect cond`, `expect f(…) fails`, `expect f(…) fails with error`."""

    value: Expr
    fails: bool
    error: Expr | None


class Advance(Statement):
    by: Expr


class CallStatement(Statement):
    call: Expr


# ---------------------------------------------------------------- declarations


class Item(Syntax):
    pass


class NamedItem(Item):
    """A declaration that has a name in the spec."""

    name: Name


class Environment(NamedItem):
    description: Text
    version: Text | None
    clock: Text | None
    seed: Number | None


class Use(Item):
    """`use stem {a, b}`."""

    module: Name
    names: tuple[Name, ...]


class Const(NamedItem):
    type: TypeExpr | None
    value: Expr


class Alias(NamedItem):
    description: Text | None
    type: TypeExpr


class Enum(NamedItem):
    description: Text | None
    values: tuple[Text, ...]


class Record(NamedItem):
    description: Text | None
    members: tuple[Field, ...]
    open: bool


class Union(NamedItem):
    description: Text | None
    tag: Name
    shared: tuple[Field, ...]
    cases: tuple[UnionCase, ...]


class UnionCase(Syntax):
    value: Text
    members: tuple[Field, ...]


class Table(NamedItem):
    keys: tuple[Key, ...]
    row: TypeExpr
    rows: Expr  # `file("…")` or a list


class Key(Syntax):
    """A field of the row, or (`[id: str]`) a key that the row does not hold."""

    name: Name
    type: TypeExpr | None


class State(NamedItem):
    type: TypeExpr
    value: Expr


class Invariant(NamedItem):
    description: Text | None
    condition: Expr


class Function(NamedItem):
    """`fn`, or `proc`, which may write."""

    description: Text | None
    parameters: tuple[Field, ...]
    result: TypeExpr
    body: Block
    writes: bool


class Tool(NamedItem):
    description: Text | None
    parameters: tuple[Field, ...]
    result: TypeExpr
    keeps_effects: bool
    body: Block | None  # None: a declared tool


class Test(Item):
    title: Text
    body: Block


# ---------------------------------------------------------------- scenarios


class Scenario(NamedItem):
    description: Text | None
    family: Family | None
    clauses: tuple[ScenarioClause, ...]


class Family(Syntax):
    """`for a, b in source if condition sample N`."""

    targets: tuple[Name, ...]
    source: Expr
    condition: Expr | None
    sample: Number | None


class ScenarioClause(Syntax):
    pass


class System(ScenarioClause):
    text: Expr


class User(ScenarioClause):
    text: Expr


class Given(ScenarioClause):
    body: Block


class Turn(ScenarioClause):
    clauses: tuple[ScenarioClause, ...]


class Plan(ScenarioClause):
    """`plan none` is a plan without steps."""

    steps: tuple[Step, ...]
    none: bool


class Step(Syntax):
    """`step "question" let name = tool(…) == value`, `… fails with error`, `… free [argument]`."""

    question: Expr | None
    binder: Name | None
    call: Expr
    fails: bool
    error: Expr | None
    equals: Expr | None
    free: tuple[Name, ...]


class Answer(ScenarioClause):
    value: Expr


class Reply(ScenarioClause):
    """`reply "…"`: a final text that is right."""

    text: Expr


class Tools(ScenarioClause):
    """`tools all`, `tools [a, b] distractors 3 from [other]`; `names` is None for `all`."""

    names: tuple[Name, ...] | None
    distractors: Number | None
    sources: tuple[Name, ...]


class Limits(ScenarioClause):
    facets: tuple[Facet, ...]


class Verify(ScenarioClause):
    only: bool
    checks: tuple[CheckClause, ...]


class Reward(ScenarioClause):
    value: Expr


class CheckClause(Syntax):
    pass


class Weighted(CheckClause):
    """`answer weight 2`."""

    check: CheckClause
    weight: Number


class StepsCheck(CheckClause):
    pass


class StateCheck(CheckClause):
    ignore: tuple[Expr, ...]


class AnswerCheck(CheckClause):
    """`answer unordered within 0.5`."""

    unordered: bool
    within: Number | None


class ExpressionCheck(CheckClause):
    name: Name
    description: Text | None
    condition: Expr


class CalledCheck(CheckClause):
    """`called tool(arguments) times N`."""

    call: Expr
    times: Number | None


class NeverCheck(CheckClause):
    call: Expr


class UnchangedCheck(CheckClause):
    tables: tuple[Name, ...]


class OrderCheck(CheckClause):
    pass


class ConstraintCheck(CheckClause):
    """`constraint calls <= 4`."""

    condition: Expr


class Comment(Syntax):
    """`# …`, without its line break; `text` includes the `#`."""

    text: str


class Module(Syntax):
    """One file: `toolc 1` and its declarations."""

    version: Number
    items: tuple[Item, ...]
    comments: tuple[Comment, ...]
