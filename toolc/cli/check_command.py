"""`toolc check`: parses and checks specs, without their data."""

from __future__ import annotations

import argparse

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, report, say, tally


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "check",
        description="Report what is wrong with specs. Data files are not read and plans not run: "
        "`toolc compile` does that.",
        epilog=epilog(
            {
                "toolc check .": "every spec at or below this folder",
                "toolc check shop.toolc --format json": "a finding a line",
            },
            "no errors (warnings do not count)",
            "errors",
        ),
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a .toolc file, or a folder")
    add_format(parser, "human", "plain", "json")
    parser.add_argument("--quiet", "-q", action="store_true", help="no summary")


def run(args: argparse.Namespace) -> int:
    from toolc.project import ProjectError, check_project, failed, load_project

    try:
        project = load_project(args.paths)
    except ProjectError as error:
        raise UsageError(str(error)) from None
    diagnostics = check_project(project)
    report(diagnostics, project.texts, args.format)
    if not args.quiet:
        say(f"{count(len(project.texts), 'file')}: {tally(diagnostics)}")
    return int(failed(diagnostics))
