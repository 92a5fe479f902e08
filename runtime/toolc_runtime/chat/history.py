"""A conversation as servers and chat templates take it, whatever calls a model made in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolc_runtime.chat.message import Message
from toolc_runtime.chat.written import is_object

MALFORMED = "malformed"
"""The one argument of a call whose arguments are none."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


def acceptable(
    messages: Iterable[Message], *, objects: bool = False, reasoning: bool = False
) -> list[Message]:
    """The messages, of which each call has a name that is one, and arguments that are an object.

    Servers refuse a whole conversation for one malformed call in it, and templates fail on it. Its
    text becomes an argument, so that the model still sees what it wrote. `objects`: arguments as
    objects, as chat templates have them, else as JSON text. `reasoning`: whether it is kept.
    """
    return [_acceptable(message, objects, reasoning) for message in messages]


def calls_made(messages: Iterable[Message]) -> int:
    """How many calls the assistant has made."""
    return sum(len(message.get("tool_calls") or ()) for message in messages)


def _acceptable(message: Message, objects: bool, reasoning: bool) -> Message:
    made = {
        name: value for name, value in message.items() if reasoning or name != "reasoning_content"
    }
    if "tool_calls" in made:
        made["tool_calls"] = [_call(call, objects) for call in made["tool_calls"]]
    return made


def _call(call: Mapping[str, Any], objects: bool) -> dict[str, Any]:
    name, text = call["function"]["name"], call["function"]["arguments"]
    if not is_object(text):
        text = json.dumps({MALFORMED: text}, ensure_ascii=False)
    function = {
        "name": _NOT_IN_NAMES.sub("_", name)[:64] or "unreadable",
        "arguments": json.loads(text) if objects else text,
    }
    return {**call, "function": function}
