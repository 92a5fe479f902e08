"""`toolc sample`: trajectories of the tasks that training has, to train on a message at a time."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.dataset_command import add_split_options, admitted_tasks, options_of
from toolc.cli.eval_command import add_playing, add_policy, play, policy_of
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say

if TYPE_CHECKING:
    from toolc.train.admitted import Admitted
    from toolc.train.dataset import Options

SAMPLES = 4
SUMMARY = "trajectories.json"
"""Beside what `toolc eval` writes, what the trajectories give for training."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "sample",
        description="Let a policy play the tasks that `toolc train` trains on, several times each, "
        'and keep the trajectories: `rl.unit = "message"` cuts them into items of one message '
        "each. What is kept for validation and tests is never played.",
        epilog=epilog(
            {
                "toolc sample build --model-path run/sft/model -o runs/first": "a model's own",
                "toolc sample build --endpoint http://localhost:8000/v1 --model m -o runs/m": (
                    "a server's"
                ),
                "toolc sample build --policy reference --samples 1 -o runs/plans": "the plans'",
            },
            "every trajectory is scored",
            "some are not",
            "The seed and the shares decide, as in `toolc dataset` and `toolc train`, which tasks "
            "are for training: give what the training run has. The folder is a run of "
            "`toolc eval`: the same command goes on where it was interrupted, and `toolc report` "
            "shows it. Train on it with `rl.trajectories`.",
        ),
    )
    parser.add_argument("build", metavar="BUILD[/ENV]", help="a build, or one of its environments")
    add_policy(parser)
    parser.set_defaults(temperature=1.0, orders=1)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="the run's folder")
    parser.add_argument(
        "--samples",
        type=positive,
        default=SAMPLES,
        metavar="N",
        help="trajectories a task (default: %(default)s)",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="N of the tasks, by the seed")
    add_split_options(parser)
    add_playing(parser)
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.eval.run import Run
    from toolc.files import why
    from toolc.output import write_file

    policy = policy_of(args)
    admitted = admitted_tasks(args.build)
    options = options_of(args, list(admitted))
    tasks = _training(admitted, options, args.limit)
    folders = {name: admitted[name].folder for name in tasks}
    made = Run(args.build, folders, tasks, policy, args.samples, args.seed, args.max_turns)
    played = play(args, args.output, made, {name: admitted[name].environment for name in tasks})
    found = {**_summary(args.output, admitted), "held_out": list(options.held_out)}
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    try:
        write_file(os.path.join(args.output, SUMMARY), text.encode())
    except OSError as error:
        place = os.path.join(args.output, SUMMARY)
        raise UsageError(
            f"cannot write `{place}`: {why(error)}; the same command goes on"
        ) from None
    if args.format == "json":
        print(json.dumps(found, ensure_ascii=False))
    else:
        _show(found, args.output)
    played.warn()
    return int(played.summary["not_scored"] > 0)


def _training(
    admitted: Mapping[str, Admitted], options: Options, limit: int | None
) -> dict[str, Sequence[str]]:
    """The tasks of the training split by environment; of them so many at most."""
    from toolc.eval.run import choose
    from toolc.train.dataset import DatasetError, placed

    try:
        wanted = {
            (source.environment.name, task.id)
            for source, task, place in placed(admitted, options)
            if place.split == "train"
        }
    except DatasetError as error:
        raise UsageError(str(error)) from None
    chosen = choose(
        {name: each.environment for name, each in admitted.items()},
        [],
        limit,
        options.seed,
        lambda environment, task: (environment, task) in wanted,
    )
    if not chosen:
        raise UsageError("no audited task of the build is left to train on")
    return dict(chosen)


def _summary(folder: str, admitted: Mapping[str, Admitted]) -> dict[str, Any]:
    from toolc.eval.store import EPISODES
    from toolc.train.collected import summarise
    from toolc.train.rows import source

    sources = {name: source(each.environment) for name, each in admitted.items()}
    with open(os.path.join(folder, EPISODES), encoding="utf-8") as lines:
        return {"format": 1, **summarise(lines, sources)}


def _show(found: Mapping[str, Any], folder: str) -> None:
    items, rewards = found["items"], found["reward"]
    tasks, trajectories = found["tasks"], found["trajectories"]
    print(f"{trajectories:,} trajectories of {count(tasks, 'task')}")
    if trajectories:
        print(
            f"{count(items['all'], 'item')}, {items['distinct']:,} of them distinct; "
            f"{items['mean']:.1f} a trajectory, from {items['least']} to {items['most']}"
        )
        print(
            f"reward {rewards['mean']:.3f}; whole in {rewards['whole']:,}, none in "
            f"{rewards['none']:,}; different within {found['tasks_with_different_rewards']:,} tasks"
        )
    held_out = ", ".join(found["held_out"]) or "none"
    say(f"`rl.trajectories = {json.dumps(folder)}`; environments held out: {held_out}")
