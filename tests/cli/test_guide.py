"""`toolc guide`: short enough, complete, and all of it compiles."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Toolc
from toolc.analysis.builtins import BUILTINS
from toolc.analysis.declare import FACETS
from toolc.guide import EXAMPLES, example, page

MAX_WORDS = 3000


def test_it_fits_before_a_task(toolc: Toolc) -> None:
    told = toolc("guide")
    assert told.returncode == 0
    assert told.stdout == page()
    assert len(told.stdout.split()) <= MAX_WORDS


def test_it_names_every_built_in_and_facet() -> None:
    text = page()
    for name in BUILTINS:
        assert re.search(rf"[` ]{name}(!?( \w+!?)*)\(", text), name
    for known in FACETS.values():
        assert all(f"`{name}`" in text for name in known)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_worked_environments_are_clean(toolc: Toolc, tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toolc").write_text(example(name), encoding="utf-8")
    for command in (["fmt", "--check"], ["test"], ["compile", "--prove", "-q"]):
        ended = toolc(*command, f"{name}.toolc")
        assert (ended.returncode, ended.stderr if command[0] == "compile" else "") == (0, "")


def test_the_worked_environments_show_every_kind(toolc: Toolc, tmp_path: Path) -> None:
    for name in EXAMPLES:
        (tmp_path / f"{name}.toolc").write_text(example(name), encoding="utf-8")
    assert toolc("compile", ".", "-q").returncode == 0
    files = tmp_path.glob("build/*/scenarios.jsonl")
    tasks = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {task["kind"] for task in tasks} == {
        "none",
        "single_hop",
        "parallel_single_hop",
        "multi_hop",
        "parallel_multi_hop",
    }
