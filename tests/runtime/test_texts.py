"""Remembered texts are the canonical ones, whatever shares what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolc_runtime.errors import BudgetExceeded
from toolc_runtime.texts import MAX_CHARACTERS, Texts
from toolc_runtime.values import canonical

LEAVES: Any = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates()
VALUES: Any = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=6), max_size=4))
def test_texts_are_canonical(rows: list[dict[str, Any]]) -> None:
    texts = Texts()
    for row in [*rows, *rows, *({**row, "extra": rows} for row in rows)]:
        assert texts.of(row) == canonical(row)


def test_keys_that_are_no_text() -> None:
    value = {1: "a", 2: [], 3: {"when": date(2024, 5, 1)}}
    assert Texts().of(value) == '{"1":"a","2":[],"3":{"when":"2024-05-01"}}'


def test_a_part_that_stands_in_many_places_is_not_written_without_end() -> None:
    texts = Texts()
    part = {"text": "x" * 90_000, "n": 1, "m": 2}
    with pytest.raises(BudgetExceeded):
        texts.of({f"k{number}": part for number in range(50_000)})


def test_what_is_remembered_is_bounded() -> None:
    texts = Texts()
    text = "x" * 50_000
    for number in range(2 * MAX_CHARACTERS // len(text)):
        texts.of({"number": number, "text": text, "more": [text]})
    kept = sum(len(known) for _, known in texts._known.values())
    assert kept <= MAX_CHARACTERS
