"""`toolc report`: an evaluation as a page to read."""

from __future__ import annotations

import argparse

from toolc.cli.terminal import Subparsers, UsageError, count, epilog, positive, say


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "report",
        description="Write an evaluation as one HTML page: its figures with confidence intervals, "
        "what they are made of, and every episode with its calls, changes and verdict. The page "
        "needs no network, and shows what models wrote as text alone.",
        epilog=epilog(
            {
                "toolc report runs/first": "runs/first/report.html",
                "toolc report runs/first -o first.html": "a file of another name",
                "toolc report runs/first --size 200": "more conversations, for a large run",
            },
            "written",
        ),
    )
    parser.add_argument("run", metavar="RUN", help="the folder of an evaluation")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: report.html in RUN")
    parser.add_argument(
        "--size",
        type=positive,
        default=64,
        metavar="MIB",
        help="at most so much of conversations; of episodes without success first (default: 64)",
    )


def run(args: argparse.Namespace) -> int:
    import os

    from toolc.diagnostics.catalogue import visible
    from toolc.files import why
    from toolc.output import write_file
    from toolc.reporting.page import page
    from toolc.reporting.run import RunError, read_run

    path = args.output or os.path.join(args.run, "report.html")
    try:
        found = read_run(args.run)
        made = page(found, args.size * 2**20)
    except RunError as error:
        raise UsageError(visible(str(error))) from None
    try:
        write_file(path, made.html.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {why(error)}") from None
    left = [
        f"{made.unlisted:,} not listed" if made.unlisted else "",
        f"{made.without_body:,} without their conversation" if made.without_body else "",
        "the last line was torn" if found.torn else "",
    ]
    notes = "".join(f", {each}" for each in left if each)
    say(f"{path}: {count(len(found.episodes), 'episode')}{notes}")
    return 0
