"""OpenAI's chat format: a message is a JSON object with `tool_calls`.

Read as servers send it, which is not always as it should be: arguments as an object, no id,
the older `function_call`, content in parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolc_runtime.chat import thinking
from toolc_runtime.chat.message import Reply
from toolc_runtime.chat.written import (
    Member,
    Written,
    arguments_text,
    assemble,
    malformed,
    skip,
    value_at,
)

HOW = (
    "Answer with one JSON object. To call tools, write their calls in `tool_calls`, the arguments "
    "as JSON text:\n"
    '{"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": '
    '{"name": "tool_name", "arguments": "{\\"argument\\": 1}"}}]}\n'
    'Without a call: {"role": "assistant", "content": "what you say"}'
)


def parse(text: str, tools: Sequence[Mapping[str, Any]] = (), first: int = 0) -> Reply:
    """The reply that the JSON text of a message is; what is no such text says just that."""
    message = _message(text)
    return from_message(message, first) if message is not None else assemble(text, (), first)


def from_message(message: Mapping[str, Any], first: int = 0) -> Reply:
    """The reply that an assistant's message is, of a model that made `first` calls before."""
    content = _text(message.get("content")) or _text(message.get("refusal"))
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    if not reasoning and not message.get("tool_calls"):
        reasoning, content = thinking.apart(content)
    return assemble(content, _calls(message), first, reasoning=reasoning)


def render(reply: Reply) -> str:
    """The JSON text of the message."""
    return json.dumps(reply.to_message(), ensure_ascii=False)


def spoken(text: str) -> bool:
    """Whether the text is a message that calls something."""
    message = _message(text)
    return message is not None and any(True for _ in _calls(message))


def _message(text: str) -> dict[str, Any] | None:
    at = skip(text, 0)
    if not text.startswith("{", at):
        return None
    read = value_at(text, at)
    if read is None or skip(text, read[1]) != len(text):
        return None
    message: dict[str, Any] = read[0]
    speaks = message.get("role", "assistant") == "assistant"
    return (
        message if speaks and message.keys() & {"content", "tool_calls", "function_call"} else None
    )


def _text(content: Any) -> str:
    if type(content) is str:
        return content
    parts = content if type(content) is list else ()
    texts = (part.get("text") for part in parts if type(part) is dict)
    return "".join(text for text in texts if type(text) is str)


def _calls(message: Mapping[str, Any]) -> Iterator[Written]:
    calls = message.get("tool_calls")
    if calls:
        yield from map(_call, calls if type(calls) is list else [calls])
    elif message.get("function_call"):
        yield _call({"function": message["function_call"]})


def _call(given: Any) -> Written:
    function = given.get("function") if type(given) is dict else None
    name = function.get("name") if type(function) is dict else None
    if type(name) is not str or type(function) is not dict:
        return malformed(_json(given))
    arguments = function.get("arguments")
    id = given.get("id")
    text = arguments_text(Member(arguments, _json(arguments)))
    return Written(name, text, id if type(id) is str else "")


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return "…"
