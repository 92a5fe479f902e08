"""`toolc replay`: recorded episodes, call by call, against a compiled environment."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toolc.cli.progress import Progress
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say

if TYPE_CHECKING:
    from toolc.replay import Mismatch, Totals
    from toolc_runtime.environment import Environment
    from toolc_runtime.episode import Episode

MAX_LINE = 64 * 1024 * 1024
"""Longest line of a file of episodes that is read, in bytes."""

MAX_SHOWN = 400


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "replay",
        description="Play recorded episodes, one a line, on a compiled environment and compare "
        "results, error flags and changes of state. Exit 0 only where everything that is not set "
        "apart matches. Set apart are calls that break the published schema, what follows one "
        "that succeeded in the record, and episodes with `quirks` whose initial state does not "
        "fit the types.",
        epilog=epilog(
            {
                "toolc replay build/shop traces.jsonl": "from the build's own data",
                "toolc replay build/shop traces.jsonl --data recorded": "from recorded/state.json",
            },
            "all of it matches",
            "something does not",
        ),
    )
    parser.add_argument("build", metavar="BUILD/ENV", help="the folder of a compiled environment")
    parser.add_argument("traces", metavar="TRACES.jsonl", help="the recorded episodes")
    parser.add_argument(
        "--data", metavar="DIR", help="a state.json, or a folder that holds one, to start from"
    )
    add_format(parser, "human", "json")
    parser.add_argument(
        "--limit",
        type=positive,
        default=10,
        metavar="N",
        help="mismatches to show (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    from toolc.cli.loading import load_environment
    from toolc.replay import Totals, parse_episode, play

    data = None if args.data is None else _state(args.data)
    environment = load_environment(args.build, data)
    start = _Start(environment)
    totals = Totals(args.limit)
    with Progress("episodes", shown=args.format != "json") as progress:
        for line, text in _lines(args.traces):
            if isinstance(text, bytes):
                try:
                    episode = parse_episode(text.decode())
                except ValueError as error:
                    totals.add_malformed(line, f"line {line}: {_first_line(error)}")
                else:
                    totals.add(play(episode, line, start, environment.tools))
            else:
                totals.add_malformed(line, f"line {line}: longer than {MAX_LINE // 2**20} MiB")
            progress.advance()
    if args.format == "json":
        print(json.dumps(totals.report(), ensure_ascii=False))
    else:
        _show(totals)
    return int(totals.failed)


def _first_line(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text (at byte {error.start})"
    return str(error)


def _state(path: str) -> dict[str, Any]:
    from toolc.cli.loading import read_json

    if os.path.isdir(path):
        path = os.path.join(path, "state.json")
    state = read_json(path)
    if not isinstance(state, dict):
        raise UsageError(f"`{path}` is not an object from table to rows")
    return state


def _lines(path: str) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, with their numbers; None for one that is too long."""
    try:
        with open(path, "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) <= MAX_LINE:
                    if line.strip():
                        yield number, line
                    continue
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE)
                yield number, None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from None


class _Start:
    """Gives fresh episodes; the state that the build starts from is turned into JSON once."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.before: dict[str, Any] | None = None

    def __call__(self, recorded: Mapping[str, Any]) -> _Player:
        from toolc.replay import InitialError
        from toolc_runtime.errors import BuildError

        initial = recorded.get("initial")
        try:
            episode = self.environment.episode(initial=initial, draws=recorded.get("draws"))
        except BuildError as error:
            raise InitialError(str(error)) from None
        if initial is not None:
            return _Player(episode, _whole(episode))
        if self.before is None:
            self.before = _whole(episode)
        return _Player(episode, self.before)


class _Player:
    def __init__(self, episode: Episode, before: Mapping[str, Any]) -> None:
        self.episode = episode
        self.before = before
        self.tables = frozenset(episode.state._toolc.base.tables)

    def call(self, name: str, arguments: Any) -> tuple[Any, str]:
        text = self.episode.call(name, arguments)
        return json.loads(text), self.episode.trace[-1].status

    def state(self) -> Mapping[str, Any]:
        from toolc_runtime.state import changes

        after = dict(self.before)
        for name, value in changes(self.episode.state).items():
            if name in self.tables:
                rows = {**self.before[name], **value}
                after[name] = {key: row for key, row in rows.items() if row is not None}
            else:
                after[name] = value
        return after


def _whole(episode: Episode) -> dict[str, Any]:
    from toolc_runtime.values import key_text, plain

    base = episode.state._toolc.base
    tables = {
        name: {key_text(key): plain(row) for key, row in getattr(episode.state, name).items()}
        for name in base.tables
    }
    return tables | {name: plain(value) for name, value in base.scalars.items()}


def _show(totals: Totals) -> None:
    counts, apart = totals.counts, totals.apart
    for mismatch in totals.mismatches:
        print(_readable(mismatch))
    hidden = counts["mismatching"] - len(totals.mismatches)
    if hidden:
        print(f"and {hidden} more")
    for name, whole in (("calls", "calls"), ("changes", "episodes"), ("episodes", "episodes")):
        matching = counts[f"matching_{name}"]
        print(f"{name:9} {matching} of {counts[whole]} match, {apart[name]} set apart")
    if counts["malformed_lines"]:
        print(count(counts["malformed_lines"], "malformed line"))
    if not counts["episodes"]:
        say("toolc: no episode was read")


def _readable(mismatch: Mismatch) -> str:
    place = f"line {mismatch.line}, {mismatch.episode}" if mismatch.episode else ""
    call = "" if mismatch.call is None else f", call {mismatch.call}"
    text = f"{place}{call}: {mismatch.what}" if place else mismatch.what
    if mismatch.difference is None:
        return text
    lines = [text]
    if mismatch.arguments is not None:
        lines.append(f"  arguments  {_short(mismatch.arguments)}")
    path, expected, actual = mismatch.difference
    where = "" if path == "$" else f"   at {path}"
    return "\n".join(
        [*lines, f"  expected   {_short(expected)}{where}", f"  actual     {_short(actual)}{where}"]
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
