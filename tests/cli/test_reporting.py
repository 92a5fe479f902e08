"""`toolc report`, `compare` and `diff` as their users meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_usage import GOOD
from tests.conftest import Toolc
from tests.reporting.runs import played, write_run
from tests.scenarios.specs import compile_text, load_built
from toolc.guide import example


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs `a` and `b`, of one build."""
    folder = tmp_path_factory.mktemp("runs")
    museum = load_built(compile_text(example("museum")), folder, "museum")
    write_run(folder / "a", played([museum], care=0.6), policy="\x1b[31mone")
    write_run(folder / "b", played([museum], care=1.0), policy="two")
    write_run(folder / "c", played([museum]), digests={"museum": "another"})
    return folder


def test_a_report_is_written_beside_the_run(toolc: Toolc, runs: Path, tmp_path: Path) -> None:
    ended = toolc("report", str(runs / "a"))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith(f"{runs / 'a' / 'report.html'}: ")
    ended = toolc("report", str(runs / "a"), "-o", "mine.html", "--size", "1")
    assert ended.returncode == 0
    assert (tmp_path / "mine.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "missing"], "`missing` holds no run: cannot read `run.json`"),
        (["report", "{a}", "-o", "no/such/folder.html"], "cannot write `no/such/folder.html`"),
        (["report", "{a}", "--size", "0"], "`0` is not a whole number from 1"),
        (["compare", "{a}", "missing"], "`missing` holds no run"),
        (["compare", "{a}", "{c}"], "of different builds of `museum`; `--anyway`"),
        (["diff", "missing", "missing"], "`missing` holds no build"),
    ],
)
def test_what_cannot_be_done_is_said(
    toolc: Toolc, runs: Path, arguments: list[str], message: str
) -> None:
    places = {name: str(runs / name) for name in "abc"}
    ended = toolc(*(each.format(**places) for each in arguments))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr and "Traceback" not in ended.stderr


def test_two_runs_as_a_table_and_as_json(toolc: Toolc, runs: Path) -> None:
    ended = toolc("compare", str(runs / "a"), str(runs / "b"))
    assert ended.returncode == 0, ended.stderr
    assert "Solve-F1 by kind" in ended.stdout and "sign test p = " in ended.stdout
    assert "\x1b" not in ended.stdout and "\\u{1b}[31mone" in ended.stdout
    found = json.loads(
        toolc("compare", str(runs / "a"), str(runs / "b"), "--format", "json").stdout
    )
    assert found["figures"]["success"]["b"] == 1
    assert found["success"]["lost"] == []
    anyway = toolc("compare", str(runs / "a"), str(runs / "c"), "--anyway")
    assert anyway.returncode == 0
    assert "of different builds, compared all the same: museum" in anyway.stderr


def test_diff_ends_as_diff_does(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "sums.toolc").write_text(GOOD)
    assert toolc("compile", "sums.toolc", "-q").returncode == 0
    same = toolc("diff", "build", "build")
    assert (same.returncode, same.stdout) == (0, "")
    assert same.stderr == "1 environment the same, 0 changed, 0 added, 0 removed\n"
    (tmp_path / "sums.toolc").write_text(GOOD.replace("What is one", "How much is one"))
    assert toolc("compile", "sums.toolc", "-q", "-o", "other").returncode == 0
    ended = toolc("diff", "build", "other")
    assert ended.returncode == 1
    assert "tasks: 1 changed (prompt 1)" in ended.stdout
    assert "turns[0].user" in ended.stdout
    found = json.loads(toolc("diff", "build/sums", "other/sums", "--format", "json").stdout)
    assert list(found["changed"]["sums"]["tasks"]["changed"]["three"]) == ["prompt"]
