"""docs/language.md: its generated parts are current, its examples check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.analysis.samples import judge
from toolc.diagnostics.registry import RULES
from toolc.reference import update

TEXT = (Path(__file__).parent.parent.parent / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toolc\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_is_current() -> None:
    assert update(TEXT) == TEXT


def test_update_needs_its_marks() -> None:
    with pytest.raises(ValueError, match="builtins"):
        update("# An empty document\n")


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples(example: str) -> None:
    assert judge(example) == ()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


def test_codes_exist() -> None:
    assert set(re.findall(r"TC[0-9]{4}", TEXT)) <= set(RULES)
