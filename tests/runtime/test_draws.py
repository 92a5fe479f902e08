"""Seeded draws and tapes."""

from __future__ import annotations

from datetime import datetime

import pytest

from toolc_runtime.draws import Draws
from toolc_runtime.errors import Fail


def test_the_generator_is_fixed() -> None:
    """Changing these values breaks every recorded build."""
    draws = Draws(7)
    draws.call = ("roll", [6])
    found = [draws.integer(1, 6) for _ in range(8)]
    found_real = draws.real(0, 1)
    again = Draws(7)
    again.call = ("roll", [6])
    assert [again.integer(1, 6) for _ in range(8)] == found == [4, 5, 4, 2, 3, 6, 2, 2]
    assert again.real(0, 1) == found_real == pytest.approx(0.6073869, abs=1e-6)


def test_calls_do_not_shift_each_other() -> None:
    first, second = Draws(1), Draws(1)
    second.call = ("other", [])
    second.integer(1, 10**9)
    second.settle()
    for draws in (first, second):
        draws.call = ("roll", [6])
    assert first.integer(1, 10**9) == second.integer(1, 10**9)


def test_occurrence_and_rollback() -> None:
    draws = Draws(1)
    draws.call = ("roll", [])
    first = draws.integer(1, 10**9)
    draws.rollback(None)
    assert not draws.drawn
    assert draws.integer(1, 10**9) == first
    draws.settle()
    mark = draws.mark()
    second = draws.integer(1, 10**9)
    assert second != first
    draws.rollback(mark)
    assert draws.drawn == (first,)
    copy = draws.fork()
    copy.call = draws.call
    assert copy.integer(1, 10**9) == second


def test_fresh_ids_are_not_drawn_twice() -> None:
    draws = Draws(1)
    found = [draws.fresh_id("W", 1) for _ in range(10)]
    assert sorted(found) == [f"W{n}" for n in range(10)]
    assert draws.fresh == tuple(found)
    with pytest.raises(Fail, match="no fresh id"):
        draws.fresh_id("W", 1)


def test_uniform_and_permuted() -> None:
    draws = Draws(1)
    counts = [0] * 6
    for _ in range(3_000):
        counts[draws.integer(0, 5)] += 1
    assert min(counts) > 400
    assert sorted(draws.shuffle(list("abcdef"))) == list("abcdef")


def test_a_tape_replays() -> None:
    low, high = datetime(2024, 9, 1), datetime(2024, 9, 2)
    draws = Draws(5)
    made = (
        draws.integer(1, 6),
        draws.real(0, 2),
        draws.choice(["a", "b"]),
        draws.shuffle([1, 2, 3]),
        draws.fresh_id("W", 7),
        draws.moment(low, high),
    )
    tape = draws.drawn
    again = Draws(99, tape)
    assert made == (
        again.integer(1, 6),
        again.real(0, 2),
        again.choice(["a", "b"]),
        again.shuffle([1, 2, 3]),
        again.fresh_id("W", 7),
        again.moment(low, high),
    )
    assert again.drawn == tape
    with pytest.raises(Fail, match="used up"):
        again.integer(1, 6)
    text = Draws(0, ["2024-09-01 10:30:00", "x"])
    assert text.moment(low, high) == datetime(2024, 9, 1, 10, 30)
    with pytest.raises(Fail, match="another type"):
        text.integer(1, 6)
