"""Stage 4: tools become harder to use, by transformations that have names and a seed.

A transformation proposes changes of tools, whose adapters keep every plan in step, and tools that
no plan needs. Both keep the types: the compiler checks what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from toolc.generate.draft import Change, Draft, Source, changed, with_further
from toolc.generate.integrate import documented


class Scaling(NamedTuple):
    """What a transformation proposes: changes of tools, and tools that are new."""

    changes: Sequence[Change] = ()
    further: Sequence[Change] = ()


Transformation = Callable[[Draft, Random], Scaling]


def scale(
    draft: Draft,
    source: Source,
    transformations: Mapping[str, Transformation],
    names: Sequence[str],
    seed: int,
) -> Draft:
    """The draft after the named transformations. Each has a generator of its own, so that leaving
    one out changes no other."""
    for name in names:
        scaling = transformations[name](draft, Random(f"{seed} {name} {draft.name}"))
        draft = changed(draft, [documented(draft, each, source) for each in scaling.changes])
        further = [documented(draft, each, source) for each in scaling.further]
        draft = with_further(draft, further)
    return draft
