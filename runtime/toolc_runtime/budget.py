"""Bounds on the work and the growth of one call.

Loops charge their length when they are entered (`toolc_runtime.state.each`), and functions that
scan or copy charge the size of what they touch, so that a call ends in bounded time whatever
its arguments are. The meter of the call in progress is found through a context variable, which
keeps threads and tasks apart; where no call is in progress only the caps on sizes hold.
"""

from __future__ import annotations

from collections.abc import Sized
from contextvars import ContextVar
from typing import Any, TypeVar

from toolc_runtime.errors import BudgetExceeded

MAX_STEPS = 5_000_000
"""Loop steps of one call."""
MAX_TEXT = 100_000
"""Characters of a text that a tool makes."""
MAX_ITEMS = 100_000
"""Items of a list, entries of a dict, or rows added to a table."""
MAX_DEPTH = 64
"""Nesting of a JSON value read from text."""
MAX_INPUT = 1_000_000
"""Characters of a JSON text that a model sends."""
MAX_OUTPUT = 4_000_000
"""Characters of an observation."""
MIN_INT, MAX_INT = -(2**63), 2**63 - 1

FREE = 64
"""Smaller sizes are paid for by the loop step that they are in."""

TOO_LONG = "the value is too large"
TOO_DEEP = f"the value is nested more than {MAX_DEPTH} deep"

_HOLDERS = frozenset({dict, list, tuple})

S = TypeVar("S", bound=Sized)


class Meter:
    """The loop steps that the call in progress has left."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = MAX_STEPS

    def charge(self, steps: int) -> None:
        """Take steps from the budget; BudgetExceeded when it is used up."""
        self.steps -= steps
        if self.steps < 0:
            raise BudgetExceeded(f"the call used up its budget of {MAX_STEPS:,} steps")


METER: ContextVar[Meter | None] = ContextVar("toolc_meter", default=None)


def charge(size: int) -> None:
    """Charge the call in progress for work on `size` items."""
    if size > FREE:
        meter = METER.get()
        if meter is not None:
            meter.charge(size)


def grow(value: S) -> S:
    """The value itself; BudgetExceeded where a text, list or dict is beyond its cap."""
    size = len(value)
    if size > FREE:
        check_size(size, isinstance(value, str))
        charge(size >> 4)
    return value


def check_size(size: int, text: bool) -> None:
    """BudgetExceeded where a text or list of this size would be beyond its cap."""
    if text and size > MAX_TEXT:
        raise BudgetExceeded(f"a text may have at most {MAX_TEXT:,} characters")
    if not text and size > MAX_ITEMS:
        raise BudgetExceeded(f"a list may have at most {MAX_ITEMS:,} items")


def check_weight(value: object, limit: int = MAX_OUTPUT) -> None:
    """BudgetExceeded where the JSON text of a value would surely have more than `limit` characters,
    or is nested too deeply.

    Values share their parts, so that a small one can stand for a text without bounds: this costs
    what the text would, but no more than the limit.
    """
    level = [value] if type(value) in _HOLDERS else []
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for holder in level:
            members: Any = holder.values() if type(holder) is dict else holder
            limit -= len(members)
            for member in members:
                kind = type(member)
                if kind is str:
                    limit -= len(member)
                elif kind in _HOLDERS:
                    below.append(member)
            if limit < 0:
                raise BudgetExceeded(TOO_LONG)
        if not below:
            return
        level = below
    raise BudgetExceeded(TOO_DEEP)


def weighed(value: S) -> S:
    """The value itself, before it is compared; BudgetExceeded where that would take forever."""
    check_weight(value)
    return value


def check_int(value: int) -> int:
    """The integer itself; BudgetExceeded beyond 64 bits."""
    if MIN_INT <= value <= MAX_INT:
        return value
    raise BudgetExceeded("an integer may have at most 64 bits")
