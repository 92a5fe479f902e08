"""Conversations in which a task is done as its plan does it: what supervised training imitates."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.scenarios.player import Player
from toolc_runtime.chat.message import Message, Reply, ToolCall
from toolc_runtime.environment import Environment
from toolc_runtime.task import Task
from toolc_runtime.values import canonical

Step = Mapping[str, Any]


class Turn(NamedTuple):
    """What follows a user's message: calls, their results and the text that ends the turn.

    `events` are the same for `toolc_runtime.trl` to replay: `["call", tool, arguments, parallel]`
    and `["reply", text]`.
    """

    user: str
    messages: tuple[Message, ...]
    events: tuple[list[Any], ...]


class Demonstration(NamedTuple):
    """A task done; `reward` is what the verifier gave."""

    system: str | None
    turns: tuple[Turn, ...]
    reward: float

    def messages(self, turns: int | None = None) -> list[Message]:
        """The conversation, or that of the first turns with the user's message that follows."""
        made: list[Message] = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns[:turns]:
            made += [{"role": "user", "content": turn.user}, *turn.messages]
        if turns is not None and turns < len(self.turns):
            made.append({"role": "user", "content": self.turns[turns].user})
        return made

    def events(self, turns: slice) -> list[list[Any]]:
        """The calls and replies of some turns."""
        return [event for turn in self.turns[turns] for event in turn.events]


def demonstrate(
    environment: Environment,
    task: Task,
    order: str | None = None,
    *,
    together: bool = False,
    names: Callable[[str], str] = str,
) -> Demonstration:
    """Plays the plan. `order` is the seed of an order of independent steps, None for the plan's;
    `together` makes the calls of independent steps in one message. `names` gives the name under
    which a tool is offered."""
    episode = environment.episode(task.id)
    player = Player(episode, task)
    chance = None if order is None else random.Random(f"{order}:{task.id}")
    user = str(task.turns[0]["user"])
    turns: list[Turn] = []
    first = 0
    for number, turn in enumerate(task.turns):
        messages: list[Message] = []
        events: list[list[Any]] = []
        for wave in _waves(turn["steps"], first, chance, together):
            calls: list[ToolCall] = []
            results: list[Message] = []
            for step in wave:
                arguments = player.arguments(step)
                name = names(step["tool"])
                id = f"call_{len(events)}"
                events.append(["call", step["tool"], arguments, bool(calls)])
                result = player.do(step, parallel=bool(calls))
                calls.append(ToolCall(id, name, canonical(arguments)))
                results.append(
                    {"role": "tool", "tool_call_id": id, "name": name, "content": result}
                )
            messages += [Reply("", tuple(calls)).to_message(), *results]
        first += len(turn["steps"])
        text = player.text(turn)
        messages.append(Reply(text).to_message())
        events.append(["reply", text])
        turns.append(Turn(user, tuple(messages), tuple(events)))
        said = player.end(number)
        user = said if isinstance(said, str) else ""
    return Demonstration(task.system, tuple(turns), episode.finish().reward)


def _waves(
    steps: Sequence[Step], first: int, chance: random.Random | None, together: bool
) -> list[list[Step]]:
    """The steps of a turn, of which the first is number `first` of the plan, in an order that
    keeps to what each rests on; those that go into one message together."""
    todo = list(range(len(steps)))
    done: set[int] = set(range(first))
    made: list[list[Step]] = []
    while todo:
        ready = [at for at in todo if done.issuperset(steps[at]["after"])]
        if chance is not None:
            chance.shuffle(ready)
        wave = ready if together else ready[:1]
        made.append([steps[at] for at in wave])
        done.update(first + at for at in wave)
        todo = [at for at in todo if at not in wave]
    return made
