"""The command line: finds the command that is asked for and runs it.

Each command is a module with `add_parser(subparsers)` and `run(args)`, which returns the exit
status: 0 fine, 1 problems in what was given, 2 wrong usage. Only the module of the command that
runs is imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from toolc import __version__
from toolc.cli.terminal import UsageError, prepare_streams, say

COMMANDS = {
    "init": "write a first project",
    "compile": "compile specs into a build folder",
    "check": "report what is wrong with specs",
    "test": "run the tests that stand in specs",
    "fmt": "format specs in place",
    "run": "play a task of a compiled environment, or call its tools",
    "replay": "compare a compiled environment with recorded episodes",
    "show": "show a compiled environment, or one of its tasks",
    "guide": "print the language on one page, for a language model that writes specs",
    "import": "write a spec from function schemas, or from data",
    "explain": "explain a diagnostic by its code, or list them all",
}
"""Commands and what `toolc --help` says of them; `toolc.cli.<name>_command` is the module."""

INTERRUPTED = 130
INTERNAL = 70


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    try:
        return _run(argv)
    except UsageError as error:
        say(f"toolc: {error}")
        return 2
    except KeyboardInterrupt:
        say("toolc: interrupted")
        return INTERRUPTED
    except OSError as error:
        # Commands report what they cannot read or write, so this is standard output; what it
        # still holds must not fail once more as the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            say(f"toolc: {error.strerror or error}")
        return 1
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 2
    except Exception as error:
        from toolc_runtime.errors import BuildError

        if isinstance(error, BuildError):  # artifacts are read when they are first needed
            say(f"toolc: {error}")
            return 2
        if os.environ.get("TOOLC_TRACEBACK"):
            raise
        say(f"toolc: internal error: {type(error).__name__}: {error}")
        say("This is a defect of toolc. TOOLC_TRACEBACK=1 shows where it is.")
        return INTERNAL


class _Parser(argparse.ArgumentParser):
    """Has a fixed width: argparse asks for the terminal's at every argument, and imports shutil."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Formatter, **options)


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=100)


def _run(argv: list[str]) -> int:
    parser = _Parser(
        prog="toolc",
        description="Compile specs of tool environments, check them, and run what they give.",
        epilog="`toolc COMMAND --help` tells more of a command.",
    )
    parser.add_argument("--version", action="version", version=f"toolc {__version__}")
    subparsers = parser.add_subparsers(
        prog="toolc", metavar="COMMAND", dest="command", required=True
    )
    wanted = next((argument for argument in argv if not argument.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == wanted:
            module = import_module(f"toolc.cli.{name}_command")
            module.add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary, add_help=False)
    args = parser.parse_args(argv)
    status: int = module.run(args)
    sys.stdout.flush()
    return status
