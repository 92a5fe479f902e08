"""Builds that the tests of data sets and training share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolc_runtime import load
from toolc_runtime.environment import Environment

TOWN = Path(__file__).parent / "town.toolc"


@pytest.fixture(scope="session")
def town_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of the town, audited."""
    build = tmp_path_factory.mktemp("town") / "build"
    for arguments in (["compile", str(TOWN), "-o", str(build), "-q"], ["audit", str(build)]):
        subprocess.run([sys.executable, "-m", "toolc", *arguments], check=True, capture_output=True)
    return build


@pytest.fixture(scope="session")
def town(town_build: Path) -> Environment:
    """The town's environment."""
    return load(town_build / "town")
