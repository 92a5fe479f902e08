"""Which rows can teach anything: those that a model solves sometimes.

A group whose samples all earn the same has no advantage. Before a run each row is sampled, and
those that all samples or none solve are left out (filtering by pass rate).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolc.train.batching import Request
from toolc.train.generation import Generator
from toolc.train.rows import Row

Reward = Callable[..., list[float | None]]
"""A reward function of messages and of the environments in which they are said."""


def earned(
    rows: Sequence[Row],
    generator: Generator,
    environments: Mapping[str, type[Any]],
    reward: Reward,
    samples: int,
    seed: int,
    done: Callable[[int], object] = lambda number: None,
) -> dict[str, list[float]]:
    """By row, by its id, what each of its samples earns; `done` is told how many more are drawn."""
    import torch

    torch.manual_seed(seed)
    requests = [
        Request(row["prompt"], json.loads(row["tools"]), 0) for row in rows for _ in range(samples)
    ]
    made = generator.draw(requests, done)
    found: dict[str, list[float]] = {}
    for at, row in enumerate(rows):
        instance = environments[row["environment"]]()
        found[row["id"]] = []
        for drawn in made[at * samples : (at + 1) * samples]:
            instance.reset(**row)
            [value] = reward([[drawn.message]], [instance])
            found[row["id"]].append(value or 0.0)
    return found


def promising(rows: Sequence[Row], earned: Mapping[str, Sequence[float]]) -> list[Row]:
    """The rows of which some samples earn more than others; all, where there are none."""
    return [row for row in rows if len(set(earned[row["id"]])) > 1] or list(rows)
