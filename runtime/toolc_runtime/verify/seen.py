"""How an episode went, as constraints ask of it: its calls, its messages, its final text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from toolc_runtime.verify.equality import show
from toolc_runtime.verify.record import Call

REACHED = frozenset({"ok", "failed", "exhausted"})
"""What a call ends in that the argument check let through."""
_BULLET = re.compile(r"[ \t]*(?:[-*+\u2022]|[0-9]{1,3}[.)])[ \t]+\S")


class Seen:
    """What happened in an episode, or in one of its turns.

    `turns` are the model's messages: those that made calls, and those that ended a turn of the
    user's. `refused` calls are those that a tool refused, `rejected` those that never reached one.
    `parallel` is the largest number of calls in one message, `tools_used` the tools that calls
    reached, in order. `text` is the last final text, "" where there is none.
    """

    __slots__ = ("_trace", "ended", "text")

    def __init__(self, trace: Sequence[Call], texts: Sequence[str]) -> None:
        self._trace = trace
        self.ended = len(texts)
        self.text = texts[-1] if texts else ""

    @property
    def calls(self) -> int:
        return len(self._trace)

    @property
    def turns(self) -> int:
        return len({call.message for call in self._trace}) + self.ended

    @property
    def refused(self) -> int:
        return sum(call.status == "failed" for call in self._trace)

    @property
    def rejected(self) -> int:
        return sum(call.status == "rejected" for call in self._trace)

    @property
    def parallel(self) -> int:
        return max(Counter(call.message for call in self._trace).values(), default=0)

    @property
    def tools_used(self) -> list[str]:
        return list(dict.fromkeys(call.tool for call in self._trace if call.status in REACHED))

    def calls_of(self, tool: str) -> int:
        """The calls of one tool."""
        return sum(call.tool == tool for call in self._trace)

    @property
    def words(self) -> int:
        """What white space separates."""
        return len(self.text.split())

    @property
    def characters(self) -> int:
        return len(self.text)

    @property
    def lines(self) -> int:
        """The lines that are not blank."""
        return sum(not line.isspace() for line in self.text.splitlines() if line)

    @property
    def paragraphs(self) -> int:
        """The runs of lines that are not blank."""
        full = [bool(line.strip()) for line in self.text.splitlines()]
        return sum(here and not before for here, before in zip(full, [False, *full], strict=False))

    @property
    def bullets(self) -> int:
        """The lines that begin with `-`, `*`, `+`, a bullet, or a number and a full stop."""
        return sum(_BULLET.match(line) is not None for line in self.text.splitlines())


class Noted:
    """A `Seen` that notes what is asked of it, for the reason of a constraint."""

    __slots__ = ("_seen", "notes")

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.notes: dict[str, None] = {}
        """What was found, in words."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._seen, name)
        self.notes[_NOTES[name](value)] = None
        return value

    def calls_of(self, tool: str) -> int:
        number = self._seen.calls_of(tool)
        self.notes[f"{plural(number, 'call')} of {tool}"] = None
        return number


def plural(number: int, what: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


_NOTES: dict[str, Callable[[Any], str]] = {
    "calls": lambda number: plural(number, "call"),
    "turns": lambda number: plural(number, "turn"),
    "refused": lambda number: plural(number, "refused call"),
    "rejected": lambda number: plural(number, "rejected call"),
    "parallel": lambda number: f"{plural(number, 'call')} in one message",
    "words": lambda number: plural(number, "word"),
    "characters": lambda number: plural(number, "character"),
    "lines": lambda number: plural(number, "line"),
    "paragraphs": lambda number: plural(number, "paragraph"),
    "bullets": lambda number: plural(number, "bullet"),
    "text": lambda text: f"the text is {show(text)}",
    "tools_used": lambda tools: f"used {', '.join(tools) or 'no tool'}",
}
