"""Kinds of plans, by the dependencies between their steps."""

from __future__ import annotations

import pytest

from toolc.scenarios.difficulty import shape


@pytest.mark.parametrize(
    ("after", "kind", "depth", "width"),
    [
        ([], "none", 0, 0),
        ([[]], "single_hop", 1, 1),
        ([[], []], "parallel_single_hop", 1, 2),
        ([[], [0]], "multi_hop", 2, 1),
        ([[], [0], [0, 1]], "multi_hop", 3, 1),
        ([[], [], [0, 1]], "parallel_multi_hop", 2, 2),
        ([[], [0], [0]], "parallel_multi_hop", 2, 2),
        ([[], [0], []], "parallel_multi_hop", 2, 2),
    ],
)
def test_shape(after: list[list[int]], kind: str, depth: int, width: int) -> None:
    assert shape(after) == (kind, depth, width)
