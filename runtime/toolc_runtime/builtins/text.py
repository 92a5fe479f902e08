"""Built-ins on text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolc_runtime.budget import MAX_TEXT, charge, check_size, check_weight, grow
from toolc_runtime.errors import Fail, PatternError
from toolc_runtime.patterns import compile_pattern
from toolc_runtime.values import canonical, plain


def lower(text: str) -> str:
    """In lower case."""
    return grow(text.lower())


def upper(text: str) -> str:
    """In upper case."""
    return grow(text.upper())


def title(text: str) -> str:
    """Each word with a capital."""
    return grow(text.title())


def strip(text: str) -> str:
    """Without white space at both ends."""
    return text.strip()


def split(text: str, separator: str | None = None) -> list[str]:
    """The parts between separators, or the words; Fail for an empty separator."""
    if separator == "":
        raise Fail("the separator of split is empty")
    charge(len(text))
    return grow(text.split(separator))


def join(parts: Sequence[str], separator: str) -> str:
    """The parts in one text."""
    charge(len(parts))
    check_size(sum(map(len, parts)) + len(separator) * (len(parts) - 1), text=True)
    return grow(separator.join(parts))


def replace(text: str, old: str, new: str) -> str:
    """Every `old` replaced by `new`."""
    charge(len(text))
    check_size(len(text) + text.count(old) * (len(new) - len(old)), text=True)
    return grow(text.replace(old, new))


def starts_with(text: str, prefix: str) -> bool:
    """Whether it begins so."""
    return text.startswith(prefix)


def ends_with(text: str, suffix: str) -> bool:
    """Whether it ends so."""
    return text.endswith(suffix)


def contains(text: str, part: str) -> bool:
    """Whether the part occurs."""
    charge(len(text) >> 4)
    return part in text


def find(text: str, part: str) -> int | None:
    """Where the part first occurs, from 0, or None."""
    charge(len(text) >> 4)
    index = text.find(part)
    return None if index < 0 else index


def pad(text: str, width: int, fill: str = " ") -> str:
    """Filled up on the left to a width; Fail unless `fill` is one character."""
    if len(fill) != 1:
        raise Fail("pad fills with one character")
    check_size(width, text=True)
    return text.rjust(width, fill)


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found in the text; Fail for a bad pattern."""
    charge(16 * len(text))
    try:
        return compile_pattern(pattern).search(text)
    except PatternError as error:
        raise Fail(f"bad pattern: {error}") from None


def similarity(a: str, b: str) -> float:
    """Twice the length of the longest common subsequence over the sum of the lengths.

    1 for two empty texts.
    """
    if not a and not b:
        return 1.0
    charge(len(a) + (len(a) * len(b) >> 9))
    places: dict[str, int] = {}
    for index, char in enumerate(b):
        places[char] = places.get(char, 0) | 1 << index
    # A row of the usual table of lengths as one integer: a zero bit where the length grows.
    row = full = (1 << len(b)) - 1
    for char in a:
        both = row & places.get(char, 0)
        row = (row + both | row - both) & full
    common = len(b) - row.bit_count()
    return 2 * common / (len(a) + len(b))


def text(value: Any) -> str:
    """As the value stands in an interpolated text: numbers as Python writes them, lists and
    records as canonical JSON, `true`, `false` and `null`."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int or kind is float:
        return str(value)
    if kind is bool or value is None or kind in (list, dict, tuple):
        return to_json(value)
    return str(plain(value))


def to_json(value: Any) -> str:
    """Canonical JSON text; Fail where the value has none."""
    try:
        check_weight(value, MAX_TEXT)
        return grow(canonical(value))
    except (ValueError, TypeError, RecursionError):
        raise Fail("the value has no JSON text") from None
