"""Names of the language from names of the world."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MAX_NAME = 60

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SAME_IN_PLURAL = frozenset(("series", "species", "news", "sms", "gps", "address", "data"))
_SINGULARS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"))


def is_name(text: str) -> bool:
    """Whether a text can stand as an identifier that a spec may declare."""
    return (
        NAME.fullmatch(text) is not None
        and len(text) <= MAX_NAME
        and text != "_"
        and not text.startswith(("__", "_toolc"))
    )


def identifier(text: str, fallback: str = "item") -> str:
    """A text itself where it can be a name, else the nearest name in ASCII."""
    if is_name(text):
        return text
    ascii_text = unicodedata.normalize("NFKD", text[: 4 * MAX_NAME]).encode("ascii", "ignore")
    made = re.sub(r"[^a-zA-Z0-9]+", "_", ascii_text.decode()).strip("_")[:MAX_NAME].rstrip("_")
    if made[:1].isdigit():
        made = f"{fallback}_{made}"[:MAX_NAME]
    return made if is_name(made) else fallback


def attribute(text: str, fallback: str = "item") -> str:
    """A name of a table or a state, which are attributes in Python."""
    made = identifier(text, fallback)
    return made + "_" if keyword.iskeyword(made) else made


def unique(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken."""
    used = set(taken)
    found, number = name, 2
    while found in used:
        found, number = f"{name}{number}", number + 1
    return found


def words(text: str) -> tuple[str, ...]:
    """The words of a name in snake case, camel case or prose, in lower case."""
    return tuple(word.lower() for word in _WORDS.findall(text[: 4 * MAX_NAME]))


def pascal(text: str) -> str:
    """A name for a type."""
    made = "".join(word.capitalize() for word in words(identifier(text)))[:MAX_NAME]
    return made if made and not made[0].isdigit() else f"Item{made}"


def singular(word: str) -> str:
    """One of what an English plural names; other words as they are."""
    if word in _SAME_IN_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    for ending, one in _SINGULARS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + one
    return word[:-1]


def one_of(text: str) -> str:
    """The name of a member, from the name of what holds several."""
    found = words(text)
    return "_".join((*found[:-1], singular(found[-1]))) if found else text
