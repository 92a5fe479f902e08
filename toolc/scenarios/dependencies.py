"""Which steps of a plan must come before which: by the names they use, and through the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from toolc.analysis.core import Local, Symbol
from toolc.node import Node

Place = tuple[str, Any]
"""A row of a table, by the table and the row's key; or a scalar, by its name and None."""


WHOLE = object()
"""In place of a key: any key of the table, which is what a loop over it reads."""


class Access(NamedTuple):
    """What a step read and wrote."""

    reads: frozenset[Place]
    writes: frozenset[Place]


def symbols(tree: object) -> Iterator[Symbol]:
    """The locals that a tree mentions."""
    if isinstance(tree, Local):
        yield tree.symbol
    elif isinstance(tree, Node):
        for name in tree.fields:
            yield from symbols(getattr(tree, name))
    elif isinstance(tree, tuple):
        for member in tree:
            yield from symbols(member)


def by_names(used: Iterable[Symbol], binders: Sequence[Symbol | None]) -> set[int]:
    """The steps whose results are used: their binders are among the symbols."""
    wanted = set(map(id, used))
    return {
        index for index, binder in enumerate(binders) if binder is not None and id(binder) in wanted
    }


def by_state(accesses: Sequence[Access]) -> list[set[int]]:
    """For each step the earlier ones that wrote what it reads or writes, or that read what it
    writes."""
    found: list[set[int]] = []
    for index, now in enumerate(accesses):
        touched = now.reads | now.writes
        found.append(
            {
                before
                for before, then in enumerate(accesses[:index])
                if _meet(then.writes, touched) or _meet(then.reads, now.writes)
            }
        )
    return found


def closure(after: Sequence[Iterable[int]], roots: Iterable[int]) -> list[int]:
    """The roots and every step that they depend on, in order."""
    reached = set(roots)
    waiting = list(reached)
    while waiting:
        for earlier in after[waiting.pop()]:
            if earlier not in reached:
                reached.add(earlier)
                waiting.append(earlier)
    return sorted(reached)


def _meet(left: frozenset[Place], right: frozenset[Place]) -> bool:
    if left & right:
        return True
    tables = {table for table, key in left if key is WHOLE} & {table for table, _ in right}
    return bool(
        tables or {table for table, key in right if key is WHOLE} & {table for table, _ in left}
    )
