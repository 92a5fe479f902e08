"""Built-ins that draw from the episode's seed; see `toolc_runtime.draws`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from toolc_runtime.budget import charge
from toolc_runtime.state import State

T = TypeVar("T")


def random_int(state: State, low: int, high: int) -> int:
    """A drawn int, both ends included."""
    return state._toolc.draws.integer(low, high)


def random_float(state: State, low: float, high: float) -> float:
    """A drawn float."""
    return state._toolc.draws.real(low, high)


def random_moment(state: State, low: datetime, high: datetime) -> datetime:
    """A drawn moment, whole seconds after `low`."""
    return state._toolc.draws.moment(low, high)


def choice(state: State, items: Sequence[T]) -> T:
    """A drawn item."""
    charge(len(items))
    return state._toolc.draws.choice(items)


def shuffle(state: State, items: Sequence[T]) -> list[T]:
    """The items in a drawn order."""
    charge(32 * len(items))
    return state._toolc.draws.shuffle(items)


def fresh_id(state: State, prefix: str, digits: int) -> str:
    """A drawn id that the episode has not drawn before."""
    return state._toolc.draws.fresh_id(prefix, digits)
