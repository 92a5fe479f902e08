"""Compiling and auditing specs that were made, with their data, in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

from toolc import __version__
from toolc.audit.report import audit_slices, slices
from toolc.compiler import Compiled, Options, compile_specs
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.output import Artifacts, write_build
from toolc.project import LANGUAGE, Loader
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
    the task, the scenario that the compiler finds fault with, or the test that fails."""

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
    with trial(jobs, audit=audit) as tried:
        return tried(specs)


@contextmanager
def trial(jobs: int = 1, *, audit: bool = True) -> Iterator[Trial]:
    """What tries specs as `try_specs` does, again and again."""
    with tempfile.TemporaryDirectory(prefix="toolc-try-") as folder:
        yield Trial(folder, jobs, audit)


class Trial:
    """Tries versions of the same specs, one after the other: what is as it was the last time is
    neither compiled nor audited again."""

    def __init__(self, folder: str, jobs: int, audit: bool) -> None:
        self._folder = folder
        self._jobs = jobs
        self._audit = audit
        self._round = 0
        self._contents: dict[str, dict[str, bytes]] = {}
        self._compiled: dict[str, Compiled] = {}
        self._tests: dict[str, list[Problem]] = {}
        self._audits: dict[str, _Audit] = {}

    def __call__(self, specs: Sequence[Spec]) -> dict[str, Tried]:
        """What the specs come to, by path."""
        self._round += 1
        places = dict(_places(specs, self._folder))
        changed = {place for place, spec in places.items() if self._is_new(place, spec)}
        stale = changed | {
            place
            for place, before in self._compiled.items()
            if not changed.isdisjoint(before.inputs.others.values())
        }
        known = [each for place, each in self._compiled.items() if place not in stale]
        audited: dict[str, Artifacts] = {}
        ordered = [place for place in places if place in stale]
        for compiled in compile_specs(ordered, Options(), self._jobs, known):
            place, made = compiled.path, compiled.artifacts
            before = self._compiled.get(place)
            self._compiled[place] = compiled
            if place in changed:
                self._tests[place] = list(_failing_tests(places[place])) if made else []
            if made is None:
                self._audits.pop(place, None)
            elif before is None or before.artifacts is None or before.artifacts.files != made.files:
                audited[place] = made
        if self._audit:
            self._refute(places, audited)
        return {spec.path: self._tried(place, spec.path) for place, spec in places.items()}

    def _is_new(self, place: str, spec: Spec) -> bool:
        """Whether a spec or its data is not what it was; what it is now is written."""
        contents = files_of(spec)
        if self._contents.get(place) == contents:
            return False
        self._contents[place] = contents
        _put(spec, os.path.dirname(place), contents)
        return True

    def _refute(self, places: Mapping[str, Spec], made: Mapping[str, Artifacts]) -> None:
        root = _written(os.path.join(self._folder, str(self._round)), made.values())
        folders = {os.path.join(root, each.name): place for place, each in made.items()}
        for place in folders.values():
            self._audits[place] = _begun(made[place].files, self._audits.get(place))
        wanted = {each: self._audits[place].left for each, place in folders.items()}
        for folder, problem in _refuted(wanted, self._jobs):
            place = folders[folder]
            found = problem._replace(path=places[place].path)
            self._audits[place].refuted[problem.scenario].append(found)

    def _tried(self, place: str, path: str) -> Tried:
        compiled = self._compiled[place]
        found = [_worded(path, compiled, each) for each in compiled.diagnostics]
        audit = self._audits.get(place)
        refuted = chain.from_iterable(audit.refuted.values()) if audit else ()
        problems = (*found, *self._tests[place], *refuted)
        return Tried(_tasks(compiled.artifacts), _schemas(compiled.artifacts), problems)


class _Audit(NamedTuple):
    """What the audit found in an environment: `ground` is what all tasks rest on, `lines` are the
    tasks of each scenario, `refuted` what is wrong with them; `left` those that are to be audited,
    the others being what they were."""

    ground: Mapping[str, bytes]
    lines: Mapping[str, Sequence[str]]
    refuted: dict[str, list[Problem]]
    left: Collection[str]


def _begun(files: Mapping[str, bytes], before: _Audit | None) -> _Audit:
    """An audit in which scenarios whose tasks and tools are the same need none again: a new task
    that reads like one of theirs is refuted itself."""
    ground = {
        name: _COMMENTS.sub(b"", content) if name.endswith(".py") else content
        for name, content in files.items()
        if name not in _OF_SCENARIOS
    }
    lines: dict[str, list[str]] = {}
    for line in files["scenarios.jsonl"].decode().splitlines():
        lines.setdefault(json.loads(line)["scenario"], []).append(line)
    known = before.lines if before is not None and before.ground == ground else {}
    refuted = {
        name: before.refuted[name] if before is not None and known.get(name) == each else []
        for name, each in lines.items()
    }
    left = [name for name, each in lines.items() if known.get(name) != each]
    return _Audit(ground, lines, refuted, left)


_OF_SCENARIOS = frozenset(("scenarios.jsonl", "verifiers.py", "trl_environment.py"))
_COMMENTS = re.compile(rb"^#.*\n", re.MULTILINE)
"""Which name the digest of the spec."""


def _worded(path: str, compiled: Compiled, found: Diagnostic) -> Problem:
    scenario = _scenario_at(compiled.texts, found.path, found.span.start)
    return Problem(path, scenario, scenario, f"{found.code}: {found.message}")


@contextmanager
def running(spec: Spec) -> Iterator[Environment]:
    """The environment of a spec, for as long as it is used. Raises `SpecError` where it does not
    compile."""
    with tempfile.TemporaryDirectory(prefix="toolc-try-") as folder:
        place = _put(spec, os.path.join(folder, "specs"), files_of(spec))
        for compiled in compile_specs([place], Options()):
            if compiled.artifacts is None:
                found = compiled.diagnostics
                raise SpecError(f"`{spec.path}` does not compile", found, compiled.texts)
            root = _written(folder, [compiled.artifacts])
            yield load(os.path.join(root, compiled.artifacts.name))


def _places(specs: Sequence[Spec], folder: str) -> Iterator[tuple[str, Spec]]:
    for number, spec in enumerate(specs):
        name = os.path.basename(spec.path)
        yield os.path.join(folder, "specs", str(number), name), spec


def _put(spec: Spec, folder: str, contents: Mapping[str, bytes]) -> str:
    """Writes the files of a spec to a folder; its own path there."""
    for name, content in contents.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return os.path.join(folder, os.path.basename(spec.path))


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


def _refuted(wanted: Mapping[str, Collection[str]], jobs: int) -> Iterator[tuple[str, Problem]]:
    """What the audit refutes of scenarios of built environments, with the folders of these."""
    environments = {folder: load(folder) for folder, names in wanted.items() if names}
    work = [
        each
        for folder, environment in environments.items()
        for each in slices({folder: environment}, wanted[folder])
    ]
    for several in audit_slices(work, jobs):
        for each in several:
            task = each.audit.task
            for gate, finding in each.audit.findings.items():
                if finding.outcome != "proved":
                    scenario = environments[each.folder].tasks[task].scenario
                    reason = f"{gate}: {finding.reason}"
                    yield each.folder, Problem("", scenario, task, reason)
                    break
