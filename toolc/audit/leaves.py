"""The scalars of answers and results, and whether a text holds them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from toolc_runtime.verify import literals

TELLING = 3
"""Characters or digits from which on a value hardly stands somewhere by chance."""


def fields(
    value: Any, name: str = "", data: Container[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Every scalar of a value as text, with the name of the innermost field that it is in; null
    and booleans are left out. Labels that are `data`, such as keys of a table, are no names."""
    if isinstance(value, dict):
        for label, inner in value.items():
            yield from fields(inner, name if label in data else label, data)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, name, data)
    elif value is not None and not isinstance(value, bool):
        yield name, str(value)


def leaves(value: Any) -> list[str]:
    """The same without the names."""
    return [leaf for _, leaf in fields(value)]


def distinctive(value: Any) -> bool:
    """Whether a value, or a part of it, is hardly found by chance."""
    if isinstance(value, dict):
        return any(map(distinctive, value.values()))
    if isinstance(value, list):
        return any(map(distinctive, value))
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, (int, float)):
        return len(str(value).strip("-0.").replace(".", "")) >= TELLING
    return len(value) >= TELLING


def stands_in(leaf: str, text: str) -> bool:
    """Whether a text holds a scalar, as a number, a moment or words however written."""
    number = literals.number(leaf)
    if number is not None:
        value = literals.exact(float(leaf.replace(",", "")))
        return any(each.means(value) for each in literals.numbers(text))
    moments = [value for _, read in literals.MOMENTS for value, _ in read(text)]
    return literals.holds(text, leaf) or leaf in moments
