"""English for names of tables and columns: nouns, plurals, phrases, units."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from toolc.importing.names import one_of, words

_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "staff": "staff member",
    "stock": "stock entry",
    "inventory": "inventory entry",
    "trash": "trash entry",
    "data": "data entry",
    "history": "history entry",
    "news": "news item",
    "series": "series",
    "species": "species",
    "analyses": "analysis",
    "criteria": "criterion",
    "indices": "index",
    "leaves": "leaf",
    "statuses": "status",
    "addresses": "address",
    "buses": "bus",
    "movies": "movie",
    "shelves": "shelf",
}

PERSONS = frozenset(
    (
        "person",
        "user",
        "customer",
        "employee",
        "student",
        "teacher",
        "member",
        "patient",
        "author",
        "traveller",
        "traveler",
        "staff",
        "guest",
        "driver",
        "agent",
        "manager",
        "owner",
        "client",
        "passenger",
        "player",
    )
)
"""Nouns of people: what refers to one is named by its own column: an organiser, an owner."""


class Noun(NamedTuple):
    """A noun in singular and plural, in lower case with blanks."""

    one: str
    many: str

    @property
    def person(self) -> bool:
        return self.one.split(" ")[-1] in PERSONS


def noun_of(name: str) -> Noun:
    """The noun that a table's name is, taken as a plural."""
    found = words(name) or ("row",)
    last = found[-1]
    one = _IRREGULAR.get(last) or " ".join(words(one_of(last))) or last
    singular = " ".join((*found[:-1], one))
    return Noun(singular, plural(singular))


def plural(text: str) -> str:
    """The plural of a noun phrase."""
    before, _, last = text.rpartition(" ")
    many = next((many for many, one in _IRREGULAR.items() if one == last), "")
    if not many or last.endswith(("entry", "member", "item")) or " " in _IRREGULAR.get(many, ""):
        many = _regular(last)
    return f"{before} {many}".strip()


def _regular(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word if word in ("series", "species") else word + "es"
    return word + "s"


def ascii_words(text: str) -> str:
    """A label's words in ASCII, blanks between them; "" where it has none."""
    folded = unicodedata.normalize("NFKD", text[:200]).encode("ascii", "ignore").decode()
    return " ".join(words(folded))


# ---------------------------------------------------------------- columns

_UNITS = {
    "grams": "weight in grams",
    "kg": "weight in kilograms",
    "kilograms": "weight in kilograms",
    "watts": "power in watts",
    "kwh": "energy in kilowatt hours",
    "km": "distance in kilometres",
    "kilometres": "distance in kilometres",
    "metres": "length in metres",
    "minutes": "duration in minutes",
    "seconds": "duration in seconds",
    "hours": "duration in hours",
    "celsius": "temperature in degrees Celsius",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "qty": "quantity",
}
_SUFFIXES = {
    "kg": "in kilograms",
    "g": "in grams",
    "km": "in kilometres",
    "m": "in metres",
    "cm": "in centimetres",
    "mm": "in millimetres",
    "months": "in months",
    "minutes": "in minutes",
    "min": "in minutes",
    "hours": "in hours",
    "days": "in days",
    "seconds": "in seconds",
    "usd": "in US dollars",
    "eur": "in euros",
    "gbp": "in pounds",
    "pct": "in per cent",
    "percent": "in per cent",
    "celsius": "in degrees Celsius",
    "kwh": "in kilowatt hours",
}
_NO_COUNTS = frozenset(("status", "address", "gross", "loss", "class", "bonus", "basis", "days"))
_ADJECTIVES = frozenset(
    ("open", "on", "off", "high", "low", "above", "below", "min", "max", "left")
)
_WRAPPED = frozenset(("id", "ids", "code", "key", "no", "name", "ref"))


def phrase(name: str, type: str = "str") -> str:
    """What a column holds, as a noun phrase: `number of seats`, `weight in grams`."""
    found = words(name)
    if not found:
        return name
    if name.lower() in _UNITS:
        return _UNITS[name.lower()]
    if len(found) > 1 and found[-1] in _SUFFIXES and type in ("int", "float"):
        return " ".join((*found[:-1], _SUFFIXES[found[-1]]))
    text = " ".join("ID" if word == "id" else word for word in found)
    if type == "int" and found[-1].endswith("s") and found[-1] not in _NO_COUNTS:
        return text if "number" in found else f"number of {text}"
    if type == "date" and found[-1] not in ("date", "day", "birthday"):
        return f"“{text}” date"
    if type in ("time", "datetime") and found[-1] not in ("time", "date", "at"):
        return f"“{text}” time"
    if type in ("int", "float") and (found[-1].endswith("ed") or found[-1] in _ADJECTIVES):
        return f"“{text}” value"
    if found[-1] in ("at", "on", "by", "from", "to", "until", "since", "of", "in"):
        return f"“{text}” entry"
    return text


def role(name: str, target: Noun) -> str:
    """What a row is to another that refers to it: the `origin airport` of a flight."""
    found = words(name)
    while len(found) > 1 and found[-1] in _WRAPPED:
        found = found[:-1]
    text = " ".join(found)
    if set(found) <= GENERIC:
        return target.one
    if target.one in text or text in target.one or text in _PREPOSITIONS:
        return target.one if text in target.one or text in _PREPOSITIONS else text
    return text if target.person else f"{text} {target.one}"


GENERIC = frozenset(
    ("id", "key", "code", "name", "number", "title", "slug", "uuid", "email", "login", "sku", "no")
)
"""Words of columns that say nothing of what is meant."""
_PREPOSITIONS = frozenset(("by", "from", "to", "of", "for", "in", "at", "id", "key"))


def a(text: str) -> str:
    """The phrase with its indefinite article."""
    return f"{'an' if text[:1] in 'aeiouAEIOU' and not text.startswith('u') else 'a'} {text}"
