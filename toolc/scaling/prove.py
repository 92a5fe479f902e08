"""Scaling specs together, and proving what comes out: every task compiles and passes the audit,
and gives the answers and end states that it gave before. A change that a refuted task is subject to
is taken back, and all is made once more without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from toolc.generate import trees
from toolc.rewriting.calls import callee
from toolc.rewriting.spec import Spec, nodes
from toolc.rewriting.trial import Problem, Tried, changed, trial, try_specs
from toolc.scaling.scale import Edit, Scaled, Settings, scale
from toolc.syntax import tree

ROUNDS = 8
"""Most times that what is scaled is compiled and audited."""

FEW = 2
"""Tasks of each family with which is tried first what holds."""

SOURCES = 2
"""Most environments that the distractors of one are drawn from."""

Left = frozenset[tuple[str, str]]
"""Changes that are left out: transformations, and the tools or scenarios."""

REPLACING = frozenset(("ask_of_two", "one_hop_more", "one_hop_before"))
"""Transformations after which a scenario asks for something else, or of others."""


class Outcome(NamedTuple):
    """What scaling specs came to, by path. `taken_back` are changes that were undone, with the
    reason; `problems` what is left; `before` and `after` the specs, compiled."""

    scaled: Mapping[str, Scaled]
    taken_back: Mapping[str, tuple[Edit, ...]]
    problems: tuple[Problem, ...]
    before: Mapping[str, Tried]
    after: Mapping[str, Tried]


def together(spec: Spec, specs: Iterable[Spec], seed: int) -> Spec:
    """The spec, knowing environments that it is compiled with: a few, since each that it draws
    from is compiled along."""
    others = [each.name for each in specs if each.name != spec.name]
    drawn = Random(f"{seed} others {spec.name}").sample(others, min(len(others), SOURCES))
    return spec._replace(others=tuple(drawn))


def scale_all(
    specs: Sequence[Spec],
    settings: Settings,
    without: Mapping[str, Left] | None = None,
) -> dict[str, Scaled]:
    """Every spec scaled, by its path; `without` are further changes to leave out, by path."""
    left_out = without or {}
    return {
        spec.path: scale(
            together(spec, specs, settings.seed),
            settings._replace(without=settings.without | left_out.get(spec.path, frozenset())),
        )
        for spec in specs
    }


def scale_proved(
    specs: Sequence[Spec], settings: Settings, jobs: int = 1, *, audit: bool = True
) -> Outcome:
    """Every spec scaled, compiled and, with `audit`, audited; what does not pass is taken back.
    This is done first with a few tasks of each family, which shows most of what is wrong."""
    taken: dict[str, list[Edit]] = {spec.path: [] for spec in specs}
    for part in (_few, _every):
        originals = [part(spec) for spec in specs]
        before = try_specs(originals, jobs, audit=False)
        with trial(jobs, audit=audit) as tried:
            for _ in range(ROUNDS):
                made = scale_all(specs, settings, _left(taken))
                after = tried([part(each.spec) for each in made.values()])
                problems = [
                    problem for spec in specs for problem in _wrong(made[spec.path], before, after)
                ]
                if not _take_back(specs, made, problems, taken):
                    break
    edits = {path: tuple(each) for path, each in taken.items()}
    return Outcome(made, edits, tuple(problems), before, after)


def _every(spec: Spec) -> Spec:
    return spec


def _few(spec: Spec) -> Spec:
    """The spec with a few tasks of each family."""

    def fewer(item: tree.Item) -> tree.Item:
        if not isinstance(item, tree.Scenario) or item.family is None:
            return item
        sample = item.family.sample
        if sample is not None and sample.value <= FEW:
            return item
        made: tree.Item = item.replace(family=item.family.replace(sample=trees.value(FEW)))
        return made

    return spec.replaced(fewer)


def _left(taken: Mapping[str, Sequence[Edit]]) -> dict[str, Left]:
    return {
        path: frozenset((edit.transformation, edit.subject) for edit in edits)
        for path, edits in taken.items()
    }


def _wrong(
    scaled: Scaled, before: Mapping[str, Tried], after: Mapping[str, Tried]
) -> Iterator[Problem]:
    """What is wrong with a scaled spec and was not before."""
    path = scaled.spec.path
    known = {(each.task, each.reason) for each in before[path].problems}
    yield from (each for each in after[path].problems if (each.task, each.reason) not in known)
    replaced = {edit.subject for edit in scaled.done if edit.transformation in REPLACING}
    if after[path].tasks:  # a spec that does not compile has none, whichever scenario is at fault
        yield from changed(path, before[path].tasks, after[path].tasks, replaced)


def _take_back(
    specs: Iterable[Spec],
    made: Mapping[str, Scaled],
    problems: Sequence[Problem],
    taken: Mapping[str, list[Edit]],
) -> bool:
    """Adds the changes that may be at fault to what is taken back; whether there are any. What is
    wrong with scenarios comes first: it says more of where the fault is than a test that fails."""
    told = {problem.path for problem in problems if problem.scenario}
    originals = {spec.path: spec for spec in specs}
    left = {path: set(each) for path, each in _left(taken).items()}
    undone = False
    for problem in problems:
        path = problem.path
        if path in told and not problem.scenario:
            continue
        for edit in _guilty(originals[path], made[path], problem):
            key = edit.transformation, edit.subject
            if key not in left[path]:
                left[path].add(key)
                taken[path].append(edit._replace(reason=f"{problem.task}: {problem.reason}"))
                undone = True
    return undone


def _guilty(original: Spec, scaled: Scaled, problem: Problem) -> list[Edit]:
    """The changes that may be at fault for what is wrong with a scenario or test: its own; where
    there are none left, those of the tools that it calls; then those of all tools."""
    tools = {
        callee(node)
        for item in original.items
        if (isinstance(item, tree.Scenario) and item.name.text == problem.scenario)
        or (isinstance(item, tree.Test) and item.title.value == problem.task)
        for node in nodes(item)
        if isinstance(node, tree.Call)
    }
    for subjects in ({problem.scenario}, tools, set(original.tools)):
        found = [edit for edit in scaled.done if edit.subject in subjects]
        if found:
            return found
    return []
