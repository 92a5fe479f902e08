"""Transformations of scenarios: wider ones and longer ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.generate import trees
from toolc.importing.names import unique, words
from toolc.importing.spec import label, list_of, scalar
from toolc.node import NOWHERE
from toolc.rewriting.calls import bound, called, callee, substituted
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.parameters import required
from toolc.scaling.transformation import (
    NotHere,
    is_named,
    members,
    reads_only,
    require,
)
from toolc.syntax import tree

# ---------------------------------------------------------------- questions about scenarios


class _Parts:
    """The clauses of a scenario of one turn that asks a question and only reads. Raises `NotHere`
    for others."""

    def __init__(self, spec: Spec, name: str) -> None:
        self.scenario = spec.scenarios[name]
        by_kind: dict[type, tree.ScenarioClause] = {}
        for clause in self.scenario.clauses:
            by_kind[type(clause)] = clause
        require(tree.Turn not in by_kind, "it has several turns")
        require(tree.Given not in by_kind, "it changes the initial state")
        require(tree.Reward not in by_kind, "its reward is its own")
        user, plan = by_kind.get(tree.User), by_kind.get(tree.Plan)
        answer, verify = by_kind.get(tree.Answer), by_kind.get(tree.Verify)
        assert isinstance(user, tree.User)
        require(isinstance(plan, tree.Plan) and plan.steps, "it has no plan")
        assert isinstance(plan, tree.Plan)
        if not isinstance(answer, tree.Answer):
            raise NotHere("it asks for no answer")
        checks = verify.checks if isinstance(verify, tree.Verify) else ()
        require(all(isinstance(each, tree.OrderCheck) for each in checks), "it has checks")
        self.user, self.plan, self.answer = user, plan, answer
        for step in plan.steps:
            require(reads_only(spec, callee(step.call)), "it writes")
            require(not step.fails, "a step of it fails")

    def with_clauses(
        self, made: Mapping[type, tree.ScenarioClause]
    ) -> tuple[tree.ScenarioClause, ...]:
        return tuple(made.get(type(clause), clause) for clause in self.scenario.clauses)


def _definition(spec: Spec, name: str) -> core.ScenarioDef:
    return next(each for each in spec.definition.scenarios if each.name == name)


def _doubled(limits: tree.ScenarioClause | None, further: int | None) -> tree.Limits | None:
    """Limits that are twice as wide, or wider by some calls."""
    if not isinstance(limits, tree.Limits):
        return None
    facets = []
    for facet in limits.facets:
        number = facet.value
        assert isinstance(number, tree.Number)
        wide = 2 * number.value if further is None else number.value + further
        facets.append(facet.replace(value=tree.Number(NOWHERE, str(wide))))
    made: tree.Limits = limits.replace(facets=tuple(facets))
    return made


def _limits(parts: _Parts) -> tree.ScenarioClause | None:
    return next((c for c in parts.scenario.clauses if isinstance(c, tree.Limits)), None)


# ---------------------------------------------------------------- wider


def ask_of_two(spec: Spec, name: str, random: Random) -> Spec:
    """The question is asked of two members of the family at once, each with the next."""
    parts = _Parts(spec, name)
    scenario = parts.scenario
    family = scenario.family
    if family is None:
        raise NotHere("it is no family")
    require(len(family.targets) == 1, "its family has several binders")
    answered = _definition(spec, name).turns[0].answer
    assert answered is not None
    require(_is_single(answered.type), "its answer is no single value")
    binder = family.targets[0].text
    require(not _mentions(scenario, (tree.System,), binder), "its system prompt tells the member")
    own = [step.binder.text for step in parts.plan.steps if step.binder is not None]
    clashes = bound(scenario.clauses) & {binder, *own}
    require(not clashes, "a comprehension hides one of its names")
    row, key = _members(spec, family)
    taken = spec.names
    other = unique(f"other_{binder}", taken)
    values = {binder: trees.ref(other)}
    for each in own:
        values[each] = trees.ref(unique(f"other_{each}", taken))
    member, function = unique("member", taken), unique(f"asked_in_{name}", taken)
    source = trees.call(function)
    turned = trees.binary(
        tree.Slice(NOWHERE, source, trees.value(1), None),
        "+",
        tree.Slice(NOWHERE, source, None, trees.value(1)),
    )
    inner = substituted(family.condition, {binder: trees.ref(member)})
    listed = trees.listed(
        trees.comprehension(trees.ref(member), member, family.source, [inner] if inner else [])
    )
    gathered = tree.Function(
        NOWHERE,
        label(function),
        tree.Text(NOWHERE, "What the question can be asked of, in order."),
        (),
        list_of(row),
        trees.block(trees.give(listed)),
        False,
    )
    different = trees.compare(_key_of(trees.ref(binder), key), "!=", _key_of(trees.ref(other), key))
    wider = family.replace(
        targets=(label(binder), label(other)),
        source=trees.call("zip", source, turned),
        condition=different,
    )
    steps = (*parts.plan.steps, *(_copied(step, values) for step in parts.plan.steps))
    asked = [parts.user.text, substituted(parts.user.text, values)]
    clauses: dict[type, tree.ScenarioClause] = {
        tree.User: parts.user.replace(text=_joined(ASKED_TWICE, *asked)),
        tree.Plan: parts.plan.replace(steps=steps),
        tree.Answer: parts.answer.replace(
            value=trees.items(parts.answer.value, substituted(parts.answer.value, values))
        ),
    }
    doubled = _doubled(_limits(parts), None)
    if doubled is not None:
        clauses[tree.Limits] = doubled
    made = scenario.replace(family=wider, clauses=parts.with_clauses(clauses))
    spec = spec.replaced(lambda item: made if item is scenario else item)
    return spec.with_items([gathered], before=name)


ASKED_TWICE = ("I have two questions. The first: ", " The second: ", " Answer both, in this order.")


def _copied(step: tree.Step, values: Mapping[str, tree.Expr]) -> tree.Step:
    made: tree.Step = substituted(step, values)
    if step.binder is None:
        return made
    ref = values[step.binder.text]
    assert isinstance(ref, tree.Ref)
    named: tree.Step = made.replace(binder=label(ref.name))
    return named


def _is_single(kind: t.Type) -> bool:
    bare = t.strip(kind)
    return isinstance(bare, (t.Scalar, t.Enum, t.Literals)) and bare not in (t.JSON, t.BOOL, t.NULL)


def _mentions(scenario: tree.Scenario, kinds: tuple[type, ...], name: str) -> bool:
    clauses = [clause for clause in scenario.clauses if isinstance(clause, kinds)]
    return any(isinstance(node, tree.Ref) and node.name == name for node in nodes(clauses))


def _members(spec: Spec, family: tree.Family) -> tuple[tree.TypeExpr, str | None]:
    """The type of the members of a family, and the field that tells them apart, None where they
    do so themselves."""
    source = family.source
    if isinstance(source, tree.Ref) and source.name in spec.tables:
        table = spec.tables[source.name]
        keys = table.keys
        require(len(keys) == 1 and keys[0].type is None, "its table has no key within the row")
        return table.row, keys[0].name.text
    if callee(source) == "values":
        assert isinstance(source, tree.Call)
        value = source.arguments[0].value
        if isinstance(value, tree.Ref) and isinstance(spec.types.get(value.name), tree.Enum):
            return scalar(value.name), None
    if isinstance(source, tree.ListLiteral) and all(
        isinstance(item, tree.String) for item in source.items
    ):
        return scalar("str"), None
    raise NotHere("its family goes through neither a table nor an enumeration")


def _key_of(member: tree.Expr, key: str | None) -> tree.Expr:
    return member if key is None else trees.attribute(member, key)


def _joined(between: tuple[str, ...], *asked: tree.Expr) -> tree.Expr:
    """Texts with pieces before, between and after them."""
    made: list[trees.Part | tree.Hole] = [between[0]]
    for text, after in zip(asked, between[1:], strict=True):
        made += text.parts if isinstance(text, tree.Interpolation) else _whole(text)
        made.append(after)
    joined: list[str | tree.Hole] = []
    for part in made:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif isinstance(part, (str, tree.Hole)):
            joined.append(part)
    if len(joined) == 1 and isinstance(joined[0], str):
        return tree.String(NOWHERE, joined[0])
    return tree.Interpolation(NOWHERE, tuple(joined))


def _whole(text: tree.Expr) -> tuple[str | tree.Hole, ...]:
    if isinstance(text, tree.String):
        return (text.value,)
    return (tree.Hole(NOWHERE, text, ""),)


# ---------------------------------------------------------------- longer


def one_hop_more(spec: Spec, name: str, random: Random) -> Spec:
    """What the plan ends in is looked up further, and that is what is asked for."""
    parts = _Parts(spec, name)
    last = parts.plan.steps[-1]
    hops = sorted(_hops(spec, last), key=lambda hop: hop[0].name.text)
    require(hops, "no tool takes what its last step gives")
    tool, path, asked = random.choice(hops)
    offered = next((c for c in parts.scenario.clauses if isinstance(c, tree.Tools)), None)
    taken = spec.names
    binder = last.binder.text if last.binder else unique("found_before", taken)
    further = unique("further", taken)
    parameter = required(tool)[0].name.text
    step = tree.Step(
        NOWHERE,
        tree.String(NOWHERE, _sentence(tool)),
        label(further),
        called(tool.name.text, {parameter: _below(trees.ref(binder), path)}),
        False,
        None,
        None,
        (),
    )
    before = last.replace(binder=label(binder))
    words_ = " ".join(words(asked)) if asked else "result"
    what = " ".join(words(parameter))
    request = HOP.format(what=what, task=_sentence(tool), asked=words_)
    clauses: dict[type, tree.ScenarioClause] = {
        tree.User: parts.user.replace(text=_joined(("", request), parts.user.text)),
        tree.Plan: parts.plan.replace(steps=(*parts.plan.steps[:-1], before, step)),
        tree.Answer: parts.answer.replace(
            value=_below(trees.ref(further), (asked,) if asked else ())
        ),
    }
    if offered is not None and offered.names is not None:
        names = dict.fromkeys([*(each.text for each in offered.names), tool.name.text])
        clauses[tree.Tools] = offered.replace(names=tuple(map(label, names)))
    wider = _doubled(_limits(parts), 1)
    if wider is not None:
        clauses[tree.Limits] = wider
    made = parts.scenario.replace(clauses=parts.with_clauses(clauses))
    return spec.replaced(lambda item: made if item is parts.scenario else item)


HOP = " Go one step further: for the {what} that this leads to: {task} Tell me only the {asked}."


def _below(expression: tree.Expr, path: tuple[str, ...]) -> tree.Expr:
    for part in path:
        expression = trees.attribute(expression, part)
    return expression


def _sentence(tool: tree.Tool) -> str:
    told = tool.description.value if tool.description else " ".join(words(tool.name.text))
    first = told.split(". ")[0].rstrip(".") + "."
    return first[0].lower() + first[1:]


def _hops(spec: Spec, last: tree.Step) -> Iterator[tuple[tree.Tool, tuple[str, ...], str]]:
    """Tools that take what a step gives, the way to that in its result, and what to ask for of
    theirs: a field, "" for the whole."""
    before = spec.tools[callee(last.call)]
    own = {each.name.text for each in before.parameters}
    for name, tool in spec.tools.items():
        keys = required(tool)
        if len(keys) != 1 or name == before.name.text or not reads_only(spec, name):
            continue
        key = keys[0]
        asked = list(_told(spec, tool, key.name.text))
        if not asked or key.name.text in own:
            continue
        if _linked(spec, before.result, key):
            yield tool, (), asked[0]
        for field in members(spec, before.result):
            same_name = field.name.text == key.name.text
            if not field.optional and (same_name or _linked(spec, field.type, key)):
                text = is_named(spec, field.type, "str") or isinstance(field.type, tree.RefType)
                if text and is_named(spec, key.type, "str"):
                    yield tool, (field.name.text,), asked[0]


def _linked(spec: Spec, kind: tree.TypeExpr, key: tree.Field) -> bool:
    """Whether a result is of the very kind that a parameter takes: one alias, or keys of what the
    parameter is named after."""
    if isinstance(kind, tree.NamedType) and isinstance(key.type, tree.NamedType):
        return kind.name == key.type.name and isinstance(spec.types.get(kind.name), tree.Alias)
    if isinstance(kind, tree.RefType):
        table = kind.table.text
        return any(word in table for word in words(key.name.text) if word not in ("id", "name"))
    return False


def _told(spec: Spec, tool: tree.Tool, key: str) -> Iterator[str]:
    """What can be asked for of a tool's result."""
    if is_named(spec, tool.result, *_TELLING):
        yield ""
    for field in members(spec, tool.result):
        telling = is_named(spec, field.type, *_TELLING)
        if telling and not field.optional and field.name.text != key:
            yield field.name.text


_TELLING = ("int", "float", "decimal", "date", "str", "datetime")
