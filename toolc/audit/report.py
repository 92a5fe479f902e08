"""Audits of whole environments: run in several processes, and added up."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from toolc.audit import TaskAudit, audit_task
from toolc.audit.record import Record
from toolc.audit.subject import Shared, Subject
from toolc.workers import mapped
from toolc_runtime.environment import Environment, load

SLICE = 20
"""Tasks that a process takes at a time."""


class Audited(NamedTuple):
    """A task's audit, with the folder of its environment."""

    folder: str
    audit: TaskAudit


class _Slice(NamedTuple):
    folder: str
    tasks: tuple[str, ...]


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


def summary(audited: Iterable[Audited], kept: Mapping[str, Record]) -> dict[str, Any]:
    """`tasks`, `passed`, `refuted`, `unknown`, the seconds by gate, each task's verdicts, and the
    tasks that had passed before, by environment, which only count."""
    every = list(audited)
    outcomes = Counter(each.audit.outcome for each in every)
    before = {os.path.basename(folder): record.tasks for folder, record in kept.items()}
    outcomes["passed"] += sum(before.values())
    seconds: Counter[str] = Counter()
    for each in every:
        seconds.update(each.audit.seconds)
    return {
        "tasks": sum(outcomes.values()),
        **{name: outcomes[name] for name in ("passed", "refuted", "unknown")},
        "audited": len(every),
        "seconds": {gate: round(spent, 4) for gate, spent in seconds.most_common()},
        "unchanged": before,
        "results": [
            {"environment": os.path.basename(os.path.realpath(each.folder)), **each.audit.to_json()}
            for each in every
        ],
    }
