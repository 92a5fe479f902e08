"""`toolc explain`: what a diagnostic means, with an example and its mend."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, add_format, epilog

if TYPE_CHECKING:
    from toolc.diagnostics.rule import Rule

WIDTH = 96


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "explain",
        description="Explain a diagnostic: what raises it and why, a spec that does, and the same "
        "spec mended. Without a code, list all diagnostics.",
        epilog=epilog(
            {
                "toolc explain TC0201": "a diagnostic",
                "toolc explain": "all of them",
            },
            "explained",
            about="Codes stand in brackets in what `toolc check` reports: `toolc explain TC0201`. "
            "With --format json, each diagnostic is one object on a line of its own.",
        ),
    )
    parser.add_argument("code", nargs="?", metavar="CODE", help="such as TC0201, or 201")
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.diagnostics.catalogue import families

    if args.code is None:
        for start, about, rules in families():
            if args.format == "json":
                for rule in rules:
                    print(json.dumps(_brief(rule)))
                continue
            print(f"{start} {about}")
            for rule in rules:
                mark = " (warning)" if rule.severity == "warning" else ""
                print(f"  {rule.code}  {rule.title}{mark}")
        return 0
    rule = _find(args.code)
    print(json.dumps(_whole(rule)) if args.format == "json" else _text(rule))
    return 0


def _find(wanted: str) -> Rule:
    from toolc.analysis.names import suggest
    from toolc.diagnostics.registry import RULES

    code = wanted.upper()
    if code.isascii() and code.isdecimal() and len(code) <= 4:
        code = f"TC{code.zfill(4)}"
    if code in RULES:
        return RULES[code]
    help = "; ".join(suggest(code, RULES)) or "`toolc explain` lists them all"
    raise UsageError(f"there is no diagnostic `{wanted}`; {help}")


def _brief(rule: Rule) -> dict[str, Any]:
    from toolc.diagnostics.registry import FAMILIES

    family = FAMILIES[rule.code[:4]]
    return {
        "code": rule.code,
        "family": family,
        "title": rule.title,
        "severity": rule.severity,
    }


def _whole(rule: Rule) -> dict[str, Any]:
    from toolc.diagnostics.catalogue import clipped, message

    examples = {"bad": clipped(rule.bad), "good": clipped(rule.good)}
    return {
        **_brief(rule),
        "message": message(rule),
        "explanation": rule.explanation,
        **examples,
    }


def _text(rule: Rule) -> str:
    from textwrap import fill, indent

    from toolc.diagnostics.catalogue import clipped, message, visible

    bad, good = (
        indent(visible(clipped(example)).rstrip("\n"), "    ") for example in (rule.bad, rule.good)
    )
    return (
        f"{rule.severity}[{rule.code}]: {rule.title}\n\n"
        f"{fill(rule.explanation, WIDTH)}\n\n"
        f"It reads: {message(rule)}\n\n"
        f"This raises it:\n\n{bad}\n\nThis does not:\n\n{good}"
    )
