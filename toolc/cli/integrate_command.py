"""`toolc integrate`: tools that overlap become one."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.rewriting import read_specs, write_specs
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say

if TYPE_CHECKING:
    from toolc.integration.integrate import Integrated


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "integrate",
        description="Merge the tools of specs that overlap into more general ones: those that give "
        "the same, in another unit or from another form of input, that look up columns of one "
        "table, or whose bodies differ by a constant, a number, a field or a direction. Plans, "
        "checks and tests follow; a merge stands where tools agree on shared inputs, no task's "
        "answer or end state changes, and every test passes.",
        epilog=epilog(
            {
                "toolc integrate shop.toolc -o fewer": "fewer/shop.toolc, with its data",
                "toolc integrate specs -o fewer --format json": "every merge, and why not others",
            },
            "written; what could not be merged is told",
            "a spec has errors, or a task or test fails",
        ),
    )
    parser.add_argument("paths", nargs="+", metavar="SPEC|DIR", help="specs, or folders of them")
    parser.add_argument("-o", "--output", metavar="DIR", help="where to write them")
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    parser.add_argument(
        "--jobs", "-j", type=positive, metavar="N", help="processes (default: all cores)"
    )
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.cli.terminal import report
    from toolc.integration.integrate import integrate
    from toolc.rewriting.spec import SpecError
    from toolc.workers import WorkerError

    specs = read_specs(args.paths, args.output, args.format)
    if specs is None:
        return 1
    made: list[Integrated] = []
    for spec in specs:
        try:
            made.append(integrate(spec, args.jobs or os.cpu_count() or 1))
        except SpecError as error:
            if not error.diagnostics:
                raise UsageError(str(error)) from None
            report(error.diagnostics, error.texts, args.format)
            return 1
        except WorkerError as error:
            raise UsageError(str(error)) from None
    written = write_specs([each.spec for each in made], args.paths, args.output, args.force)
    if args.format == "json":
        print(json.dumps(_to_json(args, made, written), ensure_ascii=False))
    else:
        _show(made, written)
    return 1 if any(each.problems for each in made) else 0


def _to_json(
    args: argparse.Namespace, made: Sequence[Integrated], written: Sequence[str]
) -> dict[str, Any]:
    return {
        "output": args.output,
        "files": list(written),
        "environments": {
            each.spec.name: {
                "merged": [
                    {
                        "tool": one.tool.name.text,
                        "members": list(one.group.members),
                        "by": sorted(one.group.by),
                    }
                    for one in each.merged
                ],
                "refused": [
                    {"members": list(one.members), "reason": one.reason} for one in each.refused
                ],
                "problems": [
                    {"task": problem.task, "reason": problem.reason} for problem in each.problems
                ],
            }
            for each in made
        },
    }


def _show(made: Sequence[Integrated], written: Sequence[str]) -> None:
    for each in made:
        print(f"{each.spec.name}: {count(len(each.merged), 'merge')}")
        for one in each.merged:
            by = ", ".join(sorted(one.group.by))
            print(f"  {one.tool.name.text}: {', '.join(one.group.members)} ({by})")
        for other in each.refused:
            print(f"  not merged: {', '.join(other.members)}: {other.reason}")
        for problem in each.problems:
            print(f"  {problem.task or 'the spec'}: {problem.reason}")
    say(f"{count(len(written), 'file')} written")
