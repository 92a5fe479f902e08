"""What a model thinks aloud, apart from what it says."""

from __future__ import annotations

OPEN = "<think>"
CLOSE = "</think>"
CALLS = ("<tool_call>", "<function=", "<|python_tag|>", "[TOOL_CALLS]")
"""With which calls begin."""


def apart(text: str) -> tuple[str, str]:
    """The reasoning and the rest of a model's text.

    Reasoning stands first, in `<think>…</think>`. Its opening may be missing, where the prompt
    has it: then all before `</think>` is reasoning, unless calls begin before it. Where the
    closing is missing, the model never came to speak.
    """
    begun = text.lstrip()
    if begun.startswith(OPEN):
        reasoning, _, rest = begun[len(OPEN) :].partition(CLOSE)
        return reasoning, rest
    end = text.find(CLOSE)
    if end < 0 or any(text.find(marker, 0, end) >= 0 for marker in CALLS):
        return "", text
    return text[:end], text[end + len(CLOSE) :]


def together(reasoning: str, text: str) -> str:
    """The text with the reasoning before it."""
    return f"{OPEN}\n{reasoning}\n{CLOSE}\n\n{text}" if reasoning else text
