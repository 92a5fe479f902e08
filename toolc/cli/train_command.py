"""`toolc train`: supervised and reinforcement learning on the audited tasks of a build."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, epilog, positive, say

if TYPE_CHECKING:
    from toolc.train.config import Config


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "train",
        description="Train a model on the audited tasks of a build: supervised on reference plans, "
        "then by reinforcement on the verifiers' rewards, with held-out figures before and after "
        "each stage. A run that was interrupted goes on from its last checkpoint.",
        epilog=epilog(
            {
                "toolc train --tiny": "a small model from random weights; needs no download",
                "toolc train run.toml": "as the file says",
                "toolc train run.toml --stages rl --seed 3": "with other values",
            },
            "trained, and summary.json written",
        ),
    )
    parser.add_argument("config", metavar="CONFIG.toml", nargs="?", help="what to train, and how")
    parser.add_argument("--tiny", action="store_true", help="begin with the tiny model's values")
    parser.add_argument("--build", metavar="BUILD", help="the build (default: build)")
    parser.add_argument("--output", "-o", metavar="RUN", help="the run's folder (default: run)")
    parser.add_argument("--model", metavar="NAME", help="a folder, a name on the hub, or `tiny`")
    parser.add_argument("--stages", metavar="LIST", help="of sft,rl")
    parser.add_argument("--seed", type=int, metavar="N")
    parser.add_argument("--sft-steps", type=positive, metavar="N")
    parser.add_argument("--rl-steps", type=positive, metavar="N")
    parser.add_argument("--threads", type=positive, metavar="N", help="of torch (default: all)")


def run(args: argparse.Namespace) -> int:
    config = _config(args)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that wait actively starve each other where other work shares the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if config.model == "tiny" or os.path.isdir(config.model):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        import torch  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: install toolc with its `train` extra") from None
    from toolc.cli.dataset_command import admitted_tasks
    from toolc.train.begin import RunError
    from toolc.train.run import train
    from toolc.train.trl_adapter import Unsupported

    tasks = admitted_tasks(config.build)
    config = _held_out(config, list(tasks))
    try:
        summary = train(config, tasks, say, sys.stderr.isatty())
    except (RunError, Unsupported) as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        say(f"what is whole stays in `{config.output}`; the same command goes on")
        raise
    if summary:  # of several processes one has it
        _show(summary, config.output)
    return 0


def _config(args: argparse.Namespace) -> Config:
    from toolc.files import read_bytes, why
    from toolc.train.config import TINY_RUN, Config, ConfigError, parse

    if args.config is None and not args.tiny:
        raise UsageError("give a CONFIG.toml, or --tiny")
    over: dict[str, Any] = {
        name: getattr(args, name)
        for name in ("build", "output", "model", "seed", "threads")
        if getattr(args, name) is not None
    }
    if args.stages is not None:
        over["stages"] = list(filter(None, args.stages.split(",")))
    for stage, steps in (("sft", args.sft_steps), ("rl", args.rl_steps)):
        if steps is not None:
            over[stage] = {"steps": steps}
    try:
        text = "" if args.config is None else read_bytes(args.config, 1_000_000).decode()
        return parse(text, TINY_RUN if args.tiny else Config(), over)
    except OSError as error:
        raise UsageError(f"cannot read `{args.config}`: {why(error)}") from None
    except UnicodeDecodeError:
        raise UsageError(f"`{args.config}` is not UTF-8") from None
    except ConfigError as error:
        where = f"`{args.config}`: " if args.config else ""
        raise UsageError(f"{where}{error}") from None


def _held_out(config: Config, environments: list[str]) -> Config:
    from toolc.train.dataset import default_held_out

    if config.data.hold_out is not None:
        return config
    chosen = config.data.environments or tuple(environments)
    data = dataclasses.replace(config.data, hold_out=default_held_out(chosen, config.seed))
    return dataclasses.replace(config, data=data)


def _show(summary: dict[str, Any], folder: str) -> None:
    print("Solve-F1")
    for name, by_stage in summary["solve_f1"].items():
        shown = "  ".join(f"{stage} {value:.3f}" for stage, value in by_stage.items())
        print(f"  {name.replace('_', ' '):<28}{shown}")
    say(f"{summary['seconds']:.0f} s; {os.path.join(folder, 'summary.json')} has more")
