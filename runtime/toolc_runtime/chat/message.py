"""A message of a model, whatever format it came in."""

from __future__ import annotations

from typing import Any, NamedTuple

Message = dict[str, Any]
"""A message of a conversation as OpenAI's chat format has it: `role`, `content`, and
`tool_calls` or `tool_call_id`."""


class ToolCall(NamedTuple):
    """A call as the model wrote it, good or bad."""

    id: str
    name: str
    """The tool's name, empty where none can be read."""
    arguments: str
    """The text of the arguments; where the call cannot be read, the text of the whole call, which
    an episode then answers as malformed."""


class Reply(NamedTuple):
    """A model's message: what it says and the calls it makes, in order.

    One without a call ends the turn.
    """

    content: str = ""
    calls: tuple[ToolCall, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning: str = ""
    """What the model thought before it spoke, apart from what it says."""

    def to_message(self) -> Message:
        """The message as OpenAI's chat format has it; reasoning as `reasoning_content`."""
        message: Message = {"role": "assistant", "content": self.content}
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.calls:
            message["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                for id, name, arguments in self.calls
            ]
        return message
