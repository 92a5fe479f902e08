"""A small build and the shipped geography, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from toolc.cli import main
from toolc_runtime import Environment, load


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with the environments `allotment` and `geography`."""
    folder = tmp_path_factory.mktemp("eval") / "build"
    specs = [ROOT / "tests" / "eval" / "allotment.toolc", ROOT / "specs" / "geography"]
    assert main(["compile", *map(str, specs), "-o", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="session")
def allotment(build: Path) -> Environment:
    return load(build / "allotment")
