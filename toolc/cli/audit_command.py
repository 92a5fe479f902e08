"""`toolc audit`: proves of every task that it is sound."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.progress import Progress
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say

if TYPE_CHECKING:
    from toolc.audit.report import Audited

SHOWN = 20
"""Tasks that are shown of an environment, of those that did not pass."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "audit",
        description="Put every task of a build through gates that prove it sound: solvable, "
        "informed, not solved by doing nothing, by a shorter way, by luck or by saying everything. "
        "What was found is kept in the build's manifest.",
        epilog=epilog(
            {
                "toolc audit build": "every environment",
                "toolc audit build/shop --only refund": "one scenario, or one task",
                "toolc audit build --html audit.html": "question, plan and answer, side by side",
            },
            "every task passes",
            "some do not",
        ),
    )
    parser.add_argument("build", metavar="BUILD[/ENV]", help="a build, or one of its environments")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="a task or scenario; repeatable"
    )
    parser.add_argument(
        "--jobs", "-j", type=positive, metavar="N", help="processes (default: all cores)"
    )
    parser.add_argument("--html", metavar="FILE", help="also write a page to read")
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.audit.report import audit_slices, environments_in, slices, summary
    from toolc.cli.loading import load_environment
    from toolc.workers import WorkerError

    folders = environments_in(args.build)
    if not folders:
        raise UsageError(f"`{args.build}` holds no build; `toolc compile` writes one")
    environments = {folder: load_environment(folder) for folder in folders}
    work = slices(environments, args.only)
    if args.only and not work:
        raise UsageError(f"no task or scenario is called {' or '.join(args.only)}")
    audited: list[Audited] = []
    with Progress(
        "tasks", sum(len(each.tasks) for each in work), shown=args.format == "human"
    ) as progress:
        try:
            for made in audit_slices(work, args.jobs or os.cpu_count() or 1):
                audited += made
                progress.advance(len(made))
        except WorkerError as error:
            raise UsageError(str(error)) from None
    if not args.only:
        _keep(folders, audited)
    found = summary(audited)
    if args.html:
        _write_page(args.html, environments, audited)
    if args.format == "json":
        print(json.dumps(found, ensure_ascii=False))
    else:
        _show(folders, audited, found)
    return 0 if found["passed"] == found["tasks"] else 1


def _keep(folders: Sequence[str], audited: Sequence[Audited]) -> None:
    """Writes what was found into the manifest."""
    from toolc.audit.report import note
    from toolc.output import OutputError, note_audits

    notes: dict[str, Any] = {
        os.path.basename(os.path.realpath(folder)): note(
            folder, [each.audit for each in audited if each.folder == folder]
        )
        for folder in folders
    }
    try:
        note_audits(os.path.dirname(os.path.realpath(folders[0])), notes)
    except OutputError as error:
        raise UsageError(str(error)) from None


def _show(folders: Sequence[str], audited: Sequence[Audited], found: dict[str, Any]) -> None:
    for folder in folders:
        audits = [each.audit for each in audited if each.folder == folder]
        outcomes = Counter(each.outcome for each in audits)
        counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
        print(f"{os.path.basename(os.path.realpath(folder))}: {counts or 'no tasks'}")
        bad = [each for each in audits if each.outcome != "passed"]
        for each in bad[:SHOWN]:
            for gate, finding in each.findings.items():
                if finding.outcome != "proved":
                    print(f"  {finding.outcome:<8} {each.task}  {gate}: {finding.reason}")
        if len(bad) > SHOWN:
            print(f"  … and {len(bad) - SHOWN} more tasks; --format json has all")
    seconds = found["seconds"]
    total = sum(seconds.values())
    most = sorted(seconds.items(), key=lambda item: -item[1])[:3]
    spent = ", ".join(f"{gate} {100 * part / total:.0f}%" for gate, part in most if total)
    per_task = 1000 * total / max(found["tasks"], 1)
    say(
        f"{count(found['tasks'], 'task')}: {found['passed']} passed, {found['refuted']} refuted, "
        f"{found['unknown']} unknown; {per_task:.0f} ms a task ({spent})"
    )


def _write_page(path: str, environments: Any, audited: Sequence[Audited]) -> None:
    from toolc.audit.page import page
    from toolc.files import why
    from toolc.output import write_file

    try:
        write_file(path, page(environments, audited).encode())
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {why(error)}") from None
