"""The replay policy: says again what the messages of recorded episodes say."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from toolc.eval.policy import Unavailable
from toolc.eval.rollout import Work, episode_id
from toolc.files import why
from toolc_runtime.chat.message import Message, Reply, ToolCall
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task

MAX_LINE = 512 * 1024 * 1024
"""Longest line of a recording that is read, in bytes."""


class RecordingError(Exception):
    """A file that holds no recorded episodes; the message says why and where."""


class Recording:
    """Recorded episodes, one a line: `environment`, `task`, `messages` in OpenAI's format, and as
    far as they are known `sample` (0) and `seed`. Lines are found by their place in the file and
    read when they are played, by any number of threads."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.seeds: dict[str, int] = {}
        """The seeds of the recorded episodes, by their ids."""
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self._file = os.open(path, os.O_RDONLY)
            with open(path, "rb") as file:
                place = 0
                while line := file.readline(MAX_LINE):
                    if line.strip():
                        self._add(place, line)
                    place += len(line)
        except OSError as error:
            raise RecordingError(f"cannot read `{path}`: {why(error)}") from None

    def _add(self, place: int, line: bytes) -> None:
        episode = _object(line)
        environment, task = episode.get("environment"), episode.get("task")
        sample, seed = episode.get("sample", 0), episode.get("seed")
        good = isinstance(environment, str) and isinstance(task, str) and type(sample) is int
        if not good or not isinstance(episode.get("messages"), list):
            raise RecordingError(
                f"cannot read `{self.path}`: at byte {place} there is no episode, an object with "
                "`environment`, `task` and `messages`"
            )
        id = episode_id(str(environment), str(task), sample)
        self._places[id] = (place, len(line))
        if type(seed) is int:
            self.seeds[id] = seed

    def replies(self, id: str) -> list[Reply]:
        """What the model said in an episode. Raises `Unavailable` where it is not recorded."""
        if id not in self._places:
            raise Unavailable("the recording has no such episode")
        place, size = self._places[id]
        messages = _object(os.pread(self._file, size, place)).get("messages") or ()
        return [_reply(each) for each in messages if _part(each, "role") == "assistant"]


recording = lru_cache(maxsize=1)(Recording)
"""The recording of a path, kept."""


class Replay:
    """Plays one recorded episode; where its messages end before the episode does, nothing more is
    known of the model, and the episode is not scored."""

    name = "replay"

    def __init__(self, recording: Recording, work: Work) -> None:
        self._recording = recording
        self._id = work.id

    def open(self, episode: Episode, task: Task, seed: int) -> _Player:
        return _Player(self._recording.replies(self._id))


class _Player:
    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = iter(replies)

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        reply = next(self._replies, None)
        if reply is None:
            raise Unavailable("the recording has no further message")
        return reply


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: Any) -> str:
    """A recorded text; of another value its JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _reply(message: Mapping[str, Any]) -> Reply:
    calls = message.get("tool_calls")
    content = message.get("content")
    return Reply(
        "" if content is None else _text(content),
        tuple(map(_call, calls)) if isinstance(calls, list) else (),
        reasoning=_text(message.get("reasoning_content") or ""),
    )


def _call(call: Any) -> ToolCall:
    function = _part(call, "function")
    name, arguments = _part(function, "name"), _part(function, "arguments")
    if not isinstance(name, str):
        return ToolCall(_text(_part(call, "id")), "", _text(call))
    return ToolCall(_text(_part(call, "id")), name, _text(arguments))
