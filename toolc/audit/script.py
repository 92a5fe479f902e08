"""Episodes as data: what a caller does in a task, so that it can be played, varied and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolc_runtime.environment import Environment
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task
from toolc_runtime.verify import Verdict


class Move(NamedTuple):
    """One call; `parallel`: in the same message as the one before."""

    tool: str
    arguments: Mapping[str, Any]
    parallel: bool = False


class Turn(NamedTuple):
    """The calls of one turn, and the text that ends it."""

    moves: tuple[Move, ...]
    text: str


Script = tuple[Turn, ...]
"""One `Turn` for each turn of a task."""


class ScriptError(Exception):
    """A JSON value that is no script; the message says where it is wrong."""


class Played(NamedTuple):
    """An episode after a script; `observations` are the JSON texts that the calls gave."""

    episode: Episode
    verdict: Verdict
    observations: tuple[str, ...]


def play(
    environment: Environment, task: Task, script: Script, *, seed: int | None = None
) -> Played:
    """Plays a script to its verdict."""
    episode = environment.episode(task, seed=seed)
    return finish(episode, [], script)


def finish(episode: Episode, before: Sequence[str], script: Script) -> Played:
    """Plays the rest of an episode: `script` starts with the turn that is under way."""
    observations = list(before)
    outcome: str | Verdict = ""
    for turn in script:
        for tool, arguments, parallel in turn.moves:
            observations.append(episode.call(tool, arguments, parallel=parallel))
        outcome = episode.reply(turn.text)
    verdict = outcome if isinstance(outcome, Verdict) else episode.finish()
    return Played(episode, verdict, tuple(observations))


def to_json(script: Script) -> list[dict[str, Any]]:
    """A script as JSON: `{"call", "arguments"}` for a call, with `"parallel": true` where it is
    one, and `{"say"}` for what ends a turn."""
    lines: list[dict[str, Any]] = []
    for turn in script:
        for tool, arguments, parallel in turn.moves:
            line = {"call": tool, "arguments": dict(arguments)}
            lines.append(line | {"parallel": True} if parallel else line)
        lines.append({"say": turn.text})
    return lines


def from_json(value: Any) -> Script:
    """The script that `to_json` wrote, or that an object, such as a gate's verdict, has as
    `episode`. Calls that no text follows are a turn that ends without one. Raises `ScriptError`."""
    lines = value.get("episode") if isinstance(value, dict) else value
    if not isinstance(lines, list):
        raise ScriptError("it is no list of calls and texts, nor a verdict that has an episode")
    turns: list[Turn] = []
    moves: list[Move] = []
    for number, line in enumerate(lines, 1):
        match line:
            case {"call": str(tool), "arguments": dict(arguments)}:
                moves.append(Move(tool, arguments, line.get("parallel") is True))
            case {"say": str(text)}:
                turns.append(Turn(tuple(moves), text))
                moves = []
            case _:
                raise ScriptError(
                    f'entry {number} is neither {{"call", "arguments"}} nor {{"say"}}'
                )
    return (*turns, Turn(tuple(moves), "")) if moves else tuple(turns)


def flat(script: Script) -> list[tuple[int, Move]]:
    """Every call with its turn."""
    return [(number, move) for number, turn in enumerate(script) for move in turn.moves]


def with_moves(script: Script, moves: Sequence[tuple[int, Move]]) -> Script:
    """The same texts around other calls."""
    return tuple(
        turn._replace(moves=tuple(move for at, move in moves if at == number))
        for number, turn in enumerate(script)
    )


def with_texts(script: Script, texts: Mapping[int, str]) -> Script:
    """The same calls, other texts at the ends of these turns."""
    return tuple(
        turn._replace(text=texts.get(number, turn.text)) for number, turn in enumerate(script)
    )
