"""Two runs against each other: pairing, symmetry, and which tasks may be compared."""

from __future__ import annotations

from math import isclose
from pathlib import Path

import pytest

from tests.reporting.runs import Json, unscored, write_run
from toolc.reporting.compare import Comparison, Uncomparable, compare
from toolc.reporting.run import Run, read_run


@pytest.fixture
def runs(careless: list[Json], careful: list[Json], tmp_path: Path) -> tuple[Run, Run]:
    return (
        read_run(str(write_run(tmp_path / "a", careless))),
        read_run(str(write_run(tmp_path / "b", careful))),
    )


def test_a_run_does_not_differ_from_itself(runs: tuple[Run, Run]) -> None:
    found = compare(runs[0], runs[0])
    assert found.won == found.lost == ()
    assert found.chance == 1
    for contrast in found.figures.values():
        assert contrast.before == contrast.after
        assert tuple(contrast.difference) == (0, 0, 0)
        assert not contrast.clear


def test_the_other_way_round_it_is_the_opposite(runs: tuple[Run, Run]) -> None:
    there, back = compare(*runs), compare(*reversed(runs))
    assert there.won and there.lost
    assert [each.task for each in there.won] == [each.task for each in back.lost]
    assert there.chance == back.chance
    for name, contrast in there.figures.items():
        assert isclose(contrast.difference.value, -back.figures[name].difference.value)
        assert isclose(contrast.difference.value, contrast.after - contrast.before, abs_tol=1e-12)


def test_care_shows(runs: tuple[Run, Run]) -> None:
    found = compare(*runs)
    assert found.figures["success"].difference.value > 0
    assert found.figures["success"].clear
    assert len(found.won) > len(found.lost)
    assert found.chance < 0.05


def test_groups_hold_every_task_once(runs: tuple[Run, Run]) -> None:
    found = compare(*runs)
    for by, members in found.groups.items():
        assert sum(found.sizes[by].values()) == found.tasks
        weighted = sum(
            found.sizes[by][name] * each["solve_f1"].difference.value
            for name, each in members.items()
        )
        assert isclose(weighted / found.tasks, found.figures["solve_f1"].difference.value)


def test_pairs_are_tighter_than_two_runs_apart(
    careless: list[Json], tmp_path: Path, runs: tuple[Run, Run]
) -> None:
    """Where every task is a little better, the pairs show what the runs' own intervals hide."""

    def better(line: Json) -> Json:
        figures = {**line["figures"], "solve_f1": 0.9 * line["figures"]["solve_f1"] + 0.02}
        return {**line, "figures": figures}

    other = read_run(str(write_run(tmp_path / "c", [better(each) for each in careless])))
    contrast = compare(runs[0], other).figures["solve_f1"]
    low, high = contrast.difference.low, contrast.difference.high
    assert low is not None and high is not None
    assert high - low < 0.1


def only(lines: list[Json], *environments: str) -> list[Json]:
    return [each for each in lines if each["environment"] in environments]


def test_only_what_both_scored_is_compared(
    careless: list[Json], careful: list[Json], tmp_path: Path
) -> None:
    first = only(careless, "museum", "lights")
    second = [
        unscored(each) if each["task"] == first[0]["task"] else each
        for each in only(careful, "museum", "lending")
    ]
    found = compare(
        read_run(str(write_run(tmp_path / "a", first))),
        read_run(str(write_run(tmp_path / "b", second))),
    )
    tasks = {each["task"] for each in only(careless, "museum")} - {first[0]["task"]}
    assert found.tasks == len(tasks)
    assert list(found.groups["environment"]) == ["museum"]
    assert found.only == (1, 0)


def of_builds(lines: list[Json], folder: Path, **digests: str) -> Run:
    return read_run(str(write_run(folder, lines, digests=digests)))


def test_other_builds_are_left_out_unless_asked_for(careless: list[Json], tmp_path: Path) -> None:
    before = of_builds(careless, tmp_path / "a", museum="one")
    after = of_builds(careless, tmp_path / "b", museum="two")
    found = compare(before, after)
    assert found.others == ("museum",)
    assert "museum" not in found.groups["environment"]
    assert "museum" in compare(before, after, anyway=True).groups["environment"]


def failed(before: Run, after: Run) -> str:
    with pytest.raises(Uncomparable) as raised:
        compare(before, after)
    return str(raised.value)


def test_nothing_in_common_is_an_error_that_says_why(careless: list[Json], tmp_path: Path) -> None:
    museum = of_builds(only(careless, "museum"), tmp_path / "a")
    other = of_builds(only(careless, "museum"), tmp_path / "b", museum="other")
    lights = of_builds(only(careless, "lights"), tmp_path / "c")
    none = [unscored(each) for each in only(careless, "museum")]
    assert "different builds of `museum`; `--anyway`" in failed(museum, other)
    assert "no environment in common" in failed(museum, lights)
    assert "no task is scored in both" in failed(museum, of_builds(none, tmp_path / "d"))


def test_as_json_it_says_the_same(runs: tuple[Run, Run]) -> None:
    found: Comparison = compare(*runs)
    told = found.to_json()
    assert told["tasks"] == found.tasks
    assert told["success"]["same"] == found.tasks - len(found.won) - len(found.lost)
    assert told["figures"]["reward"]["difference"] == found.figures["reward"].difference.value
    assert set(told) >= {"by_kind", "by_environment", "by_steps", "different_builds"}
