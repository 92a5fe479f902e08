"""Built-ins on lists, dicts and tables."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from toolc_runtime.budget import charge, check_size, check_weight, grow
from toolc_runtime.errors import Fail
from toolc_runtime.state import Table
from toolc_runtime.values import frozen

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K")
V = TypeVar("V")

_NODE_COST = 100  # loop steps of a node in a walk

Key = tuple[Callable[[Any], Any] | Sequence[Any], bool]
"""What to order by (a function of the item, or the values themselves), and whether descending."""


def any(items: Sequence[bool]) -> bool:
    """Whether one is true."""
    charge(len(items))
    return builtins.any(items)


def all(items: Sequence[bool]) -> bool:
    """Whether none is false."""
    charge(len(items))
    return builtins.all(items)


def first(items: Sequence[T]) -> T:
    """The first item; Fail for none."""
    if not items:
        raise Fail("first of an empty list")
    return items[0]


def last(items: Sequence[T]) -> T:
    """The last item; Fail for none."""
    if not items:
        raise Fail("last of an empty list")
    return items[-1]


def sorted(items: Sequence[T]) -> list[T]:
    """In ascending order, stable."""
    return sorted_by(items, [(items, False)])


def sorted_by(items: Sequence[T], keys: Sequence[Key]) -> list[T]:
    """Ordered by the first key, then the next, stable; Fail where values have no order."""
    size = len(items)
    charge(size * len(keys) * max(1, size.bit_length() // 4))
    places = list(range(size))
    try:
        for key, descending in reversed(keys):
            values = [key(item) for item in items] if callable(key) else key
            places.sort(key=values.__getitem__, reverse=descending)
    except TypeError:
        raise Fail("the values to sort by have no order") from None
    return [items[place] for place in places]


def reverse(items: Any) -> Any:
    """A list or text the other way round."""
    return grow(items[::-1])


def unique(items: Sequence[T]) -> list[T]:
    """Each value once, where it first stood."""
    charge(2 * len(items))
    check_weight(items)
    seen: dict[Any, T] = {}
    for item in items:
        seen.setdefault(frozen(item), item)
    return list(seen.values())


def pairs(a: Sequence[T], b: Sequence[U]) -> list[tuple[T, U]]:
    """Pairs, as many as the shorter list has items."""
    charge(min(len(a), len(b)))
    return list(zip(a, b, strict=False))


def indexed(items: Sequence[T]) -> list[tuple[int, T]]:
    """Pairs of index, from 0, and item."""
    charge(len(items))
    return list(enumerate(items))


def int_range(start: int, stop: int | None = None) -> list[int]:
    """The ints from `start`, or 0, up to and without `stop`."""
    numbers = range(start) if stop is None else range(start, stop)
    size = max(0, numbers.stop - numbers.start)
    check_size(size, text=False)
    charge(size)
    return list(numbers)


def flatten(lists: Sequence[Sequence[T]]) -> list[T]:
    """The items of the lists, in order."""
    charge(len(lists))
    size = sum(map(len, lists))
    check_size(size, text=False)
    charge(size)
    return [item for items in lists for item in items]


def take(items: Sequence[T], count: int) -> list[T]:
    """At most the first `count`."""
    return grow(list(items[: max(0, count)]))


def drop(items: Sequence[T], count: int) -> list[T]:
    """Without the first `count`."""
    return grow(list(items[max(0, count) :]))


def group_by(pairs: Sequence[tuple[K, V]]) -> dict[K, list[V]]:
    """The second members of pairs, listed by the first."""
    charge(len(pairs))
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def keys(entries: dict[K, Any] | Table[K, Any]) -> list[K]:
    """The keys, in order; of a record, those of the fields it has."""
    charge(len(entries))
    return list(entries.keys())


def values(entries: dict[Any, V] | Table[Any, V]) -> list[V]:
    """The values or rows, in order."""
    charge(len(entries))
    return list(entries.values())


def items(entries: dict[K, V] | Table[K, V]) -> list[tuple[K, V]]:
    """Pairs of key and value, in order."""
    charge(len(entries))
    return list(entries.items())


def walk(start: T, step: Callable[[T], Iterable[T] | None]) -> list[T]:
    """The nodes that `step` leads to from `start`, each once, in preorder.

    Scalar nodes (keys) are told apart by value, records by identity: equal files are two files.
    """
    seen: set[Any] = set()
    found: list[T] = []
    todo = [start]
    while todo:
        node = todo.pop()
        mark = (id(node),) if isinstance(node, (dict, list)) else node
        if node is None or mark in seen:
            continue
        seen.add(mark)
        found.append(node)
        children = list(step(node) or ())
        check_size(len(found), text=False)
        charge(_NODE_COST + len(children))
        todo.extend(reversed(children))
    return found
