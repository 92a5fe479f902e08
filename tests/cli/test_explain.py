"""`toolc explain`, and the page of all diagnostics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Toolc
from toolc.diagnostics.catalogue import MAX_LINE, MAX_LINES, clipped, families, page, visible
from toolc.diagnostics.registry import RULES
from toolc.reference import DOCUMENTS


def test_the_list_has_every_code_below_its_family(toolc: Toolc) -> None:
    ended = toolc("explain")
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == sorted(RULES)
    assert lines[0] == "TC01 syntax"
    assert [rule.code for _, _, rules in families() for rule in rules] == sorted(RULES)


@pytest.mark.parametrize("wanted", ["TC0201", "tc0201", "201"])
def test_a_rule(toolc: Toolc, wanted: str) -> None:
    ended = toolc("explain", wanted)
    rule = RULES["TC0201"]
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"error[TC0201]: {rule.title}\n")
    unfolded = " ".join(ended.stdout.split())
    assert all(" ".join(text.split()) in unfolded for text in (rule.explanation, rule.bad))
    assert ended.stdout.index("books[titel]") < ended.stdout.index("books[title].pages")


def test_as_json(toolc: Toolc) -> None:
    shown = json.loads(toolc("explain", "TC0201", "--format", "json").stdout)
    rule = RULES["TC0201"]
    assert shown == {**rule._asdict(), "family": "names"}
    listed = [json.loads(line) for line in toolc("explain", "--format", "json").stdout.splitlines()]
    assert [each["code"] for each in listed] == sorted(RULES)
    assert {each["severity"] for each in listed} == {"error", "warning"}


@pytest.mark.parametrize(
    ("wanted", "help"),
    [("TC0210x", "did you mean `TC0210`"), ("nonsense", "`toolc explain` lists them all")],
)
def test_an_unknown_code(toolc: Toolc, wanted: str, help: str) -> None:
    ended = toolc("explain", wanted)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"there is no diagnostic `{wanted}`" in ended.stderr
    assert help in ended.stderr


@pytest.mark.parametrize("code", ["TC0120", "TC0122"])
def test_examples_that_no_screen_can_show(toolc: Toolc, code: str) -> None:
    ended = toolc("explain", code)
    assert ended.returncode == 0
    assert len(ended.stdout) < 2_000
    assert all(line.isprintable() for line in ended.stdout.split("\n"))


def test_clipping() -> None:
    assert clipped("one\ntwo") == "one\ntwo\n"
    assert clipped("x" * (MAX_LINE + 1_234)) == "x" * MAX_LINE + "… and 1,234 more characters\n"
    assert clipped("x\n" * (MAX_LINES + 3)).endswith("x\n# … and 3 more lines\n")
    assert visible("a\x00\n\x1b[1mé") == "a\\u{0}\n\\u{1b}[1mé"


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8") == page()


def test_the_pages_are_written(tmp_path: Path) -> None:
    for name in DOCUMENTS:
        (tmp_path / name).write_bytes((ROOT / "docs" / name).read_bytes())
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    command = [sys.executable, "-m", "toolc.reference", str(tmp_path)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=True, timeout=120)
    assert (tmp_path / "diagnostics.md").read_text(encoding="utf-8") == page()
    for name in DOCUMENTS:
        assert (tmp_path / name).read_bytes() == (ROOT / "docs" / name).read_bytes()
