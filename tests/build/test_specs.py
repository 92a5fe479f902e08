"""The shipped environments, as examples of the language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolc.analysis.builtins import BUILTINS
from toolc.compiler import Options, compile_specs
from toolc.node import Node
from toolc.syntax import tree
from toolc.syntax.parser import parse

SPECS = Path(__file__).parents[2] / "specs"


def called(node: object) -> set[str]:
    """The names of the functions that a tree calls."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        match waiting.pop():
            case tuple() as several:
                waiting.extend(several)
            case Node() as one:
                if isinstance(one, tree.Call) and isinstance(one.base, tree.Ref):
                    found.add(one.base.name)
                waiting.extend(one.__dict__.values())
    return found


@pytest.fixture(scope="module")
def names() -> set[str]:
    own = [path for path in SPECS.rglob("*.toolc") if "suites" not in path.parts]
    assert len(own) >= 7
    return set[str]().union(*(called(parse(path.read_text(), str(path)).module) for path in own))


@pytest.mark.parametrize("name", BUILTINS)
def test_every_builtin_is_used_in_the_projects_own_environments(
    name: str, names: set[str]
) -> None:
    assert name in names


@pytest.mark.parametrize("name", ["bank", "calendar", "geography", "shop", "travel"])
def test_families_give_as_many_tasks_as_are_asked_for(name: str) -> None:
    path = str(SPECS / name / f"{name}.toolc")
    tasks: list[set[str]] = []
    for sample in (None, 2, 30):
        (compiled,) = compile_specs([path], Options(sample=sample))
        assert compiled.artifacts, compiled.diagnostics
        if sample:
            assert not compiled.diagnostics and compiled.entry
            assert compiled.entry["sample"] == sample
        lines = compiled.artifacts.files["scenarios.jsonl"].decode().splitlines()
        tasks.append({json.loads(line)["id"] for line in lines})
    usual, few, many = tasks
    assert few < usual < many
    assert len(many) > 1.4 * len(usual)
