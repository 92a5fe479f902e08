"""Reading runs, which anyone may have written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.runs import Json, unscored, write_run
from toolc.reporting.run import MAX_DEPTH, RunError, read_run


def rewrite(folder: Path, change: Any) -> str:
    """Changes the second line of a run; the run's path."""
    place = folder / "episodes.jsonl"
    lines = place.read_text(encoding="utf-8").splitlines()
    changed = change(lines[1])
    lines[1] = changed if isinstance(changed, str) else json.dumps(changed)
    place.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return str(folder)


def test_a_run_is_read_whole(careless: list[Json], folder: Path) -> None:
    lines = [*careless[:5], unscored(careless[5])]
    run = read_run(str(write_run(folder, lines, policy="p", samples=3)))
    assert (run.head.policy, run.head.samples, run.head.settings) == ("p", 3, {"temperature": 0.7})
    assert [each.id for each in run.episodes] == [each["id"] for each in lines]
    assert [each.values is None for each in run.episodes] == [False] * 5 + [True]
    assert run.episodes[5].not_scored == "timeout after 60 s"
    for line, episode in zip(lines[:5], run.episodes, strict=False):
        assert episode.values is not None
        assert episode.values["reward"] == line["verdict"]["reward"]
        assert episode.success == (line["verdict"]["reward"] == 1)
        failed = [each["name"] for each in line["verdict"]["checks"] if each["value"] < 1]
        assert list(episode.failing) == list(dict.fromkeys(failed))
    backwards = list(reversed(run.episodes))
    assert list(run.bodies(backwards)) == list(reversed(lines))


def test_a_torn_last_line_is_left_out(careless: list[Json], folder: Path) -> None:
    write_run(folder, careless[:3])
    place = folder / "episodes.jsonl"
    place.write_bytes(place.read_bytes()[:-20])
    run = read_run(str(folder))
    assert (len(run.episodes), run.torn) == (2, True)


def test_what_models_wrote_may_be_any_json(careless: list[Json], folder: Path) -> None:
    def change(line: str) -> str:
        wild = '{"a": NaN, "b": [-Infinity, 1e999], "c": 123456789012345678901234567890}'
        return line.replace('"arguments": {', f'"arguments": {wild}, "more": {{', 1)

    first = next(each for each in careless if each["calls"])
    lines = [careless[0], {**first, "id": "wild"}]
    run = read_run(rewrite(write_run(folder, lines), change))
    (record,) = run.bodies(run.episodes[1:])
    given = record["calls"][0]["arguments"]
    assert (given["a"], given["c"]) == ("NaN", 123456789012345678901234567890)


DEEP = "[" * (MAX_DEPTH + 5) + "]" * (MAX_DEPTH + 5)
DEEPER = "[" * 100_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda line: "{", "line 2 of episodes.jsonl is not JSON"),
        (lambda line: "[]", "`the whole` "),
        (lambda line: {**json.loads(line), "messages": None}, "`messages`"),
        (lambda line: {**json.loads(line), "id": 7}, "`id`"),
        (lambda line: {**json.loads(line), "verdict": {"reward": 1}}, "`verdict/checks`"),
        (lambda line: {**json.loads(line), "verdict": {"reward": 1e99, "checks": []}}, "reward"),
        (lambda line: {**json.loads(line), "figures": {"success": True}}, "`figures/solve_f1`"),
        (
            lambda line: {**json.loads(line), "calls": [{"tool": 1, "status": "ok"}]},
            "`calls/0/tool`",
        ),
        (lambda line: line.replace('"seconds": 0.02', f'"seconds": {DEEP}'), "nested too deep"),
        (lambda line: line.replace('"seconds": 0.02', f'"seconds": {DEEPER}'), "nested too deep"),
        (lambda line: line.replace('"seconds": 0.02', f'"seconds": {"9" * 9999}'), "digits"),
    ],
)
def test_lines_that_are_no_episodes_are_named(
    careless: list[Json], folder: Path, change: Any, message: str
) -> None:
    path = rewrite(write_run(folder, careless[:3]), change)
    with pytest.raises(RunError, match="line 2") as raised:
        read_run(path)
    assert message in str(raised.value)


def test_two_episodes_of_one_name_are_refused(careless: list[Json], folder: Path) -> None:
    with pytest.raises(RunError, match="a second episode"):
        read_run(str(write_run(folder, [careless[0], careless[0]])))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (None, "cannot read `run.json`"),
        ("nonsense", "is not JSON"),
        ("[]", "`the whole` "),
        ('{"format": 2}', "`toolc` is required"),
    ],
)
def test_heads_that_are_none(
    careless: list[Json], folder: Path, head: str | None, message: str
) -> None:
    write_run(folder, careless[:1])
    (folder / "run.json").unlink()
    if head is not None:
        (folder / "run.json").write_text(head)
    with pytest.raises(RunError) as raised:
        read_run(str(folder))
    assert message in str(raised.value)


def test_another_format_is_refused(careless: list[Json], folder: Path) -> None:
    place = write_run(folder, careless[:1]) / "run.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "format": 2}))
    with pytest.raises(RunError, match="is of format 2, not of 1"):
        read_run(str(folder))


def test_nothing_outside_the_folder_and_no_pipe_is_read(
    careless: list[Json], folder: Path, tmp_path: Path
) -> None:
    write_run(folder, careless[:1])
    episodes = folder / "episodes.jsonl"
    episodes.rename(tmp_path / "elsewhere")
    episodes.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="leads out of the run's folder"):
        read_run(str(folder))
    episodes.unlink()
    os.mkfifo(episodes)
    with pytest.raises(RunError, match="not a plain file"):
        read_run(str(folder))


def test_a_file_that_changed_meanwhile_is_told(careless: list[Json], folder: Path) -> None:
    run = read_run(str(write_run(folder, careless[:2])))
    write_run(folder, careless[2:4])
    with pytest.raises(RunError, match="changed meanwhile"):
        list(run.bodies(run.episodes))
