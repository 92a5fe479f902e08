"""What is emitted for the specs that ship with the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_emitted_code_is_proved_and_linted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "toolc", "compile", "specs", "--prove", "-o"]
    ended = subprocess.run(
        [*command, str(tmp_path / "emitted")], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ruff = Path(sys.executable).with_name("ruff")
    options = ["check", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    linted = subprocess.run(
        [str(ruff), *options, str(tmp_path / "emitted")], capture_output=True, text=True
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "No Python files" not in linted.stderr
