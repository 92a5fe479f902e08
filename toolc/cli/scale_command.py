"""`toolc scale`: harder versions of specs, by named and seeded transformations."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.rewriting import read_specs, write_specs
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say

if TYPE_CHECKING:
    from toolc.rewriting.trial import Problem
    from toolc.scaling.prove import Outcome
    from toolc.scaling.scale import Edit

HIGHEST = 5
SHOWN = 20
"""Changes that were taken back, and problems, that are shown; --format json has all."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "scale",
        description="Write harder versions of specs: tools with more parameters and richer types, "
        "nested results, other names and words, tools that no plan needs, longer and wider "
        "scenarios. Plans, checks and tests follow. What comes out is compiled and audited, and "
        "what does not pass is taken back. `--list` shows the "
        "transformations.",
        epilog=epilog(
            {
                "toolc scale shop.toolc --level 2 -o harder": "one spec",
                "toolc scale specs --level 5 --seed 7 -o hardest": "a folder, together",
                "toolc scale specs --level 3 --only nest_results,rename_tools -o nested": "these",
            },
            "everything that was written passes",
            "a spec has errors, or a task does not pass",
        ),
    )
    parser.add_argument("paths", nargs="*", metavar="SPEC|DIR", help="specs, or folders of them")
    parser.add_argument(
        "--level",
        type=int,
        choices=range(1, HIGHEST + 1),
        default=1,
        metavar="N",
        help=f"1 to {HIGHEST}: how many transformations, and how much of each (default: 1)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all choices")
    parser.add_argument("--only", metavar="NAME,…", help="transformations (default: all)")
    parser.add_argument("-o", "--output", metavar="DIR", help="where to write them")
    parser.add_argument(
        "--unproved",
        action="store_true",
        help="check the types alone: neither compile nor audit, and take nothing back",
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    parser.add_argument(
        "--jobs", "-j", type=positive, metavar="N", help="processes (default: all cores)"
    )
    parser.add_argument("--list", action="store_true", help="list the transformations")
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.rewriting.spec import SpecError
    from toolc.scaling.scale import TRANSFORMATIONS, Settings, unknown

    if args.list:
        _list(args.format)
        return 0
    names = tuple(TRANSFORMATIONS) if args.only is None else tuple(args.only.split(","))
    wrong = unknown(names)
    if wrong:
        raise UsageError(f"there is no transformation `{wrong[0]}`; --list shows them")
    specs = read_specs(args.paths, args.output, args.format)
    if specs is None:
        return 1
    settings = Settings(args.level, args.seed, names)
    try:
        outcome = _scaled(specs, settings, args)
    except SpecError as error:
        raise UsageError(str(error)) from None
    written = write_specs(
        [each.spec for each in outcome.scaled.values()], args.paths, args.output, args.force
    )
    if args.format == "json":
        print(json.dumps(_to_json(args, outcome, written), ensure_ascii=False))
    else:
        _show(outcome, written)
    return 1 if outcome.problems else 0


def _scaled(specs: Sequence[Any], settings: Any, args: argparse.Namespace) -> Outcome:
    from toolc.rewriting.trial import checked
    from toolc.scaling.prove import Outcome, scale_all, scale_proved
    from toolc.workers import WorkerError

    if args.unproved:
        made = scale_all(specs, settings)
        problems = tuple(checked(each.spec for each in made.values()))
        return Outcome(made, {}, problems, {}, {})
    try:
        return scale_proved(specs, settings, args.jobs or os.cpu_count() or 1)
    except WorkerError as error:
        raise UsageError(str(error)) from None


def _list(format: str) -> None:
    from toolc.scaling.scale import TRANSFORMATIONS

    if format == "json":
        shown = [
            {"name": each.name, "of": each.of, "level": each.level, "about": each.about}
            for each in TRANSFORMATIONS.values()
        ]
        print(json.dumps(shown))
        return
    for each in TRANSFORMATIONS.values():
        print(f"{each.name:<20} from level {each.level}, {each.of}s: {each.about}")


def _edits(edits: Iterable[Edit]) -> list[dict[str, str]]:
    return [
        {"transformation": each.transformation, "subject": each.subject, "reason": each.reason}
        for each in edits
    ]


def _problems(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [{"spec": each.path, "task": each.task, "reason": each.reason} for each in problems]


def _to_json(args: argparse.Namespace, outcome: Outcome, written: Sequence[str]) -> dict[str, Any]:
    from toolc.scaling.figures import figures

    return {
        "output": args.output,
        "level": args.level,
        "seed": args.seed,
        "files": list(written),
        "environments": {
            each.spec.name: {
                "spec": path,
                "done": _edits(each.done),
                "not_here": _edits(edit for edit in each.edits if edit.reason),
                "taken_back": _edits(outcome.taken_back.get(path, ())),
            }
            for path, each in outcome.scaled.items()
        },
        "figures": {
            "before": figures(outcome.before.values())._asdict(),
            "after": figures(outcome.after.values())._asdict(),
        },
        "problems": _problems(outcome.problems),
    }


def _show(outcome: Outcome, written: Sequence[str]) -> None:
    for path, each in outcome.scaled.items():
        done = Counter(edit.transformation for edit in each.done)
        told = ", ".join(f"{number} {name}" for name, number in done.items())
        print(f"{each.spec.name}: {told or 'no transformation applies'}")
        for edit in outcome.taken_back.get(path, ())[:SHOWN]:
            print(f"  taken back: {edit.transformation} of {edit.subject}: {edit.reason}")
    for problem in outcome.problems[:SHOWN]:
        print(f"  {problem.path}: {problem.task or 'the spec'}: {problem.reason}")
    _show_figures(outcome)
    tasks = sum(len(each.tasks) for each in outcome.after.values())
    proved = f", {count(tasks, 'task')} proved" if tasks and not outcome.problems else ""
    say(f"{count(len(written), 'file')} written{proved}")


def _show_figures(outcome: Outcome) -> None:
    """How much harder the tasks became, a figure a line."""
    if not outcome.after:
        return
    from toolc.scaling.figures import figures

    before, after = figures(outcome.before.values()), figures(outcome.after.values())
    for name, old in before._asdict().items():
        print(f"  {name:<10} {old:>8g} → {getattr(after, name):g}")
