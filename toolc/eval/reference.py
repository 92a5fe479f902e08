"""The reference policy: an honest player who makes the calls of the plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from toolc.eval.rollout import FULL
from toolc.scenarios.player import Player, messages, outcome, replay
from toolc_runtime.chat.message import Message, Reply, ToolCall
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task
from toolc_runtime.values import canonical


class Reference:
    """Plays each task's plan with the ids that the episode shows.

    It makes one call a message; where only that earns the whole reward, independent calls go into
    one message.
    """

    name = "reference"

    def open(self, episode: Episode, task: Task, seed: int) -> _Player:
        alone = replay(episode.fork(), task).reward >= FULL
        return _Player(episode, task, parallel=not alone)


class _Move(NamedTuple):
    """A message: the plan's steps that it makes, or the number of the turn that it ends."""

    steps: Sequence[Any] = ()
    turn: int = 0


class _Player:
    def __init__(self, episode: Episode, task: Task, *, parallel: bool) -> None:
        self._player = Player(episode, task)
        self._task = task
        self._moves = _moves(task, parallel)
        self._planned: list[Any] = []  # what the plan was shown after the last message
        self._count = 0

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        for planned, message in zip(
            self._planned, messages[len(messages) - len(self._planned) :], strict=True
        ):
            shown = message["content"]
            self._player.learn(planned, json.loads(shown) if message["role"] == "tool" else shown)
        move = next(self._moves)
        if move.steps:
            self._planned = [outcome(step) for step in move.steps]
            return Reply(calls=tuple(map(self._call, move.steps)))
        self._planned = [turn["user"] for turn in self._task.turns[move.turn + 1 :][:1]]
        return Reply(self._player.text(self._task.turns[move.turn]))

    def _call(self, step: Any) -> ToolCall:
        self._count += 1
        arguments = canonical(self._player.arguments(step))
        return ToolCall(f"call_{self._count}", step["tool"], arguments)


def _moves(task: Task, parallel: bool) -> Iterator[_Move]:
    for number, turn in enumerate(messages(task, parallel=parallel)):
        for steps in turn:
            yield _Move(steps=steps)
        yield _Move(turn=number)
