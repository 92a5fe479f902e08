"""What a model can know at a point of an episode, and whether a value follows from it.

A value is known where it stands in a prompt, a schema or an earlier result, as a number, date or
words however they are written; where it can be worked out of known numbers by one or two steps of
arithmetic; and where a text is put together from known words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from toolc.audit.pool import Schema, resolved
from toolc.audit.wording import counted as counted_in
from toolc_runtime.verify import literals

_COUNTS = """zero no
one a an once first
two twice both pair couple second
three third
four fourth
five fifth
six sixth
seven seventh
eight eighth
nine ninth
ten tenth
eleven
twelve dozen""".splitlines()
_WORDS: dict[str, float] = {
    word: number for number, words in enumerate(_COUNTS) for word in words.split()
}
_WORDS |= {"half": 0.5, "quarter": 0.25, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40}
_WORDS |= {"fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100, "thousand": 1000}
_WORDS |= {"million": 1e6, "billion": 1e9, "percent": 0.01}
_WORDS |= {"noon": 12, "midday": 12, "week": 7, "fortnight": 14, "weekend": 2, "year": 365}
_BARE = frozenset(["zero", "no", "a", "an", "once", "first", "both", "one"])
"""Words for numbers that are in too many texts to reckon with."""
_FACTORS: dict[str, float] = {
    word: factor
    for factor, words in (
        (60, "hour hours minute minutes seconds h min"),
        (24, "day days"),
        (
            1000,
            "km kilometre kilometres kilometer kilometers kg kilo kilos kilogram kilograms gram",
        ),
        (1000, "grams litre litres liter liters ml metre metres meter meters tonne tonnes"),
        (100, "euro euros eur dollar dollars usd pound pounds gbp cent cents pence cm centimetres"),
        (12, "foot feet inch inches dozen"),
    )
    for word in words.split()
}
"""Units, each with the number of smaller ones that a larger one has."""
_PLAIN_NUMBERS = frozenset(words.split()[0] for words in _COUNTS) | {"twenty", "thirty", "fifty"}
_MONTHS = """january february march april may june july august september october november
december""".split()  # noqa: SIM905
_STANDARD = re.compile(r"\b(?:ISO|IATA|ICAO|IANA)\b")
"""Codes of a standard that a schema names are common knowledge: `BE` for Belgium."""
_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1, "week": 7, "fortnight": 14, "month": 30}
_CODE = re.compile(r"[A-Z]+[ #/-]?\d+[A-Z]*")
"""Letters and a number, which tell one thing from others: `QX 159`."""
_NEXT_DAY = re.compile(
    r"\b(?:day (?:before|after|earlier|later|prior)"
    r"|(?:next|previous|following|preceding) day|eve of)\b",
    re.IGNORECASE,
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MOST_FOR_TWO = 14
"""Numbers of which two steps of arithmetic are tried."""

CLOSE = 1e-6


class Knowledge:
    """A growing set of texts and values. With `exact`, what would have to be worked out is not
    known."""

    def __init__(self, *texts: str, exact: bool = False) -> None:
        self.exact = exact
        self.texts: list[str] = []
        self.words: set[str] = set()
        self.numbers: set[float] = set()
        self.bare: set[float] = set()
        self.factors: set[float] = set()
        self.days: set[date] = set()
        self.moments: set[str] = set()
        for text in texts:
            self.read(text)

    def read(self, text: str) -> None:
        """Takes in a text."""
        self.texts.append(text)
        words = literals.words(text)
        self.words |= words
        counted = words & (_PLAIN_NUMBERS if self.exact else _WORDS.keys())
        self.numbers |= {_WORDS[word] for word in counted - _BARE}
        self.numbers |= {float(number) for number in counted_in(text).values() if number > 1}
        self.bare |= {_WORDS[word] for word in counted & _BARE}
        self.factors |= {_FACTORS[word] for word in words & _FACTORS.keys()}
        for number in literals.numbers(text):
            self.numbers |= {float(reading.value) for reading in number.readings}
        for moment, _ in literals.times(text):
            self.numbers |= {float(part) for part in moment.split(":")[:2]}
        for _, find in literals.MOMENTS:
            for value, _ in find(text):
                self.moments.add(value)
                if len(value) >= len("2024-01-01") and value[4] == "-":
                    self.days.add(date.fromisoformat(value[:10]))

    def see(self, value: Any) -> None:
        """Takes in a result."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.read(key)
                self.see(inner)
        elif isinstance(value, list):
            if not self.exact:
                self.numbers |= {len(value), len(value) + 1, len(value) - 1}
                self.numbers |= set(_aggregates(value))
            for inner in value:
                self.see(inner)
        elif isinstance(value, str):
            self.read(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.numbers.add(float(value))

    # ------------------------------------------------------------ questions

    def lacks(self, value: Any, schema: Schema, definitions: Mapping[str, Any]) -> Any:
        """The first part of a value that does not follow from what is known; None where all of it
        does."""
        if value is None or isinstance(value, bool):
            return None
        if schema.get("default", _MISSING) == value:
            return None
        schema = resolved(schema, definitions)
        if value in schema.get("enum", ()) or schema.get("const", _MISSING) == value:
            return None
        if schema.get("default", _MISSING) == value:
            return None
        if isinstance(value, dict):
            return self._lacks_member(value, schema, definitions)
        if isinstance(value, list):
            items = schema.get("items") or {}
            found = (self.lacks(each, items, definitions) for each in value)
            return next((each for each in found if each is not None), None)
        if not isinstance(value, str) and value in (schema.get("minimum"), schema.get("maximum")):
            return None
        if isinstance(value, str) and _STANDARD.search(str(schema.get("description", ""))):
            return None
        known = self._knows_text(value) if isinstance(value, str) else self._knows_number(value)
        return None if known else value

    def _lacks_member(
        self, value: dict[str, Any], schema: Schema, definitions: Mapping[str, Any]
    ) -> Any:
        day = _day_in(value)
        if day is not None and self._knows_moment(day.isoformat()):
            return None
        named = schema.get("properties", {})
        for branch in schema.get("oneOf", ()):
            named = {**named, **resolved(branch, definitions).get("properties", {})}
        rest = schema.get("additionalProperties")
        for name, inner in value.items():
            if name not in named and not self._knows_text(name):
                return name
            within = named.get(name, rest if isinstance(rest, Mapping) else {})
            lacking = self.lacks(inner, within, definitions)
            if lacking is not None:
                return lacking
        return None

    def _knows_text(self, value: str) -> bool:
        if self.exact and any(char.isdigit() for char in value):
            return any(literals.holds(text, value) for text in self.texts) or self._is_told(value)
        if all(not self.words.isdisjoint(_forms(word)) for word in literals.words(value)):
            return True
        if any(literals.holds(text, value) for text in self.texts):
            return True
        if literals.is_decimal(value):
            return self._knows_number(float(value))
        if value.startswith("P") and any(char.isdigit() for char in value):
            return all(
                self._knows_number(float(each))
                for each in "".join(char if char.isdigit() else " " for char in value).split()
            )
        named = {_WEEKDAYS[day.weekday()] for day in self.days}
        named |= {_MONTHS[day.month - 1] for day in self.days}
        return value.casefold() in named or self._knows_moment(value) or self._knows_parts(value)

    def _knows_parts(self, value: str) -> bool:
        """A text of known words and numbers, such as an arithmetic expression. The number of a code
        has to be told: it is not worked out."""
        words = (word for word in literals.words(value) if not word[0].isdigit())
        numbers = list(literals.numbers(value))
        knows = self._told if _CODE.fullmatch(value) else self._knows_number
        return (
            bool(numbers)
            and self.words.issuperset(words)
            and all(knows(float(each.readings[0].value)) for each in numbers)
        )

    def _is_told(self, moment: str) -> bool:
        return moment in self.moments or literals.whole_seconds(moment) in self.moments

    def _knows_moment(self, value: str) -> bool:
        shape = next(
            (n for n, (form, _) in enumerate(literals.MOMENTS) if form.fullmatch(value)), -1
        )
        if shape < 0:
            return False
        if self._is_told(value):
            return True
        if shape == 1:
            return self._knows_time(value)
        day = self._knows_day(date.fromisoformat(value[:10]))
        return day if shape == 0 else day and self._knows_time(value[11:])

    def _knows_time(self, value: str) -> bool:
        """A time of day that is told, or that lies a known number of minutes or hours from one."""
        if value in self.moments or any(each.endswith("T" + value) for each in self.moments):
            return True
        hour, minute = int(value[:2]), int(value[3:5])
        if self._told(hour) and (minute == 0 or self._told(minute)):
            return True
        if (self._told(hour - 12) and minute == 0) or value == "00:00:00":
            return True
        apart = {
            abs(_minutes(each[-8:]) - (hour * 60 + minute)) for each in self.moments if ":" in each
        }
        return any(self._told(minutes) or self._told(minutes / 60) for minutes in apart)

    def _knows_day(self, day: date) -> bool:
        """A day that is told, begins or ends a month that is, or lies a known number of days from
        one."""
        month = _MONTHS[day.month - 1]
        if self.words & {month, month[:3]} and (
            self._told(day.year) or any(other.year == day.year for other in self.days)
        ):
            last = (day + timedelta(1)).day == 1
            if day.day == 1 or last or self._told(day.day) or self.words & _ordinals(day.day):
                return True
        spans = {days for word, days in _DAYS.items() if self.words & {word, word + "s"}}
        spans |= {1 for text in self.texts if _NEXT_DAY.search(text)}
        weekday = _WEEKDAYS[day.weekday()] in self.words
        for other in self.days:
            apart = (day - other).days
            if apart == 0 or apart in spans or -apart in spans or (weekday and abs(apart) <= 14):
                return True
            if any(
                abs(apart) == round(number * unit)
                for number in self.numbers
                if math.isfinite(number)
                for unit in ({1} | spans)
            ):
                return True
            if (day.year, day.month) == (other.year, other.month) and self._told(day.day):
                return True
            if (day.day == 1 or self._told(day.day)) and abs(apart) <= 400:
                return True
        return False

    def _told(self, number: float) -> bool:
        return any(abs(number - each) < CLOSE for each in self.numbers | self.bare)

    def _knows_number(self, value: float) -> bool:
        if self._told(value) or self.exact:
            return self._told(value)
        if any(_close(value, each) for each in self._once):
            return True
        if len(self.numbers) > MOST_FOR_TWO:
            return False
        return any(
            _close(value, each) for one in self._once for each in _combined(one, self.numbers)
        )

    def reckons(self, value: float) -> bool:
        """Whether one step of arithmetic with what was told, without units, gives a number."""
        known = sorted(self.numbers)[:200]
        return any(_close(value, each) for left in known for each in _combined(left, known))

    @property
    def _once(self) -> Iterator[float]:
        """What one step of arithmetic gives."""
        known = sorted(self.numbers)[:200]
        for left in known:
            yield from _combined(left, known)
            for factor in self.factors:
                yield from (left * factor, left / factor)


_MISSING = object()
_PARTS_OF_A_DAY = ("year", "month", "day")


def _day_in(value: Mapping[str, Any]) -> date | None:
    """The day that an object of year, month and day is."""
    if set(value) != set(_PARTS_OF_A_DAY):
        return None
    try:
        return date(*(value[part] for part in _PARTS_OF_A_DAY))
    except (TypeError, ValueError, OverflowError):
        return None


def _forms(word: str) -> set[str]:
    """A word and what its singular or plural may be."""
    return {word, word + "s", word + "es", word.removesuffix("s"), word.removesuffix("es")}


def _ordinals(day: int) -> set[str]:
    return {f"{day}{ending}" for ending in ("st", "nd", "rd", "th")}


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:5])


def _close(value: float, other: float) -> bool:
    return math.isclose(value, other, rel_tol=CLOSE, abs_tol=CLOSE) or value in (
        round(other, 2),
        round(other, 1),
        round(other),
    )


def _combined(left: float, others: Iterable[float]) -> Iterator[float]:
    for right in others:
        yield left + right
        yield left * right
        if left == right:
            continue
        yield left - right
        yield right - left
        if right:
            yield left / right
        if left:
            yield right / left


def _aggregates(items: list[Any]) -> Iterator[float]:
    """Sums and means of the numbers of a list, and of each field of its objects."""
    columns: dict[str, list[float]] = {}
    for item in items:
        cells = item.items() if isinstance(item, dict) else [("", item)]
        for name, cell in cells:
            number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
            if number or (isinstance(cell, str) and literals.is_decimal(cell)):
                columns.setdefault(name, []).append(float(cell))
    for column in columns.values():
        total = math.fsum(column)
        yield from (total, total / len(column))
