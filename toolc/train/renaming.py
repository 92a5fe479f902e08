"""Rows in which names are exchanged for others, so that a model learns to copy, not to remember.

What is exchanged are the texts and numbers that a reference gives to tools or answers with and that
stood before in the prompt or in a result: everywhere in the conversation for the same other one,
which stands for the like in another row, or somewhere in the environment's data, or is made up. A
time is exchanged for another row's. What a schema enumerates stays, and so do single digits.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from toolc.train.rows import Row
from toolc_runtime.environment import Environment

_NUMBERS = re.compile(r"[\d.,:T+-]*")
_TIME = re.compile(r"\d+[:-].*")
_WORD = re.compile(r"(?<!\w)[A-Z][a-z]{2,}(?!\w)")
_ANSWER = "Answer: "
_LIKE, _FOUND = 0.3, 0.6
"""Shares of names that come from other rows and from the data; the rest is made up."""
_SHORT = 30
"""Most characters of a text of the data that counts as a name."""


class Renamer:
    """Exchanges names in rows for those of all rows and of `texts`, which are by environment."""

    def __init__(self, rows: Iterable[Row], texts: Mapping[str, Sequence[str]]) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._texts = texts
        pools: dict[str, set[str]] = {}
        words: set[str] = set()
        for row in rows:
            self._names[row["id"]] = names = _names(row)
            for name, use in names.items():
                pools.setdefault(use, set()).add(name)
            for message in row["messages"]:
                words.update(_WORD.findall(message["content"]))
        self._pools = {use: sorted(names) for use, names in pools.items()}
        self._words = sorted(words)

    def rename(self, row: Row, chance: random.Random) -> Row:
        """The row with other names; the row itself where it has none to exchange."""
        names = self._names[row["id"]]
        if not names:
            return row
        texts = self._texts.get(row["of"], ())
        others = {name: self._other(name, use, texts, chance) for name, use in names.items()}
        by_length = sorted(others, key=len, reverse=True)
        found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, by_length))})(?!\w)")

        def exchanged(text: str) -> str:
            return found.sub(lambda hit: others[hit[0]], text)

        return {**row, "messages": [_renamed(each, exchanged) for each in row["messages"]]}

    def _other(self, name: str, use: str, texts: Sequence[str], chance: random.Random) -> str:
        drawn = chance.random()
        if _TIME.fullmatch(name):
            return chance.choice([each for each in self._pools[use] if len(each) == len(name)])
        if drawn < _LIKE and not _NUMBERS.fullmatch(name):
            return chance.choice(self._pools[use])
        if any(char.isdigit() for char in name):
            return _other_digits(name, chance)
        if drawn < _LIKE + _FOUND and texts:
            return chance.choice(texts)
        return self._made_up(chance)

    def _made_up(self, chance: random.Random) -> str:
        """The beginning of one word and the end of another."""
        if not self._words:
            return "Name"
        first, last = chance.choice(self._words), chance.choice(self._words)
        return first[: chance.randint(1, len(first))] + last[chance.randrange(len(last)) :].lower()


def _other_digits(name: str, chance: random.Random) -> str:
    """The name with other digits; zeros stay, so that what is round stays so."""
    return "".join(chance.choice("123456789") if c in "123456789" else c for c in name)


def texts_of(environment: Environment) -> list[str]:
    """The short texts in an environment's tables."""
    found: set[str] = set()
    for table in environment.base.tables.values():
        for row in table.rows.values():
            found.update(text for text in _texts(row) if 1 < len(text) <= _SHORT)
    return sorted(text for text in found if not _NUMBERS.fullmatch(text))


def _renamed(message: Mapping[str, Any], exchanged: Any) -> dict[str, Any]:
    made = {**message, "content": exchanged(message["content"])}
    if message.get("tool_calls"):
        made["tool_calls"] = [
            {
                **call,
                "function": {
                    **call["function"],
                    "arguments": exchanged(call["function"]["arguments"]),
                },
            }
            for call in message["tool_calls"]
        ]
    return made


def _names(row: Row) -> dict[str, str]:
    """The texts to exchange, each with what it is used for."""
    kept = set(_enumerated(json.loads(row["tools"])))
    uses: dict[str, str] = {}
    given = ""
    for message in row["messages"]:
        for name, use in _used(message):
            if len(re.sub(r"\W", "", name)) > 1 and name not in kept and _stands(name, given):
                uses.setdefault(name, use)
        if message["role"] != "assistant":
            given += message["content"] + " "
    return uses


def _stands(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _used(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for call in message.get("tool_calls") or ():
        for name, value in json.loads(call["function"]["arguments"]).items():
            yield from ((text, name) for text in _texts(value))
    if message["role"] == "assistant" and message["content"].startswith(_ANSWER):
        value = json.loads(message["content"].removeprefix(_ANSWER))
        yield from ((text, _ANSWER) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        # A text that JSON escapes would not be found in a result.
        if json.dumps(value, ensure_ascii=False) == f'"{value}"':
            yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value).removesuffix(".0")
    elif isinstance(value, Sequence):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)


def _enumerated(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        listed = schema.get("enum")
        yield from (each for each in listed or () if isinstance(each, str))
        for each in schema.values():
            yield from _enumerated(each)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for each in schema:
            yield from _enumerated(each)
