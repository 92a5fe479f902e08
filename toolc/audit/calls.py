"""Calls that a caller could make with what is told: some at random, or all that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod
from random import Random
from typing import Any

from toolc.audit.pool import Pool
from toolc.audit.subject import Subject
from toolc_runtime.values import canonical

TRIES = 8
MOST_VALUES = 12
"""Values of one argument that are tried."""

Arguments = dict[str, Any]


def drawn(
    subject: Subject, tool: str, random: Random, pool: Pool | None = None
) -> Arguments | None:
    """Valid arguments from the prompt (or another pool) and the schema, at random; None where a few
    tries find none."""
    for _ in range(TRIES):
        arguments = (pool or subject.pool).arguments(subject.shared.parameters[tool], random)
        if subject.shared.valid(tool, arguments):
            return arguments
    return None


def few(subject: Subject, tool: str, most: int = 5, pool: Pool | None = None) -> list[Arguments]:
    """A few different ones of these."""
    random = subject.random(f"few {tool}")
    found = (drawn(subject, tool, random, pool) for _ in range(most))
    unique = {canonical(each): each for each in found if each is not None}
    return list(unique.values())


def every(
    subject: Subject, tool: str, most: int, pool: Pool | None = None, seed: str = ""
) -> list[Arguments]:
    """All valid arguments that can be put together from the prompt (or another pool) and the
    schema, or a sample of `most` where there are more."""
    parameters = subject.shared.parameters[tool]
    columns = _columns(parameters, pool or subject.pool)
    rows = _rows([column for _, column in columns], most, subject.random(f"every {tool} {seed}"))
    made = (
        {
            name: value
            for (name, _), value in zip(columns, row, strict=True)
            if value is not _LEFT_OUT
        }
        for row in rows
    )
    return [each for each in made if subject.shared.valid(tool, each)]


_LEFT_OUT = object()


def _columns(parameters: Mapping[str, Any], pool: Pool) -> list[tuple[str, Sequence[Any]]]:
    """The values of each parameter; of those that may be left out, that first."""
    definitions = parameters.get("$defs", {})
    required = parameters.get("required", ())
    columns: list[tuple[str, Sequence[Any]]] = []
    for name, schema in parameters.get("properties", {}).items():
        values = list(pool.values(schema, definitions))[:MOST_VALUES]
        columns.append((name, values if name in required else [_LEFT_OUT, *values]))
    return columns


def _sparse(columns: Sequence[Sequence[Any]]) -> Iterator[tuple[int, ...]]:
    """The rows, as positions, in which at most one argument is given that may be left out."""
    may_miss = [bool(column) and column[0] is _LEFT_OUT for column in columns]
    bare = [
        range(1) if free else range(len(column))
        for free, column in zip(may_miss, columns, strict=True)
    ]
    yield from product(*bare)
    for given, (free, column) in enumerate(zip(may_miss, columns, strict=True)):
        if free:
            yield from product(*bare[:given], range(1, len(column)), *bare[given + 1 :])


def _rows(columns: Sequence[Sequence[Any]], most: int, random: Random) -> Iterator[tuple[Any, ...]]:
    if prod(map(len, columns)) <= most:
        yield from product(*columns)
        return
    seen: set[tuple[int, ...]] = set()
    for row in islice(_sparse(columns), most // 2):
        seen.add(row)
        yield tuple(column[at] for column, at in zip(columns, row, strict=True))
    for _ in range(most - len(seen)):
        row = tuple(random.randrange(len(column)) for column in columns)
        if row not in seen:
            seen.add(row)
            yield tuple(column[at] for column, at in zip(columns, row, strict=True))
