"""Near names, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> list[str]:
    """At most three known names within two edits, one for short names; nearest first."""
    reach = 1 if len(name) <= 3 else 2
    scored = [
        (distance, other) for other in known if (distance := _edits(name, other, reach)) <= reach
    ]
    return [other for _, other in sorted(scored)[:3]]


def _edits(a: str, b: str, reach: int) -> int:
    if abs(len(a) - len(b)) > reach:
        return reach + 1
    row = list(range(len(b) + 1))
    for i, left in enumerate(a.lower(), 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b.lower()[: len(b)], 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]
