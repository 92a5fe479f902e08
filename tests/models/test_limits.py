"""How long to wait, told by clocks that tests turn themselves."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from random import Random

import pytest

from toolc.models.limits import Pace, delays, rate_of, retry_after


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5", 5), ("5/second", 5), ("60/minute", 1), ("30/m", 0.5), ("7200/hour", 2), ("0.5/s", 0.5)],
)
def test_rates(text: str, rate: float) -> None:
    assert rate_of(text) == rate


@pytest.mark.parametrize(
    "text", ["", "0", "0/minute", "-1", "5/week", "1e3", "nan", "5/", "9" * 40]
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        rate_of(text)


def test_tokens_come_one_after_the_other() -> None:
    clock = Clock()
    pace = Pace(2.0, clock=clock)
    assert [pace.take() for _ in range(4)] == [0.0, 0.5, 1.0, 1.5]
    clock.now += 2.0
    assert [pace.take() for _ in range(2)] == [0.0, 0.5]


def test_a_bucket_holds_so_many_tokens_and_no_more() -> None:
    clock = Clock()
    pace = Pace(1.0, burst=3.0, clock=clock)
    clock.now += 1_000.0
    assert [pace.take() for _ in range(5)] == [0.0, 0.0, 0.0, 1.0, 2.0]


def test_everyone_waits_where_the_server_asks_for_it() -> None:
    for rate, then in [(None, [7.0, 7.0]), (1.0, [7.0, 8.0])]:
        clock = Clock()
        pace = Pace(rate, clock=clock)
        pace.hold(7.0)
        pace.hold(3.0)
        assert [pace.take(), pace.take()] == then
        clock.now += 60.0
        assert pace.take() == 0.0


def test_threads_share_the_tokens() -> None:
    clock = Clock()
    pace = Pace(10.0, clock=clock)
    taken: list[float] = []
    lock = threading.Lock()

    def take() -> None:
        for _ in range(50):
            wait = pace.take()
            with lock:
                taken.append(wait)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == pytest.approx([index / 10 for index in range(400)])


def test_delays_double_up_to_the_most_less_what_chance_takes() -> None:
    found = list(delays(9, Random(1), first=1.0, most=60.0))
    whole = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(most / 2 <= delay <= most for delay, most in zip(found, whole, strict=True))
    assert len({delay / most for delay, most in zip(found, whole, strict=True)}) == 9
    assert list(delays(0, Random(1))) == []
    assert len(list(delays(2_000, Random(1)))) == 2_000


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 2 ", 2.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 14:00:30 +0200", 30.0),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("9" * 400, None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
        ("", None),
    ],
)
def test_what_a_server_asks_for(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds
