"""Integrating a spec: overlapping tools become one, and what used them calls that.

A merge stands where the one tool gives, for every shared input, what each of the others gave, and
where every task keeps its answers and end states and every test still passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from toolc.importing.spec import label
from toolc.integration.behaviour import Samples
from toolc.integration.merging import Merged, NoMerge, merge
from toolc.integration.overlap import Known, groups, known_tools
from toolc.node import NOWHERE
from toolc.rewriting.calls import callee, rewritten, uses
from toolc.rewriting.spec import Spec, SpecError, load, nodes
from toolc.rewriting.trial import Problem, Tasks, changed, running, try_specs
from toolc.syntax import tree


class Refused(NamedTuple):
    """Tools that overlap and were not merged, with the reason."""

    members: tuple[str, ...]
    reason: str


class Integrated(NamedTuple):
    """A spec after integration, the merges that were made, those that were not, and what is wrong
    with the spec all the same."""

    spec: Spec
    merged: tuple[Merged, ...]
    refused: tuple[Refused, ...]
    problems: tuple[Problem, ...]


def integrate(spec: Spec, jobs: int = 1) -> Integrated:
    """The spec with its overlapping tools merged. Raises `SpecError` where it does not compile."""
    with running(spec) as environment:
        samples = Samples(spec, environment)
        known = known_tools(spec, samples)
        found = groups(spec, known)
    if not found:
        return Integrated(spec, (), (), ())
    before = try_specs([spec], jobs, audit=False)[spec.path].tasks
    refused: list[Refused] = []
    merged: list[Merged] = []
    made = spec
    for group in found:
        try:
            one = merge(spec, known, group, made.names)
            _agree(spec, known, one)
            trial = apply(made, one)
            load(trial.path, {trial.path: trial.text()})
        except NoMerge as reason:
            refused.append(Refused(group.members, str(reason)))
        except SpecError as error:
            told = error.diagnostics[0].message if error.diagnostics else str(error)
            refused.append(Refused(group.members, f"the merged spec has an error: {told}"))
        else:
            made = trial
            merged.append(one)
    problems, made, merged = _proved(spec, made, merged, refused, before, jobs)
    return Integrated(made, tuple(merged), tuple(refused), problems)


def apply(spec: Spec, one: Merged) -> Spec:
    """The spec with a group's tool in the place of the first of its members."""
    for name in one.group.members:
        for use in uses(spec, name):
            stated = use.step is not None and use.step.equals is not None
            if stated and one.rewrites[name].path:
                raise NoMerge(f"a plan states what `{name}` gives")
    spec = rewritten(spec, one.rewrites)
    first = next(name for name in spec.tools if name in one.group.members)
    gone = set(one.group.members) - {first}
    spec = spec.with_items(one.further, before=first)
    old = spec.tools[first]
    return spec.replaced(
        lambda item: (
            old.replace(**{name: getattr(one.tool, name) for name in one.tool.fields[1:]})
            if item is old
            else None
            if isinstance(item, tree.Tool) and item.name.text in gone
            else item
        )
    )


def _agree(spec: Spec, known: Mapping[str, Known], one: Merged) -> None:
    """Raises `NoMerge` where the one tool gives another result than a member for a shared input."""
    name = one.tool.name.text
    alone = one.tool
    if name in one.group.members or name in spec.names:
        alone = one.tool.replace(name=label(f"{name}_merged"))
    beside = spec.with_items([*one.further, _new(alone)], before=one.group.members[0])
    base = known[one.base]
    with running(_without_tasks(beside)) as environment:
        samples = Samples(beside, environment)
        for member in one.group.members:
            path = one.rewrites[member].path
            for values, wanted in zip(known[member].inputs, known[member].outcomes, strict=True):
                got = samples.call(alone.name.text, base.leaves, values, **one.values[member])
                result = got.result
                for part in path if got.status == "ok" else ():
                    result = result[part]
                same = got.status == wanted.status and got.writes == wanted.writes
                if not same or (got.status == "ok" and result != wanted.result):
                    raise NoMerge(f"the one tool gives something else than `{member}`")


def _new(tool: tree.Tool) -> tree.Tool:
    made: tree.Tool = tool.replace(span=NOWHERE)
    return made


def _without_tasks(spec: Spec) -> Spec:
    return spec.replaced(
        lambda item: None if isinstance(item, (tree.Scenario, tree.Test)) else item
    )


def _proved(
    spec: Spec,
    made: Spec,
    merged: list[Merged],
    refused: list[Refused],
    before: Tasks,
    jobs: int,
) -> tuple[tuple[Problem, ...], Spec, list[Merged]]:
    """The spec without the merges after which a task or test is not what it was."""
    while True:
        tried = try_specs([made], jobs, audit=False)[made.path]
        problems = [*tried.problems, *changed(made.path, before, tried.tasks)]
        guilty = {
            one: problem
            for problem in problems
            for one in range(len(merged))
            if set(merged[one].group.members) & _called(spec, problem)
        }
        if not guilty:
            return tuple(problems), made, merged
        for one, problem in guilty.items():
            reason = f"{problem.task}: {problem.reason}"
            refused.append(Refused(merged[one].group.members, reason))
        merged = [each for place, each in enumerate(merged) if place not in guilty]
        made = spec
        for each in merged:
            made = apply(made, each)


def _called(spec: Spec, problem: Problem) -> set[str]:
    """The tools that the scenario or test calls in which something is wrong."""
    return {
        callee(node)
        for item in spec.items
        if (isinstance(item, tree.Scenario) and item.name.text == problem.scenario)
        or (isinstance(item, tree.Test) and item.title.value == problem.task)
        for node in nodes(item)
        if isinstance(node, tree.Call)
    }
