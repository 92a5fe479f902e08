"""docs/language.md: its generated parts are current, its examples check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.analysis.samples import judge
from toolc.diagnostics.registry import RULES
from toolc.reference import DOCUMENTS, update
from toolc.train import options

DOCS = Path(__file__).parent.parent.parent / "docs"
TEXT = (DOCS / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toolc\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_is_current(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert update(text, DOCUMENTS[name]) == text


def test_every_option_of_training_has_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(options.options()) == len(options.MEANINGS) > 40
    known = dict(options.MEANINGS)
    del known["rl.kl"]
    monkeypatch.setattr(options, "MEANINGS", known)
    with pytest.raises(KeyError, match=r"rl\.kl"):
        options.options()
    monkeypatch.setattr(options, "MEANINGS", {**known, "rl.kl": "", "rl.lk": ""})
    with pytest.raises(ValueError, match=r"rl\.lk"):
        options.options()


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
