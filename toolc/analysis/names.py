"""Near names, for help."""

from __future__ import annotations

from collections.abc import Iterable

from toolc.diagnostics.diagnostic import Edit, Fix
from toolc.node import Span

MAX_CANDIDATES = 500
"""Names that are looked at: a spec may hold thousands of names, and as many that are unknown."""


def distance(a: str, b: str, limit: int) -> int:
    """Edit distance with transpositions (optimal string alignment), or limit + 1 when larger."""
    if abs(len(a) - len(b)) > limit or len(set(a) ^ set(b)) > 2 * limit:
        return limit + 1
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]


def near(name: str, candidates: Iterable[str]) -> list[str]:
    """At most three names that `name` may be meant for, the nearest first."""
    folded = name.casefold()
    found = []
    for candidate in sorted(set(candidates) - {name})[:MAX_CANDIDATES]:
        limit = 1 if min(len(name), len(candidate)) <= 3 else 2
        far = distance(folded, candidate.casefold(), limit)
        if far <= limit:
            found.append((far, candidate))
    return [candidate for _, candidate in sorted(found)[:3]]


def suggest(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """The help lines for an unknown name."""
    names = near(name, candidates)
    if not names:
        return ()
    return ("did you mean " + " or ".join(f"`{found}`" for found in names) + "?",)


def respell(span: Span, name: str, candidates: Iterable[str]) -> Fix | None:
    """The fix of a misspelt name, where only one is near."""
    names = near(name, candidates)
    if len(names) != 1:
        return None
    return Fix(f"write `{names[0]}`", (Edit(span, names[0]),), "unsafe")


def counted(count: int) -> str:
    """How many names."""
    return "1 name" if count == 1 else f"{count} names"


def listed(names: Iterable[str]) -> str:
    """Names as a message shows several."""
    return ", ".join(f"`{name}`" for name in names)
