"""Rows that can teach something are told from others."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from toolc.train.probing import probe, promising

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

    def draw(self, requests: list[Any]) -> list[Any]:
        self.asked += len(requests)
        return [SimpleNamespace(message={"draw": at}) for at in range(len(requests))]


def test_rows_that_some_samples_solve_are_kept(tmp_path: Path) -> None:
    path, draws = str(tmp_path / "rl" / "probe.json"), Draws()
    given: Any = (ROWS, draws, {"e": Instance}, reward, 4, 0, path)
    probe(*given)
    assert [row["id"] for row in promising(ROWS, path)] == ["sometimes"]
    assert json.loads(Path(path).read_text("utf-8"))["never"] == [0.0] * 4
    probe(*given)
    assert draws.asked == 12  # what is known is not asked for again


def test_where_no_row_is_solved_sometimes_all_stay(tmp_path: Path) -> None:
    path = str(tmp_path / "probe.json")
    rows = [ROWS[0], ROWS[2]]
    given: Any = (rows, Draws(), {"e": Instance}, reward, 2, 0, path)
    probe(*given)
    assert promising(rows, path) == rows
