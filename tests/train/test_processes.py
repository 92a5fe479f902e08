"""A run in two processes, as `accelerate launch` and `torchrun` start them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CONFIG = """
build = "{build}"
output = "run"
threads = 1
[tiny]
hidden = 32
layers = 1
heads = 2
intermediate = 32
vocabulary = 600
[data]
max_tokens = 1000
[sft]
steps = 3
batch = 2
[rl]
steps = 2
prompts = 2
group = 2
max_tokens = 16
save_every = 1
[evaluation]
max_tokens = 4
"""

UNEQUAL = """
import os, sys
from itertools import count
from toolc.cli import main
from toolc.train.scores import SCORES
judged = count()
SCORES["task"] = lambda verdict, episode: float(os.environ["RANK"] == "0" and next(judged) % 2)
sys.exit(main(["train", "run.toml"]))
"""
"""Training in which one process has rewards that differ, and the other none."""


def launch(folder: Path) -> subprocess.CompletedProcess[str]:
    """The run in two processes."""
    (folder / "unequal.py").write_text(UNEQUAL)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    return subprocess.run(
        [*torchrun, "--standalone", "unequal.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.slow
def test_one_process_writes_and_all_learn(town_build: Path, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(CONFIG.format(build=town_build))
    done = launch(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Solve-F1") == 1
    run = tmp_path / "run"
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [(line["stage"], line["step"]) for line in lines if "loss" in line]
    rewards = [line["reward"] for line in lines if "reward" in line]
    assert all(0 < reward < 1 for reward in rewards)
    assert steps == [("sft", 1), ("sft", 2), ("sft", 3), ("rl", 1), ("rl", 2)]
    summary = json.loads((run / "summary.json").read_text())
    assert set(summary["solve_f1"]["unseen_tasks"]) == {"init", "sft", "rl"}

    shutil.rmtree(run / "rl" / "model")
    shutil.rmtree(run / "rl" / "checkpoint-2")
    again = launch(tmp_path)
    assert again.returncode == 0, again.stderr[-3000:]
    assert again.stderr.count("rl: going on from step 1") == 1
    about = json.loads((run / "run.json").read_text())
    assert about["processes"] == 2
    assert (run / "rl" / "model").is_dir()
