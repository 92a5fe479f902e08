"""What a build's manifest keeps of audits, and which tasks may be trained on by it.

`audits` of the manifest holds, by environment::

    {"of": digest, "tasks": number, "refuted": {task: [gate, ...]}, "unknown": {task: [gate, ...]}}

The digest is of the environment's artifacts and of the gates: what is compiled anew, or was
audited by other gates, counts as not audited.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from toolc.audit import TaskAudit
from toolc.output import MANIFEST, read_manifest, sha256
from toolc_runtime.environment import Environment
from toolc_runtime.values import canonical

Gates = Mapping[str, tuple[str, ...]]
"""The gates that a task did not pass, by task."""


class BuildNameError(Exception):
    """A manifest names an environment as no environment can be called."""


class Record(NamedTuple):
    """What an audit found of an environment as it is now: how many tasks there were, and those
    that did not pass."""

    tasks: int
    refuted: Gates
    unknown: Gates

    @property
    def passed(self) -> bool:
        return not self.refuted and not self.unknown


class Admission(NamedTuple):
    """Which tasks of an environment are proved sound: the ids of those that passed every gate, in
    the order of the build, and the gates that others did not pass. Where nothing was audited, or
    something older than what is there now, `unaudited` is true and both are empty."""

    passed: tuple[str, ...]
    refused: Gates
    unaudited: bool


def environments_in(build: str) -> list[str]:
    """The folders of the environments of a build: of all of them, or of one where the path is an
    environment's own. Empty where there is no build; `BuildNameError` where the manifest names
    one by more than a name."""
    manifest = read_manifest(build)
    if manifest is not None:
        names = list(manifest["environments"])
        wrong = next((name for name in names if not name.isidentifier()), None)
        if wrong is not None:
            raise BuildNameError(f"{MANIFEST} names an environment {canonical(wrong[:100])}")
        return [os.path.join(build, name) for name in names]
    above = os.path.dirname(os.path.realpath(build))
    return [build] if os.path.isfile(os.path.join(above, MANIFEST)) else []


def note(folder: str, audits: Sequence[TaskAudit]) -> dict[str, Any]:
    """What the manifest shall say of an environment whose tasks were audited."""
    found: dict[str, Any] = {"of": _digest(*_entry(folder)), "tasks": len(audits)}
    for outcome in ("refuted", "unknown"):
        found[outcome] = {
            each.task: each.gates(outcome) for each in audits if each.outcome == outcome
        }
    return found


def recorded(folder: str) -> Record | None:
    """What the manifest says of an environment's audit; None where it says nothing of this
    environment as it is now, or nothing that makes sense."""
    manifest, name = _entry(folder)
    audits = manifest.get("audits")
    known = audits.get(name) if isinstance(audits, dict) else None
    if not isinstance(known, dict) or known.get("of") != _digest(manifest, name):
        return None
    refuted, unknown = _gates(known.get("refuted")), _gates(known.get("unknown"))
    tasks = known.get("tasks")
    if refuted is None or unknown is None or type(tasks) is not int:
        return None
    return Record(tasks, refuted, unknown)


def admitted(build: str | Path, environment: Environment) -> Admission:
    """Which tasks of an environment, loaded from a build folder, the last audit of it admits. Reads
    the manifest alone; a task that is not in the environment counts for nothing."""
    record = recorded(os.path.join(build, environment.name))
    if record is None or record.tasks != len(environment.tasks):
        return Admission((), {}, True)
    refused = {
        task: gates
        for task, gates in {**record.unknown, **record.refuted}.items()
        if task in environment.tasks
    }
    return Admission(
        tuple(each for each in environment.tasks if each not in refused), refused, False
    )


# ---------------------------------------------------------------- the manifest


def _entry(folder: str) -> tuple[Mapping[str, Any], str]:
    """The manifest that an environment's folder belongs to ({} without one), and its name."""
    root, name = os.path.split(os.path.realpath(folder))
    return read_manifest(root) or {}, name


def _digest(manifest: Mapping[str, Any], name: str) -> str:
    """The digest of an environment's artifacts, as the manifest lists them, and of the gates."""
    entry = manifest.get("environments", {}).get(name)
    artifacts = entry.get("artifacts") if isinstance(entry, dict) else None
    return sha256(canonical([artifacts, gates_digest()]).encode())


@cache
def gates_digest() -> str:
    """A digest of the gates' code."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(canonical([sha256(each.read_bytes()) for each in sources]).encode())


def _gates(value: Any) -> Gates | None:
    if not isinstance(value, dict):
        return None
    found = {task: tuple(gates) for task, gates in value.items() if isinstance(gates, list)}
    whole = len(found) == len(value)
    return found if whole and all(map(_is_texts, found.values())) else None


def _is_texts(values: Sequence[Any]) -> bool:
    return all(isinstance(each, str) for each in values)
