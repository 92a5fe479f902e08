"""What a model can know: days, however they are put."""

from __future__ import annotations

import pytest

from toolc.audit.knowledge import Knowledge

PARTS = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in ("year", "month", "day")},
}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Come on 4 May 2025.", True),
        ("It is 2025-05-03. Come tomorrow.", True),
        ("Come on 5 June 2025.", False),
        ("Come soon.", False),
    ],
)
def test_a_day_in_parts_is_known_as_a_day_is(text: str, known: bool) -> None:
    knowledge = Knowledge(text)
    lacking = knowledge.lacks({"year": 2025, "month": 5, "day": 4}, PARTS, {})
    assert (lacking is None) is known


def test_no_day_is_held_to_its_parts() -> None:
    knowledge = Knowledge("Come on 4 May 2025, at table 31.")
    assert knowledge.lacks({"year": 2025, "month": 99, "day": 4}, PARTS, {}) is not None
