"""Scaling specs together, and proving what comes out: every task compiles and passes the audit,
and gives the answers and end states that it gave before. A change that a refuted task is subject to
is taken back, and all is made once more without it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc import __version__
from toolc.audit.report import audit_slices, slices
from toolc.compiler import Options, compile_specs
from toolc.output import Artifacts, write_build
from toolc.project import LANGUAGE, failed
from toolc.rewriting.calls import callee
from toolc.rewriting.spec import Spec, SpecError, files_of, nodes
from toolc.rewriting.spec import load as load_spec
from toolc.scaling.scale import Edit, Scaled, Settings, scale
from toolc.syntax import tree
from toolc.syntax.parser import parse
from toolc_runtime.environment import load

ROUNDS = 8
"""Most times that what is scaled is compiled and audited."""

REPLACING = frozenset(("ask_of_two", "one_hop_more", "one_hop_before"))
"""Transformations after which a scenario asks for something else, or of others."""

Json = Mapping[str, Any]
Tasks = Mapping[str, Json]
"""The lines of `scenarios.jsonl`, by id."""


class Problem(NamedTuple):
    """What is wrong with a spec that was made: `scenario` is "" where it is in none; `task` names
    the task, or the scenario where it does not compile."""

    path: str
    scenario: str
    task: str
    reason: str


class Tried(NamedTuple):
    """A spec, compiled and audited."""

    tasks: Tasks
    problems: tuple[Problem, ...]


class Outcome(NamedTuple):
    """What scaling specs came to, by path. `taken_back` are changes that were undone, with the
    reason; `problems` what is left, `tasks` those of the build."""

    scaled: Mapping[str, Scaled]
    taken_back: Mapping[str, tuple[Edit, ...]]
    problems: tuple[Problem, ...]
    tasks: Mapping[str, Tasks]


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
            problems += changed(path, before[path].tasks, each.tasks, made[path].done)
        undone = False
        for problem in problems:
            path = problem.path
            for edit in _guilty(originals[path], made[path], problem.scenario):
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
        {path: each.tasks for path, each in tried.items()},
    )


def _guilty(original: Spec, scaled: Scaled, scenario: str) -> list[Edit]:
    """The changes that may be at fault for what is wrong with a scenario: its own; where there are
    none left, those of the tools that it calls; then those of all tools."""
    tools = {
        callee(node.call)
        for node in nodes(original.scenarios.get(scenario))
        if isinstance(node, tree.Step)
    }
    for subjects in ({scenario}, tools, set(original.tools)):
        found = [edit for edit in scaled.done if edit.subject in subjects]
        if found:
            return found
    return []


def changed(path: str, before: Tasks, after: Tasks, edits: Iterable[Edit]) -> Iterator[Problem]:
    """The tasks of which answers or end states are not what they were, but for those of scenarios
    that now ask for something else."""
    replaced = {edit.subject for edit in edits if edit.transformation in REPLACING}
    for name, task in before.items():
        scenario = task["scenario"]
        if scenario in replaced:
            continue
        if name not in after:
            yield Problem(path, scenario, name, "the task is gone")
        elif _ends(after[name]) != _ends(task):
            yield Problem(path, scenario, name, "it gives another answer or end state")


def _ends(task: Json) -> list[Any]:
    turns = [[turn.get("answer"), turn.get("state")] for turn in task["turns"]]
    return [turns, task.get("state")]


# ---------------------------------------------------------------- trying


def try_specs(specs: Sequence[Spec], jobs: int = 1, *, audit: bool = True) -> dict[str, Tried]:
    """Compiles specs together, with their data, in a folder that is there for that long, and
    audits every task; by path."""
    with tempfile.TemporaryDirectory(prefix="toolc-scale-") as folder:
        places: dict[str, Spec] = {}
        for number, spec in enumerate(specs):
            place = os.path.join(folder, "specs", str(number))
            for name, content in files_of(spec).items():
                path = os.path.join(place, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(content)
            places[os.path.join(place, os.path.basename(spec.path))] = spec
        problems: dict[str, list[Problem]] = {spec.path: [] for spec in specs}
        artifacts: dict[str, Artifacts] = {}
        for compiled in compile_specs(list(places), Options(), jobs):
            path = places[compiled.path].path
            if compiled.artifacts is not None:
                artifacts[path] = compiled.artifacts
            for found in compiled.diagnostics if failed(compiled.diagnostics) else ():
                scenario = _scenario_at(compiled.texts, found.path, found.span.start)
                reason = f"{found.code}: {found.message}"
                problems[path].append(Problem(path, scenario, scenario, reason))
        if audit:
            root = os.path.join(folder, "build")
            write_build(root, list(artifacts.values()), LANGUAGE, __version__)
            for problem in _refuted(
                root, {made.name: path for path, made in artifacts.items()}, jobs
            ):
                problems[problem.path].append(problem)
        return {
            path: Tried(_tasks(artifacts[path]) if path in artifacts else {}, tuple(found))
            for path, found in problems.items()
        }


def checked(specs: Iterable[Spec]) -> Iterator[Problem]:
    """What the checker finds wrong with specs, without data."""
    for spec in specs:
        try:
            load_spec(spec.path, {spec.path: spec.text()})
        except SpecError as error:
            for found in error.diagnostics:
                scenario = _scenario_at(error.texts, found.path, found.span.start)
                yield Problem(spec.path, scenario, scenario, f"{found.code}: {found.message}")


def _tasks(artifacts: Artifacts) -> Tasks:
    lines = map(json.loads, artifacts.files["scenarios.jsonl"].decode().splitlines())
    return {line["id"]: line for line in lines}


def _scenario_at(texts: Mapping[str, str], path: str, offset: int) -> str:
    """The scenario that a place in a spec belongs to; "" where it is none."""
    module = parse(texts[path], path).module if path in texts and path.endswith(".toolc") else None
    for item in module.items if module else ():
        if isinstance(item, tree.Scenario) and item.span.start <= offset < item.span.end:
            return item.name.text
    return ""


def _refuted(root: str, paths: Mapping[str, str], jobs: int) -> Iterator[Problem]:
    folders = {os.path.join(root, name): path for name, path in paths.items()}
    environments = {folder: load(folder) for folder in folders}
    for several in audit_slices(slices(environments, ()), jobs):
        for each in several:
            task = each.audit.task
            for gate, finding in each.audit.findings.items():
                if finding.outcome != "proved":
                    scenario = environments[each.folder].tasks[task].scenario
                    reason = f"{gate}: {finding.reason}"
                    yield Problem(folders[each.folder], scenario, task, reason)
                    break
