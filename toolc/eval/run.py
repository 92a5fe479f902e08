"""A run: what is to be played, in which order, by how many at a time."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from toolc import __version__
from toolc.eval.figures import Row, row_of, summarise
from toolc.eval.policies import POLICIES, Chooser, Settings
from toolc.eval.rollout import Work, episode_id, rollout
from toolc.eval.store import FORMAT, line_of
from toolc.output import artifacts_digest
from toolc.workers import in_threads, mapped
from toolc_runtime.environment import Environment, load
from toolc_runtime.values import canonical

SLICE = 10
"""Episodes that a process takes at a time."""


class Run(NamedTuple):
    """What a run plays. `folders` are those of the environments by name; `tasks` the ids of the
    chosen tasks by environment."""

    build: str
    folders: Mapping[str, str]
    tasks: Mapping[str, Sequence[str]]
    policy: Settings
    samples: int = 1
    seed: int = 0
    max_turns: int | None = None

    def to_json(self) -> dict[str, Any]:
        """What `run.json` holds."""
        return {
            "format": FORMAT,
            "toolc": __version__,
            "build": self.build,
            "policy": dict(self.policy),
            "samples": self.samples,
            "seed": self.seed,
            "max_turns": self.max_turns,
            "environments": {
                name: {
                    "digest": artifacts_digest(self.folders[name]),
                    "tasks": len(tasks),
                    "chosen": sha256(canonical(list(tasks)).encode()).hexdigest(),
                }
                for name, tasks in self.tasks.items()
            },
        }

    def work(self, seeds: Mapping[str, int]) -> list[Work]:
        """Every episode of the run, in order. `seeds` are those of episodes that have one; else it
        is drawn from the run's and the episode's id."""
        made = []
        for environment, tasks in self.tasks.items():
            for task in tasks:
                for sample in range(self.samples):
                    id = episode_id(environment, task, sample)
                    seed = seeds.get(id, seed_of(self.seed, id))
                    made.append(Work(environment, task, sample, seed))
        return made

    def summary(self, rows: Iterable[Row]) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "format": FORMAT,
            "policy": dict(self.policy),
            "samples": self.samples,
            "seed": self.seed,
            **summarise(rows, self.samples, self.seed),
        }


def seed_of(seed: int, name: str) -> int:
    """A seed of 32 bits for something that has a name."""
    return int.from_bytes(sha256(f"{seed}:{name}".encode()).digest()[:4], "big")


def choose(
    environments: Mapping[str, Environment],
    only: Sequence[str],
    limit: int | None,
    seed: int,
    among: Callable[[str, str], bool] = lambda environment, task: True,
) -> dict[str, list[str]]:
    """The tasks to play by environment, in the order of the build: those that are wanted, by their
    ids or scenarios, or all, `among` some; of them at most `limit`, drawn by the seed: a higher
    limit adds."""
    tasks = [
        (name, task.id)
        for name, environment in environments.items()
        for task in environment.tasks.values()
        if (not only or task.id in only or task.scenario in only) and among(name, task.id)
    ]
    if limit is not None:
        drawn = sorted(tasks, key=lambda task: (seed_of(seed, "/".join(task)), task))
        kept = set(drawn[:limit])
        tasks = [task for task in tasks if task in kept]
    found: dict[str, list[str]] = {}
    for name, task in tasks:
        found.setdefault(name, []).append(task)
    return found


# ---------------------------------------------------------------- playing


def played(
    run: Run, environments: Mapping[str, Environment], work: Sequence[Work], jobs: int
) -> Iterator[tuple[bytes, Row]]:
    """Plays episodes, `jobs` at a time: the line of each, and its row, as they end.

    Raises `WorkerError`, and what a policy raises that cannot be made.
    """
    kind = POLICIES[run.policy["name"]]
    if kind.parallel == "threads":
        chosen = kind.make(run.policy, environments)
        yield from in_threads(
            lambda each: _play(environments[each.environment], chosen, each, run.max_turns),
            work,
            jobs,
        )
        return
    slices = [
        _Slice(run.folders[name], json.dumps(dict(run.policy)), run.max_turns, tuple(part))
        for name, part in _parts(work)
    ]
    for made in mapped(_play_slice, slices, jobs):
        yield from made


def _parts(work: Sequence[Work]) -> Iterator[tuple[str, Sequence[Work]]]:
    """The work in slices, each of one environment."""
    for name, group in groupby(work, lambda each: each.environment):
        own = list(group)
        for start in range(0, len(own), SLICE):
            yield name, own[start : start + SLICE]


def _play(
    environment: Environment, chosen: Chooser, work: Work, max_turns: int | None
) -> tuple[bytes, Row]:
    line = rollout(environment, work, chosen(work), max_turns)
    return line_of(line), row_of(line)


class _Slice(NamedTuple):
    folder: str
    policy: str
    max_turns: int | None
    work: tuple[Work, ...]


def _play_slice(part: _Slice) -> list[tuple[bytes, Row]]:
    environment, chosen = _opened(part.folder, part.policy)
    return [_play(environment, chosen, each, part.max_turns) for each in part.work]


@lru_cache(maxsize=4)
def _opened(folder: str, policy: str) -> tuple[Environment, Chooser]:
    environment = load(folder)
    settings = json.loads(policy)
    return environment, POLICIES[settings["name"]].make(settings, {environment.name: environment})


def default_folder(build: str, policy: Settings) -> str:
    """Where a run goes that was given no folder: by its build, and its policy or model."""
    named = os.path.basename(str(policy.get("model", "")).rstrip("/")) or policy["name"]
    called = re.sub(r"[^A-Za-z0-9._-]+", "-", named)[:100]
    return os.path.join("runs", f"{os.path.basename(os.path.realpath(build))}-{called}")
