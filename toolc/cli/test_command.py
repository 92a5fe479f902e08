"""`toolc test`: runs the `test` blocks of specs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, report, say, tally

if TYPE_CHECKING:
    from toolc.testing import Failure, Outcome, Tested

MAX_SOURCE = 200
"""Characters of an expectation that are shown."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "test",
        description='Run the tests that stand in specs: `test "title" { … expect … }`. Each starts '
        "from the initial state and calls tools as a model does, so that arguments are checked, a "
        "failed call is rolled back, and invariants hold after every call. Scenarios are not "
        "played: `toolc compile` does that. Exit 1 where a test fails.",
        epilog=epilog(
            {
                "toolc test .": "every test",
                "toolc test shop.toolc --only refund": "those with this word in their title",
            },
            "every test passes",
            "a test fails, or a spec has errors",
            about="With --format json, each test is one object on a line of its own, and so is "
            "each diagnostic.",
        ),
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a .toolc file, or a folder")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="tests whose title holds this text"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="look data files up here instead of beside their spec"
    )
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.project import ProjectError, declares, failed, load_project
    from toolc.testing import run_unit

    if args.data is not None and not os.path.isdir(args.data):
        raise UsageError(f"`{args.data}` is not a folder")
    try:
        project = load_project(args.paths)
    except ProjectError as error:
        raise UsageError(str(error)) from None
    report(project.diagnostics, project.texts, args.format)
    diagnostics = list(project.diagnostics)
    outcomes: list[Outcome] = []
    for unit in project.units:
        if not declares(unit):
            continue
        tested = run_unit(unit, args.only, args.data)
        report(tested.diagnostics, tested.texts, args.format)
        diagnostics += tested.diagnostics
        outcomes += tested.outcomes
        for line in _as_json(tested) if args.format == "json" else _as_text(tested):
            print(line)
    wrong = failed(diagnostics)
    if args.only and not outcomes and not wrong:
        raise UsageError(f"no test has `{args.only}` in its title")
    bad = sum(bool(outcome.failures) for outcome in outcomes)
    if args.format == "human":
        problems = f", {tally(diagnostics)}" if wrong else ""
        say(f"{count(len(outcomes), 'test')}: {len(outcomes) - bad} passed, {bad} failed{problems}")
    return int(bad > 0 or wrong)


def _as_text(tested: Tested) -> Iterator[str]:
    from toolc.diagnostics.catalogue import visible

    if tested.outcomes:
        yield tested.path
    for test, failures in tested.outcomes:
        yield visible(f"  {'FAILED' if failures else 'ok':8}{test.title}")
        for failure in failures:
            place = _place(tested, failure)
            yield visible(f"    {tested.path}:{place['line']}: {place['source']}")
            yield visible(f"      {failure.message}")


def _as_json(tested: Tested) -> Iterator[str]:
    for test, failures in tested.outcomes:
        shown = {
            "type": "test",
            "path": tested.path,
            "title": test.title,
            "passed": not failures,
            "failures": [_place(tested, each) | {"message": each.message} for each in failures],
        }
        yield json.dumps(shown, ensure_ascii=False)


def _place(tested: Tested, failure: Failure) -> dict[str, Any]:
    """Line and column from 1, and the source on one line; of a whole test its first line."""
    from toolc.diagnostics.render import place

    text = tested.texts[tested.path]
    found = place(text, failure.span)
    source = text[failure.span.start : failure.span.end]
    if source.startswith("test"):
        source = source.partition("\n")[0].removesuffix("{")
    shown = " ".join(source.split())
    if len(shown) > MAX_SOURCE:
        shown = shown[:MAX_SOURCE] + "…"
    return {"line": found.line, "column": found.column, "source": shown}
