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
from types import ModuleType
from typing import Any

from toolc import __version__
from toolc.cli.terminal import UsageError, prepare_streams, say

COMMANDS = {
    "init": "write a first project",
    "import": "write a spec from function schemas, or from data",
    "generate": "make environments with proved tasks from tables",
    "emit": "have a language model write specs from descriptions",
    "integrate": "merge tools of specs that overlap",
    "scale": "write harder versions of specs",
    "check": "report what is wrong with specs",
    "test": "run the tests that stand in specs",
    "fmt": "format specs in place",
    "compile": "compile specs into a build folder",
    "show": "show a compiled environment, or one of its tasks",
    "audit": "prove that every task of a build is sound",
    "eval": "let a policy play the tasks of a build, and sum up what it did",
    "dataset": "write the audited tasks as rows to train and test with",
    "sample": "collect trajectories of training tasks, to train on them a message at a time",
    "train": "train a model on the audited tasks of a build",
    "analyze": "say how far training has moved a model",
    "export": "write the audited tasks as other trainers take them",
    "run": "play a task of a compiled environment, or call its tools",
    "report": "write an evaluation as a page to read",
    "compare": "compare two evaluations, task by task",
    "diff": "say what differs between two builds",
    "replay": "compare a compiled environment with recorded episodes",
    "guide": "print the language on one page, for a language model that writes specs",
    "explain": "explain a diagnostic by its code, or list them all",
}
"""Commands and what `toolc --help` says of them; `toolc.cli.<name>_command` is the module."""

WAY = """the way through:
  toolc init garden              a first project; `toolc import` begins with what you have
  toolc check garden             what is wrong with the specs
  toolc test garden              run the tests that stand in them
  toolc compile garden           tools, schemas, tasks and verifiers, in build/
  toolc show build/greenhouse    tools, data and tasks at a glance
  toolc run build/greenhouse     play the plan of a task

`toolc COMMAND --help` tells more of a command.

exit status: 0 fine; 1 problems in what was given; 2 wrong usage; 70 a defect of toolc; 130
interrupted"""
"""What `toolc --help` ends with."""

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
    """Keeps the lines of paragraphs that have indented ones, such as examples."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=100)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(
            part if "\n  " in part else fill(part, width, indent) for part in text.split("\n\n")
        )


def parser_of(wanted: str | None) -> argparse.ArgumentParser:
    """The parser of the command line, which knows the options of one command, if it is one."""
    parser = _Parser(
        prog="toolc",
        description="Compile specs of tool environments, check them, and run what they give.",
        epilog=WAY,
    )
    parser.add_argument("--version", action="version", version=f"toolc {__version__}")
    subparsers = parser.add_subparsers(
        prog="toolc", metavar="COMMAND", dest="command", required=True
    )
    for name, summary in COMMANDS.items():
        if name == wanted:
            _module(name).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary, add_help=False)
    return parser


def _module(command: str) -> ModuleType:
    return import_module(f"toolc.cli.{command}_command")


def _run(argv: list[str]) -> int:
    wanted = next((argument for argument in argv if not argument.startswith("-")), None)
    args = parser_of(wanted).parse_args(argv)
    status: int = _module(args.command).run(args)
    sys.stdout.flush()
    return status
