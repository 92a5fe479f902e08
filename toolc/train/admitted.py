"""The tasks of a build that an audit has passed: only these are trained on and reported."""

from __future__ import annotations

import os
from typing import Any

from toolc.audit.report import digest
from toolc.output import read_manifest
from toolc_runtime.environment import Environment


class NotAudited(Exception):
    """The build has no audit of what it holds now; the message says what to do."""


def admitted(folder: str, environment: Environment) -> tuple[str, ...]:
    """The ids of the tasks of an environment's folder that passed their audit, in order.

    Raises `NotAudited` where the manifest tells of no audit, or of one of other artifacts.
    """
    root, name = os.path.split(os.path.realpath(folder))
    audits = (read_manifest(root) or {}).get("audits")
    note = audits.get(name) if isinstance(audits, dict) else None
    if not isinstance(note, dict) or note.get("of") != digest(folder):
        raise NotAudited(f"`{folder}` was not audited as it is now: run `toolc audit {root}`")
    failed = {*_names(note, "refuted"), *_names(note, "unknown")}
    return tuple(task for task in environment.tasks if task not in failed)


def _names(note: dict[str, Any], outcome: str) -> list[str]:
    names = note.get(outcome)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
