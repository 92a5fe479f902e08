"""The gates on planted defects, which others wrote, and on what is sound."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import toolc_runtime
from toolc.audit import GATES, TaskAudit, audit
from toolc.compiler import Options, compile_specs
from toolc.output import write_build

HERE = Path(__file__).parent
DEFECTS = sorted((HERE / "defects").glob("*.toolc"))
SOUND = sorted((HERE / "sound").glob("*.toolc"))
EXPECTED = {row[0]: row for row in csv.reader((HERE / "expected.tsv").open(), delimiter="\t")}
SCENARIO = re.compile(r"^# defect: (\w+):", re.MULTILINE)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("audited")
    paths = [str(path) for path in (*DEFECTS, *SOUND)]
    made = [each.artifacts for each in compile_specs(paths, Options())]
    write_build(str(root / "build"), [each for each in made if each], 1, "0")
    return root / "build"


def audited(build: Path, spec: Path) -> Iterator[TaskAudit]:
    name = re.search(r"^environment (\w+)", spec.read_text(encoding="utf-8"), re.MULTILINE)
    assert name is not None
    return audit(toolc_runtime.load(build / name[1]))


def is_refuted(build: Path, spec: Path) -> bool:
    scenario = SCENARIO.search(spec.read_text(encoding="utf-8"))
    assert scenario is not None
    return any(
        each.outcome == "refuted"
        for each in audited(build, spec)
        if each.task.partition(":")[0] == scenario[1]
    )


@cache
def known_misses() -> frozenset[str]:
    """The defects that no gate sees yet; docs/audit.md says why."""
    text = (HERE.parent.parent / "docs" / "audit.md").read_text(encoding="utf-8")
    section = text.partition("## What it misses")[2].partition("\n## ")[0]
    return frozenset(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize("spec", DEFECTS, ids=lambda spec: spec.stem)
def test_planted_defects_are_refuted(build: Path, spec: Path) -> None:
    assert is_refuted(build, spec) == (spec.stem not in known_misses())


@pytest.mark.parametrize("spec", SOUND, ids=lambda spec: spec.stem)
def test_what_is_sound_passes(build: Path, spec: Path) -> None:
    assert [each.to_json() for each in audited(build, spec) if each.outcome != "passed"] == []


def test_the_set_is_whole() -> None:
    assert {path.stem for path in DEFECTS} <= EXPECTED.keys()
    assert known_misses() <= {path.stem for path in DEFECTS}
    named = {gate for row in EXPECTED.values() for gate in row[2].split(",")}
    assert named & GATES.keys() == GATES.keys() - {"stable"} | (named & {"stable"})
