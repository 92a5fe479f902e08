"""Compiling and auditing specs that were made, with their data, in a folder of their own."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from toolc import __version__
from toolc.audit.report import audit_slices, slices
from toolc.compiler import Compiled, Options, compile_specs
from toolc.output import Artifacts, write_build
from toolc.project import LANGUAGE, Loader, failed
from toolc.rewriting.spec import Spec, SpecError, files_of
from toolc.rewriting.spec import load as load_spec
from toolc.syntax import tree
from toolc.syntax.parser import parse
from toolc.testing import run_unit
from toolc_runtime.environment import Environment, load
from toolc_runtime.values import canonical

Json = Mapping[str, Any]
Tasks = Mapping[str, Json]
"""The lines of `scenarios.jsonl`, by id."""


class Problem(NamedTuple):
    """What is wrong with a spec that was made: `scenario` is "" where it is in none; `task` names
    the task, the scenario where it does not compile, or the test that fails."""

    path: str
    scenario: str
    task: str
    reason: str


class Tried(NamedTuple):
    """A spec, compiled and audited; `schemas` are those of its tools, by name."""

    tasks: Tasks
    schemas: Mapping[str, Json]
    problems: tuple[Problem, ...]


def changed(
    path: str, before: Tasks, after: Tasks, replaced: Collection[str] = ()
) -> Iterator[Problem]:
    """The tasks of which answers or end states are not what they were, but for those of scenarios
    that now ask for something else."""
    for name, task in before.items():
        scenario = task["scenario"]
        if scenario in replaced:
            continue
        if name not in after:
            yield Problem(path, scenario, name, "the task is gone")
        elif _ends(after[name]) != _ends(task):
            yield Problem(path, scenario, name, "it gives another answer or end state")


def _ends(task: Json) -> str:
    """The answers and end states of a task as text, in which ids that the plan drew stand by their
    numbers. What else it drew depends on its calls, and is left out."""
    if task.get("fixed_seed"):
        return ""
    turns = [[turn.get("answer"), turn.get("state")] for turn in task["turns"]]
    text = canonical([turns, task.get("state")])
    for number, drawn in enumerate(task.get("fresh") or ()):
        text = text.replace(str(drawn), f"drawn {number}")
    return text


def try_specs(specs: Sequence[Spec], jobs: int = 1, *, audit: bool = True) -> dict[str, Tried]:
    """Compiles specs together, with their data, in a folder that is there for that long, runs their
    tests and, with `audit`, audits every task; by path."""
    with tempfile.TemporaryDirectory(prefix="toolc-try-") as folder:
        problems: dict[str, list[Problem]] = {spec.path: [] for spec in specs}
        artifacts: dict[str, Artifacts] = {}
        for spec, compiled in _compiled(specs, folder, jobs):
            if compiled.artifacts is not None:
                artifacts[spec.path] = compiled.artifacts
                problems[spec.path] += _failing_tests(spec)
            for found in compiled.diagnostics if failed(compiled.diagnostics) else ():
                scenario = _scenario_at(compiled.texts, found.path, found.span.start)
                reason = f"{found.code}: {found.message}"
                problems[spec.path].append(Problem(spec.path, scenario, scenario, reason))
        if audit:
            root = _written(folder, artifacts.values())
            paths = {made.name: path for path, made in artifacts.items()}
            for problem in _refuted(root, paths, jobs):
                problems[problem.path].append(problem)
        return {
            path: Tried(_tasks(artifacts.get(path)), _schemas(artifacts.get(path)), tuple(found))
            for path, found in problems.items()
        }


@contextmanager
def running(spec: Spec) -> Iterator[Environment]:
    """The environment of a spec, for as long as it is used. Raises `SpecError` where it does not
    compile."""
    with tempfile.TemporaryDirectory(prefix="toolc-try-") as folder:
        for _, compiled in _compiled([spec], folder, 1):
            if compiled.artifacts is None:
                found = compiled.diagnostics
                raise SpecError(f"`{spec.path}` does not compile", found, compiled.texts)
            root = _written(folder, [compiled.artifacts])
            yield load(os.path.join(root, compiled.artifacts.name))


def _compiled(specs: Sequence[Spec], folder: str, jobs: int) -> Iterator[tuple[Spec, Compiled]]:
    places: dict[str, Spec] = {}
    for number, spec in enumerate(specs):
        place = os.path.join(folder, "specs", str(number))
        for name, content in files_of(spec).items():
            path = os.path.join(place, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        places[os.path.join(place, os.path.basename(spec.path))] = spec
    for compiled in compile_specs(list(places), Options(), jobs):
        yield places[compiled.path], compiled


def _written(folder: str, artifacts: Iterable[Artifacts]) -> str:
    root = os.path.join(folder, "build")
    write_build(root, list(artifacts), LANGUAGE, __version__)
    return root


def _failing_tests(spec: Spec) -> Iterator[Problem]:
    unit = Loader({spec.path: spec.text()}).load(spec.path).unit
    assert unit is not None
    for outcome in run_unit(unit).outcomes:
        for failure in outcome.failures[:1]:
            yield Problem(spec.path, "", outcome.test.title, failure.message)


def checked(specs: Iterable[Spec]) -> Iterator[Problem]:
    """What the checker finds wrong with specs, without data."""
    for spec in specs:
        try:
            load_spec(spec.path, {spec.path: spec.text()})
        except SpecError as error:
            for found in error.diagnostics:
                scenario = _scenario_at(error.texts, found.path, found.span.start)
                yield Problem(spec.path, scenario, scenario, f"{found.code}: {found.message}")


def _tasks(artifacts: Artifacts | None) -> Tasks:
    text = artifacts.files["scenarios.jsonl"].decode() if artifacts else ""
    lines = map(json.loads, text.splitlines())
    return {line["id"]: line for line in lines}


def _schemas(artifacts: Artifacts | None) -> dict[str, Json]:
    every = json.loads(artifacts.files["schemas.json"]) if artifacts else []
    return {each["function"]["name"]: each["function"] for each in every}


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
