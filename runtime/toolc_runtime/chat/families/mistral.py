"""Mistral: `[TOOL_CALLS]` and a JSON list of calls, or since its tokenizer's eleventh version
`[TOOL_CALLS]name[ARGS]{…}`, once for each call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolc_runtime.chat import thinking
from toolc_runtime.chat.message import Reply
from toolc_runtime.chat.written import (
    Written,
    assemble,
    call_at,
    is_object,
    json_call,
    malformed,
    skip,
)

TAG = "[TOOL_CALLS]"
HOW = (
    f"To call tools, write {TAG} and a JSON list of their names and arguments:\n"
    f'{TAG}[{{"name": "tool_name", "arguments": {{"argument": 1}}}}]'
)

_NAMED = re.compile(
    r"\s*([A-Za-z_][\w.-]{0,127})\s*(?:\[CALL_ID\]\s*(\w{0,64})\s*)?(?:\[ARGS\])?\s*"
)
_END = "</s>"


def answer(name: str, text: str) -> str:
    """The result of a call, as the model is told it."""
    return f"[TOOL_RESULTS]{text}[/TOOL_RESULTS]"


def parse(text: str, tools: Sequence[Mapping[str, Any]] = (), first: int = 0) -> Reply:
    """What a model of Mistral's formats says and calls."""
    reasoning, spoken = thinking.apart(text)
    content, *parts = spoken.removesuffix(_END).split(TAG)
    calls = (call for part in parts for call in _calls(part))
    return assemble(content, calls, first, reasoning=reasoning)


def _calls(part: str) -> Iterator[Written]:
    at = skip(part, 0)
    if part.startswith("[", at):
        yield from _list(part, at)
        return
    named = _NAMED.match(part)
    if named is not None and is_object(part[named.end() :]):
        yield Written(named[1], part[named.end() :].strip(), named[2] or "")
    elif part.strip():
        yield malformed(TAG + part)


def _list(part: str, at: int) -> Iterator[Written]:
    """The calls of a list, of which the last is malformed where the list is."""
    at = skip(part, at + 1)
    while (read := call_at(part, at)) is not None:
        yield read[0]
        at = skip(part, read[1])
        if not part.startswith(",", at):
            break
        at = skip(part, at + 1)
    ended = read is not None and part.startswith("]", at)
    if not ended or skip(part, at + 1) != len(part):
        yield malformed(TAG + part[at:])


def render(reply: Reply) -> str:
    """The text of a reply, its calls as a list."""
    wholes = [call.arguments for call in reply.calls if call.arguments.startswith(TAG)]
    calls = ", ".join(
        json_call(call, "arguments", (TAG, "</think>"))
        for call in reply.calls
        if not call.arguments.startswith(TAG)
    )
    text = f"{reply.content}{f'{TAG}[{calls}]' if calls else ''}{''.join(wholes)}"
    return thinking.together(reply.reasoning, text)


def spoken(text: str) -> bool:
    """Whether a text has calls in one of Mistral's formats."""
    return TAG in text
