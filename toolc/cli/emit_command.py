"""`toolc emit`: has a language model write specs, and mend them until the compiler takes them."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli import asking
from toolc.cli.progress import Progress
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, say

if TYPE_CHECKING:
    from toolc.cluster import Cluster
    from toolc.emission.descriptions import Item
    from toolc.emission.judge import Standard
    from toolc.emission.loop import Loop, Settled

SHOWN = 10
"""Specs that were left out that are shown; `summary.json` has all."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "emit",
        description="Have a language model write specs from descriptions. It reads `toolc guide`; "
        "what it writes is compiled and its tests are run. Safe fixes are applied, and what is "
        "still wrong goes back to the model, for some rounds. Every attempt is kept.",
        epilog=epilog(
            {
                'toolc emit "A ferry office" --endpoint http://host:8000/v1 --model Qwen3-8B': (
                    "one spec, to standard output"
                ),
                "toolc emit --descriptions ideas.jsonl -o made --endpoint URL --model NAME": (
                    "many; the same command goes on"
                ),
            },
            "every spec is accepted",
            "some are not",
        ),
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("description", nargs="?", help="what the environment is about")
    what.add_argument(
        "--descriptions",
        metavar="FILE.jsonl",
        help='many, one a line: {"id": "ferry", "description": "…"}',
    )
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="the spec's file; of --descriptions a folder"
    )
    parser.add_argument(
        "--audit", action="store_true", help="accept a spec only where every task of it is sound"
    )
    parser.add_argument("--log", metavar="FILE.jsonl", help="every attempt at one description")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the model's draws")
    asking.add_jobs(parser)
    parser.add_argument("--fresh", action="store_true", help="begin again, whatever DIR holds")
    asking.add_options(parser)
    asking.add_ray(parser)
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.emission.attempts import JournalError
    from toolc.emission.judge import Standard
    from toolc.emission.run import FolderError
    from toolc.models.client import Refused

    settings = {
        "model": asking.settings_of(args),
        "rounds": asking.ROUNDS if args.rounds is None else args.rounds,
        "audit": args.audit,
        "seed": args.seed,
    }
    standard = Standard(args.audit)
    work = _many if args.descriptions is not None else _one
    try:
        return work(args, settings, standard)
    except (FolderError, JournalError, Refused) as error:
        raise UsageError(str(error)) from None


# ---------------------------------------------------------------- one


def _one(args: argparse.Namespace, settings: Mapping[str, Any], standard: Standard) -> int:
    from toolc.emission.attempts import Journal
    from toolc.emission.descriptions import MAX_TEXT, Item
    from toolc.emission.loop import Loop
    from toolc.emission.run import task_of
    from toolc.emission.summary import summarise

    if args.ray is not None:
        raise UsageError("--ray takes --descriptions: one description is one task")
    if not args.description.strip() or len(args.description) > MAX_TEXT:
        raise UsageError(f"a description has 1 to {MAX_TEXT:,} characters")
    text = args.description.encode("utf-8", "replace").decode()
    asker = asking.asker_of(settings["model"])
    loop = Loop(asker, Journal(args.log), settings["rounds"], args.seed)
    found = loop.settle(task_of(Item("spec", text, {}), standard))
    for attempt in found.attempts:
        wrong = ", ".join(attempt.codes)
        say(f"{_round(attempt.round)}: {f'not accepted: {wrong}' if wrong else 'accepted'}")
    if found.spec is not None and (args.output is not None or args.format == "human"):
        _write(args.output, found.spec)
    if found.spec is None:
        say(f"no spec: {found.reason}")
        last = found.attempts[-1].problems if found.attempts else ()
        for each in last[1:SHOWN]:
            say(f"  {each['code']}: {each.get('message', '')}")
    if args.format == "json":
        summary = summarise([found], settings["rounds"])
        print(json.dumps({**summary, "spec": found.spec}, ensure_ascii=False))
    return int(found.spec is None)


def _round(number: int) -> str:
    return f"round {number}" if number else "first pass"


def _write(path: str | None, spec: str) -> None:
    from toolc.files import why
    from toolc.output import write_file

    if path is None:
        print(spec, end="")
        return
    try:
        write_file(path, spec.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {why(error)}") from None


# ---------------------------------------------------------------- many


def _many(args: argparse.Namespace, settings: Mapping[str, Any], standard: Standard) -> int:
    from toolc.emission import run
    from toolc.emission.descriptions import LinesError, read_items
    from toolc.emission.loop import Loop
    from toolc.eval.store import RunError, held

    if args.output is None or args.log is not None:
        raise UsageError("--descriptions takes -o DIR, which holds the log too")
    try:
        items = read_items(args.descriptions, "description")
    except LinesError as error:
        raise UsageError(str(error)) from None
    asker = asking.asker_for(args, settings["model"])
    try:
        with held(args.output), asking.cluster(args) as cluster:
            journal = run.begin(args.output, settings, fresh=args.fresh)
            loop = Loop(asker, journal, settings["rounds"], args.seed)
            found = _settled(args, items, loop, standard, cluster)
            summary = run.conclude(args.output, items, found, settings["rounds"])
    except RunError as error:
        raise UsageError(str(error)) from None
    if args.format == "json":
        print(json.dumps(summary, ensure_ascii=False))
    else:
        _show(summary, args.output)
    return int(bool(summary["items"] - summary["accepted"]))


def _settled(
    args: argparse.Namespace,
    items: Sequence[Item],
    loop: Loop,
    standard: Standard,
    cluster: Cluster | None,
) -> dict[str, Settled]:
    from toolc.emission import run

    found: dict[str, Settled] = {}
    jobs = args.jobs or asking.IN_FLIGHT
    usable = sum(not item.reason for item in items)
    try:
        with Progress("specs", usable, shown=args.format == "human") as progress:
            for each in run.settled(items, loop, standard, jobs, cluster):
                found[each.item] = each
                progress.advance()
    except KeyboardInterrupt:
        run.conclude(args.output, items, found, loop.rounds)
        say(f"{len(found):,} of {usable:,} are settled; the same command goes on")
        raise
    return found


def _show(summary: Mapping[str, Any], folder: str) -> None:
    shares = summary["accepted_share_by_round"]
    for number, (accepted, share) in enumerate(
        zip(summary["accepted_by_round"], shares, strict=True)
    ):
        if share is not None and (
            not number or accepted != summary["accepted_by_round"][number - 1]
        ):
            print(f"{_round(number)}: {count(accepted, 'spec')} accepted ({share:.0%})")
    for code, numbers in summary["by_code"].items():
        print(f"  {code}: {', '.join(map(str, numbers))}")
    for id, reason in list(summary["left_out"].items())[:SHOWN]:
        say(f"left out: {id}: {reason}")
    if len(summary["left_out"]) > SHOWN:
        more = len(summary["left_out"]) - SHOWN
        say(f"{more:,} more left out: {os.path.join(folder, 'summary.json')} has all")
    kept = summary["accepted"] - summary["duplicates"]
    say(
        f"{count(kept, 'spec')} of {count(summary['items'], 'description')} in "
        f"{os.path.join(folder, 'specs')}; {summary['prompt_tokens']:,} tokens read, "
        f"{summary['completion_tokens']:,} written"
    )
