"""Two runs against each other, over the tasks that both scored.

Every difference is paired: of a task, the mean over one run's samples less that over the other's.
Tasks are of the same name in environments of the same build, by the digests of `run.json`: another
build may ask other things under the same names, and its tools may do other things.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import exp, lgamma, log
from typing import Any, NamedTuple

from toolc.eval.resample import Estimate, estimates, mean
from toolc.reporting.figures import FIGURES, GROUPINGS, natural, scored_tasks, unit
from toolc.reporting.run import Episode, Run

GROUP_FIGURES = ("solve_f1", "success")
"""What is compared by group."""


class Uncomparable(Exception):
    """Two runs that have no task in common; the message says why."""


class Pair(NamedTuple):
    """A task that both runs scored."""

    environment: str
    task: str
    before: Sequence[Episode]
    after: Sequence[Episode]


class Contrast(NamedTuple):
    """A figure's means in both runs, and their difference with its interval."""

    before: float
    after: float
    difference: Estimate

    @property
    def clear(self) -> bool:
        """Whether the interval of the difference does not hold 0."""
        low, high = self.difference.low, self.difference.high
        return low is not None and high is not None and (low > 0 or high < 0)

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.before,
            "b": self.after,
            "difference": self.difference.value,
            "interval": [self.difference.low, self.difference.high],
        }


class Moved(NamedTuple):
    """A task whose share of successes differs."""

    environment: str
    task: str
    before: float
    after: float

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "task": self.task,
            "a": self.before,
            "b": self.after,
        }


class Comparison(NamedTuple):
    """Two runs compared. `others` are environments of both that were of different builds, and left
    out unless they were asked for; `only` counts tasks that one of the runs alone has scored."""

    tasks: int
    figures: dict[str, Contrast]
    groups: dict[str, dict[str, dict[str, Contrast]]]
    sizes: dict[str, dict[str, int]]
    won: tuple[Moved, ...]
    lost: tuple[Moved, ...]
    chance: float
    others: tuple[str, ...]
    only: tuple[int, int]

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON, `a` the first run and `b` the second."""
        return {
            "tasks": self.tasks,
            "figures": {name: each.to_json() for name, each in self.figures.items()},
            **{
                f"by_{by}": {
                    name: {"tasks": self.sizes[by][name]}
                    | {figure: each.to_json() for figure, each in found.items()}
                    for name, found in members.items()
                }
                for by, members in self.groups.items()
            },
            "success": {
                "won": [each.to_json() for each in self.won],
                "lost": [each.to_json() for each in self.lost],
                "same": self.tasks - len(self.won) - len(self.lost),
                "p": self.chance,
            },
            "different_builds": list(self.others),
            "only_a": self.only[0],
            "only_b": self.only[1],
        }


def compare(before: Run, after: Run, *, anyway: bool = False, seed: int = 0) -> Comparison:
    """Compares two runs; with `anyway` also environments of different builds. Raises
    `Uncomparable` where no task is left."""
    shared = before.head.digests.keys() & after.head.digests.keys()
    others = sorted(
        name for name in shared if before.head.digests[name] != after.head.digests[name]
    )
    usable = shared if anyway else shared - set(others)
    first, second = (_tasks(run, usable) for run in (before, after))
    pairs = [Pair(*key, first[key], second[key]) for key in first if key in second]
    if not pairs:
        raise Uncomparable(_why(before, after, others, usable))
    differing = [_moved(pair) for pair in pairs]
    won = tuple(each for each in differing if each.after > each.before)
    lost = tuple(each for each in differing if each.after < each.before)
    by = {grouping: _grouped(pairs, of) for grouping, of in GROUPINGS.items()}
    return Comparison(
        tasks=len(pairs),
        figures=_contrasts(pairs, FIGURES, seed),
        groups={
            grouping: {name: _contrasts(found, GROUP_FIGURES, seed) for name, found in each.items()}
            for grouping, each in by.items()
        },
        sizes={
            grouping: {name: len(found) for name, found in each.items()}
            for grouping, each in by.items()
        },
        won=won,
        lost=lost,
        chance=sign_test(len(won), len(lost)),
        others=tuple(others),
        only=(len(first) - len(pairs), len(second) - len(pairs)),
    )


def _why(before: Run, after: Run, others: Sequence[str], usable: Iterable[str]) -> str:
    if any(usable):
        return "no task is scored in both runs"
    if others:
        return (
            f"the runs are of different builds of {', '.join(f'`{each}`' for each in others[:5])}"
            f"{' and others' if len(others) > 5 else ''}; `--anyway` compares tasks of one name"
        )
    return f"`{before.path}` and `{after.path}` have no environment in common"


def _tasks(run: Run, usable: Iterable[str]) -> dict[tuple[str, str], list[Episode]]:
    known = frozenset(usable)
    return scored_tasks(each for each in run.episodes if each.environment in known)


def _grouped(pairs: Sequence[Pair], of: Callable[[Episode], str]) -> dict[str, list[Pair]]:
    made: dict[str, list[Pair]] = {}
    for pair in pairs:
        made.setdefault(of(pair.before[0]), []).append(pair)
    return {name: made[name] for name in sorted(made, key=natural)}


def _contrasts(pairs: Sequence[Pair], figures: Iterable[str], seed: int) -> dict[str, Contrast]:
    """Those of the figures that both runs have of some task."""
    means: dict[str, list[tuple[float, float]]] = {}
    for name in figures:
        sides = [(unit(pair.before, name), unit(pair.after, name)) for pair in pairs]
        means[name] = [(mean([one]), mean([two])) for one, two in sides if one[1] and two[1]]
    found = {name: values for name, values in means.items() if values}
    differences: dict[str, Estimate] = {}
    for size in {len(values) for values in found.values()}:  # one bootstrap for columns of a length
        differences |= estimates(
            {
                name: [(two - one, 1) for one, two in values]
                for name, values in found.items()
                if len(values) == size
            },
            seed,
        )
    return {
        name: Contrast(
            sum(one for one, _ in values) / len(values),
            sum(two for _, two in values) / len(values),
            differences[name],
        )
        for name, values in found.items()
    }


def _moved(pair: Pair) -> Moved:
    sides = (mean([unit(side, "success")]) for side in (pair.before, pair.after))
    return Moved(pair.environment, pair.task, *sides)


def sign_test(won: int, lost: int) -> float:
    """The two-sided exact chance of a split at least so uneven, were winning and losing as likely.
    With one sample a task this is McNemar's exact test."""
    total = won + lost
    tail = sum(
        exp(lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1) - total * log(2))
        for k in range(min(won, lost) + 1)
    )
    return min(1.0, 2 * tail)
