"""`toolc compile`: specs and data in, a build folder out."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from toolc.cli.progress import FEW, Progress
from toolc.cli.terminal import (
    Subparsers,
    UsageError,
    add_format,
    count,
    epilog,
    positive,
    report,
    say,
    tally,
)

if TYPE_CHECKING:
    from toolc.compiler import Compiled, Options
    from toolc.output import Artifacts


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "compile",
        description="Compile specs into a build folder. With an error, nothing is written and the "
        "previous build stays whole; environments of other names in the folder stay as they are. "
        "What has not changed since the last time is not compiled again.",
        epilog=epilog(
            {
                "toolc compile .": "to build/",
                "toolc compile shop.toolc --data real": "with the data of another folder",
                "toolc compile . --audit": "and prove every task sound",
            },
            "compiled",
            "errors, and nothing is written; or --audit finds a task that is not sound",
        ),
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a .toolc file, or a folder")
    parser.add_argument(
        "-o", "--output", default="build", metavar="DIR", help="build folder (default: build)"
    )
    parser.add_argument(
        "--jobs", "-j", type=positive, metavar="N", help="environments at once (default: all cores)"
    )
    parser.add_argument(
        "--force", "-f", action="store_true", help="compile also what has not changed"
    )
    parser.add_argument(
        "--prove",
        action="store_true",
        help="also let Black and a libcst walk confirm what was emitted",
    )
    parser.add_argument(
        "--audit",
        action="store_true",
        help="also audit what was compiled, but for what has passed and is unchanged",
    )
    parser.add_argument(
        "--sample",
        type=positive,
        metavar="N",
        help="families with a `sample` take N members, or as many as there are: more to train on",
    )
    parser.add_argument(
        "--data", metavar="DIR", help="look data files up here instead of beside their spec"
    )
    add_format(parser, "human", "plain", "json")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress and no summary")


def run(args: argparse.Namespace) -> int:
    from toolc.compiler import Options, compile_specs, together
    from toolc.incremental import Previous
    from toolc.project import ProjectError, failed, find_specs, in_order

    if args.data is not None and not os.path.isdir(args.data):
        raise UsageError(f"`{args.data}` is not a folder")
    options = Options(args.data, args.prove, args.sample)
    try:
        paths, diagnostics = find_specs(args.paths)
        compiled: dict[str, Compiled] = {}
        if not args.force:
            previous = Previous(args.output, options)
            compiled = {path: held for path in paths if (held := previous.find(path))}
        waiting = [path for path in paths if path not in compiled]
        shown = not args.quiet and args.format != "json"
        with Progress("specs", len(waiting), shown=shown) as progress:
            jobs = args.jobs or os.cpu_count() or 1
            for each in compile_specs(waiting, options, jobs, tuple(compiled.values())):
                compiled[each.path] = each
                if each.environment and len(waiting) <= FEW:
                    counts = each.entry["counts"] if each.entry else {}
                    progress.say(f"{each.path}: {_shown(counts) or 'not compiled'}")
                progress.advance()
    except ProjectError as error:
        raise UsageError(str(error)) from None
    every = [compiled[path] for path in paths]
    entries, findings = together(every)
    found = in_order((*diagnostics, *findings))
    report(found, {path: text for each in every for path, text in each.texts.items()}, args.format)
    environments = {each.environment[0]: each for each in entries if each.environment}
    if not failed(found) and not environments:
        raise UsageError("no spec here declares an environment")
    if failed(found):
        say(f"nothing written: {tally(found)}")
        return 1
    fresh = [each.artifacts for each in environments.values() if each.artifacts]
    if fresh:
        _write(args.output, options, every, fresh)
    if args.format == "json":
        built = {name: each.entry for name, each in environments.items()}
        print(json.dumps({"type": "build", "path": args.output, "environments": built}))
    elif not args.quiet:
        say(f"{_outcome(len(environments), len(fresh))} in {args.output}: {tally(found)}")
    return _audit(args, list(environments)) if args.audit else 0


def _audit(args: argparse.Namespace, names: Sequence[str]) -> int:
    from toolc.cli.auditing import audit_folders, show

    folders = [os.path.join(args.output, name) for name in names]
    shown = not args.quiet and args.format != "json"
    outcome = audit_folders(folders, args.jobs, again=args.force, shown=shown)
    if args.format == "json":
        print(json.dumps({"type": "audit", **outcome.summary}, ensure_ascii=False))
    elif shown or not outcome.passed:
        show(outcome)
    return 0 if outcome.passed else 1


def _write(
    root: str, options: Options, compiled: Sequence[Compiled], fresh: Sequence[Artifacts]
) -> None:
    """Puts what was compiled anew into the build folder, and the records of all."""
    from toolc import __version__
    from toolc.incremental import records
    from toolc.output import OutputError, write_build
    from toolc.project import LANGUAGE

    unchanged = {
        each.environment[0]: each.entry
        for each in compiled
        if each.environment and each.entry and not each.artifacts
    }
    cache = records(root, options, compiled)
    try:
        write_build(root, fresh, LANGUAGE, __version__, unchanged, cache)
    except OutputError as error:
        raise UsageError(str(error)) from None


def _outcome(environments: int, fresh: int) -> str:
    text = count(environments, "environment")
    if fresh == environments:
        return text
    return f"{text} ({fresh:,} compiled, {environments - fresh:,} unchanged)"


def _shown(counts: Mapping[str, object]) -> str:
    return ", ".join(
        f"{number} {noun.removesuffix('s') if number == 1 else noun}"
        for noun, number in counts.items()
    )
