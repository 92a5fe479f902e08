"""Answers in final texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolc_runtime.values import canonical
from toolc_runtime.verify.answers import Answer, answer_line
from toolc_runtime.verify.literals import number, numbers


def right(expected: Any, text: str, prompt: str = "", **options: Any) -> bool:
    return Answer(expected, **options).judge(text, lambda: prompt).right


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Answer: 5", "5"),
        ("It is five.\n\n**Answer:** `5`\n\n", "5"),
        ("**Final answer: [1, 2]**", "[1, 2]"),
        ("> ANSWER : x", "x"),
        ("- Answer: {}", "{}"),
        ("Answer: 5\nThat is all.", None),
        ("The answer: 5", None),
        ("Answers: 5", None),
        ("", None),
        ("Answer:", ""),
    ],
)
def test_answer_line(text: str, line: str | None) -> None:
    assert answer_line(text) == line


@pytest.mark.parametrize(
    ("expected", "line", "agrees"),
    [
        (5, "5", True),
        (5, "5.0", True),
        (5, "6", False),
        (5, "[5]", False),
        (5, "true", False),
        (1, "true", False),
        (True, "true", True),
        (True, '"yes"', True),
        (True, "Yes", True),
        (True, "1", False),
        (False, "no", True),
        (21893095, "21893095", True),
        (21893095, "21,893,095", True),
        (21893095, '"21,893,095"', True),
        (21893095, "21893096", False),
        (39.742430, "39.74", True),
        (39.742430, "39.75", False),
        (39.742430, "40", False),
        ("Beijing", '"beijing"', True),
        ("Beijing", "Beijing.", True),
        ("Beijing", '"in Beijing"', False),
        ("Beijing", "Beijing and Shanghai", True),
        ("12345", "12345", True),
        (None, "null", True),
        (None, "none", True),
        (None, "0", False),
        ([1, 2], "[1, 2]", True),
        ([1, 2], "[2, 1]", False),
        ([1, 2], "[1]", False),
        ([1, 2], "1, 2", True),
        ([1, 2], "2 and 1", True),
        ([], "[]", True),
        ([], "[1]", False),
        ({"a": 1, "b": "x"}, '{"b": "X", "a": 1.0}', True),
        ({"a": 1}, '{"a": 1, "b": 2}', False),
        ({"a": [True]}, '{"a": [true]}', True),
        ("2024-07-01", '"2024-07-01"', True),
        ("2024-07-01", "July 1, 2024", True),
        ("2024-07-01", '"1 July 2024"', True),
        ("0.92", "0.920", True),
        ("0.92", '"0.92"', True),
        (5, "", False),
        (5, "NaN", False),
        (5, "5e9999999", False),
        (5, "[" * 5000, False),
    ],
)
def test_an_answer_line_is_taken_as_it_stands(expected: Any, line: str, agrees: bool) -> None:
    assert right(expected, f"Some 99 words.\nAnswer: {line}") is agrees


NUMBERS: list[tuple[Any, str, bool]] = [
    (21893095, "It has 21,893,095 inhabitants.", True),
    (21893095, "It has 21893095 inhabitants.", True),
    (21893095, "It has 21_893_095.", True),
    (21893095, "It has 21\u202f893\u202f095.", True),
    (21893095, "It has 21.9 million inhabitants.", True),
    (21893095, "It has 21.893 million.", True),
    (21893095, "It has 22 million inhabitants.", False),
    (21893095, "It has 21,893,096 inhabitants.", False),
    (21893095, "It has 22,000,000 inhabitants.", False),
    (39.742430, "It has 39.74 million.", True),
    (39.742430, "About 39.7.", True),
    (39.742430, "About 40.", False),
    (39.742430, "39.743", False),
    (14, "There are 4.", False),
    (4, "There are 14.", False),
    (4, "There are 4.", True),
    (4, "There are 4.0.", True),
    (4, "There are 4.00001.", False),
    (4, "It is item A4.", False),
    (4, "It is order #4.", False),
    (4, "It is in 4th place.", False),
    (4, "It is $4.", True),
    (4, "4kg", True),
    (4, "x=4", True),
    (4, "COVID-4", False),
    (4, "version 4.1.2", False),
    (-5, "It is -5 degrees.", True),
    (-5, "It is \u22125 degrees.", True),
    (-5, "It is 5 degrees.", False),
    (5, "It is -5 degrees.", False),
    (0.25, "25%", True),
    (0.25, "25 percent", True),
    (25, "25%", True),
    (0.25, "24%", False),
    (0.5, "0.5", True),
    (0.5, ".5", True),
    (1 / 3, "0.333", True),
    (1 / 3, "0.33", False),
    (1234.5, "1,234.50", True),
    (1500, "1.5e3", True),
    (1500, "1.5k", True),
    (1500, "1.50 thousand", True),
    (0, "It is 0.", True),
    (0, "Nothing.", False),
    (100000, "It is 100,000.", True),
    (100000, "It is 100,001.", False),
    (7, "1. Looked it up.\n2. It is 7.", True),
    (7, "On July 1, 2024 at 15:30 it was 7.", True),
    (7, "On 2024-07-01 it was 7.", True),
    (7, "7" * 60, False),
]


@pytest.mark.parametrize(("expected", "text", "agrees"), NUMBERS)
def test_numbers_in_prose(expected: Any, text: str, agrees: bool) -> None:
    assert right(expected, text) is agrees


@pytest.mark.parametrize(
    ("expected", "text", "agrees"),
    [
        ("New York", "It is  new\nYORK!", True),
        ("New York", "It is Newer York.", False),
        ("York", "It is Yorkshire.", False),
        ("York", "It is New York.", True),
        ("Côte d'Ivoire", "co\u0302te d'ivoire", True),
        ("#W1", "Order #W1 was cancelled.", True),
        ("#W1", "Order #W12 was cancelled.", False),
        ("U.S.", "in the u.s.", True),
        ("40", "It costs 40.55.", False),
        ("40", "It costs 40.", True),
        ("12345", "Order 12345 has 3 items.", True),
        ("...", "...", True),
        (True, "Yes, it is.", True),
        (True, "It is true.", True),
        (True, "No.", False),
        (True, "Yes and no.", False),
        (True, "It is available.", False),
        (False, "No, it isn't.", True),
        (False, "Yes.", False),
        (None, "There is none.", True),
        (None, "There are 4.", False),
        ([], "Nothing was found.", True),
        ([], "Ulm", False),
        ([3, 5], "They have 5 and 3.", True),
        ([3, 5], "They have 3.", False),
        ([3, 5], "They have 3, 5 and 7.", False),
        ([5, 5], "Both have 5.", True),
        (["Ulm", "Köln"], "köln, ulm", True),
        (["Ulm", "Köln"], "köln", False),
        ([["Ulm", 3], ["Köln", 5]], "Ulm: 3\nKöln: 5", True),
        ({"name": "Ulm", "people": 3}, "Ulm has 3.", True),
        ([True, False], "Yes for the first, no for the second.", True),
    ],
)
def test_other_values_in_prose(expected: Any, text: str, agrees: bool) -> None:
    assert right(expected, text, kind="str") is agrees


@pytest.mark.parametrize(
    ("text", "agrees"),
    [("None.", True), ("None: R-1, R-2.", False), ("None on R-3.", True)],
)
def test_nothing_beside_other_candidates(text: str, agrees: bool) -> None:
    answer = Answer([], "list[str]", ("R-1", "R-2", "R-3"))
    assert answer.judge(text, lambda: "What is there on R-3?").right is agrees


@pytest.mark.parametrize(
    ("expected", "text", "agrees"),
    [
        ("2024-07-01", "On 2024-07-01.", True),
        ("2024-07-01", "On 1 July 2024.", True),
        ("2024-07-01", "On the 1st of July 2024.", True),
        ("2024-07-01", "On July 1, 2024.", True),
        ("2024-07-01", "On Jul 1 2024.", True),
        ("2024-07-01", "On July 2, 2024.", False),
        ("2024-07-01", "On 2024-07-01 or 2024-07-02.", False),
        ("2024-09-05", "Sept. 5, 2024", True),
        ("2024-02-29", "On February 30, 2024.", False),
        ("15:00:00", "At 15:00.", True),
        ("15:00:00", "At 3:00 pm.", True),
        ("15:00:00", "At 3:00.", False),
        ("00:30:00", "At 12:30 a.m.", True),
        ("2024-07-01T15:00:00", "On July 1, 2024 at 3:00 PM.", True),
        ("2024-07-01T15:00:00", "2024-07-01 15:00", True),
        ("2024-07-01T15:00:00", "2024-07-01T15:00:00", True),
        ("2024-07-01T15:00:00", "2024-07-01", False),
        ("P1DT2H", "It takes P1DT2H.", True),
    ],
)
def test_dates_in_prose(expected: Any, text: str, agrees: bool) -> None:
    assert right(expected, text) is agrees


def test_decimals_are_told_from_texts_by_the_type() -> None:
    assert right("40", "40.00", kind="decimal")
    assert not right("40", "40.00", kind="str")
    assert right(["0.5"], "0.50", kind="list[decimal]")
    assert right("02134", "zip 02134", kind="")


class TestFurtherCandidates:
    def test_what_the_prompt_holds_is_excused(self) -> None:
        assert right(7, "Of the 12 orders 7 are open.", "Which of the 12 orders are open?")
        assert not right(7, "Of the 12 orders 7 are open.", "How many orders are open?")
        assert right("2024-07-02", "After 2024-07-01 comes 2024-07-02.", "After 2024-07-01?")

    def test_but_not_where_it_holds_the_answer_too(self) -> None:
        assert not right(7, "7 or 12.", "Is it 7 or 12?")
        assert right(7, "7.", "Is it 7 or 12?")
        assert not right(True, "Yes or no.", "Answer yes or no.")

    def test_every_possible_answer(self) -> None:
        assert not right(4, " ".join(map(str, range(10))))
        assert not right("Ulm", "Ulm, Köln, Bonn", candidates=["Köln", "Bonn", "Ulm"])
        assert right("Ulm", "Ulm, not far from Köln", candidates=["Köln", "Ulm"], prompt="Köln?")
        assert not right("Ulm", "Ulm or Köln", candidates=["Köln", "Ulm"], prompt="Ulm or Köln?")

    def test_a_candidate_inside_the_answer_counts_only_apart_from_it(self) -> None:
        assert right("New York", "New York", candidates=["York", "New York"])
        assert not right("New York", "New York or York", candidates=["York", "New York"])


@pytest.mark.parametrize(
    ("expected", "text", "reason"),
    [
        (5, "It is 6.", "expected 5: it is not in the text"),
        (5, "It is 5 or 6.", 'expected 5: the text also has "6"'),
        (5, "Answer: 6", "expected 5: the answer line has 6"),
        (5, "Answer: 5", "the answer line has it"),
        ([1, "a"], "1", 'expected [1,"a"]: "a" is not in the text'),
    ],
)
def test_reasons(expected: Any, text: str, reason: str) -> None:
    assert Answer(expected).judge(text).describe() == reason


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**9)
    | st.floats(-1e6, 1e6)
    | st.text("abc xyz", min_size=1).filter(str.strip)
)


@settings(max_examples=200, deadline=None)
@given(SCALARS | st.lists(SCALARS) | st.dictionaries(st.sampled_from("ab"), SCALARS))
def test_the_canonical_text_is_a_right_answer(value: Any) -> None:
    assert right(value, f"So it is.\nAnswer: {canonical(value)}")


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_whole_numbers_in_full_mean_themselves_alone(expected: int, other: int) -> None:
    for text in (str(other), f"{other:,}"):
        found = number(text)
        assert found is not None
        assert found.means(Decimal(expected)) is (expected == other)
        assert right(expected, f"It is {text}.") is (expected == other)


@settings(max_examples=300, deadline=None)
@given(st.text(), st.sampled_from([5, "x", True, None, [1, "a"], "2024-07-01", 0.5]))
def test_any_text_is_judged(text: str, expected: Any) -> None:
    assert Answer(expected).judge(text).right in (True, False)
    assert Answer(expected).judge(f"Answer: {text}").right in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "1," * 50_000,
        "1.1" * 30_000,
        "-" * 100_000,
        "1 " * 50_000,
        " " * 100_000 + "answer",
        "\n" * 100_000,
        "*" * 99_000 + "answer:",
        "jan " * 25_000,
        "1 jan " * 16_000,
        "12:" * 33_000,
        "a" * 100_000,
        "[" * 100_000,
        "Answer: " + "9" * 99_000,
        "Answer: 1e" + "9" * 99_000,
    ],
    ids=lambda text: text[:8],
)
def test_long_texts_do_not_hang(text: str) -> None:
    for expected in (987654, "b b", "2024-07-01", "15:00:00", True, None):
        assert not right(expected, text)
        assert not right(expected, text + "\nAnswer: " + text)


def test_digits_in_words_are_no_numbers() -> None:
    text = "a1 1a2 #3 v1.2.3 x_4 5th 2024-07-01 15:30 1st 6.7"
    assert [found.text for found in numbers(text)] == ["6.7"]


# ---------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("expected", "text", "told"),
    [
        ("PT3H20M", "It takes PT3H20M.", True),
        ("PT3H20M", "pt3h20m", True),
        ("PT3H20M", "It takes 200 minutes.", True),
        ("PT3H20M", "3 hours and 20 minutes", True),
        ("PT3H20M", "3 hours, 20 minutes", True),
        ("PT3H20M", "3h20m", True),
        ("PT3H20M", "3 h 20 min.", True),
        ("PT3H20M", "3 hours. 20 minutes", False),
        ("PT3H20M", "a 3-hour job, and 20 minutes more", False),
        ("PT3H20M", "3 hours and 20", False),
        ("PT3H20M", "20 minutes and 3 hours", False),
        ("PT3H20M", "PT3H20M or PT4H", False),
        ("PT3H20M", "risotto PT35M; goose PT4H; bread PT3H20M", False),
        ("PT3H20M", "3 hours 20 minutes, not 4 hours", True),
        ("PT3H20M", 'Answer: "PT200M"', True),
        ("PT3H20M", "Answer: PT3H20M", True),
        ("PT3H20M", "Answer: 3 hours 20 minutes", True),
        ("PT3H20M", "Answer: PT3H", False),
        ("PT1H30M", "1.5 hours", True),
        ("P14D", "2 weeks", True),
        ("P1DT2H", "1 day and 2 hours", True),
        ("PT5M", "It is 5 m long.", False),
        ("PT5M", "5 minutes", True),
        ("-PT5M", "-PT5M", True),
        ("-PT5M", "PT5M", False),
        ("PT35M", "x35 minutes", False),
        ("PT35M", "12:35 minutes", False),
        ("P1D", "999999999 weeks", False),
        ("PT0S", "0 minutes", True),
    ],
)
def test_durations(expected: str, text: str, told: bool) -> None:
    assert right(expected, text, kind="duration") == told


def test_the_prompt_excuses_its_own_durations() -> None:
    assert right("PT35M", "35 minutes, well below 2 hours.", prompt="Is it below 2 hours?")
    assert not right("PT35M", "35 minutes or 2 hours.", prompt="Is it 35 minutes or 2 hours?")


@given(st.timedeltas())
def test_every_duration_is_found_as_it_is_written(length: Any) -> None:
    text = canonical(length)[1:-1]
    assert right(text, f"It took {text}.", kind="duration")
