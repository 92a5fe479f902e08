"""`toolc guide`: the language on one page, for a language model."""

from __future__ import annotations

import argparse

from toolc.cli.terminal import Subparsers, epilog


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    subparsers.add_parser(
        "guide",
        description="Print the language on one page, to put before a language model that is to "
        "write specs: its rules, every built-in, three worked environments.",
        epilog=epilog({"toolc guide": "some 3,000 words"}, "printed"),
    )


def run(args: argparse.Namespace) -> int:
    from toolc.guide import page

    print(page(), end="")
    return 0
