"""What is trained on and what is kept."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from toolc.train.evaluation import held_out
from toolc.train.splits import Item, Place, Shares, balanced, grouped, split

KINDS = ("single_hop", "multi_hop", "none")


def items_of(sizes: list[int], environment: str = "shop") -> list[Item]:
    return [
        Item(environment, f"family{at}", f"family{at}:{task}", KINDS[at % 3], at % 3)
        for at, size in enumerate(sizes)
        for task in range(size)
    ]


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=30)
shares = st.builds(Shares, *[st.sampled_from([0.0, 0.1, 0.25, 0.5])] * 3)


@given(sizes, shares, st.integers(0, 5))
def test_test_tasks_are_what_they_are_called(sizes: list[int], shares: Shares, seed: int) -> None:
    items = items_of(sizes) + items_of([3, 3], "bank")
    places = split(items, {"bank"}, shares, seed)
    assert list(places) == items
    trained = {item.scenario for item, place in places.items() if place.split == "train"}
    for item, place in places.items():
        if item.environment == "bank":
            assert place == Place("test", "environment")
        elif place.unseen == "families":
            assert item.scenario not in trained
        else:
            assert item.scenario in trained


@given(sizes, st.integers(0, 5))
def test_the_same_seed_gives_the_same_places(sizes: list[int], seed: int) -> None:
    items = items_of(sizes)
    assert split(items, (), Shares(), seed) == split(items, (), Shares(), seed)


def test_shares_are_kept_to_and_spread_over_kinds() -> None:
    items = items_of([10] * 60)
    places = split(items, (), Shares(0.1, 0.2, 0.1), 1)
    kept = grouped(places, lambda item: places[item])
    assert len(kept[Place("test", "families")]) == 60
    assert len(kept[Place("test", "tasks")]) == round(0.2 * 54 * 9)
    assert len(kept[Place("validation")]) == round(0.1 * 0.8 * 54 * 9)
    for group in kept.values():
        by_kind = [len([item for item in group if item.kind == kind]) for kind in KINDS]
        assert max(by_kind) - min(by_kind) <= 2


@given(st.lists(st.sampled_from("aabbbbc"), max_size=40), st.integers(0, 3))
def test_every_beginning_is_balanced(values: list[str], seed: int) -> None:
    pairs = list(enumerate(values))
    made = balanced(pairs, lambda pair: pair[1], random.Random(seed))
    assert sorted(made) == pairs
    for end in range(len(made)):
        begun, left = made[:end], {value for _, value in made[end:]}
        counts = [sum(value == each for _, value in begun) for each in left]
        most = max((sum(value == each for _, value in begun) for each in set(values)), default=0)
        assert all(most - count <= 1 for count in counts)


def test_a_part_of_what_is_kept_is_part_of_more_of_it() -> None:
    rows = [
        {"of": of, "task": f"{task}", "unseen": unseen}
        for of in ("bank", "shop")
        for task in range(20)
        for unseen in ("tasks", "families")
        for _ in range(2)  # of two turns
    ]
    found = []
    for most in (0, 5, 9):
        sets = held_out(rows, {}, {}, most)
        assert set(sets) == {"unseen_tasks", "unseen_families"}
        kept = sets["unseen_tasks"].tasks
        found.append({(of, task) for of, tasks in kept.items() for task in tasks})
        assert sum(map(len, kept.values())) == (most or 40)
    every, few, more = found
    assert few < more < every
