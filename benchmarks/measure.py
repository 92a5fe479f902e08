"""Timing inside one process, made for machines that are shared and noisy."""

from __future__ import annotations

import gc
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Figure(NamedTuple):
    """One line of results.json. `baseline` is what was measured beside it in the same run, in the
    same unit, and `ratio` is baseline over value, or value over baseline for `overhead` figures,
    as `reach` says."""

    value: float
    unit: str
    reach: str
    baseline: float | None = None
    ratio: float | None = None


def seconds(action: Callable[[], object], *, budget: float = 0.4, samples: int = 9) -> float:
    """Median CPU seconds a call of `action`, over samples of as many calls as the budget allows."""
    action()
    began = time.process_time()
    action()
    once = max(time.process_time() - began, 1e-7)
    number = max(1, int(budget / samples / once))
    taken = []
    with no_collection():
        for _ in range(samples):
            began = time.process_time()
            for _ in range(number):
                action()
            taken.append((time.process_time() - began) / number)
    return statistics.median(taken)


@contextmanager
def no_collection() -> Iterator[None]:
    """Without the garbage collector, whose work depends on all that lives in the process."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def paired(
    first: Callable[[], object], second: Callable[[], object], *, rounds: int = 5
) -> tuple[float, float]:
    """Median CPU seconds of two actions measured in turn, so that drift meets both alike."""
    a, b = [], []
    for _ in range(rounds):
        a.append(seconds(first, budget=0.12, samples=3))
        b.append(seconds(second, budget=0.12, samples=3))
    return statistics.median(a), statistics.median(b)


def process_seconds(command: Sequence[str], *, rounds: int = 11) -> float:
    """Median wall seconds of a whole process; a first round of several is left out."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:] or taken)
