"""The worked verdicts of docs/semantics.md come out as the document says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from tests.verify.worked import DOCUMENT, Worked, compiled, lines, play, worked
from toolc_runtime import Environment
from toolc_runtime.verify.answers import Answer

TEXT = DOCUMENT.read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(.*?)` \| (\S+) \| `(.*?)` \| (yes|no) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def built() -> Mapping[str, Environment]:
    return compiled(TEXT)


def test_there_are_thirty() -> None:
    assert len(worked(TEXT)) >= 30
    assert len({(each.scenario, each.moves) for each in worked(TEXT)}) == len(worked(TEXT))


@pytest.mark.parametrize("one", worked(TEXT), ids=lambda one: one.scenario)
def test_worked_verdict(built: Mapping[str, Environment], one: Worked) -> None:
    assert lines(play(built[one.environment], one)) == list(one.outcome)


def test_there_are_many_examples_of_answers() -> None:
    assert len(ROW.findall(TEXT)) >= 30


@pytest.mark.parametrize(("expected", "kind", "text", "right"), ROW.findall(TEXT))
def test_example_of_an_answer(expected: str, kind: str, text: str, right: str) -> None:
    written = text.replace("\\n", "\n")
    found = Answer(json.loads(expected), kind).judge(written)
    assert found.right is (right == "yes"), found.describe()
