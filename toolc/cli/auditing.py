"""The audit as commands run it: `toolc audit`, and `toolc compile --audit`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.cli.loading import load_environment
from toolc.cli.progress import Progress
from toolc.cli.terminal import UsageError, count, say

if TYPE_CHECKING:
    from toolc.audit.record import Record
    from toolc.audit.report import Audited
    from toolc_runtime.environment import Environment

SHOWN = 20
"""Tasks that are shown of an environment, of those that did not pass."""


class Outcome(NamedTuple):
    """What was audited: environments by folder, the audits, and what had passed before and is
    unchanged; `summary` as JSON has it."""

    environments: Mapping[str, Environment]
    audited: Sequence[Audited]
    kept: Mapping[str, Record]
    summary: dict[str, Any]

    @property
    def passed(self) -> bool:
        return bool(self.summary["passed"] == self.summary["tasks"])


def audit_folders(
    folders: Sequence[str],
    jobs: int | None,
    *,
    only: Sequence[str] = (),
    again: bool = False,
    shown: bool = True,
) -> Outcome:
    """Audits the environments of one build and notes in its manifest what was found. Those whose
    tasks have all passed, and which are unchanged, are not audited `again`. With `only`, some
    tasks are audited, and nothing is noted. Raises `UsageError`."""
    from toolc.audit.record import recorded
    from toolc.audit.report import audit_slices, slices, summary
    from toolc.workers import WorkerError

    found = {} if again or only else {folder: recorded(folder) for folder in folders}
    kept = {folder: record for folder, record in found.items() if record and record.passed}
    environments = {folder: load_environment(folder) for folder in folders if folder not in kept}
    work = slices(environments, only)
    if only and not work:
        raise UsageError(f"no task or scenario is called {' or '.join(only)}")
    audited: list[Audited] = []
    with Progress("tasks", sum(len(each.tasks) for each in work), shown=shown) as progress:
        try:
            for made in audit_slices(work, jobs or os.cpu_count() or 1):
                audited += made
                progress.advance(len(made))
        except WorkerError as error:
            raise UsageError(str(error)) from None
    if environments and not only:
        _keep(list(environments), audited)
    return Outcome(environments, audited, kept, summary(audited, kept))


def _keep(folders: Sequence[str], audited: Sequence[Audited]) -> None:
    """Writes what was found into the manifest."""
    from toolc.audit.record import note
    from toolc.output import OutputError, note_audits

    notes: dict[str, Any] = {
        _name(folder): note(folder, [each.audit for each in audited if each.folder == folder])
        for folder in folders
    }
    try:
        note_audits(os.path.dirname(os.path.realpath(folders[0])), notes)
    except OutputError as error:
        raise UsageError(str(error)) from None


def _name(folder: str) -> str:
    return os.path.basename(os.path.realpath(folder))


def show(outcome: Outcome) -> None:
    """What was found, for a person: the verdicts on standard output, what it took on the other."""
    for folder in outcome.environments:
        audits = [each.audit for each in outcome.audited if each.folder == folder]
        outcomes = Counter(each.outcome for each in audits)
        counts = ", ".join(f"{number} {each}" for each, number in sorted(outcomes.items()))
        print(f"{_name(folder)}: {counts or 'no tasks'}")
        bad = [each for each in audits if each.outcome != "passed"]
        for each in bad[:SHOWN]:
            for gate, finding in each.findings.items():
                if finding.outcome != "proved":
                    print(f"  {finding.outcome:<8} {each.task}  {gate}: {finding.reason}")
        if len(bad) > SHOWN:
            print(f"  … and {len(bad) - SHOWN} more tasks; --format json has all")
    say(_totals(outcome.summary))
    if outcome.audited:
        say(_spent(outcome.summary))


def _totals(summary: Mapping[str, Any]) -> str:
    known = sum(summary["unchanged"].values())
    text = (
        f"{count(summary['tasks'], 'task')}: {summary['passed']} passed, "
        f"{summary['refuted']} refuted, {summary['unknown']} unknown"
    )
    if not known:
        return text
    places = count(len(summary["unchanged"]), "environment")
    return f"{text}; {known} of them in {places} that passed before (--again audits all)"


def _spent(summary: Mapping[str, Any]) -> str:
    """The time a task took on average, and each gate's part of it."""
    per_task = {
        gate: 1000 * seconds / summary["audited"] for gate, seconds in summary["seconds"].items()
    }
    parts = ", ".join(f"{gate} {spent:.1f}" for gate, spent in per_task.items())
    return f"{sum(per_task.values()):.0f} ms a task: {parts}"
