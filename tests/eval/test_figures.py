"""Figures against values computed by hand and by counting."""

from __future__ import annotations

import random
from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations

import pytest

from toolc.eval.figures import (
    MEANS,
    PUBLISHED,
    Row,
    group,
    intervals,
    ks,
    pass_at,
    pass_hat,
    row_of,
    summarise,
)


def row(
    task: str, sample: int, success: bool | None, f1: float = 0.5, kind: str = "single_hop"
) -> Row:
    """An episode with 2 calls and 3 messages; not scored where `success` is None."""
    values = (0.25, 0.75, f1, f1, float(bool(success)), 2.0, 3.0, 1.0, 0.0, 1.0, 0.5, 0.75)
    return Row("e", task, sample, kind, len(kind), None if success is None else values)


ROWS = [
    row("a", 0, True, 1.0),
    row("a", 1, False, 0.0),
    row("b", 0, True, 0.9),
    row("b", 1, True, 0.7),
    row("c", 0, False, 0.2, "multi_hop"),
    row("c", 1, None, kind="multi_hop"),
    row("d", 0, None),
    row("d", 1, None),
]


def test_figures_are_means_over_tasks_of_what_is_scored() -> None:
    found = summarise(ROWS, 2, 0)
    assert (found["tasks"], found["episodes"], found["not_scored"]) == (4, 8, 3)
    assert found["success"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert found["solve_f1"] == found["reward"] == pytest.approx((0.5 + 0.8 + 0.2) / 3)
    assert (found["solve_precision"], found["solve_rate"]) == (0.25, 0.75)
    assert (found["calls"], found["turns"], found["invalid_calls"]) == (2, 3, 1)
    assert found["ftrl"] == {"solve_precision": 1.0, "solve_rate": 0.5, "solve_f1": 0.75}
    assert found["pass@k"] == {"1": pytest.approx(0.5), "2": 1.0}, "c has one scored episode"
    assert found["pass^k"] == {"1": pytest.approx(0.5), "2": 0.5}
    assert set(found["by_kind"]) == {"single_hop", "multi_hop"}
    assert found["by_kind"]["single_hop"]["success"] == pytest.approx(0.75)
    assert found["by_kind"]["multi_hop"]["pass@k"] == {"1": 0.0, "2": None}
    assert found["by_environment"]["e"]["solve_f1"] == found["solve_f1"]
    assert list(found["by_difficulty"]) == ["9", "10"]


def test_the_order_of_episodes_does_not_matter() -> None:
    chance = random.Random(4)
    rows = [
        row(str(task), n, chance.random() < 0.4, chance.random())
        for task in range(30)
        for n in range(3)
    ]
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert shuffled != rows
    assert summarise(shuffled, 3, 1) == summarise(rows, 3, 1)


def test_nothing_scored_gives_no_figures() -> None:
    found = group([row("a", 0, None)], 1, "0")
    assert {found[name] for name in MEANS} == {None}
    assert set(found["intervals"].values()) == {None}
    assert found["pass@k"] == {"1": None}
    assert summarise([], 1, 0)["tasks"] == 0


def test_passes_are_those_of_every_choice_of_k_episodes() -> None:
    for n in range(1, 8):
        for c in range(n + 1):
            episodes = [True] * c + [False] * (n - c)
            for k in range(1, n + 1):
                chosen = list(combinations(episodes, k))
                assert pass_at(n, c, k) == pytest.approx(share(any(each) for each in chosen))
                assert pass_hat(n, c, k) == pytest.approx(share(all(each) for each in chosen))
            assert pass_at(n, c, n + 1) is pass_hat(n, c, n + 1) is None


def share(found: Iterable[bool]) -> float:
    marks = list(found)
    return float(Fraction(sum(marks), len(marks)))


def test_the_ks_are_powers_of_two_and_the_samples() -> None:
    assert [ks(samples) for samples in (1, 2, 5, 8)] == [[1], [1, 2], [1, 2, 4, 5], [1, 2, 4, 8]]


def test_an_interval_holds_the_mean_narrows_and_is_drawn_from_the_seed() -> None:
    chance = random.Random(2)
    widths = []
    for size in (20, 80, 1_280):
        column = [float(chance.random() < 0.3) for _ in range(size)]
        low, high = intervals({"x": column}, "7")["x"] or (1, 0)
        assert low <= sum(column) / size <= high
        assert intervals({"x": column}, "7") == {"x": [low, high]}
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2] > 0
    column = [number / 7 for number in range(40)]
    assert intervals({"x": column}, "7") != intervals({"x": column}, "8")


def test_an_interval_is_that_of_the_normal_law_where_there_are_many_tasks() -> None:
    column = [float(number % 5 == 0) for number in range(2_000)]
    low, high = intervals({"x": column}, "1")["x"] or (0, 0)
    error = (0.2 * 0.8 / 2_000) ** 0.5
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.12)


def test_intervals_cover_the_truth_about_as_often_as_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("toolc.eval.resample.RESAMPLES", 200)
    chance = random.Random(5)
    covered = 0
    for trial in range(200):
        column = [float(chance.random() < 0.5) for _ in range(60)]
        low, high = intervals({"x": column}, str(trial))["x"] or (1, 0)
        covered += low <= 0.5 <= high
    assert 178 <= covered <= 199


def test_columns_with_gaps_are_resampled_where_there_is_something() -> None:
    found = intervals({"x": [1.0, None, 1.0], "y": [None, None, None], "z": [None, 0.5, None]}, "1")
    assert found == {"x": [1.0, 1.0], "y": None, "z": [0.5, 0.5]}


def test_a_row_is_read_from_a_line() -> None:
    figures = {name: 0.5 for name in MEANS if name != "reward"} | {"success": True}
    line = {
        "environment": "e",
        "task": "t",
        "sample": 2,
        "kind": "none",
        "difficulty": {"steps": 3},
        "figures": figures,
        "ftrl": dict.fromkeys(PUBLISHED, 0.25),
        "verdict": {"reward": 0.75},
    }
    found = row_of(line)
    assert found[:5] == ("e", "t", 2, "none", 3) and found.success
    assert found.values == (0.5, 0.5, 0.5, 0.75, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25)
    assert row_of({**line, "figures": None, "verdict": None}).values is None
    with pytest.raises(KeyError):
        row_of({**line, "figures": {}})
