"""The worked verdicts of docs/semantics.md come out as the document says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.verify.worked import DOCUMENT, Worked, compiled, lines, play, worked

from toolc_runtime import Environment

TEXT = DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def built() -> Mapping[str, Environment]:
    return compiled(TEXT)


def test_there_are_thirty() -> None:
    assert len(worked(TEXT)) >= 30
    assert len({(each.scenario, each.moves) for each in worked(TEXT)}) == len(worked(TEXT))


@pytest.mark.parametrize("one", worked(TEXT), ids=lambda one: one.scenario)
def test_worked_verdict(built: Mapping[str, Environment], one: Worked) -> None:
    assert lines(play(built[one.environment], one)) == list(one.outcome)
