"""Built-ins on dates, times and durations. All are without a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from toolc_runtime.errors import Fail, Malformed
from toolc_runtime.state import State, now
from toolc_runtime.values import parse_date, parse_datetime, parse_duration, parse_time

T = TypeVar("T")

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def today(state: State) -> date:
    """The clock's date."""
    return now(state).date()


def to_date(value: datetime | str) -> date:
    """The day of a moment, or one read from ISO 8601 text; Fail for other text."""
    return _read(parse_date, value) if isinstance(value, str) else value.date()


def to_time(value: datetime | str) -> time:
    """The time of day of a moment, or one read from ISO 8601 text; Fail for other text."""
    return _read(parse_time, value) if isinstance(value, str) else value.time()


def to_datetime(value: date | str, at: time = time()) -> datetime:
    """A time of a day (midnight), or a moment read from ISO 8601 text; Fail for other text."""
    return _read(parse_datetime, value) if isinstance(value, str) else datetime.combine(value, at)


def to_duration(text: str) -> timedelta:
    """A duration read from ISO 8601 text; Fail for other text."""
    return _read(parse_duration, text)


def _read(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except Malformed as error:
        raise Fail(str(error)) from None


def year(day: date) -> int:
    """The year."""
    return day.year


def month(day: date) -> int:
    """The month, 1 to 12."""
    return day.month


def day(day: date) -> int:
    """The day of the month."""
    return day.day


def hour(moment: datetime | time) -> int:
    """The hour, 0 to 23."""
    return moment.hour


def minute(moment: datetime | time) -> int:
    """The minute."""
    return moment.minute


def weekday(day: date) -> str:
    """The day's English name in lower case."""
    return _DAYS[day.weekday()].lower()


def days(duration: timedelta) -> float:
    """A duration in days."""
    return duration / timedelta(days=1)


def seconds(duration: timedelta) -> float:
    """A duration in seconds."""
    return duration.total_seconds()


_DATE_PARTS: dict[str, Callable[[date], str]] = {
    "Y": lambda day: f"{day.year:04}",
    "y": lambda day: f"{day.year % 100:02}",
    "m": lambda day: f"{day.month:02}",
    "d": lambda day: f"{day.day:02}",
    "j": lambda day: f"{day.timetuple().tm_yday:03}",
    "B": lambda day: _MONTHS[day.month - 1],
    "b": lambda day: _MONTHS[day.month - 1][:3],
    "A": lambda day: _DAYS[day.weekday()],
    "a": lambda day: _DAYS[day.weekday()][:3],
}
_TIME_PARTS: dict[str, Callable[[time], str]] = {
    "H": lambda at: f"{at.hour:02}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "f": lambda at: f"{at.microsecond:06}",
    "I": lambda at: f"{(at.hour + 11) % 12 + 1:02}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
}


def format_date(value: date | time, format: str) -> str:
    """By a pattern of `%Y %y %m %d %j %B %b %A %a %H %M %S %f %I %p %%`, in English.

    Fail for another letter, and for a part that the value does not have.
    """
    if len(format) > 1_000:
        raise Fail("the format of a date has at most 1,000 characters")
    on = value if isinstance(value, date) else None
    at = value.time() if isinstance(value, datetime) else value if isinstance(value, time) else None
    parts = []
    pieces = iter(format)
    for char in pieces:
        if char != "%":
            parts.append(char)
            continue
        letter = next(pieces, "")
        if letter == "%":
            parts.append("%")
        elif letter in _DATE_PARTS and on is not None:
            parts.append(_DATE_PARTS[letter](on))
        elif letter in _TIME_PARTS and at is not None:
            parts.append(_TIME_PARTS[letter](at))
        else:
            raise Fail(f"`%{letter}` has no value here")
    return "".join(parts)
