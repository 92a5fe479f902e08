"""What each stage of a small generation writes; `make goldens` writes it anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolc.cli import main

HERE = Path(__file__).parent / "generation"


def test_stages_write_the_expected_specs(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    options = ["--tables", str(HERE / "tables"), "--tasks", "8", "--seed", "3", "--jobs", "1"]
    assert main(["generate", *options, "--writes", "-o", str(tmp_path)]) == 0
    made = {path.parent.parent.name: path for path in tmp_path.glob("*-*/*/*.toolc")}
    assert len(made) == 5
    for stage, path in made.items():
        expected = HERE / f"{stage}.toolc"
        if request.config.getoption("--update-goldens", default=False):
            expected.write_text(path.read_text())
        assert path.read_text() == expected.read_text(), f"{stage}: see `make goldens`"
