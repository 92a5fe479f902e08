"""Which rows can teach anything: those that a model solves sometimes.

A group whose samples all earn the same has no advantage. Before a run each row is sampled, and
those that all samples or none solve are left out (filtering by pass rate).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolc.output import write_file
from toolc.train.batching import Request
from toolc.train.generation import Generator
from toolc.train.rows import Row

Reward = Callable[..., list[float | None]]
"""A reward function of messages and of the environments in which they are said."""


def probe(
    rows: Sequence[Row],
    generator: Generator,
    environments: Mapping[str, type[Any]],
    reward: Reward,
    samples: int,
    seed: int,
    path: str,
) -> None:
    """Writes what samples of each row earn to the file, unless it is there."""
    if os.path.exists(path):
        return
    earned = _earned(rows, generator, environments, reward, samples, seed)
    named = {row["id"]: each for row, each in zip(rows, earned, strict=True)}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_file(path, (json.dumps(named) + "\n").encode())


def promising(rows: Sequence[Row], path: str) -> list[Row]:
    """The rows of which, by the file, some samples earn more than others; all, where none does."""
    with open(path, encoding="utf-8") as file:
        earned = json.load(file)
    return [row for row in rows if len(set(earned[row["id"]])) > 1] or list(rows)


def _earned(
    rows: Sequence[Row],
    generator: Generator,
    environments: Mapping[str, type[Any]],
    reward: Reward,
    samples: int,
    seed: int,
) -> list[list[float]]:
    """By row what each of its samples earns."""
    import torch

    torch.manual_seed(seed)
    requests = [
        Request(row["prompt"], json.loads(row["tools"]), 0) for row in rows for _ in range(samples)
    ]
    made = generator.draw(requests)
    earned: list[list[float]] = []
    for at, row in enumerate(rows):
        instance = environments[row["environment"]]()
        found = []
        for drawn in made[at * samples : (at + 1) * samples]:
            instance.reset(**row)
            [value] = reward([[drawn.message]], [instance])
            found.append(value or 0.0)
        earned.append(found)
    return earned
