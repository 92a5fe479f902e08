"""What commands share: messages, diagnostics on the terminal, common options."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolc.diagnostics.diagnostic import Diagnostic

Subparsers = argparse._SubParsersAction  # argparse has no public name for it


class UsageError(Exception):
    """The command line asks for something that cannot be done; exit status 2."""


def prepare_streams() -> None:
    """Makes standard output and error take any text: as UTF-8, and to nowhere where closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """A line for the person at the terminal, on standard error."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def positive(text: str) -> int:
    """An option's whole number of at least 1."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number from 1")
    return int(text)


def add_format(parser: argparse.ArgumentParser, *formats: str) -> None:
    """`--format`, of which the first is the default."""
    parser.add_argument(
        "--format", choices=formats, default=formats[0], help="how to report (default: %(default)s)"
    )


def epilog(examples: Mapping[str, str], good: str, bad: str = "", about: str = "") -> str:
    """What stands below the options of a command's help: further words, examples with what they
    do, and the exit statuses: what 0 and (where a command has it) 1 mean."""
    width = max(map(len, examples))
    shown = "\n".join(f"  {command:<{width}}   {text}" for command, text in examples.items())
    statuses = [f"0 {good}", *([f"1 {bad}"] if bad else []), "2 wrong usage or no such file"]
    parts = [about, f"examples:\n{shown}", f"exit status: {'; '.join(statuses)}"]
    return "\n\n".join(filter(None, parts))


def report(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], format: str = "human"
) -> None:
    """Prints diagnostics on standard output."""
    found = tuple(diagnostics)
    if not found:
        return
    from toolc.diagnostics.render import render

    text = render(found, texts, format, colour(format))
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def colour(format: str) -> bool:
    """Whether standard output is a terminal that should show colours."""
    return format == "human" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def tally(diagnostics: Iterable[Diagnostic]) -> str:
    """How many errors and warnings there are."""
    severities = [found.severity for found in diagnostics]
    kinds = [(severities.count("error"), "error"), (severities.count("warning"), "warning")]
    return ", ".join(count(number, noun) for number, noun in kinds if number) or "no problems"
