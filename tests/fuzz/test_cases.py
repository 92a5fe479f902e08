"""Ten thousand cases of the fuzzer, each of which follows from its seed and number."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SHARDS, CASES = 20, 500


@pytest.mark.parametrize("seed", range(SHARDS))
def test_cases(seed: int) -> None:
    """In a process of its own, whose memory and time are bounded."""
    command = [sys.executable, "-m", "tests.fuzz", f"--cases={CASES}", f"--seed={seed}"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
