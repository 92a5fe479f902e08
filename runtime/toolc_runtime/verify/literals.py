"""Numbers and words as people write them, read from text in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from toolc_runtime.verify.moments import without_moments

# ---------------------------------------------------------------- numbers

MAX_DIGITS = 40
"""Longer numbers are no candidates."""

_SCALES = {"hundred": 2, "thousand": 3, "k": 3, "million": 6, "m": 6, "billion": 9, "b": 9}
_SCALES |= {"mn": 6, "bn": 9, "trillion": 12}
_NUMBER = re.compile(
    r"(?<![\w#])(?<![0-9][.])(?<![^\W0-9_]-)"
    r"(?:(?<![\w).\]])(?P<sign>[-+\u2212]))?"
    r"(?P<whole>[0-9]{1,3}(?:[,_'\u2019\u00a0\u202f\u2009][0-9]{3})+(?![0-9])|[0-9]{1,41}|(?=[.][0-9]))"
    r"(?P<part>[.][0-9]{1,41})?"
    r"(?P<power>[eE][-+]?[0-9]{1,3}(?![0-9]))?"
    r"(?![0-9]|[.][0-9])"
    r"(?:[ \u00a0-]?(?P<scale>(?i:hundred|thousand|million|billion|trillion|mn|bn)|[kKMB])"
    r"(?![^\W_]))?"
    r"(?P<percent>[ \u00a0]?(?:%|percent\b|per cent\b))?"
    r"(?!(?:st|nd|rd|th)\b|[^\W0-9_]{1,8}[0-9])"
)
_DIGITS = re.compile("[0-9]+")
_SIGNS = "-+\u2212"
_LIST_MARK = re.compile(r"(?m)^[ \t]*[0-9]{1,3}[.)](?=[ \t])")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,33})(?:\.[0-9]{1,34})?")
_HALF = Decimal("0.5")
_RELATIVE = Decimal("1e-6")
ABSOLUTE = Decimal("1e-9")


class Reading(NamedTuple):
    """A value that a written number may have, and the unit of its last digit."""

    value: Decimal
    unit: Decimal
    scaled: bool


class Number(NamedTuple):
    """A number as it was written; `digits` counts the significant ones."""

    text: str
    digits: int
    readings: tuple[Reading, ...]

    def means(self, expected: Decimal, within: Decimal = ABSOLUTE) -> bool:
        """Whether it says the expected value: so near to it; or within 1e-6 of it, relatively; or,
        from three significant digits, rounded to the last digit written. A whole number that is
        written in full says itself alone, and a whole number below 1000 is always said exactly."""
        return any(
            abs(reading.value - expected) <= within or self._says(reading, expected)
            for reading in self.readings
        )

    def _says(self, reading: Reading, expected: Decimal) -> bool:
        value, unit, scaled = reading
        gap = abs(value - expected)
        if expected == expected.to_integral_value() and (
            abs(expected) < 1000 or (unit == 1 and not scaled)
        ):
            return False
        return gap <= _RELATIVE * abs(expected) or (self.digits >= 3 and gap <= unit * _HALF)


def numbers(text: str) -> Iterator[Number]:
    """The numbers of a text. Digits inside words, ids, dates, times, ordinals and the marks of a
    numbered list are none."""
    text = _LIST_MARK.sub(" ", without_moments(text))
    digits = _DIGITS.search(text)
    while digits is not None:
        start = digits.start()
        if start and text[start - 1] == ".":
            start -= 1
        if start and text[start - 1] in _SIGNS:
            start -= 1
        hit = _NUMBER.match(text, start) or _NUMBER.match(text, digits.start())
        found = None if hit is None else _read(hit)
        if found is not None:
            yield found
        digits = _DIGITS.search(text, max(digits.end(), hit.end() if hit else 0))


def number(text: str) -> Number | None:
    """A number that is the whole text."""
    hit = _NUMBER.fullmatch(text)
    return None if hit is None else _read(hit)


def _read(hit: re.Match[str]) -> Number | None:
    whole = "".join(_DIGITS.findall(hit["whole"]))
    part = (hit["part"] or "")[1:]
    if len(whole) + len(part) > MAX_DIGITS:
        return None
    power = int(hit["power"][1:]) if hit["power"] else 0
    value = Decimal(f"{whole or 0}.{part or 0}").scaleb(power)
    unit = Decimal(1).scaleb(power - len(part))
    if hit["sign"] in ("-", "\u2212"):
        value = -value
    readings = [Reading(value, unit, power != 0)]
    if hit["scale"]:
        zeros = _SCALES[hit["scale"].lower()]
        readings.append(Reading(value.scaleb(zeros), unit.scaleb(zeros), True))
    if hit["percent"]:
        readings.append(Reading(value.scaleb(-2), unit.scaleb(-2), False))
    return Number(hit[0], len((whole + part).lstrip("0")), tuple(readings))


def exact(value: float) -> Decimal:
    """An int or float as the decimal number that its shortest text says."""
    return Decimal(repr(value))


def is_decimal(text: str) -> bool:
    """Whether a text is a number as a decimal is written."""
    return _DECIMAL.fullmatch(text) is not None


# ---------------------------------------------------------------- words

_WORD = re.compile(r"[^\W_]+")


def plain_words(text: str) -> str:
    """Folded in case, white space as single blanks, without punctuation around it."""
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    start, end = 0, len(folded)
    while start < end and not folded[start].isalnum():
        start += 1
    while end > start and not folded[end - 1].isalnum():
        end -= 1
    return folded[start:end] or folded


def words(text: str) -> frozenset[str]:
    """The words of a text, folded in case."""
    return frozenset(_WORD.findall(text.casefold()))


def holds(text: str, value: str) -> bool:
    """Whether a text holds a value as whole words."""
    return next(_places(_folded(text), plain_words(value)), None) is not None


def blank(text: str, value: str) -> str:
    """The text, folded, without the places that hold the value."""
    folded, wanted = _folded(text), plain_words(value)
    parts, last = [], 0
    for place in _places(folded, wanted):
        if place >= last:
            parts.append(folded[last:place])
            last = place + len(wanted)
    return " | ".join([*parts, folded[last:]])


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _places(text: str, wanted: str) -> Iterator[int]:
    if not wanted:
        return
    place = text.find(wanted)
    while place >= 0:
        if not _continues(text, place, -1) and not _continues(text, place + len(wanted) - 1, 1):
            yield place
        place = text.find(wanted, place + 1)


def _continues(text: str, edge: int, way: int) -> bool:
    """Whether a word goes on beyond one of its ends: by a letter or digit, or, between digits, by a
    point or comma and a digit."""
    if not text[edge].isalnum():
        return False
    beside = text[edge + way] if 0 <= edge + way < len(text) else " "
    if beside.isalnum():
        return True
    beyond = text[edge + 2 * way] if 0 <= edge + 2 * way < len(text) else " "
    return beside in ".," and text[edge].isdigit() and beyond.isdigit()
