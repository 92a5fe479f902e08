"""What kind of problem a plan is, from the dependencies between its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

Kind = Literal["none", "single_hop", "parallel_single_hop", "multi_hop", "parallel_multi_hop"]


class Shape(NamedTuple):
    """`depth`: the longest chain of dependent steps; `width`: the most steps at one level."""

    kind: Kind
    depth: int
    width: int


def shape(after: Sequence[Sequence[int]]) -> Shape:
    """The shape of a plan; `after[i]` are the earlier steps that step i depends on.

    A step's level is one more than the highest level among those.
    """
    levels: list[int] = []
    for earlier in after:
        levels.append(1 + max((levels[index] for index in earlier), default=0))
    depth = max(levels, default=0)
    width = max(Counter(levels).values(), default=0)
    return Shape(_kind(depth, width), depth, width)


def _kind(depth: int, width: int) -> Kind:
    if depth == 0:
        return "none"
    if depth == 1:
        return "single_hop" if width == 1 else "parallel_single_hop"
    return "multi_hop" if width == 1 else "parallel_multi_hop"
