"""From episodes to figures: means over tasks, pass@k, pass^k, and bootstrap intervals.

Every figure is a mean over tasks of a figure of the task, and that is a mean over the task's
scored episodes. With n of them, c of which succeeded,

    pass@k  1 - C(n - c, k) / C(n, k)     the chance that one of k episodes succeeds
    pass^k  C(c, k) / C(n, k)             the chance that all of k episodes succeed

without bias, where n >= k; a task with fewer scored episodes does not count for that k.
Intervals hold 95 % of the means of tasks that are drawn anew, with replacement.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.eval.resample import Estimate, estimates

MEANS = (
    "solve_precision",
    "solve_rate",
    "solve_f1",
    "reward",
    "success",
    "calls",
    "turns",
    "invalid_calls",
    "truncated",
)
"""Figures of an episode that are averaged."""

JUDGED = MEANS[:5]
"""Those that intervals are given for."""

PUBLISHED = ("solve_precision", "solve_rate", "solve_f1")
"""The figures of the published measure."""

Json = dict[str, Any]
Column = Sequence[float | None]


class Row(NamedTuple):
    """What figures are made of: one episode. `values` are `MEANS` and then `PUBLISHED`; None
    where the episode is not scored."""

    environment: str
    task: str
    sample: int
    kind: str
    steps: int
    values: tuple[float, ...] | None

    @property
    def episode(self) -> tuple[str, str, int]:
        """Which one it is: environment, task and sample."""
        return self[:3]

    @property
    def success(self) -> bool:
        return self.values is not None and self.values[MEANS.index("success")] == 1


def row_of(line: Mapping[str, Any]) -> Row:
    """The row of a line of `episodes.jsonl`. Raises KeyError, TypeError, ValueError or
    AttributeError for what is no such line."""
    figures = line["figures"]
    values = None
    if figures is not None:
        known = {**figures, "reward": line["verdict"]["reward"]}
        values = (
            *(float(known[name]) for name in MEANS),
            *(float(line["ftrl"][name]) for name in PUBLISHED),
        )
    return Row(
        str(line["environment"]),
        str(line["task"]),
        int(line["sample"]),
        str(line["kind"]),
        int(line["difficulty"].get("steps", 0)),
        values,
    )


def ks(samples: int) -> list[int]:
    """The k of pass@k and pass^k: powers of two up to the samples, and the samples."""
    powers = [2**power for power in range(samples.bit_length()) if 2**power <= samples]
    return sorted({*powers, samples})


def pass_at(n: int, c: int, k: int) -> float | None:
    """The chance that one of k episodes succeeds, from n of which c did; None where n < k."""
    return None if n < k else 1 - math.comb(n - c, k) / math.comb(n, k)


def pass_hat(n: int, c: int, k: int) -> float | None:
    """The chance that all of k episodes succeed, from n of which c did; None where n < k."""
    return None if n < k else math.comb(c, k) / math.comb(n, k)


def summarise(rows: Iterable[Row], samples: int, seed: int) -> Json:
    """The figures of a run, in all, by kind, by environment and by the number of steps.

    The order of the rows does not matter. Where no episode is scored a figure is None.
    """
    every = sorted(rows, key=lambda row: row.episode)
    return {
        **group(every, samples, f"{seed}"),
        "by_kind": _by(every, samples, seed, lambda row: row.kind),
        "by_environment": _by(every, samples, seed, lambda row: row.environment),
        "by_difficulty": _by(every, samples, seed, lambda row: row.steps),
    }


def _by(rows: Sequence[Row], samples: int, seed: int, key: Callable[[Row], Any]) -> Json:
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {str(name): group(groups[name], samples, f"{seed}:{name}") for name in sorted(groups)}


def group(rows: Sequence[Row], samples: int, seed: str) -> Json:
    """The figures of some episodes; `seed` is that of the bootstrap."""
    tasks: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        tasks[row.environment, row.task].append(row)
    scored = [[row for row in each if row.values is not None] for each in tasks.values()]
    scored = [each for each in scored if each]
    means = _columns(scored)
    counts = [(len(each), sum(row.success for row in each)) for each in scored]
    at = {k: [pass_at(n, c, k) for n, c in counts] for k in ks(samples)}
    hat = {k: [pass_hat(n, c, k) for n, c in counts] for k in ks(samples)}
    judged: dict[str, Column] = {name: means[name] for name in JUDGED}
    judged |= {f"pass@{k}": column for k, column in at.items()}
    judged |= {f"pass^{k}": column for k, column in hat.items()}
    return {
        "tasks": len(tasks),
        "episodes": len(rows),
        "not_scored": sum(row.values is None for row in rows),
        **{name: mean(means[name]) for name in MEANS},
        "pass@k": {str(k): mean(column) for k, column in at.items()},
        "pass^k": {str(k): mean(column) for k, column in hat.items()},
        "ftrl": {name: mean(means[f"ftrl_{name}"]) for name in PUBLISHED},
        "intervals": intervals(judged, seed),
    }


def _columns(tasks: Sequence[Sequence[Row]]) -> dict[str, Column]:
    """By figure what each task has of it."""
    names = (*MEANS, *(f"ftrl_{name}" for name in PUBLISHED))
    values = [[row.values for row in each if row.values is not None] for each in tasks]
    return {
        name: [sum(found[place] for found in each) / len(each) for each in values]
        for place, name in enumerate(names)
    }


def mean(column: Column) -> float | None:
    """The mean of what there is; None where there is nothing."""
    known = [value for value in column if value is not None]
    return sum(known) / len(known) if known else None


# ---------------------------------------------------------------- intervals


def intervals(columns: Mapping[str, Column], seed: str) -> dict[str, list[float] | None]:
    """The interval of the mean of each column, `[low, high]`; None where a column is empty."""
    units = {
        name: [(0.0, 0) if value is None else (value, 1) for value in column]
        for name, column in columns.items()
    }
    found = estimates(units, seed)
    return {
        name: _ends(found[name]) if any(value is not None for value in column) else None
        for name, column in columns.items()
    }


def _ends(found: Estimate) -> list[float]:
    """A single task's figure has no spread to draw from."""
    low, high = found.low, found.high
    return [found.value if low is None else low, found.value if high is None else high]
