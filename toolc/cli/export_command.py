"""`toolc export`: the audited tasks of a build for other trainers."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolc.cli.dataset_command import add_split_options, admitted_tasks, options_of
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, say

if TYPE_CHECKING:
    from toolc.train.admitted import Admitted
    from toolc.train.dataset import Options

Write = Callable[["Mapping[str, Admitted]", "Options", str], dict[str, Any]]
"""Writes tasks into a folder; what `export.json` says."""


class Nothing(Exception):
    """None of the tasks can be exported; `refused` are the reasons."""

    def __init__(self, refused: dict[str, Any]) -> None:
        super().__init__()
        self.refused = refused


def _ftrl(tasks: Mapping[str, Admitted], options: Options, folder: str) -> dict[str, Any]:
    from toolc.export import ftrl

    export = ftrl.make(tasks, options)
    if not any(export.rows.values()):
        raise Nothing(ftrl.summary(export, options)["refused"])
    return ftrl.write(export, options, folder)


def _verl(tasks: Mapping[str, Admitted], options: Options, folder: str) -> dict[str, Any]:
    from toolc.export import verl

    export = verl.make(tasks, options)
    if not any(export.rows.values()):
        raise Nothing({})
    return verl.write(export, tasks, options, folder)


FORMATS: dict[str, Write] = {"ftrl": _ftrl, "verl": _verl}


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "export",
        description="Write the audited tasks of a build as another trainer takes them, split as "
        "`toolc dataset` splits them. ftrl: rows as FTRL publishes them, with the code of every "
        "tool in them, of tasks whose steps only read. verl: a folder that stands alone, with "
        "tool classes, their configuration, rows, the reward function and a script that starts it.",
        epilog=epilog(
            {
                "toolc export ftrl build -o rows": "every environment, one of them held out",
                "toolc export verl build/shop -o shop-verl": "one environment",
            },
            "written",
            "nothing can be written so",
        ),
    )
    parser.add_argument("to", metavar="FORMAT", choices=FORMATS, help=" or ".join(FORMATS))
    parser.add_argument("build", metavar="BUILD[/ENV]", help="a build, or one of its environments")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="the folder to write")
    add_split_options(parser)
    parser.set_defaults(orders=1)  # there is one order of steps: no calls stand in the rows
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.train.dataset import DatasetError

    tasks = admitted_tasks(args.build)
    try:
        about = FORMATS[args.to](tasks, options_of(args, list(tasks)), args.output)
    except DatasetError as error:
        raise UsageError(str(error)) from None
    except ImportError:
        raise UsageError("Parquet needs `pyarrow`: install toolc with its `train` extra") from None
    except Nothing as nothing:
        _show_refused(nothing.refused)
        say(f"toolc: there is no task that can be exported as {args.to}")
        return 1
    if args.format == "json":
        print(json.dumps(about, ensure_ascii=False))
    else:
        _show(about, args.output)
    return 0


def _show(about: dict[str, Any], folder: str) -> None:
    for name, found in about["rows"].items():
        told = ", ".join(f"{number} {of}" for of, number in found.items())
        print(f"{name:<11}{sum(found.values()):>6} rows{': ' if told else ''}{told}")
    _show_refused(about.get("refused", {}))
    say(f"{count(len(about['files']), 'file')} in {folder}")


def _show_refused(refused: dict[str, dict[str, dict[str, str]]]) -> None:
    """How many were refused, and the most frequent reasons."""
    for kind, found in refused.items():
        reasons = Counter(reason for each in found.values() for reason in each.values())
        if reasons:
            told = "; ".join(f"{number} {reason}" for reason, number in reasons.most_common(3))
            more = "; …" if len(reasons) > 3 else ""
            say(f"{count(reasons.total(), kind.removesuffix('s'))} refused: {told}{more}")
