"""The tutorial's spec grows block by block, and compiles at every stage."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.analysis.samples import judge
from tests.conftest import ROOT, Toolc

TUTORIAL = (ROOT / "docs" / "writing-specs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toolc\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("stage", range(1, len(BLOCKS) + 1))
def test_each_stage_checks(stage: int) -> None:
    found = judge("\n".join(BLOCKS[:stage]))
    assert [each for each in found if each.severity == "error"] == []


def test_the_whole_is_formatted_tested_and_compiled(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "workshop.toolc").write_text("\n".join(BLOCKS), encoding="utf-8")
    for command in ("fmt --check", "test", "compile", "run build/workshop --scenario next_due:C01"):
        path = () if command.startswith("run") else ("workshop.toolc",)
        ended = toolc(*command.split(), *path)
        assert ended.returncode == 0, ended.stdout + ended.stderr
