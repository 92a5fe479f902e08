"""Tools for a model whose server knows of none: they are told of in the prompt, calls stand in
the text of messages, and results come as the user's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from toolc_runtime.chat.families.openai import from_message
from toolc_runtime.chat.formats import Format, Tools
from toolc_runtime.chat.message import Message


def describe(tools: Tools, format: Format) -> str:
    """What the prompt says of the tools."""
    schemas = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    return (
        f"# Tools\n\nYou can call these functions:\n<tools>\n{schemas}\n</tools>\n\n"
        f"{format.how}\n\n"
        "You are then told the results. A message without a call ends your turn."
    )


def embed(messages: Iterable[Message], tools: Tools, format: Format) -> list[Message]:
    """The conversation with system, user and assistant messages of plain text alone.

    Results that stand in a row are one message.
    """
    names: dict[str, str] = {}
    made: list[Message] = []
    for answers, group in groupby(messages, lambda message: message["role"] == "tool"):
        if answers:
            results = (
                format.answer(names.get(message.get("tool_call_id", ""), "?"), message["content"])
                for message in group
            )
            made.append({"role": "user", "content": "\n".join(results)})
            continue
        for message in group:
            content = message["content"]
            if message["role"] == "assistant":
                reply = from_message(message)
                names.update((call.id, call.name) for call in reply.calls)
                content = format.render(reply._replace(reasoning=""))
            made.append({"role": message["role"], "content": content})
    if not tools:
        return made
    system, rest = (made[0], made[1:]) if made and made[0]["role"] == "system" else (None, made)
    text = describe(tools, format)
    content = f"{system['content']}\n\n{text}" if system is not None else text
    return [{"role": "system", "content": content}, *rest]
