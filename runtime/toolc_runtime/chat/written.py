"""Calls as a model wrote them in JSON: found in its text, and never trusted to be well formed.

All of it takes time linear in the text and raises nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from toolc_runtime.chat.message import Reply, ToolCall

MAX_CALLS = 1_000
"""Calls that are read of one message; those beyond are one malformed call."""
MAX_MEMBERS = 32
"""Members of an object, beyond which it is no call."""
ARGUMENTS = ("arguments", "parameters")
"""What models call the arguments of a call."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_NAME = re.compile(
    r"""[^{}"']{0,64}\{\s*["']name["']\s*:\s*["']([^"'\\\n]{1,128})["']"""  # JSON, or nearly
    r"""|[^{}"']{0,64}<function=([^<>\n]{1,128})>"""
    r"""|[^{}"']{0,64}?([A-Za-z_][\w-]{0,127})(?:\.call\(|\[ARGS\])"""
)
"""What in the beginning of a malformed call is its name."""


class Written(NamedTuple):
    """A call before it has an id."""

    name: str
    arguments: str
    id: str = ""


class Member(NamedTuple):
    """A member of an object: its value, and the text that it was written as."""

    value: Any
    text: str


def skip(text: str, at: int) -> int:
    """Where white space ends."""
    matched = _SPACE.match(text, at)
    return matched.end() if matched else at


def value_at(text: str, at: int) -> tuple[Any, int] | None:
    """The JSON value at a place and where it ends; None where there is none, or it nests deeper
    than the interpreter reads."""
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def members(text: str, at: int = 0) -> tuple[dict[str, Member], int | None]:
    """The members of the JSON object at a place, as far as they can be read, and where the object
    ends; None where it is malformed, or has too many to be a call."""
    found: dict[str, Member] = {}
    at = skip(text, at)
    if not text.startswith("{", at):
        return found, None
    at = skip(text, at + 1)
    if text.startswith("}", at):
        return found, at + 1
    for _ in range(MAX_MEMBERS):
        named = value_at(text, at) if text.startswith('"', at) else None
        if named is None:
            break
        key, at = named[0], skip(text, named[1])
        if not text.startswith(":", at):
            break
        start = skip(text, at + 1)
        read = value_at(text, start)
        if read is None:
            break
        value, end = read
        found[key] = Member(value, text[start:end])
        at = skip(text, end)
        if text.startswith("}", at):
            return found, at + 1
        if not text.startswith(",", at):
            break
        at = skip(text, at + 1)
    return found, None


def call_at(text: str, at: int = 0) -> tuple[Written, int] | None:
    """The call that the JSON object at a place is, and where it ends.

    `{"name", "arguments"}` or `{"name", "parameters"}`, with or without `id` and `type`, or that
    as the `function` of an object. Arguments may be left out. None where it is none.
    """
    found, end = members(text, at)
    if end is None:
        return None
    call = _call_of(found)
    if call is None and "function" in found:
        inner, whole = members(found["function"].text)
        call = _call_of(inner) if whole is not None else None
    if call is None:
        return None
    id = found.get("id")
    return call._replace(id=id.value if id is not None and type(id.value) is str else ""), end


def _call_of(found: dict[str, Member]) -> Written | None:
    name = found.get("name")
    if name is None or type(name.value) is not str or not name.value:
        return None
    given = [found[key] for key in ARGUMENTS if key in found]
    if given:
        return Written(name.value, arguments_text(given[0]))
    return Written(name.value, "{}") if found.keys() <= {"name", "id", "type"} else None


def arguments_text(member: Member) -> str:
    """The text of arguments: as written, or what a text holds; `{}` for none."""
    if type(member.value) is str:
        return member.value if member.value.strip() else "{}"
    return "{}" if member.value is None else member.text


def whole_call(text: str) -> Written | None:
    """The call that a text is, apart from white space around it."""
    read = call_at(text)
    return read[0] if read is not None and skip(text, read[1]) == len(text) else None


def malformed(text: str) -> Written:
    """A call that cannot be read: its name, as far as that can be, and all of its text.

    What is a JSON object after all, which a tool may take for its arguments, gets no name.
    """
    matched = None if is_object(text) else _NAME.match(text)
    name = next(filter(None, matched.groups()), "") if matched else ""
    return Written(name, text)


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    read = value_at(text, skip(text, 0))
    return read is not None and type(read[0]) is dict and skip(text, read[1]) == len(text)


def json_call(call: ToolCall, key: str, markers: Sequence[str]) -> str:
    """A call as a JSON object, with arguments under `key`.

    The format's markers, which can only stand in texts, are escaped.
    """
    # What is no object is written as a text, which `arguments_text` gives back.
    given = call.arguments if is_object(call.arguments) else quoted(call.arguments)
    text = f'{{"name": {quoted(call.name)}, "{key}": {given}}}'
    for marker in markers:
        text = text.replace(marker, f"\\u{ord(marker[0]):04x}{marker[1:]}")
    return text


def quoted(text: str) -> str:
    """A text as JSON."""
    return json.dumps(text, ensure_ascii=False)


def assemble(
    content: str, calls: Iterable[Written], first: int = 0, *, reasoning: str = ""
) -> Reply:
    """The reply of a model that has made `first` calls before: every call gets an id of its own,
    and no text has lone surrogates."""
    kept = list(islice(calls, MAX_CALLS + 1))
    if len(kept) > MAX_CALLS:
        kept[MAX_CALLS - 1 :] = [Written("", f"more than {MAX_CALLS:,} calls in one message")]
    made: list[ToolCall] = []
    ids: set[str] = set()
    for index, (name, arguments, id) in enumerate(kept, first):
        usable = 0 < len(id) <= 128 and id.isprintable() and id not in ids
        made.append(ToolCall(id if usable else f"call{index:05}", clean(name), clean(arguments)))
        ids.add(made[-1].id)
    return Reply(clean(content.strip()), tuple(made), reasoning=clean(reasoning.strip()))


def clean(text: str) -> str:
    """The text, without lone surrogates, which no file holds."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
