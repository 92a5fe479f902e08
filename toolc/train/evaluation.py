"""How well a model does on tasks that training has not seen: the episodes of `toolc eval`, played
many at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.eval import store
from toolc.eval.figures import row_of
from toolc.eval.policy import Player
from toolc.eval.rollout import Line, Work, planned_messages, rollout
from toolc.eval.run import Run, seed_of
from toolc.train.admitted import Admitted
from toolc.train.batching import BatchPolicy
from toolc.train.generation import Generator
from toolc.train.rows import Row, renamed_calls, renamed_schemas
from toolc_runtime.chat.message import Message, Reply
from toolc_runtime.episode import Episode
from toolc_runtime.task import Task

MAX_MESSAGES = 12
"""Messages of the model in an episode, where no task's plan takes more than half of them: models
that have learnt little talk on to the end."""

WIDTH = 256
"""Episodes at a time."""

SETS = {
    "unseen_tasks": "tasks",
    "unseen_families": "families",
    "unseen_environment": "environment",
}
"""Names of the figures, with what `unseen` says of their tasks."""


class Held(NamedTuple):
    """Tasks that are kept from training: `tasks` by environment, and how tools are offered."""

    environments: Mapping[str, Admitted]
    tasks: Mapping[str, Sequence[str]]
    names: Mapping[str, Mapping[str, str]]

    def each(self) -> Iterator[Task]:
        """The tasks."""
        for name, ids in self.tasks.items():
            yield from (self.environments[name].environment.tasks[id] for id in ids)

    def first(self, most: int) -> Held:
        """The first `most` of each environment's tasks; all where that is 0."""
        return self._replace(tasks={name: ids[: most or None] for name, ids in self.tasks.items()})


def held_out(
    rows: Sequence[Row],
    environments: Mapping[str, Admitted],
    names: Mapping[str, Mapping[str, str]],
    most: int = 0,
) -> dict[str, Held]:
    """The tasks of test rows by set, of each at most `most` by chance, or all where that is 0; no
    set without a task. `names` are the names under which tools are offered, by environment and
    tool."""
    made: dict[str, Held] = {}
    for name, unseen in SETS.items():
        found = dict.fromkeys((row["of"], row["task"]) for row in rows if row["unseen"] == unseen)
        ranked = sorted(found, key=lambda task: seed_of(0, "/".join(task)))
        drawn = set(ranked[: most or None])
        tasks: dict[str, list[str]] = {}
        for of, task in (task for task in found if task in drawn):
            tasks.setdefault(of, []).append(task)
        if tasks:
            made[name] = Held(environments, tasks, names)
    return made


def evaluate(
    generator: Generator,
    held: Held,
    policy: Mapping[str, Any],
    folder: str | None = None,
    samples: int = 1,
    done: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """What `summary.json` of an evaluation holds, of so many samples of each task. With a folder,
    that becomes the evaluation's: `toolc report` and `toolc compare` read it. `policy` says what
    the model is; `done` is called after each episode. Draws are seeded, and leave torch's generator
    as it was."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _evaluate(generator, held, policy, folder, samples, done)


def _evaluate(
    generator: Generator,
    held: Held,
    policy: Mapping[str, Any],
    folder: str | None,
    samples: int,
    done: Callable[[], object],
) -> dict[str, Any]:
    folders = {name: each.folder for name, each in held.environments.items()}
    most = max([MAX_MESSAGES, *(2 * planned_messages(task) for task in held.each())])
    run = Run("", folders, held.tasks, policy, samples, 0, most)
    batches = BatchPolicy(str(policy["name"]), generator)

    def play(work: Work) -> Line:
        offered = _Offered(batches, held.names[work.environment])
        line = rollout(held.environments[work.environment].environment, work, offered, most)
        done()
        return line

    lines = list(batches.play(play, run.work({}), WIDTH))
    summary = run.summary(map(row_of, lines))
    if folder is not None:
        with store.held(folder):
            store.begin(folder, run.to_json(), fresh=True)
            with store.Episodes(folder) as episodes:
                for line in lines:
                    episodes.add(store.line_of(line))
            store.conclude(folder, summary)
    return summary


def concluded(folder: str) -> bool:
    """Whether an evaluation was written to the end."""
    return os.path.exists(os.path.join(folder, store.SUMMARY))


class _Offered:
    """A policy that knows tools under the names with which training offers them."""

    def __init__(self, policy: BatchPolicy, names: Mapping[str, str]) -> None:
        self.name = policy.name
        self._policy = policy
        self._names = names

    def open(self, episode: Episode, task: Task, seed: int) -> Player:
        return _Player(self._policy.open(episode, task, seed), self._names)


class _Player:
    def __init__(self, player: Player, names: Mapping[str, str]) -> None:
        self._player = player
        self._names = names
        self._own = {offered: tool for tool, offered in names.items()}

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        reply = self._player.respond(
            [renamed_calls(message, self._names) for message in messages],
            renamed_schemas(tools, self._names),
        )
        # A name that is not offered stays one, though a tool should have it.
        calls = [call._replace(name=self._own.get(call.name, "")) for call in reply.calls]
        return reply._replace(calls=tuple(calls))
