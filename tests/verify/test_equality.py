"""Equality of values, renaming of fresh ids, deltas."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolc_runtime.values import plain
from toolc_runtime.verify.changes import (
    encode_changes,
    encode_writes,
    row_delta,
    same_writes,
    value_delta,
    without,
)
from toolc_runtime.verify.equality import Renaming, Value, difference, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (0.1 + 0.2, 0.3, True),
        (1e12, 1e12 + 1, True),
        (10**12, 10**12 + 1, False),
        (0.0, 5e-10, True),
        (0.0, 2e-9, False),
        (None, False, False),
        ("1", 1, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ({"a": [{"b": True}]}, {"a": [{"b": 1}]}, False),
        ("0.920", Decimal("0.92"), True),
        ("x", Decimal("0.92"), False),
        ("2024-07-01", date(2024, 7, 1), True),
        ("2024-07-01T15:00:00", datetime(2024, 7, 1, 15), True),
        ("P1D", timedelta(days=1), True),
        ("P2D", timedelta(days=1), False),
        (5, timedelta(days=1), False),
        ({"at": ["2024-07-01"]}, {"at": [date(2024, 7, 1)]}, True),
    ],
)
def test_same(left: Any, right: Any, equal: bool) -> None:
    assert same(left, right) is equal
    assert same(right, left) is equal
    assert Value(left).matches(right) is equal


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_a_ready_value_agrees_with_the_plain_comparison(left: Any, right: Any) -> None:
    assert Value(left).matches(right) is same(left, right)
    assert Value(left).matches(left)
    assert Renaming(["#1"], ["#2"]).unify(left, right) is same(left, right)


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_a_delta_is_empty_exactly_where_values_are_equal(left: Any, right: Any) -> None:
    assert (value_delta(left, right) == {}) is same(left, right)


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [
        (None, {"a": 1}, {"": {"a": 1}}),
        ({"a": 1}, None, None),
        ({"a": "x"}, {"a": "y"}, {"/a": "y"}),
        ({"a": 1}, {"a": 3}, {"#/a": [1, 3]}),
        ({"a": True}, {"a": 3}, {"/a": 3}),
        ({"a": {"b/c": 1, "d~": "x"}}, {"a": {"b/c": 1, "d~": "y"}}, {"/a/d~0": "y"}),
        ({"a/b": "x"}, {"a/b": "y"}, {"/a~1b": "y"}),
        ({}, {"a": None}, {"/a": None}),
        ({"a": None}, {}, {"-/a": None}),
        ({"a": [1]}, {"a": [1, 2, 3]}, {"+/a": [2, 3]}),
        ({"a": [{"b": "x"}]}, {"a": [{"b": "y"}]}, {"/a/0/b": "y"}),
        ({"a": [1, 2]}, {"a": [2]}, {"/a": [2]}),
        ({"a": [1, 2]}, {"a": [0, 2, 3]}, {"/a": [0, 2, 3]}),
    ],
)
def test_row_delta(before: Any, after: Any, delta: Any) -> None:
    assert row_delta(before, after) == delta


def test_encoding_leaves_out_what_was_changed_back() -> None:
    row = {"a": 1}
    changes = {
        "t": {"x": (row, {"a": 1.0}), ("k", 2): (None, {"on": date(2024, 7, 1)}), "z": (row, None)},
        "s": (1, 1),
        "n": (None, Decimal("0.5")),
    }
    assert encode_changes(changes) == {
        "t": {'["k",2]': {"on": "2024-07-01"}, "z": None},
        "n": "0.5",
    }
    assert encode_writes(changes) == {
        "t": {'["k",2]': {"": {"on": "2024-07-01"}}, "z": None},
        "n": {"": "0.5"},
    }


def test_numbers_that_moved_agree_in_value_or_in_amount() -> None:
    def agree(expected: Any, found: Any) -> bool:
        return same_writes({"t": {"k": {"#/n": expected}}}, {"t": {"k": {"#/n": found}}}, idle)

    idle = Renaming((), ())
    assert agree([1, 2], [1, 2])
    assert agree([1, 2], [7, 8])  # by one
    assert agree([1, 2], [0, 2])  # to two
    assert not agree([1, 2], [7, 9])
    assert agree(["1.50", "2.00"], ["3.00", "3.50"])
    assert not same_writes({"s": {"#": [0, 1]}}, {"s": {"#": [0, 1]}, "t": {"k": None}}, idle)
    assert not same_writes({"s": {"#": [0, 1]}}, {}, idle)


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("payments", {"a": {"x": {"at": 1, "by": 2}}, "b": 3}),
        ("payments.at", {"payments": [{"n": 1}, {"n": 2}], "a": {"x": {"at": 1, "by": 2}}, "b": 3}),
        ("a.at", {"payments": [{"at": 1, "n": 1}, {"n": 2}], "a": {"x": {"by": 2}}, "b": 3}),
        (
            "b.at",
            {"payments": [{"at": 1, "n": 1}, {"n": 2}], "a": {"x": {"at": 1, "by": 2}}, "b": 3},
        ),
    ],
)
def test_ignored_paths_go_through_lists_and_dicts(path: str, left: Any) -> None:
    row = {"payments": [{"at": 1, "n": 1}, {"n": 2}], "a": {"x": {"at": 1, "by": 2}}, "b": 3}
    assert without(row, path.split(".")) == left


class TestRenaming:
    def test_ids_are_paired_one_to_one(self) -> None:
        ids = Renaming(["#1", "#2"], ["#7", "#8"])
        assert ids.unify({"id": "#1", "twin": "#1"}, {"id": "#7", "twin": "#7"})
        assert not ids.unify("#1", "#8")
        assert not ids.unify("#2", "#7")
        assert ids.unify("#2", "#8")
        assert ids.apply({"#1": ["see #2", "#12"]}) == {"#7": ["see #8", "#12"]}

    def test_a_failed_match_pairs_nothing(self) -> None:
        ids = Renaming(["#1"], ["#7", "#8"])
        assert not ids.unify(["#1", "x"], ["#7", "y"])
        assert ids.unify("#1", "#8")

    def test_inside_texts_and_keys(self) -> None:
        ids = Renaming(["#1", "#2"], ["#7", "#8"])
        assert ids.unify("from #1 to #2.", "from #8 to #7.")
        assert ids.unify({"#1": {"next": "#2"}, "#2": {}}, {"#7": {}, "#8": {"next": "#7"}})
        assert not ids.unify("a#1", "a#7")

    def test_keys_are_tried_until_the_rows_agree(self) -> None:
        ids = Renaming(["#1", "#2"], ["#7", "#8"])
        assert ids.unify({"#1": "a", "#2": "b"}, {"#7": "b", "#8": "a"})
        assert dict(ids.pairs()) == {"#1": "#8", "#2": "#7"}

    def test_only_ids_that_the_episode_drew_are_paired(self) -> None:
        ids = Renaming(["#1"], [])
        assert not ids.unify("#1", "#9")
        assert ids.unify("#1", "#1")

    def test_equal_ids_may_swap(self) -> None:
        ids = Renaming(["#1", "#2"], ["#1", "#2"])
        assert ids.unify(["#1", "#2"], ["#2", "#1"])
        assert not ids.unify("#1", "#1")


@pytest.mark.parametrize(
    ("expected", "found", "phrase"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b is 2, not 1"),
        ({"a": 1}, {}, "a is missing"),
        ({}, {"a": 1}, "a is not expected"),
        ([1, {"x": "y"}], [1, {"x": None}], '[1].x is null, not "y"'),
        ([1], [1, 2], "the list has 2 members, not 1"),
        ("x", 3, 'it is 3, not "x"'),
    ],
)
def test_difference(expected: Any, found: Any, phrase: str) -> None:
    assert difference(plain(expected), found) == phrase
