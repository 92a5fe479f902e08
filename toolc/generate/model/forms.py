"""What each stage takes from a model: what has the stage's form, brought into its canonical one.

Each judge is a function of a module and of plain values, so that it can run in a process of its
own.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from toolc.apart import Died, apart
from toolc.emission.fingerprint import fingerprint
from toolc.emission.judge import LIMITS, NAME, Json, Verdict, found_in, problem, shown
from toolc.fixing import fix
from toolc.generate import trees
from toolc.generate.draft import Document, described
from toolc.importing.spec import write_items
from toolc.node import NOWHERE, Node, same
from toolc.project import Loader
from toolc.scenarios.difficulty import shape
from toolc.syntax import tree
from toolc.syntax.parser import parse

DECLARED = "TC0661"
"""What drafts may have: a plan calls a tool that has no body yet."""
MAX_FACTS = 50_000
"""Characters of the facts that are told to a model."""

Case = TypeVar("Case")
Items = tuple[tree.Item, ...]


def judged(function: Callable[[Case], Verdict], case: Case) -> Verdict:
    """A judge's verdict, from a process of its own."""
    try:
        return apart(function, case, LIMITS)
    except Died as died:
        return Verdict("", (), (problem("limits", f"the spec could not be judged: {died}"),))


def items_of(text: str) -> Items:
    """The declarations of a spec that was accepted."""
    module = parse(text, NAME).module
    assert module is not None, "it was accepted"
    return module.items


class _Read(NamedTuple):
    text: str
    fixed: tuple[str, ...]
    items: Items
    problems: tuple[Json, ...]


def _read(text: str) -> _Read:
    """A spec after the safe fixes, with the errors that drafts may not have."""
    with tempfile.TemporaryDirectory(prefix="toolc-generate-") as folder:
        path = os.path.join(folder, NAME)
        done = fix({path: text}, found_in)
        unit = Loader(done.texts).load(path).unit
        left = [each for each in done.left if each.code != DECLARED]
        problems = shown(left, done.texts)
    codes = tuple(each.code for each, _ in done.made)
    items = unit.modules[path].items if unit is not None else ()
    return _Read(done.texts[path], codes, items, problems)


def _form(message: str) -> Json:
    return problem("form", message)


def _accepted(read: _Read, items: Items, hash: str = "") -> Verdict:
    """The verdict on a spec that has its form, in canonical layout."""
    text = write_items(items)
    again = _read(text)
    return Verdict(again.text, read.fixed, again.problems, "" if again.problems else hash)


# ---------------------------------------------------------------- decomposing


class Wanted(NamedTuple):
    """What a decomposition has to be: of a question, "" where one is to be invented; of a kind, ""
    for any; with these values of its steps as JSON, null where one is not known; and no deeper or
    wider than this."""

    question: str = ""
    kind: str = ""
    known: str = "[]"
    depth: int = 6
    width: int = 6


class Decomposition(NamedTuple):
    text: str
    wanted: Wanted


def decomposed(case: Decomposition) -> Verdict:
    """Whether a spec is a decomposition: an environment, declared tools, one scenario."""
    read = _read(case.text)
    problems = read.problems or tuple(_misformed(read.items, case.wanted))
    if problems:
        return Verdict(read.text, read.fixed, problems)
    (scenario,) = (item for item in read.items if isinstance(item, tree.Scenario))
    called = {_called(step) for step in steps_of(scenario)}
    items: list[tree.Item] = []
    for item in read.items:
        if isinstance(item, tree.Tool) and item.name.text in called:
            items.append(described(item, Document("", {})))
        elif isinstance(item, tree.Scenario):
            items.append(_stated(item, case.wanted))
        elif isinstance(item, tree.Environment):
            items.append(item)
    version = tree.Number(NOWHERE, "1")
    hash = fingerprint(tree.Module(NOWHERE, version, tuple(items), ()))
    return _accepted(read, tuple(items), hash)


def _misformed(items: Items, wanted: Wanted) -> Iterator[Json]:
    for item in items:
        if not isinstance(item, (tree.Environment, tree.Tool, tree.Scenario)):
            name = getattr(getattr(item, "name", None), "text", type(item).__name__.lower())
            yield _form(f"declare an environment, tools and one scenario, and no `{name}`")
        if isinstance(item, tree.Tool) and item.body is not None:
            yield _form(f"the tool `{item.name.text}` is declared without a body")
    scenarios = [item for item in items if isinstance(item, tree.Scenario)]
    if len(scenarios) != 1:
        yield _form(f"there is one scenario, not {len(scenarios)}")
        return
    yield from _plan(scenarios[0], wanted)


def _plan(scenario: tree.Scenario, wanted: Wanted) -> Iterator[Json]:
    clauses = [type(clause) for clause in scenario.clauses]
    if scenario.family is not None or sorted(map(_called_as, clauses)) != [
        "answer",
        "plan",
        "user",
    ]:
        yield _form("the scenario is no family, and has `user`, `plan` and `answer` and no more")
        return
    steps = steps_of(scenario)
    if not steps or any(step.question is None or step.fails or step.free for step in steps):
        yield _form("the plan has steps, and each step states its sub-question")
        return
    if len({_text(step) for step in steps}) != len(steps):
        yield _form("no two steps state the same sub-question")
    found = shape(_after(steps))
    if wanted.kind and found.kind != wanted.kind:
        yield _form(f"the plan is {found.kind}, and is to be {wanted.kind}")
    if found.depth > wanted.depth or found.width > wanted.width:
        limits = f"{wanted.depth} dependent steps and {wanted.width} at one level"
        yield _form(f"a plan has at most {limits}")
    known = json.loads(wanted.known)
    if known and len(known) != len(steps):
        yield _form(f"the plan has {len(known)} steps, whose values are known: {wanted.known}")


def _called_as(clause: type) -> str:
    return clause.__name__.lower()


def steps_of(scenario: tree.Scenario) -> Sequence[tree.Step]:
    """The steps of a scenario's one plan."""
    plans = [clause for clause in scenario.clauses if isinstance(clause, tree.Plan)]
    return plans[0].steps if plans else ()


def _called(step: tree.Step) -> str:
    base = step.call.base if isinstance(step.call, tree.Call) else None
    return base.name if isinstance(base, tree.Ref) else ""


def _text(step: tree.Step) -> str:
    return repr(step.question)


def _after(steps: Sequence[tree.Step]) -> list[list[int]]:
    """The steps whose results each one uses."""
    binders = [step.binder.text if step.binder else "" for step in steps]
    used = [set(_names(step.call)) for step in steps]
    return [
        [at for at in range(place) if binders[at] and binders[at] in used[place]]
        for place in range(len(steps))
    ]


def _names(node: object) -> Iterator[str]:
    if isinstance(node, tree.Ref):
        yield node.name
    elif isinstance(node, Node):
        for field in node.fields:
            yield from _names(getattr(node, field))
    elif isinstance(node, tuple):
        for each in node:
            yield from _names(each)


def _stated(scenario: tree.Scenario, wanted: Wanted) -> tree.Scenario:
    """The scenario with the question as it was given, and what is known of its steps."""
    known = json.loads(wanted.known)

    def clause(each: tree.ScenarioClause) -> tree.ScenarioClause:
        if isinstance(each, tree.User) and wanted.question:
            return tree.User(NOWHERE, tree.String(NOWHERE, wanted.question))
        if isinstance(each, tree.Plan) and known:
            steps = tuple(
                step if value is None else step.replace(equals=trees.value(value))
                for step, value in zip(each.steps, known, strict=True)
            )
            return tree.Plan(NOWHERE, steps, False)
        return each

    made: tree.Scenario = scenario.replace(clauses=tuple(map(clause, scenario.clauses)))
    return made


# ---------------------------------------------------------------- documenting


class Documentation(NamedTuple):
    """`tool` is the declared tool in a spec of its own."""

    text: str
    tool: str


def documented(case: Documentation) -> Verdict:
    """Whether a spec is the tool as it was declared, with descriptions of it and its parameters."""
    read = _read(case.text)
    if read.problems:
        return Verdict(read.text, read.fixed, read.problems)
    (wanted,) = tools_of(items_of(case.tool))
    found = [tool for tool in tools_of(read.items) if tool.name.text == wanted.name.text]
    problems: list[Json] = []
    if len(found) != 1 or not alike(found[0], wanted):
        problems.append(_form(f"the tool `{wanted.name.text}` is declared as it was"))
    else:
        if not found[0].description or not found[0].description.value.strip():
            problems.append(_form(f"the tool `{wanted.name.text}` has a description"))
        problems += (
            _form(f"the parameter `{field.name.text}` has a description")
            for field in found[0].parameters
            if not field.description or not field.description.value.strip()
        )
    if problems:
        return Verdict(read.text, read.fixed, tuple(problems))
    head = (item for item in items_of(case.tool) if isinstance(item, tree.Environment))
    return _accepted(read, (*head, found[0].replace(body=None)), "-")


def tools_of(items: Iterable[tree.Item]) -> list[tree.Tool]:
    return [item for item in items if isinstance(item, tree.Tool)]


def alike(left: tree.Tool, right: tree.Tool) -> bool:
    """Whether two tools have the same parameters and result, whatever is told of them."""
    return same(_bare(left), _bare(right))


def _bare(tool: tree.Tool) -> tree.Tool:
    made: tree.Tool = described(tool, Document("", {})).replace(body=None, keeps_effects=False)
    return made


# ---------------------------------------------------------------- deploying


class Deployment(NamedTuple):
    """`draft` is the text of the spec with declared tools."""

    text: str
    draft: str


_FURTHER = (
    *(tree.Const, tree.Alias, tree.Enum, tree.Record, tree.Union),
    *(tree.Table, tree.State, tree.Function),
)


def deployed(case: Deployment) -> Verdict:
    """The draft with the bodies and the data of a spec, compiled: its plans run, and what they
    state comes out. Warnings count too: what is deployed is compiled without a word."""
    from toolc.compiler import Options, compile_unit

    read = _read(case.text)
    draft = items_of(case.draft)
    problems = read.problems or tuple(_undeployed(read.items, draft))
    if problems:
        return Verdict(read.text, read.fixed, problems)
    text = write_items(composed(draft, read.items))
    with tempfile.TemporaryDirectory(prefix="toolc-generate-") as folder:
        path = os.path.join(folder, NAME)
        done = fix({path: text}, found_in)
        loaded = Loader(done.texts).load(path)
        found = done.left
        if loaded.unit is not None:
            found = compile_unit(loaded.unit, Options(), {}).diagnostics
        errors = tuple(each._replace(severity="error") for each in found if each.code != _UNUSED)
        problems = shown(errors, done.texts)
    codes = tuple(each.code for each, _ in done.made)
    return Verdict(done.texts[path], (*read.fixed, *codes), problems, "" if problems else "-")


_UNUSED = "TC0228"
"""What deploying drops by itself."""


def _undeployed(items: Items, draft: Items) -> Iterator[Json]:
    given = {tool.name.text: tool for tool in tools_of(items)}
    for tool in tools_of(draft):
        name = tool.name.text
        if tool.body is not None:
            continue
        if name not in given or given[name].body is None:
            yield _form(f"the tool `{name}` has a body")
        elif not alike(given[name], tool):
            yield _form(f"the tool `{name}` has the parameters and the result that were declared")
    for item in items:
        if isinstance(item, tree.Table) and isinstance(item.rows, tree.Call):
            yield _form(f"the rows of the table `{item.name.text}` stand in the spec")


def composed(draft: Items, items: Items) -> Items:
    """The draft with the bodies of tools, and with declarations that it has not."""
    given = {tool.name.text: tool for tool in tools_of(items)}
    known = {item.name.text for item in draft if isinstance(item, (*_FURTHER, tree.Tool))}
    made: list[tree.Item] = []
    first = True
    for item in draft:
        if isinstance(item, tree.Tool) and first:
            first = False
            made += (
                each for each in items if isinstance(each, _FURTHER) and each.name.text not in known
            )
        if isinstance(item, tree.Tool) and item.body is None:
            item = item.replace(body=given[item.name.text].body)
        made.append(item)
    return tuple(made)
