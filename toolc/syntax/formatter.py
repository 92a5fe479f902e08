"""The canonical form of a spec: 100 columns, indents of two, every comment kept.

What fits on a line stands on it; otherwise each member has a line of its own and a comma after it.
Blocks, plans and turns have one line only where the author gave them one and they hold one thing.
The author's empty lines between members are kept, one at a time. A comment inside an expression
moves in front of the member or statement that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from toolc.syntax import strings, tree
from toolc.syntax.layout import (
    HARD,
    SOFT,
    SPACE,
    Doc,
    Group,
    IfBroken,
    Indent,
    Line,
    Remark,
    print_doc,
)

WIDTH = 100
EXPR, COND, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, POWER, COALESCE, POSTFIX = range(12)
# Level of the result, least levels of the operands.
BINARY = {
    "or": (OR, OR, AND),
    "and": (AND, AND, NOT),
    "+": (SUM, SUM, PRODUCT),
    "-": (SUM, SUM, PRODUCT),
    "*": (PRODUCT, PRODUCT, UNARY),
    "/": (PRODUCT, PRODUCT, UNARY),
    "//": (PRODUCT, PRODUCT, UNARY),
    "%": (PRODUCT, PRODUCT, UNARY),
    "**": (POWER, COALESCE, UNARY),
    "??": (COALESCE, COALESCE, POSTFIX),
}
BESIDE = re.compile(r"[ \t]*,?[ \t]*")


def format_module(module: tree.Module, text: str) -> str:
    """The module's canonical text; `text` is what it was parsed from, without errors."""
    return _Formatter(module, text).run()


class _Formatter:
    def __init__(self, module: tree.Module, text: str) -> None:
        self.module = module
        self.text = text
        self.comments = list(reversed(module.comments))
        self.literal: Callable[[str], str] = _interpolating

    def run(self) -> str:
        module = self.module
        lead: list[Doc] = [
            [comment.text, HARD] for comment in self._take(module.version.span.start)
        ]
        header: list[Doc] = [
            *lead,
            "toolc ",
            module.version.text,
            *self._remark(module.version.span.end),
        ]
        end = module.version.span.end
        rows = self._rows(module.items, len(self.text), "", after=end)
        return print_doc([header, rows], WIDTH).rstrip() + "\n"

    # ------------------------------------------------------------ comments and sequences

    def _take(self, until: int) -> list[tree.Comment]:
        """The comments before an offset that have no place yet."""
        taken = []
        while self.comments and self.comments[-1].span.start < until:
            taken.append(self.comments.pop())
        return taken

    def _remark(self, end: int) -> list[Doc]:
        """The comment that follows on the line where something ends."""
        if self.comments:
            start = self.comments[-1].span.start
            beside = BESIDE.match(self.text, end)
            if beside and beside.end() == start:
                return [Remark("  " + self.comments.pop().text)]
        return []

    def _gap(self, end: int | None, start: int, line: Line) -> Line:
        """The break between two things, with an empty line where the author had some."""
        if end is None:
            return line
        blank = self.text.count("\n", end, start) > 1
        return Line(line.flat, hard=line.hard, blank=blank)

    def _rows(
        self,
        nodes: Sequence[tree.Syntax],
        end: int,
        separator: str,
        line: Line = HARD,
        after: int | None = None,
        last: str = "",
    ) -> list[Doc]:
        """Members that end before an offset, each led by a line break.

        `after` is where the thing before them ended, `last` a further member that is no node.
        """
        rows: list[Doc] = []
        for position, node in enumerate(nodes):
            before = self._take(node.span.start)
            body = self._node(node)
            inside = self._take(node.span.end)
            for comment in before:
                rows += [self._gap(after, comment.span.start, HARD), comment.text]
                after = comment.span.end
            for comment in inside:
                rows += [
                    self._gap(after, node.span.start, HARD) if not before else HARD,
                    comment.text,
                ]
                before, after = [comment], node.span.start
            rows += [self._gap(after, node.span.start, line), body]
            final = position == len(nodes) - 1 and not last
            rows.append(IfBroken(separator) if final and separator else separator)
            remark = self._remark(node.span.end)
            rows += remark
            after = node.span.end
        for comment in self._take(end):
            rows += [self._gap(after, comment.span.start, HARD), comment.text]
            after = comment.span.end
        if last:
            rows += [line, last]
        return rows

    def _listed(
        self,
        nodes: Sequence[tree.Syntax],
        end: int,
        brackets: str,
        line: Line = SOFT,
        last: str = "",
    ) -> Doc:
        """Members between brackets, separated by commas; `end` is where the brackets close."""
        rows = self._rows(nodes, end, ",", SPACE, last=last)
        if not rows:
            return brackets
        rows[0] = line if isinstance(rows[0], Line) and not rows[0].hard else rows[0]
        return Group([brackets[0], Indent(rows), line, brackets[1]])

    def _braced(self, nodes: Sequence[tree.Syntax], node: tree.Syntax, *, one: bool = True) -> Doc:
        """Statements, clauses or steps in braces: a line each, unless `one` stood on one line."""
        start, end = node.span
        before_end = self.comments[-1].span.start if self.comments else len(self.text)
        if not nodes and before_end >= end:
            return "{}"
        opening = self._remark(start + 1) if isinstance(node, tree.Block) else []
        short = one and not opening and len(nodes) == 1 and "\n" not in self.text[start:end]
        line = SPACE if short else HARD
        rows = self._rows(nodes, end, "", line)
        return Group(["{", *opening, Indent(rows), line, "}"])

    # ------------------------------------------------------------ dispatch

    def _node(self, node: tree.Syntax) -> Doc:
        doc: Doc = LAYOUTS[type(node)](self, node)
        return doc

    def _expr(self, node: tree.Expr, least: int = EXPR) -> Doc:
        doc = self._node(node)
        return ["(", doc, ")"] if _level(node) < least else doc

    # ------------------------------------------------------------ words

    def _described(self, name: tree.Name, description: tree.Text | None) -> Doc:
        return [_name(name), *([" ", strings.quote(description.value)] if description else [])]

    def _names(self, names: Sequence[tree.Name]) -> Doc:
        return ", ".join(map(_name, names))

    # ------------------------------------------------------------ declarations

    def environment(self, node: tree.Environment) -> Doc:
        rest: list[Doc] = []
        if node.version:
            rest += [SPACE, "version ", strings.quote(node.version.value)]
        if node.clock:
            rest += [SPACE, "clock ", strings.quote(node.clock.value)]
        if node.seed:
            rest += [SPACE, "seed ", node.seed.text]
        return Group(["environment ", self._described(node.name, node.description), Indent(rest)])

    def use(self, node: tree.Use) -> Doc:
        return ["use ", _name(node.module), " ", self._listed(node.names, node.span.end, "{}")]

    def const(self, node: tree.Const) -> Doc:
        return ["const ", _name(node.name), *self._typed(node.type), " = ", self._expr(node.value)]

    def _typed(self, type: tree.TypeExpr | None) -> list[Doc]:
        return [": ", self._node(type)] if type else []

    def alias(self, node: tree.Alias) -> Doc:
        return ["type ", self._described(node.name, node.description), " = ", self._node(node.type)]

    def enum(self, node: tree.Enum) -> Doc:
        head = self._described(node.name, node.description)
        return ["enum ", head, " ", self._listed(node.values, node.span.end, "{}", SPACE)]

    def record(self, node: tree.Record) -> Doc:
        head = self._described(node.name, node.description)
        last = "..." if node.open else ""
        return ["record ", head, " ", self._listed(node.members, node.span.end, "{}", SPACE, last)]

    def union(self, node: tree.Union) -> Doc:
        head = [self._described(node.name, node.description), " by ", _name(node.tag)]
        members = sorted((*node.shared, *node.cases), key=lambda member: member.span)
        return ["union ", head, " ", self._listed(members, node.span.end, "{}", SPACE)]

    def union_case(self, node: tree.UnionCase) -> Doc:
        value = strings.quote(node.value.value)
        return ["case ", value, " ", self._listed(node.members, node.span.end, "{}", SPACE)]

    def field(self, node: tree.Field) -> Doc:
        parts: list[Doc] = [
            _name(node.name),
            "?" if node.optional else "",
            ": ",
            self._node(node.type),
        ]
        if node.default:
            parts += [" = ", self._expr(node.default)]
        if node.description:
            parts.append(Indent([SPACE, strings.quote(node.description.value)]))
        return Group(parts)

    def table(self, node: tree.Table) -> Doc:
        keys = self._listed(node.keys, node.row.span.start, "[]")
        return [
            "table ",
            _name(node.name),
            keys,
            *self._typed(node.row),
            " = ",
            self._expr(node.rows),
        ]

    def key(self, node: tree.Key) -> Doc:
        return [_name(node.name), *self._typed(node.type)]

    def state(self, node: tree.State) -> Doc:
        return ["state ", _name(node.name), *self._typed(node.type), " = ", self._expr(node.value)]

    def invariant(self, node: tree.Invariant) -> Doc:
        head = self._described(node.name, node.description)
        return Group(["invariant ", head, ":", Indent([SPACE, self._expr(node.condition)])])

    def function(self, node: tree.Function) -> Doc:
        return [
            "proc " if node.writes else "fn ",
            self._signature(node),
            " ",
            self._node(node.body),
        ]

    def tool(self, node: tree.Tool) -> Doc:
        keeps = " keeps effects" if node.keeps_effects else ""
        body: list[Doc] = [" ", self._node(node.body)] if node.body else []
        return ["tool ", self._signature(node), keeps, *body]

    def _signature(self, node: tree.Function | tree.Tool) -> Doc:
        head = self._described(node.name, node.description)
        space = " " if node.description else ""
        parameters = self._listed(node.parameters, node.result.span.start, "()")
        return [head, space, parameters, " -> ", self._node(node.result)]

    def test(self, node: tree.Test) -> Doc:
        return ["test ", strings.quote(node.title.value), " ", self._node(node.body)]

    # ------------------------------------------------------------ types

    def named_type(self, node: tree.NamedType) -> Doc:
        return node.name

    def ref_type(self, node: tree.RefType) -> Doc:
        return ["ref ", _name(node.table)]

    def optional_type(self, node: tree.OptionalType) -> Doc:
        # `??` would be an operator.
        twice = isinstance(node.inner, tree.OptionalType)
        inner = self._inner_type(node.inner)
        return ["(", inner, ")?"] if twice else [inner, "?"]

    def generic_type(self, node: tree.GenericType) -> Doc:
        inner: list[Doc] = []
        for argument in node.arguments:
            inner += [", " if inner else "", self._node(argument)]
        return [node.name, "[", *inner, "]"]

    def record_type(self, node: tree.RecordType) -> Doc:
        return self._listed(node.members, node.span.end, "{}", SOFT, "..." if node.open else "")

    def literal_type(self, node: tree.LiteralType) -> Doc:
        values = [strings.quote(value.value) if value else "null" for value in node.values]
        rest: list[Doc] = [part for value in values[1:] for part in (SPACE, "| ", value)]
        return Group([values[0], Indent(rest)])

    def refined_type(self, node: tree.RefinedType) -> Doc:
        return [self._inner_type(node.inner), self._listed(node.facets, node.span.end, "()")]

    def _inner_type(self, node: tree.TypeExpr) -> Doc:
        doc = self._node(node)
        return ["(", doc, ")"] if isinstance(node, (tree.RefType, tree.LiteralType)) else doc

    def facet(self, node: tree.Facet) -> Doc:
        usual, self.literal = self.literal, strings.quote
        doc = [_name(node.name), ": ", self._expr(node.value)]
        self.literal = usual
        return doc

    # ------------------------------------------------------------ statements

    def block(self, node: tree.Block) -> Doc:
        simple = bool(node.statements) and not isinstance(node.statements[0], COMPOUND)
        return self._braced(node.statements, node, one=simple)

    def let(self, node: tree.Let) -> Doc:
        word = "var " if node.mutable else "let "
        return [
            word,
            self._names(node.targets),
            *self._typed(node.type),
            " = ",
            self._expr(node.value),
        ]

    def assign(self, node: tree.Assign) -> Doc:
        return [self._expr(node.place), f" {node.operator} ", self._expr(node.value)]

    def require(self, node: tree.Require) -> Doc:
        error = Indent([SPACE, "else fail ", self._expr(node.error)])
        return Group(["require ", self._expr(node.condition, COND), error])

    def fail(self, node: tree.Fail) -> Doc:
        return ["fail ", self._expr(node.error)]

    def return_(self, node: tree.Return) -> Doc:
        return ["return ", self._expr(node.value)]

    def continue_(self, node: tree.Continue) -> Doc:
        return "continue"

    def break_(self, node: tree.Break) -> Doc:
        return "break"

    def if_(self, node: tree.If) -> Doc:
        parts: list[Doc] = []
        for branch in node.branches:
            parts += [" else if " if parts else "if ", self._node(branch)]
        if node.otherwise:
            parts += [" else ", self._node(node.otherwise)]
        return parts

    def branch(self, node: tree.Branch) -> Doc:
        return [self._expr(node.condition), " ", self._node(node.body)]

    def for_(self, node: tree.For) -> Doc:
        head = ["for ", self._names(node.targets), " in ", self._expr(node.source, OR)]
        condition = [" if ", self._expr(node.condition, OR)] if node.condition else []
        return [head, condition, " ", self._node(node.body)]

    def match(self, node: tree.Match) -> Doc:
        subject = self._expr(node.subject)
        end = node.otherwise.span.start if node.otherwise else node.span.end
        rows = self._rows(node.cases, end, "")
        if node.otherwise:
            rows += [
                HARD,
                "else ",
                self._node(node.otherwise),
                *self._remark(node.otherwise.span.end),
            ]
            rows += self._rows((), node.span.end, "", after=node.otherwise.span.end)
        return ["match ", subject, " {", Indent(rows), HARD, "}"]

    def case(self, node: tree.Case) -> Doc:
        values = " | ".join(strings.quote(value.value) for value in node.values)
        return ["case ", values, " ", self._node(node.body)]

    def insert(self, node: tree.Insert) -> Doc:
        return ["insert ", self._expr(node.value), " into ", self._expr(node.place)]

    def append(self, node: tree.Append) -> Doc:
        return ["append ", self._expr(node.value), " to ", self._expr(node.place)]

    def remove(self, node: tree.Remove) -> Doc:
        return ["remove ", self._expr(node.value), " from ", self._expr(node.place)]

    def delete(self, node: tree.Delete) -> Doc:
        return ["delete ", self._expr(node.place)]

    def expect(self, node: tree.Expect) -> Doc:
        return ["expect ", self._expr(node.value), *self._failure(node.fails, node.error)]

    def _failure(self, fails: bool, error: tree.Expr | None) -> list[Doc]:
        if error:
            return [" fails with ", self._expr(error)]
        return [" fails"] if fails else []

    def advance(self, node: tree.Advance) -> Doc:
        return ["advance ", self._expr(node.by)]

    def call_statement(self, node: tree.CallStatement) -> Doc:
        return self._expr(node.call)

    # ------------------------------------------------------------ expressions

    def null(self, node: tree.Null) -> Doc:
        return "null"

    def bool_(self, node: tree.Bool) -> Doc:
        return "true" if node.value else "false"

    def number(self, node: tree.Number) -> Doc:
        return node.text

    def string(self, node: tree.String) -> Doc:
        return self.literal(node.value)

    def text_(self, node: tree.Text) -> Doc:
        return strings.quote(node.value)

    def interpolation(self, node: tree.Interpolation) -> Doc:
        quote = "'" if self.literal is strings.quote_single else '"'
        usual, self.literal = self.literal, strings.quote_single
        parts = [
            strings.braces(part, quote)
            if isinstance(part, str)
            else "{" + self._inline(part.value) + (f":{part.format}" if part.format else "") + "}"
            for part in node.parts
        ]
        self.literal = usual
        return quote + "".join(parts) + quote

    def _inline(self, node: tree.Expr) -> str:
        """An interpolated expression, on one line; a brace that it starts with is kept apart."""
        text = print_doc(Group(self._expr(node)), 1 << 30)
        return f" {text} " if text.startswith("{") else text

    def ref(self, node: tree.Ref) -> Doc:
        return node.name

    def name(self, node: tree.Name) -> Doc:
        return _name(node)

    def attribute(self, node: tree.Attribute) -> Doc:
        base = self._expr(node.base, POSTFIX)
        if isinstance(node.base, tree.Number):  # its point would be one of the number
            base = ["(", base, ")"]
        return [base, ".", _name(node.name)]

    def index(self, node: tree.Index) -> Doc:
        base = self._expr(node.base, POSTFIX)
        inner: list[Doc] = []
        for index in node.indices:
            inner += [", " if inner else "", self._expr(index)]
        return [base, "[", *inner, "]"]

    def slice(self, node: tree.Slice) -> Doc:
        base = self._expr(node.base, POSTFIX)
        start = self._expr(node.start) if node.start else ""
        stop = self._expr(node.stop) if node.stop else ""
        return [base, "[", start, ":", stop, "]"]

    def call(self, node: tree.Call) -> Doc:
        base = self._expr(node.base, POSTFIX)
        lone = [argument.value for argument in node.arguments if isinstance(argument.value, LONE)]
        if lone:
            return Group([base, "(", Indent([SOFT, self._expr(lone[0])]), SOFT, ")"])
        return [base, self._listed(node.arguments, node.span.end, "()")]

    def argument(self, node: tree.Argument) -> Doc:
        return [*([_name(node.name), ": "] if node.name else []), self._expr(node.value)]

    def walk(self, node: tree.Walk) -> Doc:
        start, step = self._expr(node.start, OR), self._expr(node.step, OR)
        return [_name(node.binder), " from ", start, " by ", step]

    def comprehension(self, node: tree.Comprehension) -> Doc:
        parts: list[Doc] = [self._expr(node.element), *self._clauses(node.clauses)]
        for position, key in enumerate(node.order):
            parts += [", " if position else [SPACE, "by "], self._node(key)]
        return parts

    def _clauses(self, clauses: Sequence[tree.Clause]) -> list[Doc]:
        return [part for clause in clauses for part in (SPACE, self._node(clause))]

    def for_clause(self, node: tree.ForClause) -> Doc:
        return ["for ", self._names(node.targets), " in ", self._expr(node.source, OR)]

    def if_clause(self, node: tree.IfClause) -> Doc:
        return ["if ", self._expr(node.condition, OR)]

    def sort_key(self, node: tree.SortKey) -> Doc:
        return [self._expr(node.value, OR), " desc" if node.descending else ""]

    def list_comprehension(self, node: tree.ListComprehension) -> Doc:
        return Group(["[", Indent([SOFT, self._node(node.inner)]), SOFT, "]"])

    def dict_comprehension(self, node: tree.DictComprehension) -> Doc:
        entry: list[Doc] = ["[", self._expr(node.key), "]: ", self._expr(node.value)]
        return Group(["{", Indent([SOFT, *entry, *self._clauses(node.clauses)]), SOFT, "}"])

    def list_literal(self, node: tree.ListLiteral) -> Doc:
        return self._listed(node.items, node.span.end, "[]")

    def object(self, node: tree.Object) -> Doc:
        return self._listed(node.entries, node.span.end, "{}")

    def entry(self, node: tree.Entry) -> Doc:
        return [_name(node.label), ": ", self._expr(node.value)]

    def spread(self, node: tree.Spread) -> Doc:
        return ["...", self._expr(node.value)]

    def unary(self, node: tree.Unary) -> Doc:
        if node.operator == "not":
            return ["not ", self._expr(node.operand, NOT)]
        return ["-", self._expr(node.operand, UNARY)]

    def binary(self, node: tree.Binary) -> Doc:
        level, left_least, _ = BINARY[node.operator]
        chain = [node]
        while (
            isinstance(chain[-1].left, tree.Binary)
            and _level(chain[-1].left) == level == left_least
        ):
            chain.append(chain[-1].left)
        parts: list[Doc] = [self._expr(chain[-1].left, left_least)]
        rest: list[Doc] = []
        for link in reversed(chain):
            right = self._operand(link)
            # `//` must not start a line, where it would look like a comment.
            leads = link.operator in ("and", "or")
            rest += (
                [SPACE, link.operator, " ", right] if leads else [" ", link.operator, SPACE, right]
            )
        return Group([*parts, Indent(rest)])

    def _operand(self, node: tree.Binary) -> Doc:
        """The right operand; that of `??` may be a negative without parentheses."""
        right, least = node.right, BINARY[node.operator][2]
        if least == POSTFIX and isinstance(right, tree.Unary) and right.operator == "-":
            return ["-", self._expr(right.operand, POSTFIX)]
        return self._expr(right, least)

    def compare(self, node: tree.Compare) -> Doc:
        rest: list[Doc] = []
        first = self._expr(node.operands[0], SUM)
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            rest += [f" {operator}", SPACE, self._expr(operand, SUM)]
        return Group([first, Indent(rest)])

    def conditional(self, node: tree.Conditional) -> Doc:
        condition = self._expr(node.condition, OR)
        branches: list[Doc] = [
            SPACE,
            "then ",
            self._expr(node.then, COND),
            SPACE,
            "else ",
            self._expr(node.otherwise, COND),
        ]
        return Group(["if ", condition, Indent(branches)])

    def or_fail(self, node: tree.OrFail) -> Doc:
        value = self._expr(node.value)
        return Group([value, Indent([SPACE, "else fail ", self._expr(node.error, COND)])])

    # ------------------------------------------------------------ scenarios

    def scenario(self, node: tree.Scenario) -> Doc:
        head = ["scenario ", self._described(node.name, node.description)]
        family = [Indent([SPACE, self._node(node.family)])] if node.family else []
        return [Group([*head, *family, " {"]), self._clause_rows(node.clauses, node)]

    def _clause_rows(self, clauses: Sequence[tree.Syntax], node: tree.Syntax) -> Doc:
        """Clauses and the closing brace, after an opening one."""
        rows = self._rows(clauses, node.span.end, "")
        return [Indent(rows), HARD, "}"] if rows else "}"

    def family(self, node: tree.Family) -> Doc:
        parts: list[Doc] = ["for ", self._names(node.targets), " in ", self._expr(node.source, OR)]
        if node.condition:
            parts += [" if ", self._expr(node.condition, OR)]
        if node.sample:
            parts += [" sample ", node.sample.text]
        return parts

    def system(self, node: tree.System) -> Doc:
        return ["system ", self._expr(node.text)]

    def user(self, node: tree.User) -> Doc:
        return ["user ", self._expr(node.text)]

    def given(self, node: tree.Given) -> Doc:
        return ["given ", self._node(node.body)]

    def turn(self, node: tree.Turn) -> Doc:
        return ["turn {", self._clause_rows(node.clauses, node)]

    def plan(self, node: tree.Plan) -> Doc:
        return "plan none" if node.none else ["plan ", self._braced(node.steps, node)]

    def step(self, node: tree.Step) -> Doc:
        rest: list[Doc] = [SPACE] if node.question else [" "]
        question: list[Doc] = [" ", self._expr(node.question)] if node.question else []
        if node.binder:
            rest += ["let ", _name(node.binder), " = "]
        rest += [self._expr(node.call), *self._failure(node.fails, node.error)]
        if node.equals:
            rest += [" == ", self._expr(node.equals, OR)]
        if node.free:
            rest += [" free [", self._names(node.free), "]"]
        return Group(["step", *question, Indent(rest)])

    def answer(self, node: tree.Answer) -> Doc:
        return ["answer ", self._expr(node.value)]

    def reply(self, node: tree.Reply) -> Doc:
        return ["reply ", self._expr(node.text)]

    def tools(self, node: tree.Tools) -> Doc:
        end = node.distractors.span.start if node.distractors else node.span.end
        offer = "all" if node.names is None else self._listed(node.names, end, "[]")
        rest: list[Doc] = []
        if node.distractors:
            rest += [" distractors ", node.distractors.text]
        if node.sources:
            rest += [" from ", self._listed(node.sources, node.span.end, "[]")]
        return ["tools ", offer, *rest]

    def limits(self, node: tree.Limits) -> Doc:
        return ["limits ", self._listed(node.facets, node.span.end, "{}", SPACE)]

    def verify(self, node: tree.Verify) -> Doc:
        head = "verify only " if node.only else "verify "
        return [head, self._listed(node.checks, node.span.end, "{}", SPACE)]

    def reward(self, node: tree.Reward) -> Doc:
        return ["reward ", self._expr(node.value)]

    def steps_check(self, node: tree.StepsCheck) -> Doc:
        return "steps"

    def state_check(self, node: tree.StateCheck) -> Doc:
        if not node.ignore:
            return "state"
        return ["state ignore ", self._listed(node.ignore, node.span.end, "[]")]

    def weighted(self, node: tree.Weighted) -> Doc:
        return [self._node(node.check), f" weight {node.weight.text}"]

    def answer_check(self, node: tree.AnswerCheck) -> Doc:
        unordered = " unordered" if node.unordered else ""
        return f"answer{unordered}" + (f" within {node.within.text}" if node.within else "")

    def expression_check(self, node: tree.ExpressionCheck) -> Doc:
        head = self._described(node.name, node.description)
        return Group(["check ", head, ":", Indent([SPACE, self._expr(node.condition)])])

    def called_check(self, node: tree.CalledCheck) -> Doc:
        times = f" times {node.times.text}" if node.times else ""
        return ["called ", self._expr(node.call), times]

    def never_check(self, node: tree.NeverCheck) -> Doc:
        return ["never ", self._expr(node.call)]

    def unchanged_check(self, node: tree.UnchangedCheck) -> Doc:
        return ["unchanged ", self._listed(node.tables, node.span.end, "[]")]

    def order_check(self, node: tree.OrderCheck) -> Doc:
        return "order"

    def constraint_check(self, node: tree.ConstraintCheck) -> Doc:
        return ["constraint ", self._expr(node.condition)]


COMPOUND = (tree.If, tree.For, tree.Match)
LONE = (tree.Comprehension, tree.Walk)
LEVELS: dict[type[tree.Syntax], int] = {
    tree.OrFail: EXPR,
    tree.Conditional: COND,
    tree.Compare: COMPARE,
}


def _level(node: tree.Expr) -> int:
    """How tightly the expression's outermost operator binds."""
    if isinstance(node, tree.Binary):
        return BINARY[node.operator][0]
    if isinstance(node, tree.Unary):
        return NOT if node.operator == "not" else UNARY
    return LEVELS.get(type(node), POSTFIX)


def _name(name: tree.Name) -> str:
    return strings.quote(name.text) if name.quoted else name.text


def _interpolating(text: str) -> str:
    return f'"{strings.braces(text)}"'


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _layouts() -> dict[type[tree.Syntax], Callable[[_Formatter, Any], Doc]]:
    """The method that lays out each class of nodes, named like it."""
    found: dict[type[tree.Syntax], Callable[[_Formatter, Any], Doc]] = {}
    for kind in vars(tree).values():
        if isinstance(kind, type) and issubclass(kind, tree.Syntax):
            name = _snake(kind.__name__)
            method = getattr(_Formatter, name, None) or getattr(_Formatter, name + "_", None)
            if method is not None:
                found[kind] = method
    return found


LAYOUTS = _layouts()
