"""An honest player: makes the calls of a task's plan with the ids that its episode has shown.

An episode under another seed draws other ids than the plan did. The player learns which is which
from what results and the user's messages show, and uses the episode's from then on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from toolc_runtime.episode import Episode
from toolc_runtime.task import Task
from toolc_runtime.values import canonical
from toolc_runtime.verify import Verdict
from toolc_runtime.verify.equality import Renaming

Step = Mapping[str, Any]
Turn = Mapping[str, Any]


def final_text(turn: Turn) -> str:
    """A text that is right at the end of a turn: the one that the spec has, else the answer on a
    line of its own."""
    if "reply" in turn:
        return str(turn["reply"])
    return f"Answer: {canonical(turn['answer'])}" if "answer" in turn else "Done."


class Player:
    """One episode of a task, played by its plan."""

    def __init__(self, episode: Episode, task: Task) -> None:
        self.episode = episode
        self.task = task
        self._ids = Renaming(task.fresh, ())

    def arguments(self, step: Step) -> dict[str, Any]:
        """What the player gives to the tool of a step."""
        given = {name: value for name, value in step["arguments"].items() if value is not None}
        renamed: dict[str, Any] = self._ids.apply(given)
        return renamed

    def do(self, step: Step, *, parallel: bool = False) -> str:
        """Makes the call of a step: the text that the tool gives back."""
        text = self.episode.call(step["tool"], self.arguments(step), parallel=parallel)
        self.learn(outcome(step), json.loads(text))
        return text

    def text(self, turn: Turn) -> str:
        """What the player says at the end of a turn."""
        renamed: str = self._ids.apply(final_text(turn))
        return renamed

    def end(self, number: int) -> str | Verdict:
        """Ends a turn: the user's next message, or the verdict."""
        turns = self.task.turns
        said = self.episode.reply(self.text(turns[number]))
        if isinstance(said, str):
            self.learn(turns[number + 1]["user"], said)
        return said

    def learn(self, planned: Any, shown: Any) -> None:
        """Takes the episode's ids from a JSON value that it shows where the plan showed another."""
        if self._ids.idle:
            return
        ids = Renaming(self.task.fresh, self.episode.fresh, self._ids.pairs())
        ids.learn(planned, shown)
        self._ids = ids


def outcome(step: Step) -> Any:
    """The result of a step, or its failure."""
    return step.get("result", step.get("failure"))


def messages(task: Task, *, parallel: bool = False) -> Iterator[list[list[Step]]]:
    """Of each turn the steps of each message: one step a message; with `parallel` those that
    follow one another and do not depend on each other are in one."""
    index = 0
    for turn in task.turns:
        made: list[list[Step]] = []
        started = index  # the first step of the message under way
        for step in turn["steps"]:
            if parallel and made and all(earlier < started for earlier in step["after"]):
                made[-1].append(step)
            else:
                started = index
                made.append([step])
            index += 1
        yield made


def replay(episode: Episode, task: Task, *, parallel: bool = False) -> Verdict:
    """Plays the plan as a model would; `parallel`: independent steps in one message."""
    player = Player(episode, task)
    said: str | Verdict = ""
    for number, turn in enumerate(messages(task, parallel=parallel)):
        for message in turn:
            for place, step in enumerate(message):
                player.do(step, parallel=place > 0)
        said = player.end(number)
    return said if isinstance(said, Verdict) else episode.finish()
