"""`toolc eval`: a policy plays the tasks of a build, and what it did is kept and summed up."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.cli.progress import Progress
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say
from toolc.eval import endpoint, local

if TYPE_CHECKING:
    from toolc.eval.rollout import Work
    from toolc.eval.run import Run
    from toolc_runtime.environment import Environment

THREADS = 8
"""Episodes at a time of a policy that waits for a model."""

SHOWN = 5
"""Names that a message lists."""

ABOUT = """policies:
  reference   the plan of each task, played honestly: 1.0 on every sound task
  noop        calls nothing
  random      calls tools at random, with values from the prompt and the data
  replay      what the messages of recorded episodes say (--replay FILE)
  endpoint    a model at a server of OpenAI's chat completions (--endpoint URL --model NAME)
  local       a model of the transformers library in this process (--model-path FOLDER)

An episode is not scored where the model could not be asked or the environment is at fault; it is
counted, is no part of any figure, and is played again by the same command. A run that was
interrupted (exit status 130) goes on with the same command. Tasks that no audit admits are not
played but with --unaudited (exit status 2)."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "eval",
        description="Let a policy play the tasks of a build. Each episode is kept with its "
        "messages, calls, changes and verdict; the figures have bootstrap intervals of 95 %.",
        epilog=epilog(
            {
                "toolc eval build --policy reference": "every task, by its plan",
                "toolc eval build/shop --policy random --samples 4": "four episodes a task",
                "toolc eval build --endpoint http://localhost:8000/v1 --model Qwen3-8B": "a model",
            },
            "every episode is scored",
            "some are not",
            ABOUT,
        ),
    )
    parser.add_argument("build", metavar="BUILD[/ENV]", help="a build, or one of its environments")
    add_policy(parser)
    parser.add_argument(
        "-o", "--output", metavar="RUN", help="the folder of the run (default: runs/BUILD-POLICY)"
    )
    parser.add_argument(
        "--samples", type=positive, default=1, metavar="N", help="episodes a task (default: 1)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="for episodes and intervals (default: 0)"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="a task or scenario; repeatable"
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="N of the tasks, drawn by the seed"
    )
    add_playing(parser)
    parser.add_argument(
        "--unaudited",
        action="store_true",
        help="also play tasks that `toolc audit` refuted or has not seen",
    )
    add_format(parser, "human", "json")


def add_policy(parser: argparse.ArgumentParser) -> None:
    """The options that say who plays, and how a model is reached, sampled and read."""
    policy = parser.add_mutually_exclusive_group(required=True)
    policy.add_argument("--policy", metavar="NAME", help="reference, noop or random")
    policy.add_argument("--replay", metavar="FILE", help="recorded episodes, one a line")
    endpoint.add_options(parser, policy)
    local.add_options(parser, policy)


def add_playing(parser: argparse.ArgumentParser) -> None:
    """How long episodes are, how many are played at a time, and whether a run begins again."""
    parser.add_argument(
        "--max-turns", type=positive, metavar="N", help="messages of the model in an episode"
    )
    parser.add_argument(
        "--jobs",
        "--concurrency",
        "-j",
        type=positive,
        metavar="N",
        help=f"episodes at a time (default: all cores; {THREADS} where a model is asked)",
    )
    parser.add_argument("--fresh", action="store_true", help="begin again, whatever RUN holds")


def run(args: argparse.Namespace) -> int:
    from toolc.audit.record import BuildNameError, environments_in
    from toolc.cli.loading import load_environment
    from toolc.eval.run import Run, choose, default_folder

    policy = policy_of(args)
    try:
        found = environments_in(args.build)
    except BuildNameError as error:
        raise UsageError(f"`{args.build}` is no build that toolc wrote: {error}") from None
    folders = {os.path.basename(os.path.realpath(folder)): folder for folder in found}
    if not folders:
        raise UsageError(f"`{args.build}` holds no build; `toolc compile` writes one")
    environments = {name: load_environment(folder) for name, folder in folders.items()}
    tasks = choose(environments, args.only, args.limit, args.seed)
    if not tasks:
        wanted = " or ".join(args.only)
        raise UsageError(
            f"no task or scenario is called {wanted}" if wanted else "the build has no tasks"
        )
    if not args.unaudited:
        _admit(folders, tasks)
    made = Run(args.build, folders, tasks, policy, args.samples, args.seed, args.max_turns)
    folder = args.output or default_folder(args.build, policy)
    played = play(args, folder, made, environments)
    if args.format == "human":
        _show(played.summary)
        say(f"{count(played.episodes, 'episode')} in `{folder}`")
    else:
        print(json.dumps(played.summary, ensure_ascii=False))
    played.warn()
    return int(played.summary["not_scored"] > 0)


def policy_of(args: argparse.Namespace) -> dict[str, Any]:
    """The settings of the policy that the options ask for."""
    for option, settings in SETTINGS.items():
        value = getattr(args, option)
        if value is not None:
            return settings(args, value)
    raise AssertionError("one of them is required")


def _named(args: argparse.Namespace, name: str) -> dict[str, Any]:
    from toolc.eval.policies import ALONE

    if name not in ALONE:
        raise UsageError(f"there is no policy `{name}`; policies: {', '.join(ALONE)}")
    return {"name": name}


def _recorded(args: argparse.Namespace, path: str) -> dict[str, Any]:
    from hashlib import file_digest

    from toolc.files import why

    try:
        with open(path, "rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {why(error)}") from None
    return {"name": "replay", "file": path, "digest": found}


SETTINGS: Mapping[str, Callable[[argparse.Namespace, Any], dict[str, Any]]] = {
    "policy": _named,
    "replay": _recorded,
    "endpoint": lambda args, url: endpoint.settings_of(args),
    "model_path": lambda args, folder: local.settings_of(args),
}
"""By the option that asks for a policy, what makes the policy's settings of its value."""


def _admit(folders: Mapping[str, str], tasks: Mapping[str, Sequence[str]]) -> None:
    """UsageError where a task is chosen that no audit admits."""
    from toolc.audit.record import recorded

    found = {name: recorded(folders[name]) for name in tasks}
    unseen = [name for name, record in found.items() if record is None]
    if unseen:
        raise UsageError(
            f"no audit has seen {_some(unseen)} as it stands: run `toolc audit`, or play "
            "its tasks with --unaudited"
        )
    refuted = [
        task
        for name, record in found.items()
        for task in tasks[name]
        if record is not None and task in record.refuted
    ]
    if refuted:
        raise UsageError(
            f"the audit refuted {count(len(refuted), 'task')}, {_some(refuted)}: "
            "`toolc audit` says why, and --unaudited plays them all the same"
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


class Played(NamedTuple):
    """A run that was played to the end: its summary, how many episodes its folder holds, and how
    often a reason kept one from being scored."""

    summary: dict[str, Any]
    episodes: int
    reasons: Counter[str]

    def warn(self) -> None:
        """Says what kept episodes from being scored."""
        for reason, number in self.reasons.most_common(SHOWN):
            say(f"not scored: {count(number, 'episode')}: {reason}")


def play(
    args: argparse.Namespace, folder: str, run: Run, environments: Mapping[str, Environment]
) -> Played:
    """Plays a run, or goes on with it, in a folder. `args` has the options of `add_policy` and
    `add_playing`. UsageError where it cannot be begun or gone on with."""
    from toolc.eval.policy import Unusable
    from toolc.eval.recording import RecordingError, recording
    from toolc.eval.store import RunError
    from toolc.workers import WorkerError

    try:
        seeds = recording(args.replay).seeds if args.replay is not None else {}
        return _play(args, folder, run, environments, run.work(seeds))
    except (RecordingError, RunError, WorkerError, Unusable) as error:
        raise UsageError(str(error)) from None


def _play(
    args: argparse.Namespace,
    folder: str,
    run: Run,
    environments: Mapping[str, Environment],
    work: Sequence[Work],
) -> Played:
    from toolc.eval import store
    from toolc.eval.policies import POLICIES
    from toolc.eval.run import played

    human = args.format == "human"
    waits = POLICIES[run.policy["name"]].parallel == "threads"
    jobs = args.jobs or (THREADS if waits else os.cpu_count() or 1)
    reasons: Counter[str] = Counter()
    with store.held(folder):
        store.begin(folder, run.to_json(), fresh=args.fresh)
        rows = store.resume(folder)
        done = {row.episode for row in rows}
        left = [each for each in work if each[:3] not in done]
        if rows and human:
            say(f"{len(rows):,} of {count(len(work), 'episode')} were played before")
        try:
            with (
                store.Episodes(folder) as episodes,
                Progress("episodes", len(left), shown=human) as progress,
            ):
                for line, row in played(run, environments, left, jobs):
                    episodes.add(line)
                    rows.append(row)
                    progress.advance()
                    if row.values is None:
                        reasons[json.loads(line)["not_scored"]] += 1
        except KeyboardInterrupt:
            say(
                f"{len(rows):,} of {count(len(work), 'episode')} are in `{folder}`; "
                "the same command goes on"
            )
            raise
        summary = run.summary(rows)
        store.conclude(folder, summary)
    return Played(summary, len(rows), reasons)


def _show(summary: Mapping[str, Any]) -> None:
    columns = ("solve_precision", "solve_rate", "solve_f1", "success")
    lines = [("", "tasks", *columns)]
    groups = {**summary["by_kind"], "all": summary}
    for name, group in groups.items():
        cells = [_figure(group[column], group["intervals"][column]) for column in columns]
        lines.append((name, f"{group['tasks']:,}", *cells))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *padded]))
    print(
        f"reward {_number(summary['reward'])}; an episode: {_number(summary['calls'], 1)} calls, "
        f"{_number(summary['invalid_calls'], 2)} of them invalid, "
        f"{_number(summary['turns'], 1)} messages"
    )
    for name in ("pass@k", "pass^k"):
        if summary["samples"] > 1:
            found = summary[name].items()
            print("  ".join(f"{name[:5]}{k} {_number(value)}" for k, value in found))
    if summary["not_scored"]:
        print(f"not scored: {summary['not_scored']:,} of {count(summary['episodes'], 'episode')}")


def _figure(value: float | None, interval: Sequence[float] | None) -> str:
    if interval is None:
        return "-"
    return f"{_number(value)} [{_number(interval[0])}, {_number(interval[1])}]"


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
