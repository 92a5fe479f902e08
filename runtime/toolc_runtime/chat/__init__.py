"""What a model says, as text and as tool calls, in the formats of the common model families."""

from toolc_runtime.chat.formats import FORMATS, Format, detect
from toolc_runtime.chat.message import Message, Reply, ToolCall

__all__ = ["FORMATS", "Format", "Message", "Reply", "ToolCall", "detect"]
