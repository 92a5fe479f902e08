"""The examples of the TC04 rules of data files: each raises its code and no other error."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolc.compiler import Options, compile_specs, together
from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules import data
from toolc.project import find_specs

FILES = [rule for rule in data.RULES if rule.code < "TC0450"]


def unpack(example: str, folder: Path) -> None:
    """Writes an example's spec, and the data files that its comments hold."""
    spec, *files = example.split("# file: ")
    (folder / "spec.toolc").write_text(spec)
    for file in files:
        name, *lines = file.splitlines()
        place = folder / name
        if place.resolve().is_relative_to(folder):
            place.write_text("".join(f"{line[2:]}\n" for line in lines))


def codes(example: str, folder: Path) -> set[str]:
    folder.mkdir()
    unpack(example, folder)
    paths, found = find_specs([str(folder)])
    _, more = together(list(compile_specs(paths, Options())))
    return {each.code for each in (*found, *more) if each.severity == "error"}


@pytest.mark.parametrize("rule", FILES, ids=[rule.code for rule in FILES])
def test_examples(rule: Rule, tmp_path: Path) -> None:
    assert codes(rule.bad, tmp_path / "bad") == {rule.code}
    assert codes(rule.good, tmp_path / "good") == set()
