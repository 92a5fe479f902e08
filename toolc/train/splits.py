"""Which tasks are trained on, and which are kept to see what was learnt.

Three kinds of test tasks tell how far learning reaches, each further than the one before:
`tasks`, other tasks of scenario families that training has; `families`, all tasks of families
that training lacks; `environment`, all tasks of environments that training lacks.

Splits are stratified: what is kept is spread over kinds and numbers of steps as the whole is.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

Some = TypeVar("Some")
Key = TypeVar("Key", bound=Hashable)


class Item(NamedTuple):
    """A task as far as splits need it."""

    environment: str
    scenario: str
    task: str
    kind: str
    steps: int


class Place(NamedTuple):
    """The split of a task (`train`, `validation`, `test`) and, in `test`, what training has not
    seen of it: as the head of this module says."""

    split: str
    unseen: str = ""


class Shares(NamedTuple):
    """Which part is kept: of each environment's families, and of the tasks of the others."""

    families: float = 0.1
    tasks: float = 0.2
    validation: float = 0.1


def split(
    items: Sequence[Item], held_out: Collection[str], shares: Shares, seed: int
) -> dict[Item, Place]:
    """The place of every task. `held_out` are the environments that training never sees."""
    places: dict[Item, Place] = {}
    for environment, group in grouped(items, lambda item: item.environment).items():
        if environment in held_out:
            places |= dict.fromkeys(group, Place("test", "environment"))
        else:
            places |= _within(group, shares, random.Random(f"{seed}:{environment}"))
    return {item: places[item] for item in items}


def _within(items: Sequence[Item], shares: Shares, chance: random.Random) -> dict[Item, Place]:
    families = grouped(items, lambda item: item.scenario)
    shuffled = _shuffled(families, chance)
    shuffled.sort(key=lambda name: (families[name][0].kind, families[name][0].steps))
    kept = set(_spread(shuffled, shares.families, chance))
    places = {item: Place("train") for item in items}
    for name in kept:
        places |= dict.fromkeys(families[name], Place("test", "families"))
    return places | _among_families(
        [group for name, group in families.items() if name not in kept], shares, chance
    )


def _among_families(
    families: Sequence[Sequence[Item]], shares: Shares, chance: random.Random
) -> dict[Item, Place]:
    """Of every family the first task drawn stays in training, whatever its size."""
    rest: list[Item] = []
    for family in families:
        rest += _shuffled(family, chance)[1:]
    rest.sort(key=lambda item: (item.kind, item.steps, item.scenario))
    tested = _spread(rest, shares.tasks, chance)
    known = set(tested)
    validated = _spread([item for item in rest if item not in known], shares.validation, chance)
    return dict.fromkeys(tested, Place("test", "tasks")) | dict.fromkeys(
        validated, Place("validation")
    )


def _shuffled(values: Iterable[Some], chance: random.Random) -> list[Some]:
    made = list(values)
    chance.shuffle(made)
    return made


def _spread(values: Sequence[Some], share: float, chance: random.Random) -> list[Some]:
    """A share of the values, evenly spaced, so that each run of equals gives its part."""
    number = round(share * len(values))
    start = chance.random()
    return [values[int((at + start) * len(values) / number)] for at in range(number)]


def grouped(values: Iterable[Some], key: Callable[[Some], Key]) -> dict[Key, list[Some]]:
    """The values by key, in order."""
    made: dict[Key, list[Some]] = defaultdict(list)
    for value in values:
        made[key(value)].append(value)
    return dict(made)


def balanced(
    values: Iterable[Some], key: Callable[[Some], Key], chance: random.Random
) -> list[Some]:
    """The values in an order of which every beginning has as many of each cell as of any other,
    as long as there are any; within a cell the order is by chance."""
    cells = [_shuffled(cell, chance) for cell in grouped(values, key).values()]
    chance.shuffle(cells)
    made: list[Some] = []
    for row in range(max(map(len, cells), default=0)):
        made += [cell[row] for cell in cells if row < len(cell)]
    return made
