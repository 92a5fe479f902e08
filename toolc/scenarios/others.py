"""Distractors from other environments of a compilation: which tools are drawn, and their files.

Only tools are taken, with the schemas and the data that they need, so environments may draw from
each other. A tool whose name this environment has, or two of those that it draws from, is never
drawn: a name means one tool.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.analysis import core
from toolc.analysis.names import suggest
from toolc.scenarios.family import rank

FILES = ("tools.py", "schemas.json", "state_schemas.json", "data.json")
"""What of another environment's files its tools need."""


class Other(NamedTuple):
    """An environment that distractors may be drawn from, with its files."""

    definition: core.EnvironmentDef
    files: Mapping[str, bytes]


class Missing(NamedTuple):
    """Why an environment has no tools to draw."""

    reason: str
    help: tuple[str, ...] = ()


Others = Mapping[str, Other | Missing]
"""The environments that distractors are drawn from, by name."""

NO_OTHERS: Others = {}


def unknown(name: str, names: Iterable[str] = ()) -> Missing:
    """No environment has the name; those that there are have `names`."""
    reason = "no environment of this name is compiled together with this one"
    return Missing(reason, suggest(name, names))


class Guest(NamedTuple):
    """A tool of another environment."""

    environment: str
    tool: core.Function


def wanted(environment: core.EnvironmentDef) -> tuple[str, ...]:
    """The environments that scenarios draw distractors from."""
    return tuple(
        dict.fromkeys(name for s in environment.scenarios for name in s.distractor_sources)
    )


def tools_of(environment: core.EnvironmentDef) -> list[core.Function]:
    """The tools of an environment, in order of declaration."""
    return [function for function in environment.functions if function.kind == "tool"]


def drawable(environment: core.EnvironmentDef, others: Others) -> Iterator[Guest]:
    """Every tool that may be drawn, in order."""
    sources = [
        (name, found) for name in wanted(environment) if isinstance(found := others[name], Other)
    ]
    counts = Counter(tool.name for _, other in sources for tool in tools_of(other.definition))
    counts.update(tool.name for tool in tools_of(environment))
    for name, other in sources:
        for tool in tools_of(other.definition):
            if counts[tool.name] == 1:
                yield Guest(name, tool)


def draw(
    environment: core.EnvironmentDef, scenario: core.ScenarioDef, others: Others
) -> list[Guest]:
    """The distractors of a scenario, drawn with the environment's seed, in order."""
    pool = [
        each
        for each in drawable(environment, others)
        if each.environment in scenario.distractor_sources
    ]
    ranked = sorted(
        pool,
        key=lambda each: rank(
            environment.seed, scenario.name, f"{each.environment}.{each.tool.name}"
        ),
    )
    chosen = ranked[: scenario.distractors]
    return [each for each in pool if each in chosen]


def drawn(environment: core.EnvironmentDef, others: Others) -> list[Guest]:
    """What all scenarios together draw, in order."""
    names = {
        (each.environment, each.tool.name)
        for scenario in environment.scenarios
        for each in draw(environment, scenario, others)
    }
    every = drawable(environment, others)
    return [each for each in every if (each.environment, each.tool.name) in names]


def files_of(guests: Sequence[Guest], others: Others) -> dict[str, bytes]:
    """The files that a build holds of other environments."""
    index: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for name, tool in guests:
        other = others[name]
        assert isinstance(other, Other)
        definition = other.definition
        entry = index.setdefault(
            name,
            {
                "version": definition.version,
                "clock": definition.clock,
                "seed": definition.seed,
                "tools": [],
            },
        )
        entry["tools"].append(tool.name)
        files |= {f"others/{name}/{file}": other.files[file] for file in FILES}
    if index:
        files["others.json"] = (json.dumps(index, indent=2) + "\n").encode()
    return files
