"""`toolc compare`: two evaluations, task by task."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, say

if TYPE_CHECKING:
    from toolc.reporting.compare import Comparison, Contrast, Moved
    from toolc.reporting.run import Run

SHOWN = 15
"""Tasks that are shown of those won, and of those lost."""

SHOWN_GROUPS = 40
"""Groups that are shown of a kind."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "compare",
        description="Compare two evaluations over the tasks that both scored: differences of their "
        "figures with intervals, as a whole and by kind, environment and steps, and which tasks "
        "were won and lost.",
        epilog=epilog(
            {
                "toolc compare runs/before runs/after": "a table",
                "toolc compare runs/before runs/after --format json": "with every task",
            },
            "compared",
            about="Differences are paired by task; the intervals hold 95 % and come from a "
            "bootstrap over tasks. Environments whose builds differ are left out: their tasks of "
            "the same names may ask other things. `toolc diff` says what differs.",
        ),
    )
    parser.add_argument("before", metavar="RUN_A", help="the folder of an evaluation")
    parser.add_argument("after", metavar="RUN_B", help="another; differences are B less A")
    parser.add_argument(
        "--anyway", action="store_true", help="compare also environments whose builds differ"
    )
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.diagnostics.catalogue import visible
    from toolc.reporting.compare import Uncomparable, compare
    from toolc.reporting.run import RunError, read_run

    try:
        before, after = read_run(args.before), read_run(args.after)
        found = compare(before, after, anyway=args.anyway)
    except (RunError, Uncomparable) as error:
        raise UsageError(visible(str(error))) from None
    if args.format == "json":
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        print(visible("\n".join(_table(before, after, found))))
    _warn(found, args.anyway)
    return 0


def _warn(found: Comparison, anyway: bool) -> None:
    if found.others:
        from toolc.diagnostics.catalogue import visible

        names = ", ".join(found.others[:SHOWN]) + ("…" if len(found.others) > SHOWN else "")
        what = "compared all the same" if anyway else "left out"
        say(visible(f"of different builds, {what}: {names}"))


def _table(before: Run, after: Run, found: Comparison) -> Iterator[str]:
    from toolc.reporting.figures import FIGURES

    for letter, each in (("A", before), ("B", after)):
        yield f"{letter}  {each.path}: {each.head.policy}, {count(len(each.episodes), 'episode')}"
    alone = f"; {found.only[0]:,} only in A, {found.only[1]:,} only in B" if any(found.only) else ""
    yield f"{count(found.tasks, 'task')} in both{alone}"
    yield ""
    yield _heading("")
    for name, contrast in found.figures.items():
        yield _line(FIGURES[name], contrast)
    for by, members in found.groups.items():
        yield ""
        yield _heading(f"Solve-F1 by {by}")
        for name, contrasts in list(members.items())[:SHOWN_GROUPS]:
            tasks = found.sizes[by][name]
            yield _line(f"{name[:24]} ({tasks:,})", contrasts["solve_f1"])
        if len(members) > SHOWN_GROUPS:
            yield f"… and {len(members) - SHOWN_GROUPS:,} more; --format json has all"
    yield ""
    same = found.tasks - len(found.won) - len(found.lost)
    yield (
        f"success: {count(len(found.won), 'task')} won, {len(found.lost):,} lost, {same:,} the "
        f"same; sign test p = {_chance(found.chance)}"
    )
    for title, moved in (("won", found.won), ("lost", found.lost)):
        yield from _moved(title, moved)
    yield ""
    yield "* the interval does not hold 0"


def _heading(title: str) -> str:
    return f"{title:<32}{'A':>8}{'B':>8}{'B - A':>9}   95 %"


def _line(name: str, contrast: Contrast) -> str:
    value, low, high = contrast.difference
    interval = "" if low is None or high is None else f"{low:+.3f} .. {high:+.3f}"
    shown = f"{name:<32}{contrast.before:>8.3f}{contrast.after:>8.3f}{value:>+9.3f}   {interval}"
    return f"{shown:<79}{'*' if contrast.clear else ''}".rstrip()


def _moved(title: str, moved: tuple[Moved, ...]) -> Iterator[str]:
    for each in moved[:SHOWN]:
        yield f"  {title:<5} {each.before:.2f} -> {each.after:.2f}  {each.environment}/{each.task}"
    if len(moved) > SHOWN:
        yield f"  … and {len(moved) - SHOWN:,} more {title}; --format json has all"


def _chance(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
