"""A run in two processes, as `accelerate launch` and `torchrun` start them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def launch(folder: Path) -> subprocess.CompletedProcess[str]:
    """The run in two processes."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    return subprocess.run(
        [*torchrun, "--standalone", "-m", "toolc", "train", "run.toml"],
        cwd=folder,
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
    assert steps == [("sft", 1), ("sft", 2), ("sft", 3), ("rl", 1), ("rl", 2)]
    summary = json.loads((run / "summary.json").read_text())
    assert set(summary["solve_f1"]["unseen_tasks"]) == {"init", "sft", "rl"}

    shutil.rmtree(run / "rl" / "model")
    shutil.rmtree(run / "rl" / "checkpoint-2")
    again = launch(tmp_path)
    assert again.returncode == 0, again.stderr[-3000:]
    assert again.stderr.count("rl: going on from step 1") == 1
    assert (run / "rl" / "model").is_dir()
