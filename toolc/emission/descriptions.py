"""Items from a JSON Lines file: what can be read of each, and why the others cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from toolc.files import DataError, decode, read_bytes, why

MAX_BYTES = 64 << 20
MAX_TEXT = 20_000
"""Characters of one description or question."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Item(NamedTuple):
    """One line: a name that may be that of a file, the text, and all that the line holds. Where
    `reason` says why, it cannot be used."""

    id: str
    text: str
    more: Mapping[str, Any]
    reason: str = ""


class LinesError(Exception):
    """The file cannot be read at all."""


def read_items(path: str, noun: str) -> list[Item]:
    """The items of a file, a line each: an object with a text `noun` and maybe an `id`, or a text.
    Raises `LinesError`."""
    try:
        text = decode(path, read_bytes(path, MAX_BYTES))
    except OSError as error:
        raise LinesError(f"cannot read `{path}`: {why(error)}") from None
    except DataError as error:
        raise LinesError(f"cannot read `{path}`: {error.values['reason']}") from None
    items = list(_items(text, noun))
    if not items:
        raise LinesError(f"`{path}` holds no {noun}")
    return items


def _items(text: str, noun: str) -> Iterator[Item]:
    taken: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        item = _item(line, number, noun)
        if item.id in taken:
            item = Item(f"line-{number}", item.text, item.more, f"another line has `{item.id}`")
        taken.add(item.id)
        yield item


def _item(line: str, number: int, noun: str) -> Item:
    usual = f"line-{number}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Item(usual, "", {}, f"line {number} is not JSON")
    more: dict[str, Any] = value if isinstance(value, dict) else {noun: value}
    text, id = more.get(noun), more.get("id", usual)
    if not isinstance(id, str) or not _ID.fullmatch(id):
        return Item(usual, "", more, f"line {number}: an `id` is up to 80 of A-Z a-z 0-9 . _ -")
    if not isinstance(text, str) or not text.strip():
        return Item(id, "", more, f"line {number} has no text `{noun}`")
    if len(text) > MAX_TEXT:
        return Item(id, "", more, f"its `{noun}` has more than {MAX_TEXT:,} characters")
    return Item(id, text.encode("utf-8", "replace").decode(), more)
