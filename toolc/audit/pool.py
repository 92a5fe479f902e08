"""Values that a caller could give: drawn from a prompt, from the data, or from other values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from itertools import chain, islice, permutations
from random import Random
from typing import Any

from toolc_runtime.state import Base
from toolc_runtime.values import plain
from toolc_runtime.verify import literals

MAX_KEYS = 20_000
"""Keys of an environment's tables that are known to a pool."""

LONGEST_CODE = 12
"""Characters of a text that may be a code, such as a seat or a shelf."""

LONGEST = 6
"""Words of the longest key that is found in a prompt."""

_QUOTED = re.compile(
    r"['\"\u2018\u2019\u201c\u201d]([^'\"\u2018\u2019\u201c\u201d]{1,80})['\"\u2018\u2019\u201c\u201d]"
)
_PLAIN = re.compile(r"\S+")

Schema = Mapping[str, Any]


class Keys:
    """The keys of an environment's tables, found by their words."""

    def __init__(self, base: Base) -> None:
        self.tables: dict[str, list[Any]] = {
            name: [plain(key) for key in islice(source.rows, MAX_KEYS)]
            for name, source in base.tables.items()
        }
        every = chain.from_iterable(self.tables.values())
        self.texts = [key for key in every if isinstance(key, str)]
        self._known = frozenset(self.texts)
        self._by_words = {literals.plain_words(key): key for key in self.texts}

    def __contains__(self, text: object) -> bool:
        return text in self._known

    def within(self, text: str) -> list[str]:
        """The keys that a text holds as whole words."""
        words = _PLAIN.findall(text)
        found: dict[str, None] = {}
        for start in range(len(words)):
            for end in range(start + 1, min(start + LONGEST, len(words)) + 1):
                key = self._by_words.get(literals.plain_words(" ".join(words[start:end])))
                if key is not None:
                    found[key] = None
        return list(found)

    def alike(self, key: str, text: str) -> bool:
        """Whether a text holds another key of a table that has this one."""
        found = set(self.within(text)) - {key}
        return any(key in keys and not found.isdisjoint(keys) for keys in self.tables.values())

    def beside(self, value: Any, most: int = 3) -> Iterator[Any]:
        """Other keys of the tables that have this one."""
        for keys in self.tables.values():
            if value in keys:
                at = keys.index(value)
                yield from islice((key for key in keys[at + 1 :] + keys[:at] if key != value), most)


class Pool:
    """The values that a text offers to somebody who fills in arguments; `guessed` are texts that
    are tried as often, and `groups` are arguments of several calls of one tool, which another may
    take in one."""

    def __init__(
        self,
        text: str,
        keys: Keys,
        guessed: Sequence[str] = (),
        also: Sequence[str] = (),
        groups: Sequence[Sequence[Mapping[str, Any]]] = (),
    ) -> None:
        self.groups = groups
        self.quoted: list[str] = _QUOTED.findall(text)
        self.texts: list[str] = list(dict.fromkeys([*keys.within(text), *self.quoted, *also]))
        self.numbers: list[float] = [
            float(reading.value)
            for number in literals.numbers(text)
            for reading in number.readings[:1]
        ]
        self.moments = [list(read(text)) for _, read in literals.MOMENTS]
        self.guessed = guessed

    def values(self, schema: Schema, definitions: Mapping[str, Any]) -> Iterator[Any]:
        """The values for a schema that are told, or that it lists; they need not be valid."""
        schema = resolved(schema, definitions)
        kind = str(schema.get("type"))
        if "enum" in schema:
            yield from schema["enum"]
        elif "const" in schema:
            yield schema["const"]
        elif kind == "boolean":
            yield from (True, False)
        elif kind in ("integer", "number"):
            yield from self._fitting(schema)
        elif kind == "array":
            yield from self._gathered(schema, definitions)
            inner = list(self.values(schema.get("items", {}), definitions))
            yield from ([each] for each in inner)
            if len(inner) > 1:
                yield inner
        elif kind == "object":
            yield from self._mapped(schema)
            yield _object(self, schema, definitions, Random(0))
        else:
            yield from self._moments_of(schema) or self.texts

    def _gathered(self, schema: Schema, definitions: Mapping[str, Any]) -> Iterator[list[Any]]:
        """What several calls took, as one list: of one argument, or of objects of all of them."""
        members = resolved(schema.get("items", {}), definitions).get("properties")
        for group in self.groups:
            if members:
                yield [{name: row[name] for name in row if name in members} for row in group]
            else:
                yield from ([row[name] for row in group] for name in _common(group))

    def _mapped(self, schema: Schema) -> Iterator[dict[str, Any]]:
        """The same as one object of the caller's own making: one argument by another."""
        if not schema.get("additionalProperties"):
            return
        for group in self.groups:
            for key, value in permutations(_common(group), 2):
                if all(isinstance(row[key], str) for row in group):
                    yield {row[key]: row[value] for row in group}

    def _fitting(self, schema: Schema) -> list[float]:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf))
        high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
        fitting = [number for number in dict.fromkeys(self.numbers) if low <= number <= high]
        if schema.get("type") == "integer":
            return [int(number) for number in fitting if number == int(number)]
        return fitting

    def _moments_of(self, schema: Schema) -> list[str]:
        forms = zip(("date", "time-local", "date-time-local"), self.moments, strict=True)
        found = next((each for form, each in forms if schema.get("format") == form), [])
        return [value for value, _ in found]

    def draw(self, schema: Schema, definitions: Mapping[str, Any], random: Random) -> Any:
        """A value for a schema, at random; it need not be valid."""
        schema = resolved(schema, definitions)
        if "enum" in schema:
            return random.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        return _DRAWN.get(str(schema.get("type")), _text)(self, schema, definitions, random)

    def arguments(self, parameters: Schema, random: Random) -> dict[str, Any]:
        """Arguments for a tool: the required ones, and each other one half of the time."""
        definitions = parameters.get("$defs", {})
        required = parameters.get("required", ())
        return {
            name: self.draw(schema, definitions, random)
            for name, schema in parameters.get("properties", {}).items()
            if name in required or random.random() < 0.5
        }


def _common(group: Sequence[Mapping[str, Any]]) -> list[str]:
    """The arguments that all calls of a group have."""
    return [name for name in group[0] if all(name in row for row in group)]


def resolved(schema: Schema, definitions: Mapping[str, Any]) -> Schema:
    """A schema with references followed, and the part that is not null of one that may be."""
    for _ in range(20):
        if "$ref" in schema:
            schema = definitions.get(str(schema["$ref"]).rpartition("/")[2], {})
        elif "anyOf" in schema:
            schema = next((each for each in schema["anyOf"] if each.get("type") != "null"), {})
        elif "oneOf" in schema:
            schema = schema["oneOf"][0]
        elif isinstance(schema.get("type"), list):
            return {**schema, "type": next(each for each in schema["type"] if each != "null")}
        else:
            return schema
    return {}


def _number(pool: Pool, schema: Schema, definitions: Mapping[str, Any], random: Random) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 20))
    fitting = [number for number in pool.numbers if low <= number <= high]
    value = random.choice(fitting) if fitting else low + (high - low) * random.random()
    return int(value) if schema.get("type") == "integer" else round(value, 2)


def _text(pool: Pool, schema: Schema, definitions: Mapping[str, Any], random: Random) -> Any:
    moments = pool._moments_of(schema)
    if moments:
        return random.choice(moments)
    known = pool.guessed if pool.guessed and random.random() < 0.5 else pool.texts
    return random.choice(known or pool.guessed or ["something"])


def _list(pool: Pool, schema: Schema, definitions: Mapping[str, Any], random: Random) -> Any:
    size = max(1, schema.get("minItems", 1))
    return [pool.draw(schema.get("items", {}), definitions, random) for _ in range(min(size, 20))]


def _object(pool: Pool, schema: Schema, definitions: Mapping[str, Any], random: Random) -> Any:
    required = schema.get("required", ())
    return {
        name: pool.draw(inner, definitions, random)
        for name, inner in schema.get("properties", {}).items()
        if name in required
    }


_DRAWN: dict[str, Callable[[Pool, Schema, Mapping[str, Any], Random], Any]] = {
    "integer": _number,
    "number": _number,
    "string": _text,
    "array": _list,
    "object": _object,
    "boolean": lambda pool, schema, definitions, random: random.random() < 0.5,
}


# ---------------------------------------------------------------- other values


def others(value: Any, schema: Schema, definitions: Mapping[str, Any], keys: Keys) -> Iterator[Any]:
    """Values that differ from one, the likeliest slips first; they need not be valid."""
    schema = resolved(schema, definitions)
    if "enum" in schema:
        yield from (each for each in schema["enum"] if each != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from islice(keys.beside(value), 2)
        if schema.get("type") != "integer":
            yield _near(value)
        yield from (value + 1, value - 1, value * 2, 0)
    elif isinstance(value, str):
        yield from _other_texts(value, keys)
    elif isinstance(value, list):
        yield from _other_lists(value, schema, definitions, keys)
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            within = known if isinstance(known, Mapping) else {}
            for other in islice(others(inner, within, definitions, keys), 2):
                yield {**value, name: other}


def _near(value: float) -> float:
    """A number that is another one, and the same when both are rounded or cut off."""
    apart = 0.4 if abs(value) >= 1 else abs(value) * 0.4
    return round(value + apart if round(value + apart) == round(value) else value - apart, 6)


def _other_texts(value: str, keys: Keys) -> Iterator[str]:
    yield from (key for key in keys.beside(value) if isinstance(key, str))
    with suppress(ValueError, OverflowError):
        yield (date.fromisoformat(value[:10]) + timedelta(1)).isoformat() + value[10:]
    number = literals.number(value)
    if number is not None:
        exact = number.readings[0].value
        yield str(exact + 1)
        if "." in value:
            yield str(_near(float(exact)))
    yield from _misspelt(value)
    yield "something else"


def _misspelt(value: str) -> Iterator[str]:
    """A code with another first digit, which patterns of schemas mostly allow."""
    digit = re.search(r"\d", value)
    if digit is not None and len(value) <= LONGEST_CODE:
        for other in (int(digit[0]) % 9 + 1, (int(digit[0]) + 7) % 9 + 1):
            yield f"{value[: digit.start()]}{other}{value[digit.end() :]}"


def _other_lists(
    value: Sequence[Any], schema: Schema, definitions: Mapping[str, Any], keys: Keys
) -> Iterator[list[Any]]:
    if value:
        yield list(value[:-1])
        for other in islice(others(value[0], schema.get("items", {}), definitions, keys), 2):
            yield [other, *value[1:]]
