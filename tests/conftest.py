"""What tests of every package share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("TOOLC_SHARED", ROOT.parent / "shared")).resolve()

Toolc = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def suites() -> Path:
    """The recorded suites; tests that need them are skipped where they are not there."""
    folder = SHARED / "suites"
    if not folder.is_dir():
        pytest.skip(f"no recorded suites at {folder}")
    return folder


@pytest.fixture
def toolc(tmp_path: Path) -> Toolc:
    """Runs the command line as a process of its own, in the test's folder."""

    def run(*arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "toolc", *arguments]
        path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
        environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "TOOLC_TRACEBACK": ""}
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
