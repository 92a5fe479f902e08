"""Audits of whole environments: run in several processes, added up, and kept in the manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from toolc.audit import TaskAudit, audit_task
from toolc.audit.subject import Shared, Subject
from toolc.output import MANIFEST, read_manifest, sha256
from toolc.workers import mapped
from toolc_runtime.environment import Environment, load
from toolc_runtime.values import canonical

SLICE = 20
"""Tasks that a process takes at a time."""


class Audited(NamedTuple):
    """A task's audit, with the folder of its environment."""

    folder: str
    audit: TaskAudit


class _Slice(NamedTuple):
    folder: str
    tasks: tuple[str, ...]


def environments_in(build: str) -> list[str]:
    """The folders of the environments of a build: of all of them, or of one where the path is an
    environment's own. Empty where there is no build."""
    manifest = read_manifest(build)
    if manifest is not None:
        return [os.path.join(build, name) for name in manifest["environments"]]
    above = os.path.dirname(os.path.realpath(build))
    return [build] if os.path.isfile(os.path.join(above, MANIFEST)) else []


def slices(environments: Mapping[str, Environment], wanted: Collection[str]) -> list[_Slice]:
    """The tasks of environments (by folder) in slices; those that are wanted, by their ids or
    scenarios, or all."""
    made = []
    for folder, environment in environments.items():
        tasks = [
            task.id
            for task in environment.tasks.values()
            if not wanted or task.id in wanted or task.scenario in wanted
        ]
        made += [
            _Slice(folder, tuple(tasks[at : at + SLICE])) for at in range(0, len(tasks), SLICE)
        ]
    return made


def audit_slices(work: Sequence[_Slice], jobs: int) -> Iterator[list[Audited]]:
    """Audits slices, in order. Raises `WorkerError`, and `BuildError` for a build that cannot be
    loaded."""
    return mapped(_audit, work, jobs)


def _audit(work: _Slice) -> list[Audited]:
    shared = _shared(work.folder)
    tasks = shared.environment.tasks
    return [Audited(work.folder, audit_task(Subject(shared, tasks[name]))) for name in work.tasks]


@lru_cache(maxsize=4)
def _shared(folder: str) -> Shared:
    return Shared(load(folder))


# ---------------------------------------------------------------- sums


def summary(audited: Iterable[Audited]) -> dict[str, Any]:
    """`tasks`, `passed`, `refuted`, `unknown`, the seconds by gate, and each task's verdicts."""
    every = list(audited)
    outcomes = Counter(each.audit.outcome for each in every)
    seconds: Counter[str] = Counter()
    for each in every:
        seconds.update(each.audit.seconds)
    return {
        "tasks": len(every),
        **{name: outcomes[name] for name in ("passed", "refuted", "unknown")},
        "seconds": {gate: round(spent, 4) for gate, spent in seconds.items()},
        "results": [
            {"environment": os.path.basename(each.folder), **each.audit.to_json()} for each in every
        ],
    }


def note(folder: str, audits: Sequence[TaskAudit]) -> dict[str, Any]:
    """What the manifest says of an environment's audit: the tasks that did not pass by outcome,
    and the digest of what was audited, so that a later compile outdates it."""
    found: dict[str, Any] = {"of": digest(folder), "tasks": len(audits)}
    for outcome in ("refuted", "unknown"):
        found[outcome] = [each.task for each in audits if each.outcome == outcome]
    return found


def digest(folder: str) -> str:
    """The digest of an environment's artifacts as the manifest lists them; "" without one."""
    root, name = os.path.split(os.path.realpath(folder))
    manifest = read_manifest(root) or {}
    entry = manifest.get("environments", {}).get(name)
    return sha256(canonical(entry["artifacts"]).encode()) if entry else ""
