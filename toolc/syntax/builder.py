"""From the grammar's rules to the syntax tree: one method a rule, named like it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from toolc.diagnostics.diagnostic import Edit, Fix, Reporter
from toolc.node import Span
from toolc.syntax import strings, tree, words

PYTHON_CONSTANTS: dict[str, tuple[str, Callable[[Span], tree.Expr]]] = {
    "None": ("null", tree.Null),
    "True": ("true", lambda span: tree.Bool(span, True)),
    "False": ("false", lambda span: tree.Bool(span, False)),
}
STATEMENT_HELP = "assign it with `let`, or call a procedure"


class Members(NamedTuple):
    fields: tuple[tree.Field, ...]
    open: bool


class Failure(NamedTuple):
    error: tree.Expr | None


class Equals(NamedTuple):
    value: tree.Expr


class EnvironmentField(NamedTuple):
    name: str
    value: Any


class Builder:
    """Makes nodes; `hole` parses the expression between two offsets, None where it is broken."""

    def __init__(self, reporter: Reporter, hole: Callable[[int, int], tree.Expr | None]) -> None:
        self.reporter = reporter
        self.hole = hole

    # ------------------------------------------------------------ the file

    def start(self, span: Span, version: tree.Number, *items: tree.Item) -> tree.Module:
        return tree.Module(span, version, items, ())

    def header(self, span: Span, version: tree.Number) -> tree.Number:
        if version.text not in ("1", ""):
            minor = version.text.startswith("1.")
            edit = Edit(version.span, "1")
            fix = Fix("write `toolc 1`", (edit,), "safe" if minor else "unsafe")
            self.reporter.report("TC0105", version.span, fix=fix, version=version.text)
        return version

    # ------------------------------------------------------------ declarations

    def environment(
        self, span: Span, name: tree.Name, description: tree.Text, *fields: EnvironmentField
    ) -> tree.Environment:
        found: dict[str, Any] = {"version": None, "clock": None, "seed": None}
        for field in fields:
            if found[field.name] is not None:
                self.reporter.report("TC0127", field.value.span, name=field.name)
            found[field.name] = field.value
        return tree.Environment(
            span, name, description, found["version"], found["clock"], found["seed"]
        )

    def env_version(self, span: Span, value: tree.Text) -> EnvironmentField:
        return EnvironmentField("version", value)

    def env_clock(self, span: Span, value: tree.Text) -> EnvironmentField:
        return EnvironmentField("clock", value)

    def env_seed(self, span: Span, value: tree.Number) -> EnvironmentField:
        return EnvironmentField("seed", value)

    def use(self, span: Span, module: tree.Name, names: tuple[tree.Name, ...]) -> tree.Use:
        return tree.Use(span, module, names)

    def const(
        self, span: Span, name: tree.Name, type: tree.TypeExpr | None, value: tree.Expr
    ) -> tree.Const:
        return tree.Const(span, name, type, value)

    def alias(
        self, span: Span, name: tree.Name, description: tree.Text | None, type: tree.TypeExpr
    ) -> tree.Alias:
        return tree.Alias(span, name, description, type)

    def enum(
        self, span: Span, name: tree.Name, description: tree.Text | None, *values: tree.Text
    ) -> tree.Enum:
        return tree.Enum(span, name, description, values)

    def record(
        self, span: Span, name: tree.Name, description: tree.Text | None, members: Members | None
    ) -> tree.Record:
        fields, is_open = members or ((), False)
        return tree.Record(span, name, description, fields, is_open)

    def members(self, span: Span, *members: tree.Field | None) -> Members:
        fields = tuple(member for member in members if member is not None)
        return Members(fields, len(fields) < len(members))

    def open(self, span: Span) -> None:
        return None

    def field(
        self,
        span: Span,
        name: tree.Name,
        optional: str | None,
        type: tree.TypeExpr,
        default: tree.Expr | None,
        description: tree.Text | None,
    ) -> tree.Field:
        return tree.Field(span, name, optional is not None, type, default, description)

    def fields(self, span: Span, *fields: tree.Field) -> tuple[tree.Field, ...]:
        return fields

    def union(
        self,
        span: Span,
        name: tree.Name,
        description: tree.Text | None,
        tag: tree.Name,
        *members: tree.Field | tree.UnionCase,
    ) -> tree.Union:
        shared = tuple(member for member in members if isinstance(member, tree.Field))
        cases = tuple(member for member in members if isinstance(member, tree.UnionCase))
        return tree.Union(span, name, description, tag, shared, cases)

    def union_case(
        self, span: Span, value: tree.Text, fields: tuple[tree.Field, ...] | None
    ) -> tree.UnionCase:
        return tree.UnionCase(span, value, fields or ())

    def table(
        self,
        span: Span,
        name: tree.Name,
        keys: tuple[tree.Key, ...],
        row: tree.TypeExpr,
        rows: tree.Expr,
    ) -> tree.Table:
        return tree.Table(span, name, keys, row, rows)

    def keys(self, span: Span, *keys: tree.Key) -> tuple[tree.Key, ...]:
        return keys

    def key(self, span: Span, name: tree.Name, type: tree.TypeExpr | None) -> tree.Key:
        return tree.Key(span, name, type)

    def state(
        self, span: Span, name: tree.Name, type: tree.TypeExpr, value: tree.Expr
    ) -> tree.State:
        return tree.State(span, name, type, value)

    def invariant(
        self, span: Span, name: tree.Name, description: tree.Text | None, condition: tree.Expr
    ) -> tree.Invariant:
        return tree.Invariant(span, name, description, condition)

    def function(
        self,
        span: Span,
        name: tree.Name,
        description: tree.Text | None,
        parameters: tuple[tree.Field, ...] | None,
        result: tree.TypeExpr,
        body: tree.Block,
    ) -> tree.Function:
        return tree.Function(span, name, description, parameters or (), result, body, False)

    def procedure(
        self,
        span: Span,
        name: tree.Name,
        description: tree.Text | None,
        parameters: tuple[tree.Field, ...] | None,
        result: tree.TypeExpr,
        body: tree.Block,
    ) -> tree.Function:
        return tree.Function(span, name, description, parameters or (), result, body, True)

    def tool(
        self,
        span: Span,
        name: tree.Name,
        description: tree.Text | None,
        parameters: tuple[tree.Field, ...] | None,
        result: tree.TypeExpr,
        keeps: bool | None,
        body: tree.Block | None,
    ) -> tree.Tool:
        return tree.Tool(span, name, description, parameters or (), result, bool(keeps), body)

    def keeps(self, span: Span) -> bool:
        return True

    def test(self, span: Span, title: tree.Text, body: tree.Block) -> tree.Test:
        return tree.Test(span, title, body)

    # ------------------------------------------------------------ types

    def named_type(self, span: Span, name: tree.Name) -> tree.NamedType:
        return tree.NamedType(span, name.text)

    def ref_type(self, span: Span, table: tree.Name) -> tree.RefType:
        return tree.RefType(span, table)

    def optional_type(self, span: Span, inner: tree.TypeExpr) -> tree.OptionalType:
        return tree.OptionalType(span, inner)

    def generic_type(
        self, span: Span, name: tree.Name, *arguments: tree.TypeExpr
    ) -> tree.GenericType:
        return tree.GenericType(span, name.text, arguments)

    def record_type(self, span: Span, members: Members | None) -> tree.RecordType:
        fields, is_open = members or ((), False)
        return tree.RecordType(span, fields, is_open)

    def literal_type(self, span: Span, *values: tree.Text | None) -> tree.LiteralType:
        return tree.LiteralType(span, values)

    def null_literal(self, span: Span) -> None:
        return None

    def refined_type(
        self, span: Span, inner: tree.TypeExpr, *facets: tree.Facet
    ) -> tree.RefinedType:
        return tree.RefinedType(span, inner, facets)

    def facet(self, span: Span, name: tree.Name, value: tree.Expr) -> tree.Facet:
        return tree.Facet(span, name, value)

    def facet_text(self, span: Span, text: tree.Text) -> tree.String:
        return tree.String(span, text.value)

    def facet_list(self, span: Span, *items: tree.Expr | None) -> tree.ListLiteral:
        return self.list_literal(span, *items)

    # ------------------------------------------------------------ statements

    def block(self, span: Span, *statements: tree.Statement) -> tree.Block:
        return tree.Block(span, statements)

    def let(
        self,
        span: Span,
        targets: tuple[tree.Name, ...],
        type: tree.TypeExpr | None,
        value: tree.Expr,
    ) -> tree.Let:
        return tree.Let(span, targets, type, value, False)

    def var(
        self,
        span: Span,
        targets: tuple[tree.Name, ...],
        type: tree.TypeExpr | None,
        value: tree.Expr,
    ) -> tree.Let:
        return tree.Let(span, targets, type, value, True)

    def require(self, span: Span, condition: tree.Expr, error: tree.Expr) -> tree.Require:
        return tree.Require(span, condition, error)

    def fail(self, span: Span, error: tree.Expr) -> tree.Fail:
        return tree.Fail(span, error)

    def return_(self, span: Span, value: tree.Expr) -> tree.Return:
        return tree.Return(span, value)

    def continue_(self, span: Span) -> tree.Continue:
        return tree.Continue(span)

    def break_(self, span: Span) -> tree.Break:
        return tree.Break(span)

    def if_(self, span: Span, *parts: tree.Branch | tree.Block | None) -> tree.If:
        *branches, otherwise = parts
        return tree.If(span, tuple(branches), otherwise)  # type: ignore[arg-type]

    def branch(self, span: Span, condition: tree.Expr, body: tree.Block) -> tree.Branch:
        return tree.Branch(span, condition, body)

    def for_(
        self,
        span: Span,
        targets: tuple[tree.Name, ...],
        source: tree.Expr,
        condition: tree.Expr | None,
        body: tree.Block,
    ) -> tree.For:
        return tree.For(span, targets, source, condition, body)

    def match(
        self, span: Span, subject: tree.Expr, *parts: tree.Case | tree.Block | None
    ) -> tree.Match:
        *cases, otherwise = parts
        return tree.Match(span, subject, tuple(cases), otherwise)  # type: ignore[arg-type]

    def case(self, span: Span, *parts: tree.Text | tree.Block) -> tree.Case:
        *values, body = parts
        return tree.Case(span, tuple(values), body)  # type: ignore[arg-type]

    def insert(self, span: Span, value: tree.Expr, place: tree.Expr) -> tree.Insert:
        return tree.Insert(span, value, self._place(place))

    def append(self, span: Span, value: tree.Expr, place: tree.Expr) -> tree.Append:
        return tree.Append(span, value, self._place(place))

    def remove(self, span: Span, value: tree.Expr, place: tree.Expr) -> tree.Remove:
        return tree.Remove(span, value, self._place(place))

    def delete(self, span: Span, place: tree.Expr) -> tree.Delete:
        return tree.Delete(span, self._place(place))

    def expect(self, span: Span, value: tree.Expr, failure: Failure | None) -> tree.Expect:
        return tree.Expect(span, value, failure is not None, failure.error if failure else None)

    def failure(self, span: Span, error: tree.Expr | None) -> Failure:
        return Failure(error)

    def advance(self, span: Span, by: tree.Expr) -> tree.Advance:
        return tree.Advance(span, by)

    def assign(self, span: Span, place: tree.Expr, operator: str, value: tree.Expr) -> tree.Assign:
        return tree.Assign(span, self._place(place), operator, value)

    def assign_op(self, span: Span, operator: str) -> str:
        return operator

    def call_statement(self, span: Span, call: tree.Expr) -> tree.CallStatement:
        if isinstance(call, tree.Ref) and call.name in words.FOREIGN_STATEMENTS:
            help = (words.FOREIGN_STATEMENTS[call.name],)
            self.reporter.report("TC0126", call.span, help=help, found=call.name)
        elif not isinstance(call, tree.Call):
            self.reporter.report("TC0123", call.span, help=(STATEMENT_HELP,))
        return tree.CallStatement(span, call)

    def _place(self, place: tree.Expr) -> tree.Expr:
        link: tree.Expr = place
        while isinstance(link, (tree.Attribute, tree.Index)):
            link = link.base
        if not isinstance(link, tree.Ref):
            self.reporter.report("TC0124", link.span)
        return place

    # ------------------------------------------------------------ expressions

    def or_fail(self, span: Span, value: tree.Expr, error: tree.Expr) -> tree.OrFail:
        return tree.OrFail(span, value, error)

    def conditional(
        self, span: Span, condition: tree.Expr, then: tree.Expr, otherwise: tree.Expr
    ) -> tree.Conditional:
        return tree.Conditional(span, condition, then, otherwise)

    def binary(self, span: Span, left: tree.Expr, operator: str, right: tree.Expr) -> tree.Binary:
        return tree.Binary(span, left, operator, right)

    def compare(self, span: Span, *parts: Any) -> tree.Compare:
        return tree.Compare(span, parts[::2], parts[1::2])

    def not_(self, span: Span, operand: tree.Expr) -> tree.Unary:
        return tree.Unary(span, "not", operand)

    def negative(self, span: Span, operand: tree.Expr) -> tree.Unary:
        return tree.Unary(span, "-", operand)

    def compare_op(self, span: Span, *words: str) -> str:
        return " ".join(words)

    add_op = multiply_op = power_op = coalesce_op = assign_op
    or_ = and_ = assign_op

    def attribute(self, span: Span, base: tree.Expr, name: tree.Name) -> tree.Attribute:
        return tree.Attribute(span, base, name)

    def index(self, span: Span, base: tree.Expr, *indices: tree.Expr) -> tree.Index:
        return tree.Index(span, base, indices)

    def slice(
        self, span: Span, base: tree.Expr, start: tree.Expr | None, stop: tree.Expr | None
    ) -> tree.Slice:
        return tree.Slice(span, base, start, stop)

    def call(
        self, span: Span, base: tree.Expr, arguments: tuple[tree.Argument, ...] | None
    ) -> tree.Call:
        return tree.Call(span, base, arguments or ())

    def arguments(self, span: Span, *arguments: tree.Argument) -> tuple[tree.Argument, ...]:
        return arguments

    def lone_argument(self, span: Span, value: tree.Expr) -> tuple[tree.Argument, ...]:
        return (tree.Argument(span, None, value),)

    def named_argument(self, span: Span, name: tree.Name, value: tree.Expr) -> tree.Argument:
        return tree.Argument(span, name, value)

    def argument(self, span: Span, value: tree.Expr) -> tree.Argument:
        return tree.Argument(span, None, value)

    def walk(self, span: Span, binder: tree.Name, start: tree.Expr, step: tree.Expr) -> tree.Walk:
        return tree.Walk(span, binder, start, step)

    def comprehension(
        self,
        span: Span,
        element: tree.Expr,
        clauses: tuple[tree.Clause, ...],
        order: tuple[tree.SortKey, ...] | None,
    ) -> tree.Comprehension:
        return tree.Comprehension(span, element, clauses, order or ())

    def clauses(self, span: Span, *clauses: tree.Clause) -> tuple[tree.Clause, ...]:
        return clauses

    def for_clause(
        self, span: Span, targets: tuple[tree.Name, ...], source: tree.Expr
    ) -> tree.ForClause:
        return tree.ForClause(span, targets, source)

    def if_clause(self, span: Span, condition: tree.Expr) -> tree.IfClause:
        return tree.IfClause(span, condition)

    def ordering(self, span: Span, *keys: tree.SortKey) -> tuple[tree.SortKey, ...]:
        return keys

    def ascending(self, span: Span, value: tree.Expr) -> tree.SortKey:
        return tree.SortKey(span, value, False)

    def descending(self, span: Span, value: tree.Expr) -> tree.SortKey:
        return tree.SortKey(span, value, True)

    def list_literal(self, span: Span, *items: tree.Expr | None) -> tree.ListLiteral:
        return tree.ListLiteral(span, _present(items))

    def list_comprehension(self, span: Span, inner: tree.Comprehension) -> tree.ListComprehension:
        return tree.ListComprehension(span, inner)

    def dict_comprehension(
        self, span: Span, key: tree.Expr, value: tree.Expr, clauses: tuple[tree.Clause, ...]
    ) -> tree.DictComprehension:
        return tree.DictComprehension(span, key, value, clauses)

    def object(self, span: Span, *entries: tree.Entry | tree.Spread | None) -> tree.Object:
        return tree.Object(span, _present(entries))

    def entry(self, span: Span, label: tree.Name, value: tree.Expr) -> tree.Entry:
        return tree.Entry(span, label, value)

    def spread(self, span: Span, value: tree.Expr) -> tree.Spread:
        return tree.Spread(span, value)

    def true(self, span: Span) -> tree.Bool:
        return tree.Bool(span, True)

    def false(self, span: Span) -> tree.Bool:
        return tree.Bool(span, False)

    def null(self, span: Span) -> tree.Null:
        return tree.Null(span)

    # ------------------------------------------------------------ scenarios

    def scenario(
        self,
        span: Span,
        name: tree.Name,
        description: tree.Text | None,
        family: tree.Family | None,
        *clauses: tree.ScenarioClause,
    ) -> tree.Scenario:
        return tree.Scenario(span, name, description, family, clauses)

    def family(
        self,
        span: Span,
        targets: tuple[tree.Name, ...],
        source: tree.Expr,
        condition: tree.Expr | None,
        sample: tree.Number | None,
    ) -> tree.Family:
        return tree.Family(span, targets, source, condition, sample)

    def system(self, span: Span, text: tree.Expr) -> tree.System:
        return tree.System(span, text)

    def user(self, span: Span, text: tree.Expr) -> tree.User:
        return tree.User(span, text)

    def given(self, span: Span, body: tree.Block) -> tree.Given:
        return tree.Given(span, body)

    def turn(self, span: Span, *clauses: tree.ScenarioClause) -> tree.Turn:
        return tree.Turn(span, clauses)

    def plan(self, span: Span, *steps: tree.Step) -> tree.Plan:
        return tree.Plan(span, steps, False)

    def no_plan(self, span: Span) -> tree.Plan:
        return tree.Plan(span, (), True)

    def answer(self, span: Span, value: tree.Expr) -> tree.Answer:
        return tree.Answer(span, value)

    def reply(self, span: Span, text: tree.Expr) -> tree.Reply:
        return tree.Reply(span, text)

    def tools(
        self,
        span: Span,
        names: tuple[tree.Name, ...] | None,
        distractors: tuple[tree.Number, tuple[tree.Name, ...]] | None,
    ) -> tree.Tools:
        number, sources = distractors or (None, ())
        return tree.Tools(span, names, number, sources)

    def all_tools(self, span: Span) -> None:
        return None

    def some_tools(self, span: Span, names: tuple[tree.Name, ...] | None) -> tuple[tree.Name, ...]:
        return names or ()

    def distractors(
        self, span: Span, number: tree.Number, sources: tuple[tree.Name, ...] | None
    ) -> tuple[tree.Number, tuple[tree.Name, ...]]:
        return number, sources or ()

    def limits(self, span: Span, *facets: tree.Facet) -> tree.Limits:
        return tree.Limits(span, facets)

    def verify(self, span: Span, only: str | None, *checks: tree.CheckClause | None) -> tree.Verify:
        return tree.Verify(span, only is not None, _present(checks))

    def reward(self, span: Span, value: tree.Expr) -> tree.Reward:
        return tree.Reward(span, value)

    def step(
        self,
        span: Span,
        question: tree.Expr | None,
        binder: tree.Name | None,
        call: tree.Expr,
        outcome: Failure | Equals | None,
        free: tuple[tree.Name, ...] | None,
    ) -> tree.Step:
        fails = isinstance(outcome, Failure)
        error = outcome.error if isinstance(outcome, Failure) else None
        equals = outcome.value if isinstance(outcome, Equals) else None
        return tree.Step(span, question, binder, call, fails, error, equals, free or ())

    def step_free_first(
        self,
        span: Span,
        question: tree.Expr | None,
        binder: tree.Name | None,
        call: tree.Expr,
        free: tuple[tree.Name, ...],
        outcome: Failure | Equals,
    ) -> tree.Step:
        return self.step(span, question, binder, call, outcome, free)

    invocation = call

    def bound(self, span: Span, binder: tree.Name) -> tree.Name:
        return binder

    def known_result(self, span: Span, value: tree.Expr) -> Equals:
        return Equals(value)

    def free(self, span: Span, names: tuple[tree.Name, ...]) -> tuple[tree.Name, ...]:
        return names

    def steps_check(self, span: Span) -> tree.StepsCheck:
        return tree.StepsCheck(span)

    def state_check(self, span: Span, ignore: tuple[tree.Expr, ...] | None) -> tree.StateCheck:
        return tree.StateCheck(span, ignore or ())

    def places(self, span: Span, *places: tree.Expr) -> tuple[tree.Expr, ...]:
        return places

    def weighted(self, span: Span, check: tree.CheckClause, weight: tree.Number) -> tree.Weighted:
        return tree.Weighted(span, check, weight)

    def answer_check(
        self, span: Span, unordered: str | None, within: tree.Number | None
    ) -> tree.AnswerCheck:
        return tree.AnswerCheck(span, unordered is not None, within)

    def expression_check(
        self, span: Span, name: tree.Name, description: tree.Text | None, condition: tree.Expr
    ) -> tree.ExpressionCheck:
        return tree.ExpressionCheck(span, name, description, condition)

    def called_check(
        self, span: Span, call: tree.Expr, times: tree.Number | None
    ) -> tree.CalledCheck:
        return tree.CalledCheck(span, call, times)

    def never_check(self, span: Span, call: tree.Expr) -> tree.NeverCheck:
        return tree.NeverCheck(span, call)

    def unchanged_check(self, span: Span, tables: tuple[tree.Name, ...]) -> tree.UnchangedCheck:
        return tree.UnchangedCheck(span, tables)

    def order_check(self, span: Span) -> tree.OrderCheck:
        return tree.OrderCheck(span)

    def constraint_check(self, span: Span, condition: tree.Expr) -> tree.ConstraintCheck:
        return tree.ConstraintCheck(span, condition)

    # ------------------------------------------------------------ words

    def names(self, span: Span, *names: tree.Name) -> tuple[tree.Name, ...]:
        return names

    binders = names

    def name(self, span: Span, word: str) -> tree.Name:
        return tree.Name(span, word)

    type_name = table_name = binder = name

    def ref(self, span: Span, word: str) -> tree.Expr:
        if word in PYTHON_CONSTANTS:
            meant, make = PYTHON_CONSTANTS[word]
            fix = Fix(f"write `{meant}`", (Edit(span, meant),))
            self.reporter.report("TC0115", span, fix=fix, found=word, meant=meant)
            return make(span)
        return tree.Ref(span, word)

    def target(self, span: Span, word: str) -> tree.Ref:
        return tree.Ref(span, word)

    tool_name = target

    def label(self, span: Span, word: str) -> tree.Name:
        if word[0].isalpha() or word[0] == "_":
            return tree.Name(span, word)
        return tree.Name(span, self.text(span, word).value, True)

    def text(self, span: Span, raw: str) -> tree.Text:
        if not _whole(raw):
            return tree.Text(span, raw)
        try:
            return tree.Text(span, strings.unescape(raw[1:-1]))
        except strings.Malformed as error:
            self._malformed(span, error)
            return tree.Text(span, raw[1:-1])

    def number(self, span: Span, text: str) -> tree.Number:
        return tree.Number(span, text)

    def string(self, span: Span, raw: str) -> tree.Expr:
        if not _whole(raw):
            return tree.String(span, raw)
        if "{" not in raw and "}" not in raw and "\\" not in raw:
            return tree.String(span, raw[1:-1])
        parts: list[str | tree.Hole] = []
        try:
            for piece in strings.pieces(raw):
                if isinstance(piece, str):
                    parts.append(piece)
                    continue
                start, end = span.start + piece.start, span.start + piece.end
                value = self.hole(start, end)
                if value is not None:
                    parts.append(tree.Hole(Span(start, end), value, piece.format))
        except strings.Malformed as error:
            self._malformed(span, error)
        if any(isinstance(part, tree.Hole) for part in parts):
            return tree.Interpolation(span, tuple(parts))
        return tree.String(span, "".join(part for part in parts if isinstance(part, str)))

    def _malformed(self, span: Span, error: strings.Malformed) -> None:
        place = Span(span.start + error.start, span.start + error.end)
        details: Any = error.details
        fix = None
        if error.code == "TC0110" and error.mended:
            fix = Fix("double the brace", (Edit(place, error.mended),), error.applicability)
        self.reporter.report(error.code, place, fix=fix, **details)


def _whole(raw: str) -> bool:
    """Whether the literal was read as one; a mended one has been reported already."""
    return len(raw) >= 2 and raw[0] == raw[-1] and not raw.startswith('"""')


def _present(items: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(item for item in items if item is not None)
