"""`toolc dataset`: the audited tasks of a build as rows to train and test with."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say

if TYPE_CHECKING:
    from toolc.train.admitted import Admitted
    from toolc.train.dataset import Options
    from toolc.train.schema_losses import Lost


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "dataset",
        description="Write the audited tasks of a build as train, validation and test rows, as "
        "JSONL and Parquet: `rl` rows to sample from, `sft` rows with the reference calls. "
        "Test rows are tasks, scenario families and environments that training has not seen.",
        epilog=epilog(
            {
                "toolc dataset build -o data": "every environment, one of them held out",
                "toolc dataset build -o data --hold-out shop": "which one",
                'python -c \'import datasets; datasets.load_dataset("data", "rl")\'': "load it",
            },
            "written",
        ),
    )
    parser.add_argument("build", metavar="BUILD[/ENV]", help="a build, or one of its environments")
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="the data set's folder"
    )
    add_split_options(parser)
    parser.add_argument(
        "--orders",
        type=positive,
        default=2,
        metavar="N",
        help="orders of independent steps of an sft row, at most (default: %(default)s)",
    )
    add_format(parser, "human", "json")


def add_split_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what is kept from training."""
    parser.add_argument(
        "--hold-out",
        action="append",
        metavar="ENV",
        help="an environment that training never sees; repeatable; `none` for none "
        "(default: one of three or more, by the seed)",
    )
    for name, default, what in (
        ("families", 0.1, "scenario families"),
        ("tasks", 0.2, "tasks of the other families"),
        ("validation", 0.1, "tasks of the other families, for validation"),
    ):
        parser.add_argument(
            f"--{name}",
            type=_share,
            default=default,
            metavar="SHARE",
            help=f"share of the {what} kept from training (default: %(default)s)",
        )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 0.9:
        raise argparse.ArgumentTypeError(f"`{text}` is not a share from 0 to 0.9")
    return share


def run(args: argparse.Namespace) -> int:
    from toolc.train.dataset import DatasetError, make, write
    from toolc.train.schema_losses import lost

    tasks = admitted_tasks(args.build)
    options = options_of(args, list(tasks))
    try:
        losses = {name: lost(each.environment) for name, each in tasks.items()}
        about = write(make(tasks, options), options, args.output, losses)
    except DatasetError as error:
        raise UsageError(str(error)) from None
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: install toolc with its `train` extra") from None
    if args.format == "json":
        print(json.dumps(about, ensure_ascii=False))
    else:
        _show(about, args.output)
        _show_losses(losses)
    return 0


def admitted_tasks(build: str) -> Mapping[str, Admitted]:
    """The environments of a build by name, each with its audited tasks; UsageError without."""
    from toolc.train.admitted import NotAdmitted, admitted_in
    from toolc_runtime.errors import BuildError

    try:
        return admitted_in(build)
    except (NotAdmitted, BuildError) as error:
        raise UsageError(str(error)) from None


def options_of(args: argparse.Namespace, environments: list[str]) -> Options:
    """What the options of the command line ask for."""
    from toolc.train.dataset import Options, default_held_out
    from toolc.train.splits import Shares

    given = args.hold_out
    held_out = default_held_out(environments, args.seed) if given is None else tuple(given)
    return Options(
        () if held_out == ("none",) else held_out,
        Shares(args.families, args.tasks, args.validation),
        args.orders,
        args.seed,
    )


def _show(about: dict[str, Any], folder: str) -> None:
    for config, splits in about["splits"].items():
        for name, found in splits.items():
            parts = [_told(found, "kind"), _told(found, "unseen")]
            told = "; unseen ".join(part for part in parts if part)
            print(f"{config:<4}{name:<11}{found['rows']:>6} rows: {told}")
    held_out = ", ".join(about["held_out"]) or "none"
    say(f"{count(len(about['files']), 'file')} in {folder}; environments held out: {held_out}")


def _show_losses(losses: Mapping[str, Lost]) -> None:
    from toolc.train.schema_losses import counted

    tools = sum(map(len, losses.values()))
    if tools:
        kinds = ", ".join(f"{number} {each}" for each, number in counted(losses).most_common())
        say(
            f"schemas that TRL derives by itself lose something of {count(tools, 'tool')}, told in "
            f"descriptions ({kinds}); rows and `toolc train` have the exact ones"
        )


def _told(found: dict[str, Any], column: str) -> str:
    return ", ".join(f"{number} {each}" for each, number in found.get(column, {}).items())
