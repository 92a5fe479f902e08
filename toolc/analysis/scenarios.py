"""Checking scenarios and in-file tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from toolc.analysis import core, flow
from toolc.analysis import types as t
from toolc.analysis.coerce import Mismatch, coerce, is_literal_type
from toolc.analysis.declare import Declarations, File
from toolc.analysis.effects import nodes
from toolc.analysis.names import suggest
from toolc.analysis.scope import Context, Scope
from toolc.analysis.statements import Statements
from toolc.analysis.types import FieldType, Type
from toolc.node import Span
from toolc.syntax import tree

REWARDS = ("solve_f1", "solve_precision", "solve_rate", "binary", "ftrl_step")
LIMITS = ("calls", "turns")
MAX_STEPS = 300
"""Steps of a scenario, and its turns: what each shows is passed to all that follow."""
COUNTS = {
    "calls": "the number of calls",
    "turns": "the number of the model's messages",
    "refused": "the number of calls that a tool refused",
    "rejected": "the number of calls that the argument check rejected",
    "parallel": "the most calls in one message",
    "words": "the words of the final text",
    "characters": "the characters of the final text",
    "lines": "the lines of the final text that are not blank",
    "paragraphs": "the paragraphs of the final text",
    "bullets": "the list items of the final text",
}
"""The whole numbers of how an episode went, for constraints."""
MEASURES: dict[str, core.Measure] = {
    **{name: core.Measure(name, t.INT) for name in COUNTS},
    "text": core.Measure("text", t.STR),
}
"""What a `constraint` may ask, beside `tools_used` and `calls(tool)`."""
_MEANING = {**COUNTS, "text": "the final text", "tools_used": "the tools that were called"}
WEIGHED = frozenset({"state", "answer", "check", "called"})
"""Checks that may have a weight: goals other than steps, which weigh what a call weighs."""
MAX_WEIGHT = 1_000


class Scenarios(Statements):
    """The checker of one scenario at a time.

    `overrides` gives a tool other parameters for the time of one call (`called f(subset)`).
    """

    def __init__(self, declarations: Declarations, file: File) -> None:
        super().__init__(declarations, file)
        self.overrides: dict[int, tuple[FieldType, ...]] = {}
        self.goals: list[str] = []

    def scenario(self, node: tree.Scenario) -> core.ScenarioDef:
        """The typed scenario."""
        self.scope = Scope()
        self.facts = {}
        self.context = Context("scenario")
        self.goals = ["steps", "state", "answer"]
        targets, source, condition, sample = self._family(node)
        by_kind: dict[type, list[Any]] = {}
        for clause in node.clauses:
            by_kind.setdefault(type(clause), []).append(clause)
        for kind in (tree.System, tree.Tools, tree.Limits, tree.Reward):
            self._once(by_kind.get(kind, []))
        turns = by_kind.get(tree.Turn, [])
        flat = [c for c in node.clauses if isinstance(c, _OF_A_TURN)]
        if turns and flat and any(not isinstance(clause, tree.Answer) for clause in flat):
            self.report("TC0652", flat[0].span)
        system = [self.check(clause.text, t.STR) for clause in by_kind.get(tree.System, [])]
        outer_given: list[core.Statement] = []
        if turns:
            for clause in by_kind.get(tree.Given, []):
                outer_given.extend(self._given(clause))
        typed_turns: list[core.TurnDef] = []
        if turns:
            for clause in turns:
                start = clause.span.start
                typed_turns.append(self._turn(Span(start, start + len("turn")), clause.clauses))
            last_answer = by_kind.get(tree.Answer, [])
            if last_answer:
                value = self._value(last_answer[0].value)
                typed_turns[-1] = typed_turns[-1].replace(answer=value)
        else:
            inner = tuple(c for c in node.clauses if isinstance(c, (*_OF_A_TURN, tree.Given)))
            typed_turns.append(self._turn(node.name.span, inner, whole=True))
        if sum(len(turn.steps) for turn in typed_turns) > MAX_STEPS or len(turns) > MAX_STEPS:
            self.report("TC0667", node.name.span, limit=MAX_STEPS)
        only, checks = self._verify(by_kind.get(tree.Verify, []))
        names, distractors, sources = self._tools(by_kind.get(tree.Tools, []))
        return core.ScenarioDef(
            node.name.span,
            node.name.text,
            node.description.value if node.description else "",
            targets,
            source,
            condition,
            sample,
            system[0] if system else None,
            tuple(outer_given),
            names,
            distractors,
            sources,
            self._limits(by_kind.get(tree.Limits, [])),
            tuple(typed_turns),
            checks,
            only,
            self._reward(by_kind.get(tree.Reward, [])),
        )

    def test(self, node: tree.Test) -> core.TestDef:
        """The typed in-file test."""
        self.scope = Scope()
        self.facts = {}
        self.context = Context("test")
        body, _ = self.statements(node.body)
        return core.TestDef(node.span, node.title.value, body)

    # ------------------------------------------------------------ parts

    def _once(self, clauses: list[tree.ScenarioClause]) -> None:
        for clause in clauses[1:]:
            self.report("TC0653", clause.span)

    def _family(
        self, node: tree.Scenario
    ) -> tuple[tuple[core.Symbol, ...], core.Expr | None, core.Expr | None, int | None]:
        family = node.family
        if family is None:
            return (), None, None, None
        source = self._members(self.source(family.source), family.targets, node)
        targets = self.targets(family.targets, source)
        condition = None
        if family.condition is not None:
            condition = self.condition(family.condition)
            self.facts = flow.without_mutable(flow.facts_of(condition, True))
        sample = None
        if family.sample is not None:
            value = family.sample.value
            if not isinstance(value, int) or value < 1:
                self.report("TC0654", family.sample.span)
            else:
                sample = value
        return targets, source, condition, sample

    def _members(
        self, source: core.Expr, targets: tuple[tree.Name, ...], node: tree.Scenario
    ) -> core.Expr:
        """What a family runs over. A list of text literals holds what the tool takes that is given
        one: members of an enum, or dates."""
        if not isinstance(source, core.ListOf) or len(targets) != 1:
            return source
        for wanted in self._taken_as(targets[0].text, node):
            try:
                items = tuple(coerce(item, wanted) for item in source.items)
            except Mismatch:
                continue
            return core.ListOf(source.span, t.List(wanted), items)
        return source

    def _taken_as(self, name: str, node: tree.Scenario) -> Iterator[Type]:
        """The types that text literals are taken as, of parameters that are given a name."""
        for call in nodes(node):
            if not isinstance(call, tree.Call) or not isinstance(call.base, tree.Ref):
                continue
            file, item = self.file.values.get(call.base.name, (self.file, None))
            if not isinstance(item, (tree.Function, tree.Tool)):
                continue
            fields = self.parameters(item, file)
            named = {field.name: field.type for field in fields}
            for at, argument in enumerate(call.arguments):
                if not isinstance(argument.value, tree.Ref) or argument.value.name != name:
                    continue
                label = argument.name.text if argument.name else ""
                kind = named.get(label) or (fields[at].type if at < len(fields) else t.STR)
                bare = t.required(t.strip(kind))
                if is_literal_type(bare) or t.literal_values(bare):
                    yield bare

    def _given(self, clause: tree.Given) -> core.Block:
        saved, self.context = self.context, Context("given")
        body, _ = self.block(clause.body)
        self.context = saved
        self.facts = flow.without_places(self.facts, None)
        return body

    def _turn(
        self, span: Span, clauses: Iterable[tree.ScenarioClause], whole: bool = False
    ) -> core.TurnDef:
        user: core.Expr | None = None
        given: list[core.Statement] = []
        steps: list[core.StepDef] = []
        answer: core.Expr | None = None
        reply: core.Expr | None = None
        planned: tree.Plan | None = None
        only, checks = False, list[core.CheckDef]()
        for clause in clauses:
            match clause:
                case tree.User():
                    if user is not None:
                        self.report("TC0653", clause.span)
                    user = self.check(clause.text, t.STR)
                case tree.Given():
                    given.extend(self._given(clause))
                case tree.Plan():
                    if planned is not None:
                        self.report("TC0653", clause.span)
                    planned = clause
                    steps.extend(self._step(step) for step in clause.steps)
                case tree.Answer():
                    if answer is not None:
                        self.report("TC0653", clause.span)
                    answer = self._value(clause.value)
                case tree.Reply():
                    if reply is not None:
                        self.report("TC0653", clause.span)
                    reply = self.check(clause.text, t.STR)
                case tree.Verify():
                    only, found = self._verify([clause])
                    checks.extend(found)
                case _:
                    self.report("TC0655", clause.span)
        if user is None:
            self.report("TC0656", span)
            user = core.Constant(span, t.STR, "")
        if planned is None:
            self.report("TC0657", span)
        elif not planned.none and not planned.steps:
            self.report("TC0658", planned.span)
        none = planned is not None and planned.none
        return core.TurnDef(
            span, user, tuple(given), (), tuple(steps), none, answer, tuple(checks), only, reply
        )

    def _value(self, node: tree.Expr) -> core.Expr:
        value = self.expr(node)
        if isinstance(t.strip(value.type), (t.TableType, t.Tuple)):
            return self.wrong("TC0301", value.span, expected="a value", found=t.show(value.type))
        return value

    def _tool(self, node: tree.Expr) -> tuple[tree.Call, tree.Tool] | None:
        assert isinstance(node, tree.Call) and isinstance(node.base, tree.Ref)
        found = self.file.values.get(node.base.name)
        if found is None or not isinstance(found[1], tree.Tool):
            help = suggest(node.base.name, self.tool_names())
            self.report("TC0660", node.base.span, name=node.base.name, help=help)
            return None
        if found[1].body is None:
            self.report("TC0661", node.base.span, name=node.base.name)
        return node, found[1]

    def _step(self, node: tree.Step) -> core.StepDef:
        question = self.check(node.question, t.STR) if node.question is not None else None
        found = self._tool(node.call)
        if found is None:
            if node.binder is not None:
                self.bind(node.binder, t.NEVER)
            return core.StepDef(node.span, question, None, "", (), node.fails, None, None, ())
        call, tool = found
        arguments = self._named_arguments(call, tool)
        error = self.check(node.error, t.JSON) if node.error is not None else None
        result = self.declarations.type(self.file, tool.result)
        equals = self.check(node.equals, result) if node.equals is not None else None
        parameters = {field.name for field in self.parameters(tool, self.file)}
        for name in node.free:
            if name.text not in parameters:
                self.report(
                    "TC0218",
                    name.span,
                    name=name.text,
                    function=tool.name.text,
                    help=suggest(name.text, parameters),
                )
        self.facts = flow.without_places(self.facts, None)
        binder = None
        if node.binder is not None:
            if node.fails:
                self.report("TC0662", node.binder.span, name=node.binder.text)
            binder = self.bind(node.binder, result)
        free = tuple(name.text for name in node.free)
        return core.StepDef(
            node.span, question, binder, tool.name.text, arguments, node.fails, error, equals, free
        )

    def _named_arguments(
        self, call: tree.Call, tool: tree.Tool, partial: bool = False
    ) -> tuple[tuple[str, core.Expr], ...]:
        fields = self.parameters(tool, self.file)
        if partial:
            fields = tuple(
                FieldType(f.name, f.type, True, f.has_default, f.default) for f in fields
            )
        values = self._against(call, tool, fields)
        return tuple(
            (field.name, value)
            for field, value in zip(fields, values, strict=True)
            if value is not None
        )

    def _against(
        self, call: tree.Call, tool: tree.Tool, fields: tuple[FieldType, ...]
    ) -> tuple[core.Expr | None, ...]:
        self.overrides[id(tool)] = fields
        try:
            return self.arguments(call, tool, self.file)
        finally:
            del self.overrides[id(tool)]

    def _tools(
        self, clauses: list[tree.Tools]
    ) -> tuple[tuple[str, ...] | None, int, tuple[str, ...]]:
        if not clauses:
            return None, 0, ()
        clause = clauses[0]
        known = self.tool_names()
        for name in clause.names or ():
            if name.text not in known:
                self.report("TC0660", name.span, name=name.text, help=suggest(name.text, known))
        count = clause.distractors.value if clause.distractors is not None else 0
        if not isinstance(count, int):
            self.report("TC0654", clause.span)
            count = 0
        names = (
            tuple(dict.fromkeys(name.text for name in clause.names))
            if clause.names is not None
            else None
        )
        return names, count, tuple(name.text for name in clause.sources)

    def _limits(self, clauses: list[tree.Limits]) -> tuple[tuple[str, int], ...]:
        found: dict[str, int] = {}
        for facet in clauses[0].facets if clauses else ():
            name = facet.name.text
            if name not in LIMITS:
                self.report("TC0663", facet.name.span, name=name, help=suggest(name, LIMITS))
                continue
            value = self.constant(facet.value, t.INT)
            if value is not None and value[1] < 0:
                self.report("TC0654", facet.value.span)
            elif value is not None:
                found[name] = value[1]
        return tuple(found.items())

    def _reward(self, clauses: list[tree.Reward]) -> core.RewardDef:
        if not clauses:
            return core.RewardDef("solve_f1")
        node = clauses[0].value
        if isinstance(node, tree.Ref) and node.name in REWARDS:
            return core.RewardDef(node.name)
        saved = self.scope
        self.scope = Scope()
        for name in dict.fromkeys(self.goals):
            self.scope.add(name, t.FLOAT)
        goals = dict(self.scope.symbols)
        names = (*REWARDS, *goals)
        for part in _refs(node):
            if part.name not in goals:
                self.report("TC0664", part.span, name=part.name, help=suggest(part.name, names))
                self.scope.add(part.name, t.NEVER)
        value = self.check(node, t.FLOAT)
        self.scope = saved
        return core.RewardDef("weighted", value)

    # ------------------------------------------------------------ checks

    def _verify(self, clauses: list[tree.Verify]) -> tuple[bool, tuple[core.CheckDef, ...]]:
        only = any(clause.only for clause in clauses)
        found: list[core.CheckDef] = []
        for clause in clauses:
            found.extend(_CHECKS[type(check)](self, check) for check in clause.checks)
        names = [check.name for check in found if check.name]
        for check in found:
            if check.name and names.count(check.name) > 1:
                self.report("TC0202", check.span, name=check.name)
                break
        return only, tuple(found)

    def _simple(self, node: tree.CheckClause) -> core.CheckDef:
        kind = {tree.StepsCheck: "steps", tree.OrderCheck: "order"}[type(node)]
        return core.CheckDef(node.span, kind)

    def _weighted(self, node: tree.Weighted) -> core.CheckDef:
        check = _CHECKS[type(node.check)](self, node.check)
        if check.kind not in WEIGHED:
            self.report("TC0669", node.weight.span, kind=check.kind)
            return check
        weight = float(node.weight.value)
        if not 0 < weight <= MAX_WEIGHT:
            self.report("TC0670", node.weight.span, limit=MAX_WEIGHT)
            return check
        weighed: core.CheckDef = check.replace(weight=weight)
        return weighed

    def _answer_check(self, node: tree.AnswerCheck) -> core.CheckDef:
        within = None if node.within is None else float(node.within.value)
        return core.CheckDef(node.span, "answer", unordered=node.unordered, within=within)

    def _state_check(self, node: tree.StateCheck) -> core.CheckDef:
        return core.CheckDef(
            node.span, "state", names=tuple(self._ignored(item) for item in node.ignore)
        )

    def _ignored(self, node: tree.Expr) -> str:
        """`orders.payments.at`: a table or scalar, then fields, through lists and dicts."""
        labels: list[tree.Name] = []
        current = node
        while isinstance(current, tree.Attribute):
            labels.append(current.name)
            current = current.base
        if not isinstance(current, tree.Ref):
            self.report("TC0665", node.span)
            return ""
        tables, scalars = self.declarations.tables, self.declarations.scalars
        kind: Type = (
            tables[current.name].row
            if current.name in tables
            else scalars.get(current.name, t.NEVER)
        )
        if kind == t.NEVER:
            self.report(
                "TC0201",
                current.span,
                name=current.name,
                help=suggest(current.name, [*tables, *scalars]),
            )
            return ""
        for label in reversed(labels):
            bare = t.strip(t.required(kind))
            while isinstance(bare, (t.List, t.Dict)):
                bare = t.strip(t.required(bare.item if isinstance(bare, t.List) else bare.value))
            cases = tuple(bare.cases.values()) if isinstance(bare, t.Union) else (bare,)
            members = [
                m for case in cases if isinstance(case, (t.Record, t.Case)) for m in case.members
            ]
            field = next((member for member in members if member.name == label.text), None)
            if field is None:
                self.report(
                    "TC0315",
                    label.span,
                    name=label.text,
                    type=t.show(bare),
                    help=suggest(label.text, [m.name for m in members]),
                )
                return ""
            kind = field.type
        return ".".join([current.name, *(label.text for label in reversed(labels))])

    def _expression_check(self, node: tree.ExpressionCheck) -> core.CheckDef:
        condition = self.condition(node.condition)
        if isinstance(condition, core.Constant) and condition.type == t.BOOL:
            self.report("TC0666", node.condition.span, why="its condition is constant")
        self.goals.append(node.name.text)
        description = node.description.value if node.description else ""
        return core.CheckDef(node.span, "check", node.name.text, description, condition)

    def _called(self, node: tree.CalledCheck | tree.NeverCheck) -> core.CheckDef:
        found = self._tool(node.call)
        kind = "called" if isinstance(node, tree.CalledCheck) else "never"
        if found is None:
            return core.CheckDef(node.span, kind)
        arguments = self._named_arguments(found[0], found[1], partial=True)
        times = None
        if isinstance(node, tree.CalledCheck) and node.times is not None:
            value = node.times.value
            if not isinstance(value, int) or value < 1:
                self.report("TC0654", node.times.span)
            else:
                times = value
        return core.CheckDef(
            node.span, kind, tool=found[1].name.text, arguments=arguments, times=times
        )

    def _unchanged(self, node: tree.UnchangedCheck) -> core.CheckDef:
        known = [*self.declarations.tables, *self.declarations.scalars]
        for name in node.tables:
            if name.text not in known:
                self.report("TC0201", name.span, name=name.text, help=suggest(name.text, known))
        return core.CheckDef(node.span, "unchanged", names=tuple(name.text for name in node.tables))

    def _constraint(self, node: tree.ConstraintCheck) -> core.CheckDef:
        saved, self.scope = self.scope, Scope(self.scope)
        self.scope.symbols.update(MEASURES)
        self.scope.symbols["tools_used"] = core.Measure(
            "tools_used", t.List(t.Literals(tuple(self.tool_names())))
        )
        condition = self.condition(node.condition)
        self.scope = saved
        for part in nodes(condition):
            if isinstance(part, core.Local) and isinstance(part.symbol, core.Measure):
                name = part.symbol.name
                if saved.find(name) is not None:
                    self.report("TC0671", part.span, name=name, what=_MEANING[name])
        return core.CheckDef(node.span, "constraint", condition=condition)


def _refs(node: Any) -> Iterable[tree.Ref]:
    if isinstance(node, tree.Ref):
        yield node
    elif isinstance(node, tree.Syntax):
        for name in node.fields:
            yield from _refs(getattr(node, name))
    elif isinstance(node, tuple):
        for part in node:
            yield from _refs(part)


_OF_A_TURN = (tree.User, tree.Plan, tree.Answer, tree.Reply)
_CHECKS: dict[type, Callable[[Scenarios, Any], core.CheckDef]] = {
    tree.StepsCheck: Scenarios._simple,
    tree.Weighted: Scenarios._weighted,
    tree.AnswerCheck: Scenarios._answer_check,
    tree.OrderCheck: Scenarios._simple,
    tree.StateCheck: Scenarios._state_check,
    tree.ExpressionCheck: Scenarios._expression_check,
    tree.CalledCheck: Scenarios._called,
    tree.NeverCheck: Scenarios._called,
    tree.UnchangedCheck: Scenarios._unchanged,
    tree.ConstraintCheck: Scenarios._constraint,
}
