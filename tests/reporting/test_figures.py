"""Figures and intervals: what must hold of them whatever the run."""

from __future__ import annotations

from itertools import combinations
from math import isclose
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reporting.runs import Json, unscored, write_run
from toolc.eval.resample import MAX_UNITS, Unit, estimates, mean
from toolc.reporting.compare import sign_test
from toolc.reporting.figures import (
    MOST_CALLS,
    call_bins,
    failing,
    groups,
    means,
    reward_bins,
    scored_tasks,
)
from toolc.reporting.run import Episode, read_run

UNITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(1, 3)).map(lambda each: (each[0] * each[1], each[1])),
    min_size=2,
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(units=UNITS, seed=st.integers(0, 9))
def test_an_interval_holds_the_mean_within_the_values(units: list[Unit], seed: int) -> None:
    found = estimates({"x": units}, seed)["x"]
    assert found.low is not None and found.high is not None
    ratios = [total / count for total, count in units]
    assert min(ratios) - 1e-9 <= found.low <= found.value <= found.high <= max(ratios) + 1e-9
    assert isclose(found.value, mean(units))
    assert estimates({"x": units}, seed)["x"] == found


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = Random(5)
    held = 0
    for trial in range(200):
        units = [(float(rng.random() < 0.6), 1) for _ in range(60)]
        found = estimates({"x": units}, trial)["x"]
        assert found.low is not None and found.high is not None
        held += found.low <= 0.6 <= found.high
    assert 180 <= held <= 199


def test_many_tasks_in_groups_have_the_interval_of_theory() -> None:
    rng = Random(7)
    size = 12 * MAX_UNITS
    units = [(float(rng.random() < 0.3), 1) for _ in range(size)]
    found = estimates({"x": units}, 0)["x"]
    assert found.low is not None and found.high is not None
    half = 1.96 * (found.value * (1 - found.value) / size) ** 0.5
    assert isclose(found.high - found.low, 2 * half, rel_tol=0.15)


def test_samples_of_a_task_are_no_tasks_of_their_own() -> None:
    rng = Random(1)
    values = [float(rng.random() < 0.5) for _ in range(40)]
    once = estimates({"x": [(value, 1) for value in values]}, 0)["x"]
    tenfold = estimates({"x": [(10 * value, 10) for value in values]}, 0)["x"]
    assert once == tenfold


def test_every_task_counts_the_same_however_often_it_was_scored() -> None:
    tasks = {
        ("e", "once"): [episode("once", True, 1.0)],
        ("e", "often"): [episode("often", False, 0.0) for _ in range(9)],
    }
    assert means(tasks, 0)["success"].value == 0.5


def test_one_task_has_no_interval_and_none_has_no_figures() -> None:
    assert estimates({"x": [(1.0, 2)]}, 0)["x"] == (0.5, None, None)
    assert means({}, 0) == {}


def episode(task: str, success: bool, reward: float, calls: float = 1) -> Episode:
    values = {"success": float(success), "solve_f1": reward, "reward": reward, "calls": calls}
    failed = () if success else ("answer",)
    return Episode(
        task,
        "e",
        task,
        0,
        "none",
        2,
        values,
        None,
        failed,
        (),
        "",
        "",
        offset=0,
        size=0,
        digest=b"",
    )


@settings(max_examples=40, deadline=None)
@given(outcomes=st.lists(st.booleans(), min_size=2, max_size=7))
def test_pass_at_k_is_the_share_of_draws(outcomes: list[bool]) -> None:
    tasks = {("e", "t"): [episode("t", each, float(each)) for each in outcomes]}
    found = means(tasks, 0)
    for k in (2, len(outcomes)):
        draws = list(combinations(outcomes, k))
        assert isclose(found[f"pass@{k}"].value, sum(map(any, draws)) / len(draws))
        assert isclose(found[f"pass^{k}"].value, sum(map(all, draws)) / len(draws))
    assert isclose(found["success"].value, sum(outcomes) / len(outcomes))


def test_pass_at_k_counts_tasks_with_as_many_scored_episodes() -> None:
    tasks = {
        ("e", "whole"): [episode("whole", True, 1.0), episode("whole", False, 0.0)],
        ("e", "half"): [episode("half", False, 0.0)],
    }
    assert means(tasks, 0)["pass@2"].value == 1
    assert means(tasks, 0)["pass^2"].value == 0


def test_bins_hold_every_scored_episode_once() -> None:
    rewards = [0.0, 1e-9, 0.05, 0.1, 0.55, 0.999, 1.0, 1.0]
    episodes = [episode("t", each == 1, each, calls=30 * each) for each in rewards]
    assert reward_bins(episodes) == [1, 2, 1, 0, 0, 0, 1, 0, 0, 0, 1, 2]
    counted = call_bins(episodes)
    assert sum(counted) == len(rewards)
    assert len(counted) == MOST_CALLS + 1 and counted[-1] == 3
    assert failing(episodes, 5) == ([("answer", 6)], 0)


def test_what_is_not_scored_is_in_no_figure(careless: list[Json], tmp_path: Path) -> None:
    whole = read_run(str(write_run(tmp_path / "whole", careless)))
    more = [*careless, *({**unscored(each), "id": f"{each['id']}x"} for each in careless[:9])]
    with_more = read_run(str(write_run(tmp_path / "more", more)))
    assert len(with_more.episodes) == len(whole.episodes) + 9
    tasks = [scored_tasks(run.episodes) for run in (whole, with_more)]
    assert means(tasks[0], 0) == means(tasks[1], 0)
    found, left = groups(tasks[1], "environment", 0, 2)
    assert len(found) == 2 and left == 1
    assert sum(each.episodes for each in groups(tasks[1], "steps", 0, 99)[0]) == len(careless)


@pytest.mark.parametrize(
    ("won", "lost", "chance"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (8, 2, 0.109375), (2, 8, 0.109375)],
)
def test_the_sign_test_by_hand(won: int, lost: int, chance: float) -> None:
    assert isclose(sign_test(won, lost), chance, rel_tol=1e-9)
