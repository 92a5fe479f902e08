"""The published way of training: trajectories cut into items, each one message of the model.

An item's prompt is what stood before the message. Its environment is restored by making the calls
of the prefix again, and the message is judged by the step reward of what it solves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolc.train.rows import Row, Source, facts, renamed_calls, rewarded
from toolc_runtime.chat.message import Message
from toolc_runtime.task import Task
from toolc_runtime.values import canonical


def cut(
    source: Source,
    task: Task,
    messages: Sequence[Message],
    name: str,
    seed: int | None = None,
) -> Iterator[Row]:
    """A row for each message of the model in a conversation about a task; `name` is what the rows'
    ids begin with, `seed` that of the episode, whose draws are made again. Tools may have their own
    names in it, or those under which they are offered. `rest` is what the plan does in the
    message's turn and after."""
    done = rewarded(source, task)
    turn = 0
    own = {offered: tool for tool, offered in source.names.items()}
    shown: list[Message] = []
    prefix: list[list[Any]] = []
    for message in messages:
        renamed = renamed_calls(message, source.names)
        if message["role"] == "assistant":
            yield {
                "id": f"{name}@{len(prefix)}",
                "prompt": list(shown),
                **facts(source, task),
                "depth": int(task.difficulty.get("depth", 0)),
                "offered": len(source.environment.schemas_of(task)),
                "prefix": canonical(prefix),
                "rest": canonical(done.events(slice(turn, None)) if done else []),
                "seed": seed,
                "unseen": "",
            }
            prefix += _events(message, own)
            turn += not message.get("tool_calls")
        shown.append(renamed)


def _events(message: Message, own: Mapping[str, str]) -> list[list[Any]]:
    """A message of the model as events to replay."""
    calls = renamed_calls(message, own).get("tool_calls")
    if not calls:
        return [["reply", message.get("content") or ""]]
    functions = [call["function"] for call in calls]
    return [
        ["call", function["name"], _arguments(function["arguments"]), place > 0]
        for place, function in enumerate(functions)
    ]


def _arguments(text: str) -> Any:
    """Arguments as the object that they are, else the text, which an episode then rejects."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text
