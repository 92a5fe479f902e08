"""`toolc audit` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT, Toolc

AUDITED = ROOT / "tests" / "audit"


@pytest.fixture
def build(toolc: Toolc, tmp_path: Path) -> Path:
    for kind, name in (("sound", "sum_of_results"), ("defects", "untold_friday")):
        text = (AUDITED / kind / f"{name}.toolc").read_text(encoding="utf-8")
        (tmp_path / f"{kind}.toolc").write_text(text, encoding="utf-8")
    assert toolc("compile", "sound.toolc", "defects.toolc", "-q").returncode == 0
    return tmp_path / "build"


def test_it_says_what_is_refuted_and_keeps_it(toolc: Toolc, build: Path) -> None:
    ended = toolc("audit", "build")
    assert ended.returncode == 1
    assert "informed: step " in ended.stdout
    assert " refuted, 0 unknown; " in ended.stderr
    audits = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]
    assert sorted(len(each["refuted"]) > 0 for each in audits.values()) == [False, True]


def test_json_has_every_gate_of_every_task(toolc: Toolc, build: Path) -> None:
    found = json.loads(toolc("audit", "build", "--format", "json").stdout)
    assert found["tasks"] == found["passed"] + found["refuted"] + found["unknown"]
    assert len(found["results"]) == found["tasks"]
    for task in found["results"]:
        assert len(task["gates"]) == 11
        assert {each["verdict"] for each in task["gates"].values()} <= {"proved", "refuted"}


def test_a_page_to_read(toolc: Toolc, build: Path) -> None:
    toolc("audit", "build", "--html", "audit.html")
    page = (build.parent / "audit.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "://" not in page
    assert page.count("<tr>") == page.count("</tr>")


def test_what_is_kept_outlives_a_compile_of_another(toolc: Toolc, build: Path) -> None:
    toolc("audit", "build")
    before = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]
    assert toolc("compile", "sound.toolc", "--force", "-q").returncode == 0
    after = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]
    assert len(after) == 1
    assert after.items() <= before.items()


def test_one_environment_and_one_task(toolc: Toolc, build: Path) -> None:
    sound = next(each for each in build.iterdir() if (each / "tools.py").exists())
    assert toolc("audit", str(sound)).returncode in (0, 1)
    wrong = toolc("audit", "build", "--only", "nothing")
    assert (wrong.returncode, "nothing" in wrong.stderr) == (2, True)
    assert toolc("audit", "elsewhere").returncode == 2
