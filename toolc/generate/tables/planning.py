"""Which questions are asked of which tables, so that the mix of kinds is as wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from toolc.generate.tables.questions import Sketch

EACH = 2
"""Tasks that a family gives at first; more where there are not enough families."""


class Chosen(NamedTuple):
    """A sketch, and how many tasks its family shall give."""

    sketch: Sketch
    tasks: int


def choose(
    sketches: Mapping[str, Sequence[Sketch]],
    wanted: Mapping[str, int],
    sources: Mapping[str, Mapping[str, str]],
    seed: int,
) -> dict[str, list[Chosen]]:
    """Sketches by environment such that there are as many tasks of each kind as `wanted`, where
    the tables give so many. Environments take turns; what was asked of the same tables in another
    environment is not asked again. `sources` tell the files of tables, by environment."""
    pools = {name: _pools(name, each, seed) for name, each in sketches.items()}
    chosen: dict[str, list[Chosen]] = {name: [] for name in sketches}
    tasks: Counter[str] = Counter()
    done: Counter[str] = Counter()
    asked: set[object] = set()
    while any(done[kind] < wanted[kind] for kind in wanted):
        lacking = [kind for kind in wanted if done[kind] < wanted[kind]]
        kind = min(lacking, key=lambda each: (done[each] / wanted[each], each))
        names = [name for name in pools if pools[name].get(kind)]
        if not names:
            if not _grow(chosen, kind, wanted[kind] - done[kind]):
                wanted = {each: number for each, number in wanted.items() if each != kind}
            done[kind] = wanted.get(kind, 0)
            continue
        name = min(names, key=lambda each: (tasks[each], each))
        sketch = pools[name][kind].pop()
        about = (sketch.pattern, sources[name][sketch.about[0]], sketch.about)
        if about in asked:
            continue
        asked.add(about)
        number = min(EACH, sketch.members, wanted[kind] - done[kind])
        chosen[name].append(Chosen(sketch, number))
        tasks[name] += number
        done[kind] += number
    return chosen


def _pools(name: str, sketches: Sequence[Sketch], seed: int) -> dict[str, list[Sketch]]:
    """Sketches by kind, drawn from the end: patterns take turns, each in a random order."""
    random = Random(f"{seed} {name}")
    kinds: dict[str, dict[str, list[Sketch]]] = {}
    for sketch in sketches:
        kinds.setdefault(sketch.kind, {}).setdefault(sketch.pattern, []).append(sketch)
    pools = {}
    for kind, patterns in kinds.items():
        for several in patterns.values():
            random.shuffle(several)
        order = sorted(patterns)
        random.shuffle(order)
        turns: list[Sketch] = []
        for place in range(max(map(len, patterns.values()))):
            turns += [patterns[each][place] for each in order if place < len(patterns[each])]
        pools[kind] = turns[::-1]
    return pools


def _grow(chosen: dict[str, list[Chosen]], kind: str, lacking: int) -> bool:
    """Lets families that can give more tasks of a kind; whether any could."""
    grown = False
    while lacking > 0:
        before = lacking
        for several in chosen.values():
            for place, each in enumerate(several):
                if each.sketch.kind == kind and each.tasks < each.sketch.members and lacking > 0:
                    several[place] = each._replace(tasks=each.tasks + 1)
                    lacking -= 1
                    grown = True
        if lacking == before:
            break
    return grown
