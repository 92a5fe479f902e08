"""The figures of a run, with intervals, as a whole and by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from toolc.eval.figures import ks, pass_at, pass_hat
from toolc.eval.resample import Estimate, Unit, estimates
from toolc.reporting.run import Episode

FIGURES = {
    "solve_f1": "Solve-F1",
    "success": "success",
    "reward": "reward",
    "solve_precision": "Solve-P",
    "solve_rate": "Solve-R",
    "calls": "calls",
    "turns": "turns",
    "invalid_calls": "invalid calls",
    "truncated": "truncated",
    "ftrl_solve_f1": "FTRL Solve-F1",
    "ftrl_solve_precision": "FTRL Solve-P",
    "ftrl_solve_rate": "FTRL Solve-R",
}
"""Figures that are means over tasks, of means over their scored episodes; what they are called."""

Key = TypeVar("Key", bound=Hashable)
Tasks = Mapping[tuple[str, str], Sequence[Episode]]
"""Scored episodes by environment and task."""


class Group(NamedTuple):
    """Solve-F1 and success of some of the tasks."""

    name: str
    tasks: int
    episodes: int
    solve_f1: Estimate
    success: Estimate


def scored_tasks(episodes: Iterable[Episode]) -> dict[tuple[str, str], list[Episode]]:
    """The tasks that have a scored episode, with those."""
    made: dict[tuple[str, str], list[Episode]] = {}
    for episode in episodes:
        if episode.values is not None:
            made.setdefault((episode.environment, episode.task), []).append(episode)
    return made


def unit(episodes: Iterable[Episode], name: str) -> Unit:
    """Of a task's episodes the mean of a figure, and 1; nothing where none has it."""
    found = [each.values[name] for each in episodes if each.values and name in each.values]
    return (sum(found) / len(found), 1) if found else (0.0, 0)


def means(tasks: Tasks, seed: int) -> dict[str, Estimate]:
    """Every figure that some episode has, then `pass@k` and `pass^k` over the tasks with as many
    scored episodes."""
    columns: dict[str, Sequence[Unit]] = {
        name: [unit(group, name) for group in tasks.values()] for name in FIGURES
    }
    columns = {name: units for name, units in columns.items() if any(n for _, n in units)}
    counts = [(len(each), sum(one.success for one in each)) for each in tasks.values()]
    # For one episode a task there is nothing beyond success.
    for k in ks(max((n for n, _ in counts), default=0))[1:]:
        for name, chance in (("pass@", pass_at), ("pass^", pass_hat)):
            found = [chance(n, c, k) for n, c in counts]
            columns[f"{name}{k}"] = [(0.0, 0) if it is None else (it, 1) for it in found]
    return estimates(columns, seed)


GROUPINGS: dict[str, Callable[[Episode], str]] = {
    "kind": lambda episode: episode.kind,
    "environment": lambda episode: episode.environment,
    "steps": lambda episode: "?" if episode.steps is None else str(episode.steps),
}
"""What figures are broken down by. `steps`, of the task's plan, is its difficulty."""


def groups(tasks: Tasks, by: str, seed: int, most: int) -> tuple[list[Group], int]:
    """The groups of a grouping, at most so many of those with the most tasks, and how many are
    left out. In the order of their names, numbers by size."""
    members: dict[str, list[Sequence[Episode]]] = {}
    for episodes in tasks.values():
        members.setdefault(GROUPINGS[by](episodes[0]), []).append(episodes)
    largest = sorted(members, key=lambda name: (-len(members[name]), name))[:most]
    made = [_group(name, members[name], seed) for name in sorted(largest, key=natural)]
    return made, len(members) - len(made)


def natural(name: str) -> tuple[int, str]:
    """The order of names: numbers by size, before the others."""
    number = len(name) < 10 and name.isascii() and name.isdecimal()
    return (int(name), "") if number else (10**9, name)


def _group(name: str, tasks: Sequence[Sequence[Episode]], seed: int) -> Group:
    found = estimates(
        {figure: [unit(each, figure) for each in tasks] for figure in ("solve_f1", "success")},
        seed,
    )
    return Group(name, len(tasks), sum(map(len, tasks)), found["solve_f1"], found["success"])


# ---------------------------------------------------------------- distributions

BINS = 10
"""Bins of rewards between 0 and 1, beside those of 0 and of 1."""
MOST_CALLS = 24
"""From so many calls on, episodes are counted together."""


def reward_bins(episodes: Iterable[Episode]) -> list[int]:
    """How many scored episodes earned 0, less than 0.1 and so on, and 1."""
    counts = [0] * (BINS + 2)
    for episode in episodes:
        if episode.values is not None:
            reward = min(max(episode.values["reward"], 0.0), 1.0)
            inner = 1 + min(int(reward * BINS), BINS - 1)
            counts[0 if reward == 0 else BINS + 1 if reward == 1 else inner] += 1
    return counts


def call_bins(episodes: Iterable[Episode]) -> list[int]:
    """How many scored episodes made no call, one call and so on; the last takes what is beyond."""
    found = Counter(
        min(max(int(each.values.get("calls", 0)), 0), MOST_CALLS)
        for each in episodes
        if each.values
    )
    return [found[number] for number in range(max(found, default=-1) + 1)]


def failing(episodes: Iterable[Episode], most: int) -> tuple[list[tuple[str, int]], int]:
    """The checks that most scored episodes fail, and how many further checks some fail."""
    counts: Counter[str] = Counter()
    for episode in episodes:
        counts.update(episode.failing)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:most], max(len(ordered) - most, 0)


def json_of(group: Group) -> dict[str, Any]:
    """A group as JSON."""
    return {
        **group._asdict(),
        "solve_f1": group.solve_f1.to_json(),
        "success": group.success.to_json(),
    }
