"""How far long work has come: one line, drawn anew, on a terminal; a few lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

WIDTH = 24
"""Of the bar, in characters."""

EVERY = 0.1
"""Seconds between two drawings."""

FEW = 20
"""So many steps are no long work: elsewhere than on a terminal they need no lines."""


class Progress:
    """Counts steps of work, of which there are `total`, None where nobody knows.

    On a terminal the line shows count, rate and the time left, and goes when the work ends;
    elsewhere a line says when each tenth is done. `noun` is what is counted, in the plural.
    """

    def __init__(
        self,
        noun: str,
        total: int | None = None,
        *,
        shown: bool = True,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.noun = noun
        self.total = total
        self.done = 0
        self.stream = sys.stderr if stream is None else stream
        self.terminal = self.stream.isatty()
        self.shown = shown
        self._clock = clock
        self._began = self._drawn = clock()
        self._line = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def advance(self, steps: int = 1) -> None:
        """So many steps more are done."""
        before, self.done = self.done, self.done + steps
        if not self.shown:
            return
        if self.terminal:
            if self._clock() - self._drawn >= EVERY:
                self._draw(self.text())
        elif self.total is not None and self.total > FEW:
            tenth = self.done * 10 // self.total
            if tenth > before * 10 // self.total:
                self._write(f"{self.done:,} of {self.total:,} {self.noun}\n")

    def say(self, text: str) -> None:
        """A line that stays, above the one that is drawn."""
        if self.shown:
            self.clear()
            self._write(f"{text}\n")

    def clear(self) -> None:
        """Takes the line away."""
        if self._line:
            self._write(f"\r{' ' * len(self._line)}\r")
            self._line = ""

    def text(self) -> str:
        """The line as it stands now."""
        seconds = max(self._clock() - self._began, 1e-9)
        rate = self.done / seconds
        if self.total is None:
            return f"{self.done:,} {self.noun}, {_rate(rate)}/s"
        filled = WIDTH * self.done // max(self.total, 1)
        bar = "#" * filled + "." * (WIDTH - filled)
        text = f"[{bar}] {self.done:,}/{self.total:,} {self.noun}, {_rate(rate)}/s"
        left = (self.total - self.done) / rate if rate else None
        return text if left is None else f"{text}, {_duration(left)} left"

    def _draw(self, text: str) -> None:
        text = text[: max(shutil.get_terminal_size().columns - 1, 1)]
        self._write(f"\r{text.ljust(len(self._line))}")
        self._line, self._drawn = text, self._clock()

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
