"""Scaling a spec: which transformations a level takes, of how many tools and scenarios, by seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from random import Random
from typing import NamedTuple

from toolc.rewriting.spec import Spec
from toolc.scaling import neighbours, parameters, presentation, results, scenarios
from toolc.scaling.transformation import NotHere, Transformation

LEVELS = 5

# In the order in which they are applied: names change last, since the others know tools by them.
_ALL = (
    Transformation(
        "one_hop_before",
        "scenario",
        2,
        "who or what is asked about must be found first, by another column than its key",
        scenarios.one_hop_before,
    ),
    Transformation(
        "one_hop_more",
        "scenario",
        3,
        "what a plan finds is looked up further, and that is asked for",
        scenarios.one_hop_more,
    ),
    Transformation(
        "ask_of_two",
        "scenario",
        4,
        "a family's question is asked of two members at once",
        scenarios.ask_of_two,
    ),
    Transformation(
        "lift_constants",
        "tool",
        1,
        "a number in a body becomes a parameter with a default",
        parameters.lift_constants,
    ),
    Transformation(
        "page_results",
        "tool",
        1,
        "lists can be skipped into and limited",
        parameters.page_results,
    ),
    Transformation(
        "reverse_results",
        "tool",
        2,
        "lists can be had the other way round",
        parameters.reverse_results,
    ),
    Transformation(
        "several_at_once",
        "tool",
        3,
        "look-ups take a list of keys and give a list",
        parameters.several_at_once,
    ),
    Transformation(
        "days_as_objects",
        "tool",
        2,
        "dates become objects of year, month and day",
        parameters.days_as_objects,
    ),
    Transformation(
        "quantities",
        "tool",
        2,
        "numbers of a unit become a value with a unit of choice",
        parameters.quantities,
    ),
    Transformation(
        "choices_for_flags",
        "tool",
        2,
        "truth values become a choice of words",
        parameters.answers_for_flags,
    ),
    Transformation(
        "coordinates",
        "tool",
        2,
        "latitude and longitude become a position",
        parameters.coordinates,
    ),
    Transformation(
        "one_request",
        "tool",
        3,
        "parameters without a default become the fields of one object",
        parameters.one_request,
    ),
    Transformation(
        "nest_results",
        "tool",
        2,
        "results stand under a name of their own, lists beside their number",
        results.nest_results,
    ),
    Transformation(
        "counting_neighbours",
        "tool",
        1,
        "tools that count what others list",
        neighbours.counting_neighbours,
    ),
    Transformation(
        "knowing_neighbours",
        "tool",
        1,
        "tools that tell whether there is what others look up",
        neighbours.knowing_neighbours,
    ),
    Transformation(
        "more_distractors",
        "scenario",
        1,
        "more of the environment's tools on offer",
        neighbours.more_distractors,
    ),
    Transformation(
        "distant_distractors",
        "scenario",
        2,
        "tools of another environment on offer",
        neighbours.distant_distractors,
    ),
    Transformation(
        "rename_parameters",
        "tool",
        2,
        "other words in the names of parameters",
        presentation.rename_parameters,
    ),
    Transformation(
        "reword_tools",
        "tool",
        1,
        "descriptions begin in other words",
        presentation.reword_tools,
    ),
    Transformation(
        "rename_tools",
        "tool",
        1,
        "other verbs in the names of tools",
        presentation.rename_tools,
    ),
)
TRANSFORMATIONS: Mapping[str, Transformation] = {each.name: each for each in _ALL}


class Settings(NamedTuple):
    """What scaling depends on besides the spec. `without` are pairs of a transformation and a tool
    or scenario that it leaves alone."""

    level: int
    seed: int = 0
    only: tuple[str, ...] = tuple(TRANSFORMATIONS)
    without: frozenset[tuple[str, str]] = frozenset()


class Edit(NamedTuple):
    """What a transformation came to for a tool or scenario (by its name at that time): done where
    `reason` is "", else why it does not apply."""

    transformation: str
    subject: str
    reason: str = ""


class Scaled(NamedTuple):
    """A spec after scaling, and what was done to it and was not."""

    spec: Spec
    edits: tuple[Edit, ...]

    @property
    def done(self) -> tuple[Edit, ...]:
        return tuple(edit for edit in self.edits if not edit.reason)


def share(transformation: Transformation, level: int) -> float:
    """The share of tools or scenarios that a transformation takes at a level: none before its
    first, all from two levels later on, or at the highest."""
    if level < transformation.level:
        return 0
    return 1 if level == LEVELS else min(1, (1 + level - transformation.level) / 3)


def scale(spec: Spec, settings: Settings) -> Scaled:
    """The spec after the transformations of a level. Each choice has a draw of its own, so that
    what is left out changes nothing else."""
    edits: list[Edit] = []
    for transformation in _ALL:
        if transformation.name not in settings.only:
            continue
        part = share(transformation, settings.level)
        for subject in _subjects(spec, transformation):
            key = f"{settings.seed} {transformation.name} {spec.name} {subject}"
            if (transformation.name, subject) in settings.without or _draw(key) >= part:
                continue
            try:
                spec = transformation.apply(spec, subject, Random(key))
                edits.append(Edit(transformation.name, subject))
            except NotHere as reason:
                edits.append(Edit(transformation.name, subject, str(reason)))
    return Scaled(spec, tuple(edits))


def _subjects(spec: Spec, transformation: Transformation) -> Sequence[str]:
    return tuple(spec.tools if transformation.of == "tool" else spec.scenarios)


def _draw(key: str) -> float:
    """A number from 0 to below 1."""
    return int.from_bytes(sha256(key.encode()).digest()[:7]) / 2**56


def unknown(names: Collection[str]) -> list[str]:
    """Those that are no transformation's name."""
    return [name for name in names if name not in TRANSFORMATIONS]
