"""`toolc train` from random weights to the summary, killed on the way and taken up again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytest.importorskip("torch")
pytest.importorskip("trl")

pytestmark = pytest.mark.slow

CONFIG = """\
build = "{build}"
output = "{output}"
threads = 1

[data]
families = 0.2

[tiny]
vocabulary = 500
hidden = 32
layers = 1
heads = 2
intermediate = 32

[sft]
steps = 6
batch = 4
save_every = 2

[rl]
steps = 3
prompts = 2
group = 2
max_tokens = 24
max_rounds = 1
save_every = 1

[evaluation]
every = 2
tasks = 2
max_tokens = 8
"""

Begin = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def begin(town_build: Path) -> Begin:
    """Starts a run in a folder."""

    def started(run: Path) -> subprocess.Popen[str]:
        config = run.parent / f"{run.name}.toml"
        config.write_text(CONFIG.format(build=town_build, output=run), encoding="utf-8")
        path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
        return subprocess.Popen(
            [sys.executable, "-m", "toolc", "train", str(config), "--tiny"],
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "default"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return started


@pytest.fixture(scope="module")
def whole(begin: Begin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    run = tmp_path_factory.mktemp("train") / "whole"
    finish(begin(run))
    return run


def finish(process: subprocess.Popen[str]) -> str:
    told, _ = process.communicate(timeout=600)
    assert process.returncode == 0, told
    return told


def measured(run: Path, stage: str) -> list[dict[str, Any]]:
    try:
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in map(json.loads, lines) if line["stage"] == stage]


def kill_after(process: subprocess.Popen[str], run: Path, stage: str, step: int) -> None:
    """Kills a run as soon as it has measured a step."""
    until = time.monotonic() + 600
    while not any(line["step"] >= step for line in measured(run, stage)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_the_summary_has_held_out_figures_of_every_stage(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text(encoding="utf-8"))
    sets = {"unseen_tasks", "unseen_families"}
    assert set(summary["solve_f1"]) == sets | {f"{name}_greedy" for name in sets}
    for by_stage in summary["solve_f1"].values():
        assert list(by_stage) == ["init", "sft", "rl"]
        assert all(0 <= value <= 1 for value in by_stage.values())


def test_every_metric_is_written(whole: Path) -> None:
    losses = [line["loss"] for line in measured(whole, "sft") if "loss" in line]
    assert len(losses) == 6
    rl = measured(whole, "rl")
    assert [line["step"] for line in rl if "reward" in line] == [1, 2, 3]
    assert all(0 <= line["environment/share"] < 1 for line in rl if "reward" in line)
    assert [line["step"] for line in rl if "eval/unseen_tasks/solve_f1" in line] == [2]
    assert (whole / "plot.svg").read_text(encoding="utf-8").count("<polyline") == 3
    assert sorted(each.name for each in (whole / "tensorboard").iterdir()) == ["rl", "sft"]


def test_a_run_that_was_killed_goes_on_as_if_it_was_not(
    begin: Begin, whole: Path, tmp_path: Path
) -> None:
    run = tmp_path / "killed"
    kill_after(begin(run), run, "sft", 3)
    assert not (run / "sft" / "model").exists()
    kill_after(begin(run), run, "rl", 2)
    told = finish(begin(run))
    assert "rl: going on from step" in told
    assert "sft:" not in told
    # TRL counts tokens from where it was started.
    timed = ("seconds", "share", "step_time", "num_tokens")
    for stage in ("sft", "rl"):
        both = [
            [
                {name: value for name, value in line.items() if not name.endswith(timed)}
                for line in measured(each, stage)
                if "train_loss" not in line
            ]
            for each in (run, whole)
        ]
        assert both[0] == both[1]
    figures = [json.loads((each / "summary.json").read_text("utf-8")) for each in (run, whole)]
    assert figures[0]["solve_f1"] == figures[1]["solve_f1"]
    models = [(each / "rl" / "model" / "model.safetensors").read_bytes() for each in (run, whole)]
    assert models[0] == models[1]


def test_a_run_that_is_done_is_not_done_again(begin: Begin, whole: Path) -> None:
    before = (whole / "rl" / "model" / "model.safetensors").stat().st_mtime_ns
    finish(begin(whole))
    assert (whole / "rl" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_other_values_need_another_folder(whole: Path) -> None:
    config = whole.parent / "whole.toml"
    text = config.read_text(encoding="utf-8").replace("steps = 3", "steps = 4")
    (whole.parent / "other.toml").write_text(text, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "toolc", "train", str(whole.parent / "other.toml"), "--tiny"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert "has `config.rl.steps` 3, not 4: give another folder" in ended.stderr


OTHER = """
[lora]
rank = 2
[trainer]
gradient_accumulation_steps = 2
[trainer.rl]
loss_type = "dr_grpo"
"""


def test_what_else_there_is_trains_and_goes_on(town_build: Path, tmp_path: Path) -> None:
    asked = 'unit = "episode"\nturns = "live"\nalgorithm = "reinforce++"\nkl = 0.1\n'
    config = CONFIG.replace("[rl]\n", f'[rl]\n{asked}curriculum = "difficulty"\n') + OTHER
    run = tmp_path / "run"
    (tmp_path / "run.toml").write_text(config.format(build=town_build, output=run), "utf-8")
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])

    def train() -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "toolc", "train", str(tmp_path / "run.toml"), "--tiny"],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    train()
    steps = [line["step"] for line in measured(run, "rl") if "reward" in line]
    assert steps == [1, 2, 3]
    assert not list((run / "rl" / "model").glob("adapter*"))  # merged
    before = (run / "rl" / "model" / "model.safetensors").read_bytes()
    assert before != (run / "sft" / "model" / "model.safetensors").read_bytes()
    for name in ("model", "checkpoint-3", "evaluation"):
        shutil.rmtree(run / "rl" / name)
    assert "rl: going on from step 2" in train()
    assert (run / "rl" / "model" / "model.safetensors").read_bytes() == before
