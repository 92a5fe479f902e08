"""Dates, times of day and durations as people write them, read from text in linear time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from decimal import Decimal

Found = Iterator[tuple[str, str]]
"""Values in one form for all that are equal, each with how it stood in the text."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DAY = r"(?P<{0}>[0-9]{{1,2}})(?:st|nd|rd|th)?"
_DATE = re.compile(
    r"(?<![\w-])(?:"
    r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}/[0-9]{2}/[0-9]{2})"
    rf"|{_DAY.format('d1')}(?: of)? (?P<m1>{_MONTH})\.?,? (?P<y1>[0-9]{{4}})"
    rf"|(?P<m2>{_MONTH})\.? {_DAY.format('d2')},? (?P<y2>[0-9]{{4}})"
    r")(?![0-9-]|[^\W_T])",
    re.IGNORECASE,
)
_YEAR = re.compile("[0-9]{4}")
_CLOCK = (
    r"(?P<hour>[0-9]{1,2})(?=:[0-9]{2}|[ ]?[ap]\.?m\b)"
    r"(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?)?"
    r"(?:[ ]?(?P<half>[ap])\.?m\b\.?)?"
)
_TIME = re.compile(rf"(?<![\w:]){_CLOCK}(?![\w:])", re.IGNORECASE)
_MAY_BE_TIME = re.compile(r"[0-9](?::|[ ]?[ap]\.?m\b)", re.IGNORECASE)
_AFTER_DATE = re.compile(rf"(?:T|,?[ ]+(?:at[ ]+)?){_CLOCK}Z?(?![\w:])", re.IGNORECASE)
_BEFORE_DATE = re.compile(rf"(?<![\w:]){_CLOCK},?[ ]+(?:on[ ]+)?\Z", re.IGNORECASE)
_LONGEST_CLOCK = 30
"""Characters before a date in which its time of day is looked for."""


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
    """The dates of a text that a time of day follows, or else comes before."""
    used = 0
    for hit in _DATE.finditer(text):
        day = _date(hit)
        after = _AFTER_DATE.match(text, hit.end())
        start = max(used, hit.start() - _LONGEST_CLOCK)
        before = None if after else _BEFORE_DATE.search(text[start : hit.start()])
        beside = after or before
        used = after.end() if after else hit.end()
        clock = beside and _clock(beside)
        if beside is not None and day is not None and clock is not None:
            yield f"{day}T{clock}", hit[0] + beside[0] if after else beside[0] + hit[0]


def without_moments(text: str) -> str:
    """The text without its dates and times."""
    if _YEAR.search(text):
        text = _DATE.sub(" ", text)
    return _TIME.sub(" ", text) if _MAY_BE_TIME.search(text) else text


def whole_seconds(text: str) -> str:
    """A time or datetime without zeros at the end of its fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(hit: re.Match[str]) -> str | None:
    try:
        if hit["iso"]:
            return date.fromisoformat(hit["iso"].replace("/", "-")).isoformat()
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
        moment = time(hour, int(hit["minute"] or 0), int(hit["second"] or 0), int(fraction))
    except ValueError:
        return None
    return whole_seconds(moment.isoformat())


# ---------------------------------------------------------------- durations

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_COUNT = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_ISO = (
    rf"-?P(?=[0-9T])(?:{_COUNT}W)?(?:{_COUNT}D)?"
    rf"(?:T(?=[0-9])(?:{_COUNT}H)?(?:{_COUNT}M)?(?:{_COUNT}S)?)?"
)
_UNIT = "w(?:eeks?|ks?)?|d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?"
_PART = rf"{_COUNT}[ \u00a0-]?(?:{_UNIT})(?![^\W\d_])"
_DURATION = re.compile(
    rf"(?<![\w.,#])(?:(?P<iso>{_ISO})(?!\w)|{_PART}(?:,?[ ]?(?:and[ ])?{_PART})*)", re.IGNORECASE
)
_COUNTED = re.compile(rf"({_COUNT})[ \u00a0-]?([wdhms])", re.IGNORECASE)


def durations(text: str) -> Found:
    """The durations of a text in seconds: ISO 8601 text, and as written (`2 hours 30 minutes`)."""
    for hit in _DURATION.finditer(text):
        yield seconds_of(hit[0]), hit[0]


def seconds_of(text: str) -> str:
    """The seconds of a duration that `durations` found."""
    parts = _COUNTED.findall(text)
    total = sum((Decimal(count) * _SECONDS[unit.lower()] for count, unit in parts), Decimal(0))
    return str((-total if text.startswith("-") else total).normalize())


Shape = tuple[re.Pattern[str], Callable[[str], Found]]
"""The form that values have in JSON, and how they are found in text."""
MOMENTS: tuple[Shape, ...] = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), dates),
    (re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"), times),
    (
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"),
        datetimes,
    ),
)
"""Dates, times and datetimes."""
DURATION: Shape = (re.compile(_ISO), durations)
