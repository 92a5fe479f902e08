"""Rows that can teach something are told from others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from toolc.train.probing import earned, promising

ROWS: list[dict[str, Any]] = [
    {"id": name, "prompt": [], "tools": "[]", "environment": "e"}
    for name in ("never", "sometimes", "always")
]


class Instance:
    """An environment that knows what its row is worth."""

    def reset(self, **row: Any) -> None:
        self.row = row["id"]


def reward(completions: list[Any], environments: list[Instance]) -> list[float | None]:
    [[message]] = completions
    worth = {"never": None, "sometimes": message["draw"] % 2, "always": 1.0}
    return [worth[environments[0].row]]


class Draws:
    """A generator whose messages are numbered."""

    def __init__(self) -> None:
        self.asked = 0

    def draw(self, requests: list[Any], done: Any) -> list[Any]:
        done(len(requests))
        self.asked += len(requests)
        return [SimpleNamespace(message={"draw": at}) for at in range(len(requests))]


def sampled(rows: list[dict[str, Any]], samples: int) -> dict[str, list[float]]:
    draws: Any = Draws()
    told: list[int] = []
    found = earned(rows, draws, {"e": Instance}, reward, samples, 0, told.append)
    assert sum(told) == samples * len(rows)
    assert draws.asked == samples * len(rows)
    return found


def test_rows_that_some_samples_solve_are_kept() -> None:
    found = sampled(ROWS, 4)
    assert found == {"never": [0.0] * 4, "sometimes": [0, 1, 0, 1], "always": [1.0] * 4}
    assert [row["id"] for row in promising(ROWS, found)] == ["sometimes"]


def test_where_no_row_is_solved_sometimes_all_stay() -> None:
    rows = [ROWS[0], ROWS[2]]
    assert promising(rows, sampled(rows, 2)) == rows
