"""Numbers, dates and words as people write them, read from text in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from toolc_runtime.errors import Malformed
from toolc_runtime.values import duration_text, parse_duration

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
_ABSOLUTE = Decimal("1e-9")


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

    def means(self, expected: Decimal) -> bool:
        """Whether it says the expected value: exactly; or within 1e-6 of it; or, from three
        significant digits, rounded to the last digit written. A whole number that is written in
        full says itself alone, and a whole number below 1000 is always said exactly."""
        return any(self._says(reading, expected) for reading in self.readings)

    def _says(self, reading: Reading, expected: Decimal) -> bool:
        value, unit, scaled = reading
        gap = abs(value - expected)
        if gap <= _ABSOLUTE:
            return True
        if expected == expected.to_integral_value() and (
            abs(expected) < 1000 or (unit == 1 and not scaled)
        ):
            return False
        return gap <= _RELATIVE * abs(expected) or (self.digits >= 3 and gap <= unit * _HALF)


def numbers(text: str) -> Iterator[Number]:
    """The numbers of a text. Digits inside words, ids, dates, times, ordinals and the marks of a
    numbered list are none."""
    text = _LIST_MARK.sub(" ", _without_moments(text))
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


# ---------------------------------------------------------------- dates and times

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DAY = r"(?P<{0}>[0-9]{{1,2}})(?:st|nd|rd|th)?"
_DATE = re.compile(
    r"(?<![\w-])(?:"
    r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    rf"|{_DAY.format('d1')}(?: of)? (?P<m1>{_MONTH})\.?,? (?P<y1>[0-9]{{4}})"
    rf"|(?P<m2>{_MONTH})\.? {_DAY.format('d2')},? (?P<y2>[0-9]{{4}})"
    r")(?![0-9-]|[^\W_T])",
    re.IGNORECASE,
)
_YEAR = re.compile("[0-9]{4}")
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
    r"(?:[ ]?(?P<half>[ap])\.?m\b\.?)?"
)
_TIME = re.compile(rf"(?<![\w:]){_CLOCK}(?![\w:])", re.IGNORECASE)
_AFTER_DATE = re.compile(rf"(?:T|,?[ ]+(?:at[ ]+)?){_CLOCK}(?![\w:])", re.IGNORECASE)

Found = Iterator[tuple[str, str]]


def dates(text: str) -> Found:
    """The dates of a text: ISO 8601 text, and as written."""
    for hit in _DATE.finditer(text):
        value = _date(hit)
        if value is not None:
            yield value, hit[0]


def times(text: str) -> Found:
    """The times of day of a text: `15:00:00`, and as written."""
    for hit in _TIME.finditer(text):
        value = _clock(hit)
        if value is not None:
            yield value, hit[0]


def datetimes(text: str) -> Found:
    """The dates of a text that a time of day follows."""
    for hit in _DATE.finditer(text):
        after = _AFTER_DATE.match(text, hit.end())
        day, clock = _date(hit), after and _clock(after)
        if day is not None and after is not None and clock is not None:
            yield f"{day}T{clock}", hit[0] + after[0]


MOMENTS: tuple[tuple[re.Pattern[str], Callable[[str], Found]], ...] = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), dates),
    (re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"), times),
    (
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"),
        datetimes,
    ),
)
"""The forms of dates, times and datetimes in JSON, and how each is found in text."""


# ---------------------------------------------------------------- durations

DURATION = re.compile(
    r"-?P(?=[0-9T])(?:[0-9]{1,9}W)?(?:[0-9]{1,9}D)?"
    r"(?:T(?=[0-9])(?:[0-9]{1,9}H)?(?:[0-9]{1,9}M)?(?:[0-9]{1,9}(?:\.[0-9]{1,6})?S)?)?"
)
"""The form of a duration in JSON."""
_ISO_DURATION = re.compile(rf"(?<![\w-]){DURATION.pattern}(?![\w])", re.IGNORECASE)
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_PART = re.compile(
    r"(?<![0-9.,:])(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)[ \u00a0-]?(?:(?P<weeks>weeks?)"
    r"|(?P<days>days?)|(?P<hours>hours?|hrs?|h)|(?P<minutes>minutes?|mins?|m)"
    r"|(?P<seconds>seconds?|secs?|s))(?![^\W0-9_])",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r",?[ \u00a0]?(?:and[ \u00a0])?")


def durations(text: str) -> Found:
    """The durations of a text: ISO 8601 text, and numbers of weeks, days, hours, minutes and
    seconds in this order. A lone `m` or `s` behind a number is none."""
    for hit in _ISO_DURATION.finditer(text):
        yield duration(hit[0].upper()), hit[0]
    several: list[re.Match[str]] = []
    for part in _PART.finditer(text):
        if several and not _goes_on(text, several[-1], part):
            yield from _spelled(text, several)
            several = []
        if several or not text[part.start() - 1 : part.start()].isalnum():
            several.append(part)
    yield from _spelled(text, several)


def _goes_on(text: str, part: re.Match[str], after: re.Match[str]) -> bool:
    smaller = _UNITS.index(str(after.lastgroup)) > _UNITS.index(str(part.lastgroup))
    return smaller and _BETWEEN.fullmatch(text, part.end(), after.start()) is not None


def _spelled(text: str, parts: list[re.Match[str]]) -> Found:
    if not parts or (len(parts) == 1 and parts[0][str(parts[0].lastgroup)] in "msMS"):
        return
    units = {str(part.lastgroup): float(part["number"]) for part in parts}
    with suppress(OverflowError):
        yield duration_text(timedelta(**units)), text[parts[0].start() : parts[-1].end()]


def duration(text: str) -> str:
    """A duration as ISO 8601 writes it, in the one way by which two are compared; other text as it
    is."""
    try:
        return duration_text(parse_duration(text))
    except Malformed:
        return text


def whole_seconds(text: str) -> str:
    """A time or datetime without zeros at the end of its fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(hit: re.Match[str]) -> str | None:
    try:
        if hit["iso"]:
            return date.fromisoformat(hit["iso"]).isoformat()
        day, month, year = (
            (hit["d1"], hit["m1"], hit["y1"]) if hit["d1"] else (hit["d2"], hit["m2"], hit["y2"])
        )
        return date(int(year), _MONTHS.index(month[:3].lower()) + 1, int(day)).isoformat()
    except ValueError:
        return None


def _clock(hit: re.Match[str]) -> str | None:
    hour = int(hit["hour"])
    if hit["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if hit["half"].lower() == "p" else 0)
    fraction = (hit["fraction"] or "").ljust(6, "0")
    try:
        moment = time(hour, int(hit["minute"]), int(hit["second"] or 0), int(fraction))
    except ValueError:
        return None
    return whole_seconds(moment.isoformat())


def _without_moments(text: str) -> str:
    if _YEAR.search(text):
        text = _DATE.sub(" ", text)
    return _TIME.sub(" ", text) if ":" in text else text


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
