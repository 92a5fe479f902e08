"""`toolc audit`: proves of every task that it is sound."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive

if TYPE_CHECKING:
    from toolc.audit.solver import Disagreement
    from toolc.cli.auditing import Outcome


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "audit",
        description="Put every task of a build through gates that prove it sound: solvable, "
        "informed, not solved by doing nothing, by a shorter way, by luck or by saying everything. "
        "What was found is kept in the build's manifest, and environments that have passed are not "
        "audited again until they change.",
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
    parser.add_argument(
        "--again", action="store_true", help="audit also what has passed and is unchanged"
    )
    parser.add_argument("--html", metavar="FILE", help="also write a page to read, of all tasks")
    parser.add_argument(
        "--solver",
        metavar="RUN",
        help="also list where a model's run of `toolc eval` disagrees with the plans",
    )
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.audit.record import BuildNameError, environments_in
    from toolc.cli.auditing import audit_folders, show

    try:
        folders = environments_in(args.build)
    except BuildNameError as error:
        raise UsageError(f"`{args.build}` is no build that toolc wrote: {error}") from None
    if not folders:
        raise UsageError(f"`{args.build}` holds no build; `toolc compile` writes one")
    human = args.format == "human"
    # A page and JSON tell each gate's verdict of each task, which no manifest keeps.
    again = args.again or args.html is not None or not human
    outcome = audit_folders(folders, args.jobs, only=args.only, again=again, shown=human)
    found = None if args.solver is None else _disagreements(args.solver, folders)
    if args.html:
        _write_page(args.html, outcome, found or ())
    if human:
        show(outcome)
        if found is not None:
            _show_disagreements(found)
    else:
        solver = {} if found is None else {"disagreements": [each.to_json() for each in found]}
        print(json.dumps({**outcome.summary, **solver}, ensure_ascii=False))
    return 0 if outcome.passed else 1


def _disagreements(run: str, folders: Sequence[str]) -> list[Disagreement]:
    """Where a run disagrees with the plans of environments. UsageError for a run that can't be
    read, or is of other environments."""
    from toolc.audit.solver import disagreements
    from toolc.cli.loading import load_environment
    from toolc.output import artifacts_digest
    from toolc.reporting.run import RunError, read_run

    try:
        read = read_run(run)
        environments = {
            os.path.basename(os.path.realpath(folder)): load_environment(folder)
            for folder in folders
            if read.head.digests.get(os.path.basename(os.path.realpath(folder)))
            == artifacts_digest(folder)
        }
        if not environments:
            raise UsageError(f"`{run}` is a run of other environments, or of older ones")
        return disagreements(read, environments)
    except RunError as error:
        raise UsageError(str(error)) from None


def _show_disagreements(found: Sequence[Disagreement]) -> None:
    print(f"the solver disagrees on {count(len(found), 'task')}")
    for each in found:
        print(f"  {each.environment}/{each.task}: solved {each.solved} of {each.episodes}")
        print(f"    expected {'; '.join(each.expected) or 'no answer'}")
        print(f"    said     {each.said or 'nothing'}")
        print("".join(f"    failed   {reason}\n" for reason in each.failing), end="")


def _write_page(path: str, outcome: Outcome, found: Sequence[Disagreement]) -> None:
    from toolc.audit.page import page
    from toolc.files import why
    from toolc.output import write_file

    try:
        write_file(path, page(outcome.environments, outcome.audited, found).encode())
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {why(error)}") from None
