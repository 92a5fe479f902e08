"""Calls within `<tool_call>` tags: as JSON (Hermes, Qwen 2.5 and 3), or as nested tags with one
parameter each (Qwen3-Coder, Qwen 3.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from toolc_runtime.chat import thinking
from toolc_runtime.chat.message import Reply, ToolCall
from toolc_runtime.chat.written import (
    Written,
    assemble,
    is_object,
    json_call,
    malformed,
    skip,
    value_at,
    whole_call,
)

OPEN = "<tool_call>"
CLOSE = "</tool_call>"
FUNCTION = "<function="

HOW = (
    "To call a tool, write a JSON object with its name and its arguments between tags, each call "
    "between its own:\n"
    f'{OPEN}\n{{"name": "tool_name", "arguments": {{"argument": 1}}}}\n{CLOSE}'
)
HOW_NESTED = (
    "To call a tool, write its name and its arguments in tags, each call in its own:\n"
    f"{OPEN}\n{FUNCTION}tool_name>\n<parameter=argument>\n1\n</parameter>\n</function>\n{CLOSE}\n"
    "Texts stand as they are, lists and objects as JSON."
)

_TAGS = (OPEN, CLOSE)

Tools = Sequence[Mapping[str, Any]]
ReadBody = Callable[[str], Written | None]


def answer(name: str, text: str) -> str:
    """The result of a call, as the model is told it."""
    return f"<tool_response>\n{text}\n</tool_response>"


def _blocks(text: str, tags: tuple[str, str]) -> tuple[str, list[str]]:
    """What stands outside of the tags, and what stands from each opening tag to its closing one,
    or to the end."""
    opening, closing = tags
    outside: list[str] = []
    blocks: list[str] = []
    at, start = 0, text.find(opening)
    while start >= 0:
        outside.append(text[at:start].strip())
        end = text.find(closing, start)
        at = len(text) if end < 0 else end + len(closing)
        blocks.append(text[start:at])
        start = text.find(opening, at)
    outside.append(text[at:].strip())
    return "\n\n".join(filter(None, outside)), blocks


def _calls(block: str, opening: str, read: ReadBody) -> Iterator[Written]:
    """The calls of a block: one, or several where closing tags are missing."""
    call = read(block.removeprefix(OPEN).removesuffix(CLOSE))
    if call is not None:
        yield call
        return
    for part in block.split(opening)[1:]:
        body = part.removesuffix(CLOSE)
        if body.strip():
            yield read((opening + body).removeprefix(OPEN)) or malformed(opening + part)


def _parse(text: str, first: int, read: ReadBody, tags: tuple[str, str]) -> Reply:
    reasoning, spoken = thinking.apart(text)
    content, blocks = _blocks(spoken, tags)
    calls = (call for block in blocks for call in _calls(block, tags[0], read))
    return assemble(content, calls, first, reasoning=reasoning)


def _render(reply: Reply, write: Callable[[ToolCall], str]) -> str:
    blocks = [
        call.arguments if _is_whole(call.arguments) else f"{OPEN}\n{write(call)}\n{CLOSE}"
        for call in reply.calls
    ]
    return thinking.together(reply.reasoning, "\n".join(filter(None, (reply.content, *blocks))))


def _is_whole(arguments: str) -> bool:
    """Whether the text of arguments is that of a whole call, which could not be read."""
    return arguments.startswith(OPEN)


# ---------------------------------------------------------------- JSON between the tags


def parse_json(text: str, tools: Tools = (), first: int = 0) -> Reply:
    """What a model of the Hermes format says and calls."""
    return _parse(text, first, whole_call, _TAGS)


def render_json(reply: Reply) -> str:
    """The text of a reply in the Hermes format."""
    return _render(reply, lambda call: json_call(call, "arguments", (OPEN, CLOSE, "</think>")))


def spoken_json(text: str) -> bool:
    """Whether a text has calls in the Hermes format."""
    return OPEN in text and not spoken_nested(text)


# ---------------------------------------------------------------- a tag for each parameter

_FUNCTION = re.compile(r"\s*<function=([^<>\n]{1,128})>\s*")
_PARAMETER = re.compile(r"<parameter=([^<>\n]{1,128})>")
_END = "</parameter>"
_FUNCTION_END = re.compile(r"\s*</function>\s*")
_LITERALS = {"True": True, "False": False, "None": None}
"""As templates write what Python has no other text for."""
_KINDS: Mapping[type, tuple[str, ...]] = {
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    list: ("array",),
    dict: ("object",),
    type(None): ("null",),
}
_TEXT = frozenset({"string"})
_EXPECTED = 8
"""How deep alternatives of a schema are followed."""


def parse_nested(text: str, tools: Tools = (), first: int = 0) -> Reply:
    """What a model of the Qwen3-Coder format says and calls.

    Arguments have no types there: a text is one where the tool's schema has a text, and where
    it is no JSON.
    """
    tags = _TAGS if OPEN in text else (FUNCTION, "</function>")  # the outer tag is often left out
    return _parse(text, first, lambda body: _read_nested(body, tools), tags)


def render_nested(reply: Reply) -> str:
    """The text of a reply in the Qwen3-Coder format.

    A text that holds the closing tag of a parameter cannot be written in it.
    """
    return _render(reply, _write_nested)


def spoken_nested(text: str) -> bool:
    """Whether a text has calls in the Qwen3-Coder format."""
    return re.search(r"<function=[^<>\n]{1,128}>", text) is not None


def _read_nested(body: str, tools: Tools) -> Written | None:
    named = _FUNCTION.match(body)
    if named is None:
        return None
    name = named[1].strip()
    types = _types(name, tools)
    arguments: dict[str, Any] = {}
    at = named.end()
    while (parameter := _PARAMETER.match(body, at)) is not None:
        end = body.find(_END, parameter.end())
        key = parameter[1].strip()
        if end < 0 or key in arguments:
            return None
        text = body[parameter.end() : end].removeprefix("\n").removesuffix("\n")
        arguments[key] = _value(text, types.get(key))
        at = skip(body, end + len(_END))
    if _FUNCTION_END.fullmatch(body, at) is None:
        return None
    try:
        return Written(name, json.dumps(arguments, ensure_ascii=False))
    except RecursionError:
        return None


def _write_nested(call: ToolCall) -> str:
    read = value_at(call.arguments, 0) if is_object(call.arguments.strip()) else None
    arguments = read[0] if read is not None and type(read[0]) is dict else {}
    parameters = "".join(
        f"<parameter={key}>\n{_plain(value)}\n</parameter>\n" for key, value in arguments.items()
    )
    return f"{FUNCTION}{call.name}>\n{parameters}</function>"


def _plain(value: Any) -> str:
    return value if type(value) is str else json.dumps(value, ensure_ascii=False)


def _value(text: str, types: frozenset[str] | None) -> Any:
    """The value that a parameter's text stands for, where the schema allows `types`; None where
    there is no schema."""
    if types == _TEXT:
        return text
    stripped = text.strip()
    if stripped in _LITERALS:
        value: Any = _LITERALS[stripped]
    else:
        read = value_at(stripped, 0)
        if read is None or read[1] != len(stripped) or type(read[0]) is str:
            return text
        value = read[0]
    fits = types is None or "string" not in types or types.intersection(_KINDS[type(value)])
    return value if fits else text


def _types(name: str, tools: Tools) -> dict[str, frozenset[str]]:
    """The types that a tool's schema allows for each argument."""
    for tool in tools:
        function = tool.get("function", tool)
        if function.get("name") == name:
            parameters = function.get("parameters") or {}
            properties: Mapping[str, Any] = parameters.get("properties") or {}
            return {key: frozenset(_expected(schema)) for key, schema in properties.items()}
    return {}


def _expected(schema: Any, depth: int = _EXPECTED) -> Iterator[str]:
    if not isinstance(schema, Mapping) or depth == 0:
        return
    types = schema.get("type")
    yield from [types] if isinstance(types, str) else types or ()
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _expected(choice, depth - 1)
    if "type" not in schema:
        values = (*schema.get("enum", ()), *((schema["const"],) if "const" in schema else ()))
        for value in values:
            yield from ("string",) if isinstance(value, str) else _KINDS.get(type(value), ())
