"""What in a final text is said and what is not: negations, quoted JSON, copied results, durations,
units, tolerance, order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolc_runtime.verify.answers import Answer
from toolc_runtime.verify.literals import datetimes, times

ROWS = [{"id": 1, "town": "Ulm", "people": 128_928}, {"id": 2, "town": "Trier", "people": 112_195}]
NOTE = "The branch in Ulm has 12 rooms, 3 of them for children, and 40 seats in the garden."


def right(expected: Any, text: str, *results: str, **options: Any) -> bool:
    return Answer(expected, **options).judge(text, str, lambda: results).right


@pytest.mark.parametrize(
    ("expected", "text", "holds"),
    [
        (5, "It isn't 5.", False),
        (5, "It is not 6 but 5.", True),
        (5, "It is never more than 5.", False),
        (5, "It cannot be 6, it is 5.", True),
        (5, "It is 5, rather than 6.", True),
        (5, "It is 5, not only 5.", True),
        ("Ulm", "It is in Ulm, not in Trier.", True),
        ("Ulm", "It is not in Ulm.", False),
        ("Ulm", "Neither Ulm nor Trier has one.", False),
        (True, "It isn't true.", False),
        ("not yet due", "It is not yet due.", True),
        (["Ulm", "Trier"], "Ulm and Trier, except Bonn.", True),
        (["Ulm", "Trier"], "Ulm, except Trier.", False),
    ],
)
def test_what_is_denied_is_not_said(expected: Any, text: str, holds: bool) -> None:
    assert right(expected, text, candidates=["Trier"] if expected == "Ulm" else ()) is holds


@pytest.mark.parametrize(
    ("expected", "text", "holds"),
    [
        (128_928, f"I found {json.dumps(ROWS)}.", False),
        (128_928, f"I found {json.dumps(ROWS)}, so 128,928.", True),
        (ROWS[0], f"This one: {json.dumps(ROWS[0])}", True),
        (ROWS[0], f"Not {json.dumps(ROWS[0])}", False),
        ([1, 2], "They are [1, 2].", True),
        ([1, 2], "They are [2, 1].", False),
        ([1, 2], "They are [1, 2, 3].", False),
        (5, "The array [5] has it.", False),
        (5, "It is 5 [broken, {json", True),
    ],
)
def test_json_in_a_text_is_a_quotation(expected: Any, text: str, holds: bool) -> None:
    assert right(expected, text) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (NOTE, False),
        (f"{NOTE} So it is 12.", True),
        (json.dumps(NOTE)[1:-1], False),
        ("In Ulm there are 12.", True),
    ],
)
def test_a_long_result_that_is_copied_whole_is_not_said(text: str, holds: bool) -> None:
    assert right(12, text, NOTE) is holds


def test_a_short_result_may_be_the_answer() -> None:
    assert right("Ulm", "Ulm", "Ulm")
    assert right(12, "12 rooms", "12 rooms")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("It takes 90 minutes.", True),
        ("It takes 1.5 hours (5400 seconds).", True),
        ("PT90M", True),
        ("Answer: 1 hour 30 minutes", True),
        ('Answer: "PT1H30M"', True),
        ('Answer: "90 minutes"', True),
        ('Answer: "90 minutes or so"', False),
        ("Answer: 90", False),
        ("It takes 90 minutes or 2 hours.", False),
        ("It takes 90.", False),
        ("It takes 90 min, not 2 hours.", True),
    ],
)
def test_an_answer_that_is_a_duration(text: str, holds: bool) -> None:
    assert right("PT1H30M", text, kind="duration") is holds
    assert right(["PT1H30M"], text, kind="list[duration]") is holds or text.startswith("Answer: ")


def test_a_text_that_looks_like_a_duration_is_a_text() -> None:
    assert right("PT1H", "It is pt1h.", kind="str")
    assert not right("PT1H", "It is 60 minutes.", kind="str")


@pytest.mark.parametrize(
    "text",
    [
        "12.5 km",
        "12.5km",
        "€12.50",
        "$12.50 in all",
        "12.5 °C",
        "12.5%",
        "EUR 12.50",
        "12,5" + "00 m or rather 12.5 m",
    ],
)
def test_numbers_with_units(text: str) -> None:
    assert right(12.5, text) is not text.startswith("12,5")


@pytest.mark.parametrize(
    ("expected", "within", "text", "holds"),
    [
        (12.5, 0.5, "13", True),
        (12.5, 0.5, "13.1", False),
        (12.5, 0.5, "Answer: 12.0", True),
        (5, 1, "about 6", True),
        (5, 1, "5 or 6", True),
        (5, 1, "5 or 7", False),
        (5, 0, "6", False),
        ([1, 10], 0.5, "Answer: [1.4, 9.6]", True),
        ([1, 10], 0.5, "Answer: [9.6, 1.4]", False),
        ({"n": 3}, 0.5, 'Answer: {"n": 3.5}', True),
        ("2.50", 0.1, "2.4", True),
    ],
)
def test_within(expected: Any, within: float, text: str, holds: bool) -> None:
    assert Answer(expected, within=within).judge(text).right is holds
    assert Answer(expected).taken(False, within).judge(text).right is holds


@pytest.mark.parametrize(
    ("expected", "text", "holds"),
    [
        ([3, 5, 3], "Answer: [3, 3, 5]", True),
        ([3, 5, 3], "Answer: [3, 5, 5]", False),
        ([3, 5], "Answer: [5]", False),
        ([[1, 2], [3]], "Answer: [[3], [2, 1]]", True),
        ({"a": [1, 2]}, 'Answer: {"a": [2, 1]}', True),
        (["Ulm", "Trier"], 'Answer: ["trier", "Ulm."]', True),
        ([3, 5], "They are [5, 3].", True),
        ([3, 5], "Answer: 5, 3", True),
    ],
)
def test_unordered(expected: Any, text: str, holds: bool) -> None:
    assert Answer(expected, unordered=True).judge(text).right is holds


def test_times_without_minutes() -> None:
    assert [value for value, _ in times("at 3 pm, 12am, 11 p.m. and 5 amperes")] == [
        "15:00:00",
        "00:00:00",
        "23:00:00",
    ]
    assert right(5, "At 3 pm there were 5.")


def test_a_time_may_come_before_its_date() -> None:
    text = "from 15:00 on 1 July 2024 to 2024-07-02T16:00Z, and 2024-07-03 09:00, 2024/07/04"
    assert [value for value, _ in datetimes(text)] == [
        "2024-07-01T15:00:00",
        "2024-07-02T16:00:00",
        "2024-07-03T09:00:00",
    ]


@pytest.mark.parametrize(
    "text", ["1h" * 50_000, "P1D" * 30_000, "1 h and " * 12_000, "3 pm " * 20_000]
)
def test_long_texts_of_moments_do_not_hang(text: str) -> None:
    for expected in ("PT77S", "2024-07-01T15:00:01", "15:00:01"):
        assert not right(expected, text)
