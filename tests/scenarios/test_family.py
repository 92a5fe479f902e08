"""Members of families, and samples of them."""

from __future__ import annotations

from typing import Any

import pytest

from toolc.scenarios.family import Member, of_table, of_value, sample


def keys(members: list[Member]) -> list[str]:
    return [member.key for member in members]


def test_rows_are_named_by_their_keys() -> None:
    rows: list[tuple[Any, Any]] = [("a", {"n": 1}), (7, {"n": 2}), (("x", 3), {"n": 3})]
    assert of_table(rows, 1) == [
        Member("a", ({"n": 1},)),
        Member("7", ({"n": 2},)),
        Member("x,3", ({"n": 3},)),
    ]
    assert of_table(rows[:1], 2) == [Member("a", ("a", {"n": 1}))]


@pytest.mark.parametrize(
    ("value", "binders", "expected"),
    [
        (["a", "b"], 1, [Member("a", ("a",)), Member("b", ("b",))]),
        ([1, 1, True], 1, [Member("1", (1,)), Member("1#2", (1,)), Member("true", (True,))]),
        ([{"n": 1}, {"n": 2}], 1, [Member("1", ({"n": 1},)), Member("2", ({"n": 2},))]),
        ({"a": 1}, 1, [Member("a", ("a",))]),
        ({"a": 1}, 2, [Member("a", ("a", 1))]),
        ([("a", 1), ("b", 2)], 2, [Member("a", ("a", 1)), Member("b", ("b", 2))]),
        ("xy", 1, [Member("x", ("x",)), Member("y", ("y",))]),
    ],
)
def test_members_of_values(value: Any, binders: int, expected: list[Member]) -> None:
    assert of_value(value, binders) == expected


MEMBERS = [Member(f"k{number}", (number,)) for number in range(50)]


def test_a_sample_keeps_the_order_of_the_data_and_counts_what_it_took_from() -> None:
    taken, found = sample(MEMBERS, 10, 0, "s", lambda member: member.values[0] % 2 == 0)
    assert found == 25
    assert len(taken) == 10
    assert taken == [member for member in MEMBERS if member in taken]
    assert all(member.values[0] % 2 == 0 for member in taken)


def test_one_row_less_moves_at_most_one_task() -> None:
    before, _ = sample(MEMBERS, 10, 0, "s", lambda member: True)
    for gone in MEMBERS:
        rest = [member for member in MEMBERS if member != gone]
        after, _ = sample(rest, 10, 0, "s", lambda member: True)
        expected = len(set(keys(before)) - {gone.key})
        assert len(set(keys(before)) & set(keys(after))) == expected


def test_seed_and_scenario_choose_the_sample() -> None:
    samples = {
        tuple(keys(sample(MEMBERS, 10, seed, name, lambda member: True)[0]))
        for seed in (0, 1)
        for name in ("s", "t")
    }
    assert len(samples) == 4


def test_all_are_taken_without_a_sample() -> None:
    assert sample(MEMBERS, None, 0, "s", lambda member: True) == (MEMBERS, 50)
    assert sample(MEMBERS, 99, 0, "s", lambda member: True) == (MEMBERS, 50)
