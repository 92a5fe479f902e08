"""`toolc eval` as its user meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Toolc
from toolc.cli import main
from toolc.eval import policies
from toolc.eval.policies import POLICIES, Kind, always
from toolc.eval.policy import Unavailable
from toolc.eval.reference import Reference
from toolc.output import MANIFEST
from toolc_runtime import Environment, Task
from toolc_runtime.chat.message import Message, Reply
from toolc_runtime.episode import Episode

SPEC = ROOT / "tests" / "eval" / "allotment.toolc"
TASKS = 8


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval") / "build"
    assert main(["compile", str(SPEC), "-o", str(folder), "--quiet"]) == 0
    return folder


def episodes(run: Path) -> list[dict[str, Any]]:
    """The episodes of a run, without the seconds that they took."""
    text = (run / "episodes.jsonl").read_text(encoding="utf-8")
    return [{**json.loads(line), "seconds": 0} for line in text.splitlines()]


def ids(run: Path) -> list[str]:
    return [episode["id"] for episode in episodes(run)]


def summary(run: Path) -> Any:
    return json.loads((run / "summary.json").read_text(encoding="utf-8"))


def evaluate(build: Path, run: Path, *options: str) -> int:
    command = ["eval", str(build), "-o", str(run), "--unaudited", "--jobs", "1", *options]
    return main([*command, "--format", "json"])


def test_a_run_from_the_command_line(toolc: Toolc, compiled: Path, tmp_path: Path) -> None:
    ended = toolc("eval", str(compiled), "--policy", "reference", "--samples", "3", "--unaudited")
    assert ended.returncode == 0, ended.stderr
    run = tmp_path / "runs" / "build-reference"
    assert sorted(path.name for path in run.iterdir() if path.name[0] != ".") == [
        *("episodes.jsonl", "run.json", "summary.json")
    ]
    assert len(set(ids(run))) == 3 * TASKS
    found = summary(run)
    assert (found["success"], found["episodes"], found["not_scored"]) == (1, 3 * TASKS, 0)
    assert found["intervals"]["success"] == [1, 1]
    table = ended.stdout.splitlines()
    assert table[0].split() == ["tasks", "solve_precision", "solve_rate", "solve_f1", "success"]
    assert [line.split()[0] for line in table[1:6]] == [
        *("multi_hop", "none", "parallel_single_hop", "single_hop", "all")
    ]
    assert table[5].split()[:4] == ["all", str(TASKS), "1.000", "[1.000,"]
    assert "pass@1 1.000  pass@2 1.000  pass@3 1.000" in ended.stdout
    run_of = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert run_of["policy"] == {"name": "reference"}
    assert run_of["environments"]["allotment"]["tasks"] == TASKS


def test_json_is_the_summary(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(compiled, tmp_path / "run", "--policy", "noop") == 0
    assert json.loads(capsys.readouterr().out) == summary(tmp_path / "run")
    assert summary(tmp_path / "run")["success"] == pytest.approx(1 / TASKS)


def test_the_seed_gives_the_same_episodes(compiled: Path, tmp_path: Path) -> None:
    for name, *options in (("a",), ("b",), ("c", "--seed", "5")):
        assert evaluate(compiled, tmp_path / name, "--policy", "random", *options) == 0
    assert episodes(tmp_path / "a") == episodes(tmp_path / "b") != episodes(tmp_path / "c")
    assert summary(tmp_path / "a") == summary(tmp_path / "b")


def test_several_processes_play_the_same(compiled: Path, tmp_path: Path) -> None:
    chosen = ("--policy", "random", "--samples", "6")
    assert evaluate(compiled, tmp_path / "one", *chosen) == 0
    assert evaluate(compiled, tmp_path / "two", *chosen, "--jobs", "2") == 0
    assert summary(tmp_path / "one") == summary(tmp_path / "two")


def test_a_replay_of_a_run(compiled: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    assert evaluate(compiled, first, "--policy", "random", "--samples", "2", "--seed", "9") == 0
    recorded = str(first / "episodes.jsonl")
    assert evaluate(compiled, again, "--replay", recorded, "--samples", "2") == 0
    assert episodes(again) == episodes(first)
    assert evaluate(compiled, tmp_path / "more", "--replay", recorded, "--samples", "3") == 1
    assert summary(tmp_path / "more")["not_scored"] == TASKS
    assert evaluate(compiled, again, "--replay", str(tmp_path / "nothing")) == 2
    assert evaluate(compiled, again, "--replay", str(first / "run.json")) == 2


def test_one_scenario_one_task_or_a_few(compiled: Path, tmp_path: Path) -> None:
    def chosen(name: str, *options: str) -> list[str]:
        assert evaluate(compiled, tmp_path / name, "--policy", "noop", *options) == 0
        return ids(tmp_path / name)

    family = [f"allotment/size_of:{name}#0" for name in ("Beech", "Cedar", "Elder", "Hazel")]
    assert chosen("scenario", "--only", "size_of") == family
    assert chosen("task", "--only", "taken", "--only", "size_of:Beech") == [
        *(family[0], "allotment/taken#0")
    ]
    three, five = (set(chosen(number, "--limit", number)) for number in "35")
    assert len(three) == 3 and len(five) == 5 and three < five
    assert evaluate(compiled, tmp_path / "x", "--policy", "noop", "--only", "nothing") == 2


def test_what_cannot_be_done_is_said(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for build, options, message in (
        (tmp_path, ("--policy", "noop"), "holds no build"),
        (compiled, ("--policy", "oracle"), "there is no policy `oracle`; policies: reference,"),
        (
            compiled,
            (),
            "one of the arguments --policy --replay --endpoint --model-path is required",
        ),
        (compiled, ("--policy", "noop", "--replay", "x"), "not allowed with"),
        (compiled, ("--policy", "noop", "--samples", "0"), "is not a whole number from 1"),
    ):
        assert evaluate(build, tmp_path / "run", *options) == 2
        assert message in capsys.readouterr().err
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert evaluate(compiled, tmp_path / "file", "--policy", "noop") == 2
    assert "cannot write" in capsys.readouterr().err


# ---------------------------------------------------------------- resuming


def test_a_killed_run_goes_on_where_it_was(compiled: Path, tmp_path: Path) -> None:
    options = ("--policy", "random", "--samples", "60")
    run = tmp_path / "run"
    command = [sys.executable, "-m", "toolc", "eval", str(compiled), "-o", str(run), "--unaudited"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    process = subprocess.Popen(
        [*command, *options, "--jobs", "2"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    lines = run / "episodes.jsonl"
    while not lines.exists() or not lines.stat().st_size:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    played = ids(run) if lines.read_bytes().endswith(b"\n") else []
    assert 0 < len(played) < 60 * TASKS
    assert not (run / "summary.json").exists()
    with lines.open("ab") as file:
        file.write(b'{"id":"allotment/taken#59","environ')
    kept = lines.read_bytes().splitlines()[: len(played)]

    assert evaluate(compiled, run, *options) == 0
    assert lines.read_bytes().splitlines()[: len(played)] == kept, "nothing is done twice"
    assert evaluate(compiled, tmp_path / "whole", *options) == 0
    assert len(ids(run)) == len(set(ids(run))) == 60 * TASKS
    by_id = {episode["id"]: episode for episode in episodes(run)}
    assert by_id == {episode["id"]: episode for episode in episodes(tmp_path / "whole")}
    assert summary(run) == summary(tmp_path / "whole")


def test_a_run_that_is_done_is_not_played_again(compiled: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert evaluate(compiled, run, "--policy", "noop") == 0
    before, found = (run / "episodes.jsonl").read_bytes(), summary(run)
    assert evaluate(compiled, run, "--policy", "noop") == 0
    assert (run / "episodes.jsonl").read_bytes() == before
    assert summary(run) == found
    assert evaluate(compiled, run, "--policy", "reference", "--fresh") == 0
    assert summary(run)["success"] == 1


@pytest.mark.parametrize("torn", [b"\n", b'{"id":', b"{}\n", b'"x"\n', b"\xff\n", b"[" * 99_999])
def test_a_torn_line_is_dropped_and_a_damaged_one_reported(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], torn: bytes
) -> None:
    run = tmp_path / "run"
    assert evaluate(compiled, run, "--policy", "noop") == 0
    lines = run / "episodes.jsonl"
    whole = lines.read_bytes()
    *first, last = whole.splitlines(keepends=True)
    lines.write_bytes(b"".join(first) + last[:-40] if torn == b"\n" else whole + torn)
    status = evaluate(compiled, run, "--policy", "noop")
    if torn.endswith(b"\n") and torn != b"\n":
        assert status == 2
        assert f"is damaged: line {TASKS + 1} is no episode" in capsys.readouterr().err
    else:
        assert status == 0
        assert len(set(ids(run))) == len(ids(run)) == TASKS
        assert lines.read_bytes().startswith(b"".join(first))


def test_another_run_is_not_gone_on_with(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    options = ("--policy", "noop", "--samples", "2")
    assert evaluate(compiled, run, *options) == 0
    for others, message in (
        (("--policy", "random", "--samples", "2"), '`policy.name` "noop", not "random"'),
        (("--policy", "noop"), "`samples` 2, not 1"),
        ((*options, "--seed", "4"), "`seed` 0, not 4"),
        ((*options, "--max-turns", "4"), "`max_turns` null, not 4"),
        ((*options, "--only", "taken"), f"`environments.allotment.tasks` {TASKS}, not 1"),
    ):
        assert evaluate(compiled, run, *others) == 2
        assert message in capsys.readouterr().err
    for damage, message in (("{", "is damaged"), ("[]", "has `format` null")):
        (run / "run.json").write_text(damage, encoding="utf-8")
        assert evaluate(compiled, run, *options) == 2
        assert message in capsys.readouterr().err
    (run / "run.json").unlink()
    assert evaluate(compiled, run, *options) == 2
    assert "without the `run.json`" in capsys.readouterr().err


def test_another_build_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, build, run = tmp_path / "allotment.toolc", tmp_path / "build", tmp_path / "run"
    text = SPEC.read_text(encoding="utf-8")
    for size in ("40", "41"):
        spec.write_text(text.replace("size: 40", f"size: {size}"), encoding="utf-8")
        assert main(["compile", str(spec), "-o", str(build), "--quiet"]) == 0
        status = evaluate(build, run, "--policy", "noop")
        assert status == (0 if size == "40" else 2)
    assert "`environments.allotment.digest`" in capsys.readouterr().err
    tools = build / "allotment" / "tools.py"
    tools.write_text(tools.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert evaluate(build, run, "--policy", "noop", "--fresh") == 2
    assert "is not what the compiler wrote" in capsys.readouterr().err


class Flaky(Reference):
    """The reference, asked of a server that answers only some."""

    name = "flaky"
    up = False

    def open(self, episode: Episode, task: Task, seed: int) -> Any:
        if task.scenario == "size_of" and not Flaky.up:
            return self
        return super().open(episode, task, seed)

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        raise Unavailable("timeout after 60 s")


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(settings: Any, environments: dict[str, Environment]) -> policies.Chooser:
        return always(Flaky())

    monkeypatch.setitem(POLICIES, "flaky", Kind(make, "threads"))  # type: ignore[arg-type]
    monkeypatch.setattr(policies, "ALONE", (*policies.ALONE, "flaky"))
    monkeypatch.setattr(Flaky, "up", False)


@pytest.mark.usefixtures("flaky")
@pytest.mark.parametrize("jobs", ["1", "4"])
def test_what_is_not_scored_is_counted_and_played_again(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    run = tmp_path / "run"
    options = ("--policy", "flaky", "--jobs", jobs)
    assert evaluate(compiled, run, *options) == 1
    assert "not scored: 4 episodes: timeout after 60 s" in capsys.readouterr().err
    found = summary(run)
    assert (found["episodes"], found["not_scored"], found["success"]) == (TASKS, 4, 1)
    before = [episode for episode in episodes(run) if episode["not_scored"] is None]
    assert len(before) == TASKS - 4
    Flaky.up = True
    assert evaluate(compiled, run, *options) == 0
    assert episodes(run)[: TASKS - 4] == before
    assert len(set(ids(run))) == len(ids(run)) == TASKS
    assert (summary(run)["not_scored"], summary(run)["success"]) == (0, 1)


@pytest.mark.usefixtures("flaky")
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_an_interrupt_leaves_what_was_done(
    compiled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    jobs: str,
) -> None:
    def interrupt(self: Flaky, messages: object, tools: object) -> Reply:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    monkeypatch.setattr(Flaky, "respond", interrupt)
    assert evaluate(compiled, run, "--policy", "flaky", "--jobs", jobs) == 130
    assert f"of {TASKS} episodes are in `{run}`" in capsys.readouterr().err
    assert len(ids(run)) < TASKS and not (run / "summary.json").exists()
    Flaky.up = True
    assert evaluate(compiled, run, "--policy", "flaky", "--jobs", jobs) == 0
    assert len(set(ids(run))) == TASKS


def test_two_do_not_write_to_one_run(toolc: Toolc, compiled: Path, tmp_path: Path) -> None:
    from toolc.eval.store import held

    with held(str(tmp_path / "run")):
        ended = toolc("eval", str(compiled), "--policy", "noop", "--unaudited", "-o", "run")
    assert (ended.returncode, "another toolc writes to `run`" in ended.stderr) == (2, True)


# ---------------------------------------------------------------- admission


def test_only_tasks_that_an_audit_admits_are_played(
    toolc: Toolc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = tmp_path / "build"
    spec = tmp_path / "allotment.toolc"
    spec.write_bytes(SPEC.read_bytes())
    assert main(["compile", str(spec), "-o", str(build), "--quiet"]) == 0
    command = ["eval", str(build), "-o", str(tmp_path / "run"), "--policy", "noop"]
    assert main(command) == 2
    assert "no audit has seen `allotment` as it stands" in capsys.readouterr().err

    main(["audit", str(build), "--jobs", "1"])
    manifest = build / MANIFEST
    noted = json.loads(manifest.read_text(encoding="utf-8"))
    noted["audits"]["allotment"]["refuted"] = {}
    manifest.write_text(json.dumps(noted), encoding="utf-8")
    assert main(command) == 0
    noted["audits"]["allotment"]["refuted"] = {"taken": ["solvable"]}
    manifest.write_text(json.dumps(noted), encoding="utf-8")
    assert main(command) == 2
    assert "the audit refuted 1 task, `taken`" in capsys.readouterr().err
    assert main([*command, "--unaudited"]) == 0
    assert main([*command, "--only", "size_of", "--fresh"]) == 0

    spec.write_text(spec.read_text(encoding="utf-8").replace("95", "96"), encoding="utf-8")
    assert main(["compile", str(spec), "-o", str(build), "--quiet"]) == 0
    assert main([*command, "--fresh"]) == 2, "a later compile outdates the audit"
