"""The typed tree: what checking leaves behind, with every choice made explicit.

Names are resolved to symbols, coercions are nodes, sugar is gone, every expression has its
type. Whoever reads this (the lowering to Python, the reference evaluator of the tests) needs no
rule of the language beyond the meaning of each node, which its docstring gives. A *partial*
node can fail at run time with a standard message, unless an `OrFail` or a `Coalesce` around it
catches that.
"""

from __future__ import annotations

from typing import Any

from toolc.analysis.types import FieldType, Type
from toolc.node import Node, Span


class Symbol(Node):
    """A local name: a parameter, a `let`, a `var`, a binder. Compared by identity."""

    name: str
    type: Type
    mutable: bool = False


class Measure(Symbol):
    """What a `constraint` may ask of how an episode went; `tool` where it is of one tool."""

    tool: str = ""


# ---------------------------------------------------------------- expressions


class Expr(Node):
    span: Span
    type: Type


class Constant(Expr):
    """A literal: bool, int, float, str, None, Decimal, date, time, datetime, timedelta; or a
    `const`'s value when that is a scalar. Dates and decimals stand as Python objects."""

    value: Any


class Local(Expr):
    symbol: Symbol


class ConstantRef(Expr):
    """A declared constant that is a list or a dict."""

    name: str


class ScalarRef(Expr):
    """A `state` declaration's present value."""

    name: str


class TableRef(Expr):
    """A table: only as the base of a Lookup, of Contains, as a source of `for`, or as an argument
    of a builtin that takes a table (`len`, `keys`, `values`, `items`)."""

    name: str


class Field(Expr):
    """`base.name` of a record or case. `optional`: reads null when absent."""

    base: Expr
    name: str
    optional: bool


class Lookup(Expr):
    """`table[key]`: the row. Partial. A composite key is a `TupleOf`."""

    table: TableRef
    key: Expr


class Item(Expr):
    """`base[key]` of a dict. Partial."""

    base: Expr
    key: Expr


class At(Expr):
    """`base[index]` of a list or text, from the end where negative. Partial."""

    base: Expr
    index: Expr


class SliceOf(Expr):
    """`base[start:stop]` of a list or text; never fails."""

    base: Expr
    start: Expr | None
    stop: Expr | None


class TupleOf(Expr):
    """A composite key."""

    items: tuple[Expr, ...]


class Arithmetic(Expr):
    """`+ - * / // % **` over operands of one type (`int`, `float`, `decimal`: coercions are
    explicit), over text and lists (`+`), or over dates and durations (`kind` says which:
    "number", "text", "list", "time"). `/ // % **` are partial, and `*` of ints beyond 64 bits."""

    operator: str
    left: Expr
    right: Expr
    kind: str


class Negate(Expr):
    operand: Expr


class Not(Expr):
    operand: Expr


class Logic(Expr):
    """`and`, `or`: over bools, short-circuit."""

    operator: str
    operands: tuple[Expr, ...]


class Comparison(Expr):
    """`a < b <= c`: chained as in Python; `== != < <= > >=`. Operands evaluated once each."""

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]


class Contains(Expr):
    """`item in container`; `kind` is "table", "dict", "list" or "text". `negated`: `not in`."""

    item: Expr
    container: Expr
    kind: str
    negated: bool


class Conditional(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr


class Present(Expr):
    """The same value, which is not null. Partial. Only where a path left of `??` or `else fail`
    goes on from what may be null."""

    value: Expr


class Coalesce(Expr):
    """`left ?? right`: right where left is null or a partial operation *on left's path* (the
    Lookup, Item, At, Present and Field nodes from the outside in) finds nothing. Where the path
    starts with a partial CallBuiltin (`first(xs)`, `min(xs)`, `int(text)`), a failure of that
    call counts as well; where it is a Coalesce itself, the path of its right side."""

    left: Expr
    right: Expr


class OrFail(Expr):
    """`value else fail error`: the failure where value fails in any way, or is null while `type`
    is not nullable."""

    value: Expr
    error: Expr


class Absent(Expr):
    """`absent(base.name)`: the optional field is not there at all."""

    base: Expr
    name: str


class CallFunction(Expr):
    """A declared `fn`, `proc` or tool; arguments in order of its parameters, None where an
    optional one is left out and its default holds."""

    name: str
    arguments: tuple[Expr | None, ...]


class CallBuiltin(Expr):
    """A built-in of `analysis.builtins`, by its name there; arguments in its order. Partial if
    its registration says so. `parse_json` has a `TypeArgument`, unless it reads any JSON."""

    name: str
    arguments: tuple[Expr, ...]


class TypeArgument(Expr):
    """A type where an argument stands, as its own type: the second one of `parse_json`."""


class ListOf(Expr):
    items: tuple[Expr, ...]


class RecordOf(Expr):
    """A record, a union's case (the tag is among the entries) or a JSON object. Spreads come
    in order with the entries; later ones win. An entry whose value is null for a field that is
    optional but not nullable does not occur."""

    entries: tuple[EntryOf, ...]


class EntryOf(Node):
    """`name: value`; `name` is None for a spread."""

    name: str | None
    value: Expr


class DictOf(Expr):
    """A dict of constant keys (or spreads, with `key` None)."""

    entries: tuple[DictEntry, ...]


class DictEntry(Node):
    key: Expr | None
    value: Expr


class Text(Expr):
    """An interpolated text: pieces and holes."""

    parts: tuple[str | HoleOf, ...]


class HoleOf(Node):
    """A value in a text. Rendering: text as it is; bool `true`/`false`; null `null`; int, float
    as Python's `str`; decimal plain; dates ISO 8601; lists and records as canonical JSON.
    `format` is a Python format spec for numbers, checked, or ""."""

    value: Expr
    format: str


class Comprehension(Expr):
    """Produces a list of `element`, in order of the clauses; then stably ordered by `order`."""

    element: Expr
    clauses: tuple[ForIn | Where, ...]
    order: tuple[OrderKey, ...]


class DictComprehension(Expr):
    key: Expr
    value: Expr
    clauses: tuple[ForIn | Where, ...]


class ForIn(Node):
    """One symbol per target. A source is a list, a text (characters), a dict (its keys; two
    targets: keys and values), a table (rows; two targets where the key is outside the row:
    key, row), `walk`, or a list of tuples."""

    targets: tuple[Symbol, ...]
    source: Expr


class Where(Node):
    condition: Expr


class OrderKey(Node):
    """Evaluated in the comprehension's innermost scope."""

    value: Expr
    descending: bool


class WalkOf(Expr):
    """`walk(binder from start by step)`: each node once, in preorder, `step` giving a list (of
    child nodes, or of keys of the table that `start` is a key of)."""

    binder: Symbol
    start: Expr
    step: Expr


class ToFloat(Expr):
    """An int as a float."""

    value: Expr


class ToDecimal(Expr):
    """An int as a decimal."""

    value: Expr


class Narrowed(Expr):
    """The same value under a narrower type; no work at run time."""

    value: Expr


# ---------------------------------------------------------------- places


class Place(Node):
    """Where a write goes: a root and the path from it. `type` is what may be stored there.

    Root "table": path[0] is the key of a row (a `KeyStep`), unless the place is the table itself.
    Root "state": a scalar, by name. Root "local": a `var`, by symbol.
    """

    span: Span
    type: Type
    root: str
    name: str
    symbol: Symbol | None
    path: tuple[FieldStep | KeyStep | IndexStep, ...]
    value: Expr  # the place read as an expression, for `+=`


class FieldStep(Node):
    name: str


class KeyStep(Node):
    """A table's or a dict's key."""

    key: Expr


class IndexStep(Node):
    index: Expr


# ---------------------------------------------------------------- statements


class Statement(Node):
    span: Span


class Let(Statement):
    """Several targets take a tuple apart."""

    targets: tuple[Symbol, ...]
    value: Expr


class Assign(Statement):
    """`value` already holds the operation of `+=` and its kin."""

    place: Place
    value: Expr
    operator: str  # "=" or the operator as written, for emission only


class If(Statement):
    branches: tuple[tuple[Expr, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] | None


class For(Statement):
    """`condition` is evaluated at each turn."""

    targets: tuple[Symbol, ...]
    source: Expr
    condition: Expr | None
    body: tuple[Statement, ...]


class Match(Statement):
    """Over text values: of a literal subject, or of a union's tag (`tag` names the field). Covers
    every value, or has `otherwise`."""

    subject: Expr
    tag: str | None
    cases: tuple[tuple[tuple[str, ...], tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] | None


class Require(Statement):
    """`error` None: an impossible case, none is written."""

    condition: Expr
    error: Expr


class FailWith(Statement):
    error: Expr


class Return(Statement):
    value: Expr


class Continue(Statement):
    pass


class Break(Statement):
    pass


class Insert(Statement):
    """A row into a table under `key` (for a key inside the row: the row's field, evaluated once;
    then `key` is None and `key_fields` names the row's key fields)."""

    table: str
    key: Expr | None
    key_fields: tuple[str, ...]
    value: Expr


class Append(Statement):
    place: Place
    value: Expr


class Remove(Statement):
    """The first equal member of the list at `place`. Partial."""

    place: Place
    value: Expr


class Delete(Statement):
    """A row, a dict's key or an optional field. Partial, but for an optional field."""

    place: Place


class Evaluate(Statement):
    """A call for its effects."""

    call: Expr


class Advance(Statement):
    by: Expr


class Expect(Statement):
    """In tests only."""

    value: Expr
    fails: bool
    error: Expr | None


Block = tuple[Statement, ...]


# ---------------------------------------------------------------- declarations


class Effects(Node):
    """What a function reads and writes, transitively: tables and scalars by name."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    draws: bool
    clock: bool


class Parameter(Node):
    symbol: Symbol
    field: FieldType


class Function(Node):
    """`kind` is "fn", "proc" or "tool"; a declared tool has no body."""

    span: Span
    kind: str
    name: str
    description: str
    parameters: tuple[Parameter, ...]
    result: Type
    body: Block | None
    keeps_effects: bool
    effects: Effects


class TableDef(Node):
    """`key_fields` are the row's key fields, or () when the key is outside (then `keys` has
    its types). Rows come from `file`, or stand in `rows` as JSON-like values with spans."""

    span: Span
    name: str
    keys: tuple[tuple[str, Type], ...]
    outside: bool
    row: Type
    file: str | None
    file_span: Span
    rows: tuple[tuple[Span, Any], ...]


class ScalarDef(Node):
    span: Span
    name: str
    type: Type
    value: Any


class ConstantDef(Node):
    span: Span
    name: str
    type: Type
    value: Any


class InvariantDef(Node):
    span: Span
    name: str
    description: str
    condition: Expr


class TestDef(Node):
    span: Span
    title: str
    body: Block


class StepDef(Node):
    """One step of a plan. `binder` is visible afterwards; `question` is a text, or None."""

    span: Span
    question: Expr | None
    binder: Symbol | None
    tool: str
    arguments: tuple[tuple[str, Expr], ...]
    fails: bool
    error: Expr | None
    equals: Expr | None
    free: tuple[str, ...]


class TurnDef(Node):
    """`plan_none`: the right behaviour is to call nothing. `reply` is a right final text."""

    span: Span
    user: Expr
    given: Block
    advance: tuple[Expr, ...]
    steps: tuple[StepDef, ...]
    plan_none: bool
    answer: Expr | None
    checks: tuple[CheckDef, ...]
    only: bool
    reply: Expr | None = None


class CheckDef(Node):
    """`kind`: steps, state, answer, check, called, never, unchanged, order, constraint.

    state: `names` are the ignored paths (`orders.payments.at`). answer: `unordered`, `within`.
    check: `name`, `condition`. called, never: `tool`, `arguments` (those given), `times`.
    unchanged: `names`. constraint: `condition`, which may have a `Measure`. `weight` is that of a
    goal.
    """

    span: Span
    kind: str
    name: str = ""
    description: str = ""
    condition: Expr | None = None
    names: tuple[str, ...] = ()
    tool: str = ""
    arguments: tuple[tuple[str, Expr], ...] = ()
    times: int | None = None
    unordered: bool = False
    within: float | None = None
    weight: float = 1.0


class ScenarioDef(Node):
    """Binders of the family are `targets`; every expression of the turns may use them and the
    binders of earlier steps. `tools` is None for all. `sample` is what the spec says, `drawn`
    what a compilation takes in its place, or as many as there are."""

    span: Span
    name: str
    description: str
    targets: tuple[Symbol, ...]
    source: Expr | None
    condition: Expr | None
    sample: int | None
    system: Expr | None
    given: Block
    tools: tuple[str, ...] | None
    distractors: int
    distractor_sources: tuple[str, ...]
    limits: tuple[tuple[str, int], ...]
    turns: tuple[TurnDef, ...]
    checks: tuple[CheckDef, ...]
    only: bool
    reward: RewardDef
    drawn: int | None = None


class RewardDef(Node):
    """A named reward, or an expression over goal names (`ScalarRef` to a goal) in `weights`."""

    name: str
    expression: Expr | None = None


class EnvironmentDef(Node):
    """A checked environment: everything that the later stages need."""

    span: Span
    name: str
    description: str
    version: str
    clock: str
    seed: int
    paths: tuple[str, ...]
    named_types: tuple[tuple[str, Type], ...]  # enums, records, unions, aliases, in order
    constants: tuple[ConstantDef, ...]
    tables: tuple[TableDef, ...]
    scalars: tuple[ScalarDef, ...]
    invariants: tuple[InvariantDef, ...]
    functions: tuple[Function, ...]
    scenarios: tuple[ScenarioDef, ...]
    tests: tuple[TestDef, ...]

    def tool(self, name: str) -> Function | None:
        """The tool of that name."""
        return next((f for f in self.functions if f.kind == "tool" and f.name == name), None)
