"""`toolc compile`: specs and data in, a build folder out."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping

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


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "compile",
        description="Compile specs into a build folder. With an error, nothing is written and the "
        "previous build stays whole; environments of other names in the folder stay as they are.",
        epilog=epilog(
            {
                "toolc compile .": "to build/",
                "toolc compile shop.toolc -o out --jobs 1": "to out/shop, on one core",
                "toolc compile shop.toolc --data real": "with the data of another folder",
            },
            "compiled",
            "errors, and nothing is written",
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
        "--prove",
        action="store_true",
        help="also let Black and a libcst walk confirm what was emitted",
    )
    parser.add_argument(
        "--data", metavar="DIR", help="look data files up here instead of beside their spec"
    )
    add_format(parser, "human", "plain", "json")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress and no summary")


def run(args: argparse.Namespace) -> int:
    from toolc import __version__
    from toolc.compiler import compile_project
    from toolc.diagnostics.diagnostic import Diagnostic
    from toolc.output import Artifacts, OutputError, write_build
    from toolc.project import LANGUAGE, ProjectError, declares, failed, in_order, load_project

    if args.data is not None and not os.path.isdir(args.data):
        raise UsageError(f"`{args.data}` is not a folder")
    diagnostics: list[Diagnostic] = []
    artifacts: list[Artifacts] = []
    done = 0
    try:
        project = load_project(args.paths)
        diagnostics.extend(project.diagnostics)
        texts = dict(project.texts)
        jobs = args.jobs or os.cpu_count() or 1
        compiled = compile_project(project, data=args.data, jobs=jobs, prove=args.prove)
        names = {unit.entry for unit in project.units if declares(unit)}
        for each in compiled:
            diagnostics.extend(each.diagnostics)
            texts |= each.texts
            if each.artifacts is not None:
                artifacts.append(each.artifacts)
            if each.path in names and not args.quiet:
                done += 1
                counts = each.artifacts.counts if each.artifacts else {}
                say(f"[{done}/{len(names)}] {each.path}: {_shown(counts) or 'not compiled'}")
    except ProjectError as error:
        raise UsageError(str(error)) from None
    found = in_order(diagnostics)
    report(found, texts, args.format)
    if not failed(found) and not artifacts:
        raise UsageError("no spec here declares an environment")
    if failed(found):
        say(f"nothing written: {tally(found)}")
        return 1
    try:
        manifest = write_build(args.output, artifacts, LANGUAGE, __version__)
    except OutputError as error:
        raise UsageError(str(error)) from None
    if args.format == "json":
        built = {each.name: manifest["environments"][each.name] for each in artifacts}
        print(json.dumps({"type": "build", "path": args.output, "environments": built}))
    elif not args.quiet:
        say(f"{count(len(artifacts), 'environment')} in {args.output}: {tally(found)}")
    return 0


def _shown(counts: Mapping[str, object]) -> str:
    return ", ".join(
        f"{number} {noun.removesuffix('s') if number == 1 else noun}"
        for noun, number in counts.items()
    )
