"""Specs with several errors: each is reported once, at its place, and nothing else is.

A comment `# error: CODE `text`, CODE `text`` names what is found on its line, or for what spans
lines on the line it follows, and the source that the report begins with.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.analysis.samples import judge

FOLDER = Path(__file__).parent.parent / "errors"
EXPECTED = re.compile(r"(TC[0-9]{4}) `([^`]+)`")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toolc")), ids=lambda path: path.stem)
def test_errors(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected = [
        (number, found[1], found[2])
        for number, line in enumerate(text.splitlines(), 1)
        for found in EXPECTED.finditer(line.partition("# error: ")[2])
    ]
    assert len(expected) > 5
    found = [
        (text.count("\n", 0, each.span.start) + 1, each.code, text[each.span.start :])
        for each in judge(text)
    ]
    left = list(expected)
    for line, code, source in found:
        match = next((e for e in left if e[:2] == (line, code) and source.startswith(e[2])), None)
        assert match is not None, (line, code, source.split("\n")[0])
        left.remove(match)
    assert left == []
