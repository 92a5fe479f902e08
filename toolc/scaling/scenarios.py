"""Transformations of scenarios: wider ones and longer ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.generate import trees
from toolc.importing.names import one_of, unique, words
from toolc.importing.spec import described, field, label, list_of, scalar
from toolc.node import NOWHERE, Node
from toolc.rewriting.calls import bound, called, callee, substituted
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.links import MEMBER, given_keys, key_answered, taken_keys
from toolc.scaling.parameters import required
from toolc.scaling.transformation import (
    NotHere,
    is_named,
    members,
    plain,
    reads_only,
    require,
)
from toolc.syntax import tree

# ---------------------------------------------------------------- questions about scenarios


class _Parts:
    """The clauses of a scenario of one turn with a plan. Raises `NotHere` for others."""

    def __init__(self, spec: Spec, name: str) -> None:
        self.scenario = spec.scenarios[name]
        by_kind: dict[type, tree.ScenarioClause] = {}
        for clause in self.scenario.clauses:
            by_kind[type(clause)] = clause
        require(tree.Turn not in by_kind, "it has several turns")
        user, plan = by_kind.get(tree.User), by_kind.get(tree.Plan)
        assert isinstance(user, tree.User)
        require(isinstance(plan, tree.Plan) and plan.steps, "it has no plan")
        assert isinstance(plan, tree.Plan)
        self.user, self.plan = user, plan
        verify = by_kind.get(tree.Verify)
        self.checks = verify.checks if isinstance(verify, tree.Verify) else ()
        counted = any(isinstance(each, tree.ConstraintCheck) for each in self.checks)
        require(not counted, "a check counts calls or words")
        self.prepared = tree.Given in by_kind


class _Question(_Parts):
    """One that only reads, asks for an answer, and checks no more than that."""

    def __init__(self, spec: Spec, name: str) -> None:
        super().__init__(spec, name)
        for clause in self.scenario.clauses:
            if isinstance(clause, tree.Reward):
                require(isinstance(clause.value, tree.Ref), "its reward is its own")
        answer = next((c for c in self.scenario.clauses if isinstance(c, tree.Answer)), None)
        if answer is None:
            raise NotHere("it asks for no answer")
        self.answer = answer
        require(answer in _original(spec, name).clauses, "it asks for something else already")
        require(all(isinstance(each, _HARMLESS) for each in self.checks), "it has checks")
        for step in self.plan.steps:
            require(reads_only(spec, callee(step.call)), "it writes")
            require(not step.fails, "a step of it fails")


def _with(
    scenario: tree.Scenario, made: Mapping[type, tree.ScenarioClause]
) -> tuple[tree.ScenarioClause, ...]:
    """The clauses of a scenario with some replaced, by their kind."""
    return tuple(made.get(type(clause), clause) for clause in scenario.clauses)


_HARMLESS = (tree.OrderCheck, tree.UnchangedCheck, tree.NeverCheck)


def _original(spec: Spec, name: str) -> tree.Scenario:
    """The scenario as its author wrote it."""
    return next(
        item
        for item in spec.module.items
        if isinstance(item, tree.Scenario) and item.name.text == name
    )


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
    parts = _Question(spec, name)
    require(not parts.prepared, "it changes the initial state")
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
    repeated: list[tree.Step] = []
    for step in parts.plan.steps:
        if any(isinstance(node, tree.Ref) and node.name in values for node in nodes(step)):
            repeated.append(step)
            if step.binder is not None:
                made_of = step.binder.text
                values[made_of] = trees.ref(unique(f"other_{made_of}", taken))
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
    again = [step for step in parts.plan.steps if step in repeated]
    steps = (*parts.plan.steps, *(_copied(step, values) for step in again))
    asked = [parts.user.text, substituted(parts.user.text, values)]
    answers = parts.answer.value, substituted(parts.answer.value, values)
    summed = t.is_number(answered.type)
    clauses: dict[type, tree.ScenarioClause] = {
        tree.User: parts.user.replace(text=_joined(SUM if summed else BOTH, *asked)),
        tree.Plan: parts.plan.replace(steps=steps),
        tree.Answer: parts.answer.replace(
            value=trees.binary(answers[0], "+", answers[1]) if summed else trees.items(*answers)
        ),
    }
    doubled = _doubled(_limits(parts), None)
    if doubled is not None:
        clauses[tree.Limits] = doubled
    made = scenario.replace(family=wider, clauses=_with(parts.scenario, clauses))
    spec = spec.replaced(lambda item: made if item is scenario else item)
    return spec.with_items([gathered], before=name)


BOTH = ("I have two questions. The first: ", " The second: ", " Answer both, in this order.")
SUM = (
    "I have two questions and need no more than the sum of their answers. The first: ",
    " The second: ",
    "",
)


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
    made: list[str | tree.Hole] = [between[0]]
    for text, after in zip(asked, between[1:], strict=True):
        made += [*_pieces(text), after]
    return _interpolated(made)


def _pieces(text: tree.Expr) -> tuple[str | tree.Hole, ...]:
    if isinstance(text, tree.Interpolation):
        return text.parts
    return (text.value,) if isinstance(text, tree.String) else (_hole(text),)


def _interpolated(parts: Sequence[str | tree.Hole]) -> tree.Expr:
    joined: list[str | tree.Hole] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part:
            joined.append(part)
    if len(joined) == 1 and isinstance(joined[0], str):
        return tree.String(NOWHERE, joined[0])
    return tree.Interpolation(NOWHERE, tuple(joined))


# ---------------------------------------------------------------- longer


def one_hop_more(spec: Spec, name: str, random: Random) -> Spec:
    """What the plan ends in is looked up further, and that is what is asked for."""
    parts = _Question(spec, name)
    hops = sorted(_hops(spec, name, parts), key=lambda hop: hop.tool.name.text)
    require(hops, "no tool takes what it finds")
    tool, found, asked = random.choice(hops)
    last = parts.plan.steps[-1]
    offered = next((c for c in parts.scenario.clauses if isinstance(c, tree.Tools)), None)
    taken = spec.names
    binder = last.binder.text if last.binder else unique("found_before", taken)
    further = unique("further", taken)
    parameter = required(tool)[0].name.text
    value = parts.answer.value if found is None else _below(trees.ref(binder), found)
    step = tree.Step(
        NOWHERE,
        tree.String(NOWHERE, _sentence(tool)),
        label(further),
        called(tool.name.text, {parameter: value}),
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
    made = parts.scenario.replace(clauses=_with(parts.scenario, clauses))
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


class _Hop(NamedTuple):
    """A tool that takes what is found: by a way down the last step's result, or where `found` is
    None the answer; and what to ask for of its result, "" for the whole."""

    tool: tree.Tool
    found: tuple[str, ...] | None
    asked: str


def _hops(spec: Spec, name: str, parts: _Question) -> Iterator[_Hop]:
    """How the plan could go on: from a key that is its answer, or else, in a chain, from one that
    its last step gives."""
    answered = key_answered(spec.definition, _definition(spec, name).turns[0])
    if answered is not None:
        keys: dict[tuple[str, ...] | None, str] = {None: answered}
    elif _is_chain(parts.plan.steps):
        last = callee(parts.plan.steps[-1].call)
        own = {
            table
            for each in spec.tools[last].parameters
            for table in taken_keys(spec.definition, last, each.name.text)
        }
        given = given_keys(spec.definition, last).items()
        keys = {path: table for path, table in given if MEMBER not in path and table not in own}
    else:
        return
    called_before = {callee(step.call) for step in parts.plan.steps}
    for other, tool in spec.tools.items():
        needed = required(tool)
        if len(needed) != 1 or other in called_before or not reads_only(spec, other):
            continue
        taken = taken_keys(spec.definition, other, needed[0].name.text)
        asked = list(_told(spec, tool, needed[0].name.text))
        for path, table in keys.items():
            if table in taken and asked:
                yield _Hop(tool, path, asked[0])


def _is_chain(steps: Sequence[tree.Step]) -> bool:
    """Whether each step but the last is what a later one rests on."""
    return all(
        step.binder is not None
        and any(
            isinstance(node, tree.Ref) and node.name == step.binder.text
            for node in nodes([later.call for later in steps[place + 1 :]])
        )
        for place, step in enumerate(steps[:-1])
    )


def _told(spec: Spec, tool: tree.Tool, key: str) -> Iterator[str]:
    """What can be asked for of a tool's result."""
    if is_named(spec, tool.result, *_TELLING):
        yield ""
    for each in members(spec, tool.result):
        telling = is_named(spec, each.type, *_TELLING)
        if telling and not each.optional and each.name.text != key:
            yield each.name.text


_TELLING = ("int", "float", "decimal", "date", "str", "datetime")


def one_hop_before(spec: Spec, name: str, random: Random) -> Spec:
    """Who or what the question is about is told by something else than the key that the plan
    begins with, which a further tool finds."""
    parts = _Parts(spec, name)
    scenario, family = parts.scenario, parts.scenario.family
    require(family is not None and len(family.targets) == 1, "it is no family over a table")
    assert family is not None
    source, binder = family.source, family.targets[0].text
    table = spec.tables.get(source.name) if isinstance(source, tree.Ref) else None
    if table is None or len(table.keys) != 1 or table.keys[0].type is not None:
        raise NotHere("it is no family over a table with a key within the row")
    key = table.keys[0].name.text
    require(
        _tells_only(scenario, binder, key),
        "its prompts or its plan tell more of the member than its key",
    )
    require(binder not in bound(scenario.clauses), "a comprehension hides its binder")
    fields = {each.name.text: each for each in members(spec, table.row)}
    columns = [each for each in fields.values() if _can_tell(spec, each, key)]
    require(columns and key in fields, "its table has no other column that tells rows apart")
    column = _drawn(spec, table, columns)
    noun = one_of(table.name.text)
    tool_name = f"find_{noun}_by_{column.name.text}"
    told = " ".join(words(column.name.text))
    member, column_name = unique("member", spec.names), column.name.text
    tool = tree.Tool(
        NOWHERE,
        label(tool_name),
        described(f"Find the {' '.join(words(key))} of the {noun} with a certain {told}."),
        (field(column_name, _bare(spec, column.type), description=None),),
        _bare(spec, fields[key].type),
        False,
        trees.block(
            trees.give(
                trees.or_fail(
                    trees.call(
                        "first",
                        trees.comprehension(
                            trees.attribute(trees.ref(member), key),
                            member,
                            trees.ref(table.name.text),
                            [_same(member, trees.ref(column_name), column_name)],
                        ),
                    ),
                    trees.value(f"no {noun} has this {told}"),
                )
            )
        ),
    )
    if tool_name not in spec.tools:
        require(tool_name not in spec.names, "the spec has a name that it would need")
        spec = spec.with_items([tool], before=callee(parts.plan.steps[0].call))
    value = trees.attribute(trees.ref(binder), column_name)
    found = unique(noun, spec.names)
    step = tree.Step(
        NOWHERE,
        trees.text(f"Which {noun} has the {told} ", value, "?"),
        label(found),
        called(tool_name, {column_name: value}),
        False,
        None,
        None,
        (),
    )

    def told_by_key(node: Node) -> Node | None:
        return trees.ref(found) if _is_key(node, binder, key) else None

    steps = trees.rewritten(parts.plan.steps, told_by_key)
    alone = trees.compare(
        trees.call(
            "count",
            trees.comprehension(
                trees.ref(member),
                member,
                trees.ref(table.name.text),
                [_same(member, value, column_name)],
            ),
        ),
        "==",
        trees.value(1),
    )
    condition = alone if family.condition is None else trees.binary(family.condition, "and", alone)
    described_by = (f"the {noun}", f" with the {told} ", _hole(value))
    clauses: dict[type, tree.ScenarioClause] = {
        tree.User: parts.user.replace(text=_spliced(parts.user.text, binder, described_by)),
        tree.Plan: parts.plan.replace(steps=(step, *steps)),
    }
    offered = next((c for c in scenario.clauses if isinstance(c, tree.Tools)), None)
    if offered is not None and offered.names is not None:
        clauses[tree.Tools] = offered.replace(names=(*offered.names, label(tool_name)))
    wider = _doubled(_limits(parts), 1)
    if wider is not None:
        clauses[tree.Limits] = wider
    made = scenario.replace(
        family=family.replace(condition=condition), clauses=_with(parts.scenario, clauses)
    )
    return spec.replaced(lambda item: made if item is scenario else item)


def _same(member: str, value: tree.Expr, column: str) -> tree.Expr:
    return trees.compare(trees.attribute(trees.ref(member), column), "==", value)


def _hole(value: tree.Expr) -> tree.Hole:
    return tree.Hole(NOWHERE, value, "")


def _is_key(node: Node, binder: str, key: str) -> bool:
    return (
        isinstance(node, tree.Attribute)
        and node.name.text == key
        and isinstance(node.base, tree.Ref)
        and node.base.name == binder
    )


def _tells_only(scenario: tree.Scenario, binder: str, key: str) -> bool:
    """Whether the prompts and the calls of the plan speak of a family's member by its key alone,
    and all of them do."""
    told: list[tree.Scenario | object] = [
        [clause for clause in scenario.clauses if isinstance(clause, tree.User)],
        [
            step.call
            for clause in scenario.clauses
            if isinstance(clause, tree.Plan)
            for step in clause.steps
        ],
    ]
    if _mentions(scenario, (tree.System,), binder):
        return False
    for part in told:
        refs = sum(isinstance(n, tree.Ref) and n.name == binder for n in nodes(part))
        keys = sum(_is_key(n, binder, key) for n in nodes(part))
        if refs != keys or not keys:
            return False
    return True


def _can_tell(spec: Spec, column: tree.Field, key: str) -> bool:
    """Whether a column can stand for a row in a question: a text or day that no tool takes."""
    name = column.name.text
    taken = any(
        name in words(each.name.text) or name == each.name.text
        for tool in spec.tools.values()
        if tool.name.text in {f.name for f in spec.definition.functions}
        for each in tool.parameters
    )
    return name != key and not taken and not column.optional and is_named(spec, column.type, "str")


def _drawn(spec: Spec, table: tree.Table, columns: Sequence[tree.Field]) -> tree.Field:
    """The column by which the rows of a table are told: the same in every scenario."""
    names = [each for each in columns if set(words(each.name.text)) & _TELLING_NAMES]
    return (names or list(columns))[0]


_TELLING_NAMES = {"name", "title", "email", "code", "phone", "label", "subject", "path", "address"}


def _bare(spec: Spec, kind: tree.TypeExpr) -> tree.TypeExpr:
    bare = plain(spec, kind)
    return bare if isinstance(bare, tree.NamedType) else kind


def _spliced(
    text: tree.Expr, binder: str, instead: tuple[str, str | tree.Hole, str | tree.Hole]
) -> tree.Expr:
    """A text with each hole that tells a name replaced by other pieces, of which the first is left
    out after a noun: `account {a.id}`."""
    parts: list[str | tree.Hole] = []
    for part in _pieces(text):
        tells = isinstance(part, tree.Hole) and any(
            isinstance(node, tree.Ref) and node.name == binder for node in nodes(part)
        )
        if not tells:
            parts.append(part)
            continue
        before = parts[-1] if parts else ""
        last = before.split(" ")[-2:-1] if isinstance(before, str) else []
        if last and last[0].isalpha() and last[0].lower() not in _NO_NOUNS:
            parts[-1] = str(before).rstrip()
            parts += instead[1:]
        else:
            parts += instead
    return _interpolated(parts)


_NO_NOUNS = frozenset(
    """a about an and as at between but by does for from has have in into is like near of on or that
    the then to was what when where which who will with""".split()  # noqa: SIM905
)
