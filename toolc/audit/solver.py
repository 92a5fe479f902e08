"""What a solver made of the tasks, and where that is not what the plan says.

No gate proves that a plan is what the question means. A model that sees only what models see, and
comes again and again to something else, is a reason to look: its run of `toolc eval` is read here.
A disagreement refutes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from toolc.reporting.run import Episode, Run
from toolc_runtime.environment import Environment
from toolc_runtime.task import Task
from toolc_runtime.values import canonical


class Disagreement(NamedTuple):
    """A task that a solver did not always solve. `said` is the last text of its first episode
    without success, `failing` are the checks that failed there, each with its reason."""

    environment: str
    task: str
    episodes: int
    solved: int
    expected: tuple[str, ...]
    said: str
    failing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return self._asdict()


def disagreements(run: Run, environments: Mapping[str, Environment]) -> list[Disagreement]:
    """The tasks of environments, by name, that scored episodes of a run did not all solve; those
    that none solved come first. Raises `RunError` where the run can't be read."""
    groups: dict[tuple[str, str], list[Episode]] = {}
    for episode in run.episodes:
        environment = environments.get(episode.environment)
        known = environment is not None and episode.task in environment.tasks
        if known and episode.values is not None:
            groups.setdefault((episode.environment, episode.task), []).append(episode)
    lost = {
        name: next(each for each in episodes if not each.success)
        for name, episodes in groups.items()
        if not all(each.success for each in episodes)
    }
    made = []
    for (name, task), body in zip(lost, run.bodies(lost.values()), strict=True):
        episodes = groups[name, task]
        made.append(
            Disagreement(
                name,
                task,
                len(episodes),
                sum(each.success for each in episodes),
                tuple(expected(environments[name].tasks[task])),
                lost[name, task].answer,
                tuple(_failing(body)),
            )
        )
    return sorted(made, key=lambda it: (it.solved / it.episodes, it.environment, it.task))


def expected(task: Task) -> Iterable[str]:
    """The answers of a task's turns, as JSON."""
    return (canonical(turn["answer"]) for turn in task.turns if "answer" in turn)


def _failing(body: Mapping[str, Any]) -> Iterable[str]:
    verdict = body["verdict"] or {"checks": ()}
    return (f"{it['name']}: {it['reason']}" for it in verdict["checks"] if it["value"] < 1)
