"""Llama 3: a message that is JSON, `{"name", "parameters"}`, several parted by `;`; or any text
and calls after `<|python_tag|>`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolc_runtime.chat import thinking
from toolc_runtime.chat.message import Reply, ToolCall
from toolc_runtime.chat.written import (
    Written,
    assemble,
    call_at,
    is_object,
    json_call,
    malformed,
    members,
    skip,
)

TAG = "<|python_tag|>"
HOW = (
    "To call a tool, answer with nothing but a JSON object of its name and its arguments, several "
    "calls parted by `;`:\n"
    '{"name": "tool_name", "parameters": {"argument": 1}}'
)

_BARE = re.compile(
    r'\s*\{\s*(?:"type"\s*:\s*"function"\s*,\s*)?"name"\s*:\s*"[^"\\]*"\s*,'
    r'\s*"(?:parameters|arguments)"\s*:'
)
"""The beginning of a call without the tag; other JSON is an answer."""
_ENDS = ("<|eom_id|>", "<|eot_id|>")
"""What a message ends with, of the same length."""


def answer(name: str, text: str) -> str:
    """The result of a call, as the model is told it."""
    return f"Result of {name}: {text}"


def parse(text: str, tools: Sequence[Mapping[str, Any]] = (), first: int = 0) -> Reply:
    """What a model of the Llama 3 format says and calls."""
    reasoning, spoken = thinking.apart(text)
    content, tag, body = spoken.partition(TAG)
    if not tag:
        content, body = ("", spoken) if _is_call(spoken) else (spoken, "")
    calls = _calls(_without_end(body), tag) if tag or body else []
    return assemble(content, calls, first, reasoning=reasoning)


def _without_end(text: str) -> str:
    end = len(text)
    while text.endswith(_ENDS, 0, end) or text[end - 1 : end].isspace():
        end -= 1 if text[end - 1].isspace() else len(_ENDS[0])
    return text[:end]


def _is_call(text: str) -> bool:
    if _BARE.match(text):
        return True
    found, _ = members(text)
    return "name" in found and not found.keys().isdisjoint(("parameters", "arguments"))


def _calls(body: str, tag: str) -> list[Written]:
    calls: list[Written] = []
    at = 0
    while True:
        read = call_at(body, at)
        end = skip(body, read[1]) if read is not None else at
        if read is None or (end < len(body) and not body.startswith(";", end)):
            calls.append(malformed(tag + body[at:].strip()))
            return calls
        calls.append(read[0])
        at = skip(body, end + 1)
        if at >= len(body):
            return calls


def render(reply: Reply) -> str:
    """The text of a reply in the Llama 3 format; the tag where it says something as well."""
    if not reply.calls:
        return thinking.together(reply.reasoning, reply.content)
    calls = "; ".join(map(_write, reply.calls))
    text = f"{reply.content}{TAG}{calls}" if reply.content else calls
    return thinking.together(reply.reasoning, text)


def _write(call: ToolCall) -> str:
    if not is_object(call.arguments) and (
        call.arguments.startswith(TAG) or _BARE.match(call.arguments)
    ):
        return call.arguments.removeprefix(TAG)  # a whole call, which could not be read
    return json_call(call, "parameters", (TAG, "</think>"))


def spoken(text: str) -> bool:
    """Whether a text has calls in the Llama 3 format."""
    return TAG in text or _is_call(text)
