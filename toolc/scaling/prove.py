"""Scaling specs together, and proving what comes out: every task compiles and passes the audit,
and gives the answers and end states that it gave before. A change that a refuted task is subject to
is taken back, and all is made once more without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from toolc.rewriting.calls import callee
from toolc.rewriting.spec import Spec, nodes
from toolc.rewriting.trial import Problem, Tried, changed, try_specs
from toolc.scaling.scale import Edit, Scaled, Settings, scale
from toolc.syntax import tree

ROUNDS = 8
"""Most times that what is scaled is compiled and audited."""

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


def together(spec: Spec, specs: Iterable[Spec]) -> Spec:
    """The spec, knowing the environments that it is compiled with."""
    return spec._replace(others=tuple(each.name for each in specs if each.name != spec.name))


def scale_all(
    specs: Sequence[Spec],
    settings: Settings,
    without: Mapping[str, frozenset[tuple[str, str]]] | None = None,
) -> dict[str, Scaled]:
    """Every spec scaled, by its path; `without` are further changes to leave out, by path."""
    left_out = without or {}
    return {
        spec.path: scale(
            together(spec, specs),
            settings._replace(without=settings.without | left_out.get(spec.path, frozenset())),
        )
        for spec in specs
    }


def scale_proved(
    specs: Sequence[Spec], settings: Settings, jobs: int = 1, *, audit: bool = True
) -> Outcome:
    """Every spec scaled, compiled and, with `audit`, audited; what does not pass is taken back."""
    before = try_specs(specs, jobs, audit=False)
    without: dict[str, frozenset[tuple[str, str]]] = {}
    taken: dict[str, list[Edit]] = {spec.path: [] for spec in specs}
    originals = {spec.path: spec for spec in specs}
    for _ in range(ROUNDS):
        made = scale_all(specs, settings, without)
        tried = try_specs([each.spec for each in made.values()], jobs, audit=audit)
        problems = [found for each in tried.values() for found in each.problems]
        for path, each in tried.items():
            done = made[path].done
            replaced = {edit.subject for edit in done if edit.transformation in REPLACING}
            problems += changed(path, before[path].tasks, each.tasks, replaced)
        undone = False
        for problem in problems:
            path = problem.path
            for edit in _guilty(originals[path], made[path], problem):
                key = edit.transformation, edit.subject
                if key not in without.get(path, frozenset()):
                    without[path] = without.get(path, frozenset()) | {key}
                    taken[path].append(edit._replace(reason=f"{problem.task}: {problem.reason}"))
                    undone = True
        if not undone:
            break
    return Outcome(
        made,
        {path: tuple(edits) for path, edits in taken.items()},
        tuple(problems),
        before,
        tried,
    )


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
