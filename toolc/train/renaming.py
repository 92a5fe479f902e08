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
_TRIES = 8
"""How often other names are drawn until none can be taken for another."""
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
        others = self._others(row["id"], row["of"], chance)
        return {**row, "messages": exchanged(row["messages"], others)} if others else row

    def item(self, row: Row, reference: str, chance: random.Random) -> Row:
        """A row that is a message to be judged, cut from the reference of that id, with other names
        in its prompt; `names` has the own one of each as JSON text, for the judge. The row itself
        where names could be taken for one another."""
        text = json.dumps(row["prompt"], ensure_ascii=False)
        for _ in range(_TRIES):
            others = self._others(reference, row["of"], chance)
            own = {other: name for name, other in others.items()}
            if len(own) == len(others) and not any(_stands(other, text) for other in own):
                names = json.dumps(own, ensure_ascii=False) if own else ""
                return {**row, "prompt": exchanged(row["prompt"], others), "names": names}
        return row

    def _others(self, reference: str, of: str, chance: random.Random) -> dict[str, str]:
        """By name of a reference another one."""
        texts = self._texts.get(of, ())
        names = self._names[reference]
        return {name: self._other(name, use, texts, chance) for name, use in names.items()}

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


def exchanged(
    messages: Sequence[Mapping[str, Any]], others: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Messages with other names wherever one stands as a whole word. Arguments of calls may be JSON
    text or objects, and stay what they are."""
    by_length = sorted(others, key=len, reverse=True)
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, by_length)) or '(?!)'})(?!\w)")

    def other(text: str) -> str:
        return found.sub(lambda hit: others[hit[0]], text)

    def arguments(given: Any) -> Any:
        return (
            other(given)
            if isinstance(given, str)
            else json.loads(other(json.dumps(given, ensure_ascii=False)))
        )

    made = []
    for message in messages:
        said = {**message, "content": other(message.get("content") or "")}
        if message.get("tool_calls"):
            said["tool_calls"] = [
                {
                    **call,
                    "function": {
                        **call["function"],
                        "arguments": arguments(call["function"]["arguments"]),
                    },
                }
                for call in message["tool_calls"]
            ]
        made.append(said)
    return made


def with_own_names(completion: Any, names: Any) -> Any:
    """What a model said after a prompt with other names, with the own ones, and with the others for
    own ones, which it cannot have read; itself where it is not of the expected form, or there are
    none."""
    if not names:
        return completion
    try:
        own = json.loads(names)
        return exchanged(completion, {name: other for other, name in own.items()} | own)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return completion


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
