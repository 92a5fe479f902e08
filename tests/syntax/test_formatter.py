"""The canonical form: stable, with the same meaning, and with every comment."""

import pytest

from tests.syntax.samples import SPECS
from toolc.node import same
from toolc.syntax import tree
from toolc.syntax.formatter import format_module
from toolc.syntax.parser import parse


def read(text: str) -> tree.Module:
    parsed = parse(text, "spec.toolc")
    assert parsed.diagnostics == ()
    assert parsed.module is not None
    return parsed.module


def formatted(text: str) -> str:
    return format_module(read(text), text)


@pytest.mark.parametrize("name", SPECS)
def test_stable_and_of_the_same_meaning(name: str) -> None:
    before = read(SPECS[name])
    text = formatted(SPECS[name])
    after = read(text)
    assert same(before.items, after.items)
    assert sorted(c.text for c in before.comments) == sorted(c.text for c in after.comments)
    assert format_module(after, text) == text


@pytest.mark.parametrize("name", SPECS)
def test_lines_are_short(name: str) -> None:
    for line in formatted(SPECS[name]).splitlines():
        assert len(line.partition("  #")[0]) <= 100 or line.startswith("#")
        assert line == line.rstrip()


@pytest.mark.parametrize("name", ["names", "rates"])
def test_canonical_text_stays(name: str) -> None:
    changed = [
        line
        for line in formatted(SPECS[name]).splitlines()
        if line not in SPECS[name].splitlines() and "step" not in line and "plan" not in line
    ]
    assert changed in ([], ["  }"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("const   x=1", "const x = 1"),
        ("const x = [1,2,]", "const x = [1, 2]"),
        ("const x = [1, # one\n2]", "const x = [\n  1,  # one\n  2,\n]"),
        ("const x = [ # first\n1]", "const x = [\n  # first\n  1,\n]"),
        ("const x = [\n1\n# last\n]", "const x = [\n  1,\n  # last\n]"),
        ("const x = a + # inside\n b", "# inside\nconst x = a + b"),
        ("const x: int ? ? = 1", "const x: (int?)? = 1"),
        ("const x = 1\n\n\n\nconst y = 2", "const x = 1\n\nconst y = 2"),
        ("const x = ((a + (b * c)))", "const x = a + b * c"),
        ("const x = (a < b) < c", "const x = (a < b) < c"),
        ('const x = "\\u0041\\u0009"', 'const x = "A\\t"'),
        ('test "t" { advance "P1D" }', 'test "t" { advance "P1D" }'),
        ('test "t" {\nadvance "P1D" }', 'test "t" {\n  advance "P1D"\n}'),
        ('test "t" { # why\n}', 'test "t" {  # why\n}'),
        ("record A { a: int, ... # open\n}", "record A {\n  a: int,\n  # open\n  ...\n}"),
    ],
)
def test_forms(before: str, after: str) -> None:
    assert formatted(f"toolc 1\n{before}\n") == f"toolc 1\n{after}\n"


def test_only_comments() -> None:
    assert formatted("# a\n\n\ntoolc   1 # b\n\n# c") == "# a\ntoolc 1  # b\n\n# c\n"


def test_deep_trees_are_formatted() -> None:
    deep = "toolc 1\nconst x = " + "[" * 70 + "-" * 60 + "1" + "]" * 70 + "\n"
    assert same(read(formatted(deep)).items, read(deep).items)
