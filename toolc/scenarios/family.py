"""The members of a family, and which of them a sample takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from toolc.analysis.core import EnvironmentDef
from toolc_runtime.values import key_text


class Member(NamedTuple):
    """One member: the text that names its task, and the values of the family's binders."""

    key: str
    values: tuple[Any, ...]


def drawing(environment: EnvironmentDef, size: int | None) -> EnvironmentDef:
    """The environment in which families with a `sample` take so many, or as many as there are."""
    if size is None:
        return environment
    made: EnvironmentDef = environment.replace(
        scenarios=tuple(
            each if each.sample is None else each.replace(drawn=size)
            for each in environment.scenarios
        )
    )
    return made


def of_table(rows: Iterable[tuple[Any, Any]], binders: int) -> list[Member]:
    """The rows of a table, by key; two binders take the key and the row."""
    return [Member(_composite(key), (key, row) if binders == 2 else (row,)) for key, row in rows]


def of_value(value: Any, binders: int) -> list[Member]:
    """The members of a list, the entries of a dict, the characters of a text.

    A member that is no scalar is named by its place, from 1.
    """
    if isinstance(value, Mapping):
        return [
            Member(key_text(key), (key, inner) if binders == 2 else (key,))
            for key, inner in value.items()
        ]
    members = []
    for place, item in enumerate(value, 1):
        values = tuple(item) if binders > 1 else (item,)
        name = str(place) if isinstance(values[0], (list, dict)) else key_text(values[0])
        members.append(Member(name, values))
    return _distinct(members)


def sample(
    members: Sequence[Member],
    size: int | None,
    seed: int,
    scenario: str,
    accepts: Callable[[Member], bool],
) -> tuple[list[Member], int]:
    """The members taken, in the order of the data, and how many there were to take from.

    Members are ranked by a hash of seed, scenario and key, so that a row more or less in the data
    moves no other task.
    """
    accepted = [member for member in members if accepts(member)]
    if size is None or len(accepted) <= size:
        return accepted, len(accepted)
    ranked = sorted(accepted, key=lambda member: rank(seed, scenario, member.key))
    taken = {member.key for member in ranked[:size]}
    return [member for member in accepted if member.key in taken], len(accepted)


def rank(seed: int, scenario: str, key: str) -> bytes:
    """What a seeded choice sorts by."""
    return sha256(f"{seed}\0{scenario}\0{key}".encode()).digest()


def _composite(key: Any) -> str:
    return ",".join(map(key_text, key)) if isinstance(key, tuple) else key_text(key)


def _distinct(members: list[Member]) -> list[Member]:
    seen: dict[str, int] = {}
    made = []
    for member in members:
        count = seen[member.key] = seen.get(member.key, 0) + 1
        made.append(member if count == 1 else Member(f"{member.key}#{count}", member.values))
    return made
