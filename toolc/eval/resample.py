"""Confidence intervals by the percentile bootstrap over tasks.

Tasks, not episodes, are drawn anew: samples of one task are alike. More than `MAX_UNITS` tasks are
dealt at random into as many groups, and groups are drawn: that has the same variance, and bounds
the time. A seed gives the same intervals again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

RESAMPLES = 1000
MAX_UNITS = 500
LEVEL = 0.95

Unit = tuple[float, float]
"""Of one task: a figure's value and how often it counts, 0 where the task has no such figure."""


class Estimate(NamedTuple):
    """A mean with its interval, whose ends are None where fewer than two tasks gave it."""

    value: float
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, float | None]:
        return self._asdict()


def mean(units: Sequence[Unit]) -> float:
    """The mean; 0 of nothing."""
    return _ratio(sum(total for total, _ in units), sum(count for _, count in units))


def estimates(columns: Mapping[str, Sequence[Unit]], seed: int | str) -> dict[str, Estimate]:
    """The estimates of figures; the columns hold the same tasks in the same order."""
    size = max(map(len, columns.values()), default=0)
    if size < 2:
        return {name: Estimate(mean(units)) for name, units in columns.items()}
    rng = Random(seed)
    order = rng.sample(range(size), size)
    dealt = {name: _dealt(units, order) for name, units in columns.items()}
    groups = range(min(size, MAX_UNITS))
    drawn: dict[str, list[float]] = {name: [] for name in columns}
    for _ in range(RESAMPLES):
        indexes = rng.choices(groups, k=len(groups))
        for name, (totals, counts) in dealt.items():
            count = sum(map(counts.__getitem__, indexes))
            if count:  # a draw of tasks that have no such figure says nothing
                drawn[name].append(sum(map(totals.__getitem__, indexes)) / count)
    return {name: _estimate(mean(units), drawn[name]) for name, units in columns.items()}


def _dealt(units: Sequence[Unit], order: Sequence[int]) -> tuple[list[float], list[float]]:
    """Totals and counts of groups, to which the tasks are dealt in an order."""
    groups = min(len(units), MAX_UNITS)
    totals, counts = [0.0] * groups, [0.0] * groups
    for place, index in enumerate(order):
        total, count = units[index]
        totals[place % groups] += total
        counts[place % groups] += count
    return totals, counts


def _estimate(value: float, drawn: list[float]) -> Estimate:
    if not drawn:
        return Estimate(value)
    drawn.sort()
    tail = int(len(drawn) * (1 - LEVEL) / 2)
    # Rounding in sums must not put the mean outside.
    return Estimate(value, min(drawn[tail], value), max(drawn[-1 - tail], value))


def _ratio(total: float, count: float) -> float:
    return total / count if count else 0.0
