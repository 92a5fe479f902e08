"""Answers that rest on the order in which the rows of a table stand."""

from __future__ import annotations

import pytest

from tests.scenarios.specs import compile_text, tasks_of
from toolc.scenarios.rows import Reversal, unordered
from toolc_runtime.state import Base, Source
from toolc_runtime.values import parse_datetime

SPEC = """toolc 1
environment hostels "Hostels."
record Hostel {{ name: str, euros: int, beds: int }}
table hostels[name]: Hostel = [
  {{name: "Anchor", euros: 31, beds: 40}},
  {{name: "Beacon", euros: 24, beds: 18}},
  {{name: "Compass", euros: 24, beds: 66}},
]
tool list_hostels "All hostels." () -> list[Hostel] {{
  return [h for h in hostels]
}}
scenario found "One question" {{
  user "Which?"
  plan {{ step "Look." let all = list_hostels() }}
  answer {answer}
}}
"""


@pytest.mark.parametrize(
    ("answer", "other"),
    [
        ("first(sorted(h for h in all by h.euros)).name", "Compass"),
        ("first(h.name for h in all)", "Compass"),
        ("first(sorted(h for h in all by h.euros, h.name)).name", None),
        ("first(sorted(h for h in all by h.beds)).name", None),
        ("sum([h.beds for h in all])", None),
        ("[h.name for h in all]", None),
        ("[h.name for h in take(sorted(h for h in all by h.euros), 1)]", ["Compass"]),
        ("hostels.Anchor.beds", None),
    ],
)
def test_another_answer_with_the_rows_in_reverse(answer: str, other: object) -> None:
    answer = answer.replace("hostels.Anchor", 'hostels["Anchor"]')
    (turn,) = tasks_of(compile_text(SPEC.format(answer=answer)))["found"]["turns"]
    assert turn.get("answer_by_order") == other


def test_rows_that_bases_share_are_turned_once() -> None:
    rows = {"a": 1, "b": 2, "c": 3}
    base = Base(
        {"t": Source(rows, {}, {"d": 4, "e": 5})}, {}, parse_datetime("2024-01-01T00:00:00")
    )
    reversal = Reversal()
    first, second = (reversal.of(base).tables["t"] for _ in range(2))
    assert list(first.rows.items()) == [("c", 3), ("b", 2), ("a", 1)]
    assert list(first.added) == ["e", "d"]
    assert first.rows is second.rows
    assert list(rows) == ["a", "b", "c"]


def test_the_order_of_lists_does_not_count() -> None:
    assert unordered([{"b": [2, 1], "a": 0}, "x"]) == unordered(["x", {"a": 0, "b": [1, 2]}])
    assert unordered([1, 1, 2]) != unordered([1, 2, 2])
