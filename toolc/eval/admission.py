"""Which tasks may be played: those that an audit of the build as it stands has not refuted."""

from __future__ import annotations

import os
from typing import NamedTuple

from toolc.audit.report import digest
from toolc.output import read_manifest


class Admission(NamedTuple):
    """What the audit says of an environment: `audited`, whether there is one of these artifacts,
    and the tasks that it refuted."""

    audited: bool
    refuted: frozenset[str]


def admission(folder: str) -> Admission:
    """The admission to the tasks of an environment's folder."""
    root, name = os.path.split(os.path.realpath(folder))
    audits = (read_manifest(root) or {}).get("audits")
    note = audits.get(name) if isinstance(audits, dict) else None
    if not isinstance(note, dict) or note.get("of") != digest(folder):
        return Admission(False, frozenset())
    refuted = note.get("refuted")
    return Admission(True, frozenset(refuted if isinstance(refuted, list) else ()))
