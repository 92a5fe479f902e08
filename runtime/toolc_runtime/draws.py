"""Seeded draws: the same seed, tool, arguments and occurrence always give the same values.

The generator, for whoever wants to reproduce it: the key of a call is the BLAKE2b digest (32
bytes) of the canonical JSON text of `[seed, tool, [arguments in schema order], occurrence]` in
UTF-8, where `occurrence` is the number of earlier calls of that tool with those arguments that
drew and were not rolled back. The n-th word of a call, from 0, is the 8-byte BLAKE2b digest of
n (8 bytes, big-endian) keyed with it, as a big-endian integer of 64 bits.

An integer in `low..high` is `low + word % n` for n values, where words that would favour small
remainders are skipped; a float is `low + (high - low) * (word >> 11) / 2**53`; `choice` draws an
index; `shuffle` is Fisher and Yates's from the end; a fresh id is the prefix and an integer
padded with zeros, drawn again while the episode has drawn it before.

A recorded tape replaces the drawn values, in order: an int, a float, an item, a list, an id, as
`Draws.drawn` holds them; for `random_moment` also a text such as `2024-09-01 10:30:00`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from toolc_runtime.errors import Fail, Malformed
from toolc_runtime.values import canonical, equal, parse_datetime, plain, quote

T = TypeVar("T")

_NO_CALL: tuple[str, tuple[Any, ...]] = ("", ())


class Mark(NamedTuple):
    """How far draws had come, to return to."""

    drawn: int
    fresh: int


class Draws:
    """The draws of one episode."""

    __slots__ = ("_drawn", "_fresh", "_key", "_seed", "_seen", "_tape", "_word", "call")

    def __init__(self, seed: int, tape: Sequence[Any] | None = None) -> None:
        self._seed = seed
        self._tape = tape
        self._drawn: list[Any] | None = None
        self._fresh: list[str] | None = None
        self._seen: dict[str, int] | None = None
        self._key: tuple[str, bytes] | None = None  # of the call in progress, once it draws
        self._word = 0
        self.call: tuple[str, Sequence[Any]] = _NO_CALL
        """The tool and the arguments of the call in progress."""

    @property
    def seed(self) -> int:
        """What the values follow from."""
        return self._seed

    @property
    def drawn(self) -> tuple[Any, ...]:
        """What was drawn, in order, as JSON values: a tape for a replay."""
        return tuple(self._drawn or ())

    @property
    def fresh(self) -> tuple[str, ...]:
        """The fresh ids among it, in order."""
        return tuple(self._fresh or ())

    def mark(self) -> Mark | None:
        """Where the draws are, None at the start."""
        return None if self._drawn is None else Mark(len(self._drawn), len(self._fresh or ()))

    @contextmanager
    def planned(self, seed: int, turn: int) -> Iterator[None]:
        """While it lasts, draws are those of what happens before a turn, with the plan's seed."""
        own, self._seed, self.call = self._seed, seed, ("", (turn,))
        try:
            yield
        finally:
            self._seed = own

    def settle(self) -> None:
        """End a call and keep its draws."""
        if self._key is not None:
            self._seen = self._seen or {}
            text = self._key[0]
            self._seen[text] = self._seen.get(text, 0) + 1
            self._key = None

    def rollback(self, mark: Mark | None) -> None:
        """End a call and return to where its draws began."""
        if self._drawn is not None:
            drawn, fresh = mark or Mark(0, 0)
            del self._drawn[drawn:]
            if self._fresh is not None:
                del self._fresh[fresh:]
        self._key = None

    def fork(self) -> Draws:
        """An independent copy, between calls."""
        copy = Draws(self._seed, self._tape)
        copy._drawn = None if self._drawn is None else self._drawn[:]
        copy._fresh = None if self._fresh is None else self._fresh[:]
        copy._seen = None if self._seen is None else dict(self._seen)
        return copy

    def integer(self, low: int, high: int) -> int:
        """An int, both ends included; Fail for an empty range."""
        if low > high:
            raise Fail(f"there is no integer from {low} to {high}")
        made = self._draw(
            lambda: low + self._below(high - low + 1), lambda value: type(value) is int
        )
        return int(made)

    def real(self, low: float, high: float) -> float:
        """A float from `low` up to `high`; Fail for an empty range."""
        if low > high:
            raise Fail(f"there is no number from {low} to {high}")
        if high - low == math.inf:
            raise Fail(f"there is more than a float from {low} to {high}")
        made = self._draw(
            lambda: low + (high - low) * ((self._next() >> 11) / 2**53),
            lambda value: type(value) in (int, float),
        )
        return float(made)

    def moment(self, low: datetime, high: datetime) -> datetime:
        """A moment of whole seconds after `low`, up to `high`; Fail for an empty range."""
        if low > high:
            raise Fail("there is no moment in an empty range")
        text = self._draw(
            lambda: plain(
                low + timedelta(seconds=self._below(int((high - low).total_seconds()) + 1))
            ),
            lambda value: type(value) is str,
        )
        try:
            return parse_datetime(text.replace(" ", "T"))
        except Malformed as error:
            raise Fail(str(error)) from None

    def choice(self, items: Sequence[T]) -> T:
        """An item; Fail for none."""
        if not items:
            raise Fail("choice of an empty list")
        chosen = self._draw(lambda: plain(items[self._below(len(items))]), lambda value: True)
        for item in items:
            if equal(plain(item), chosen):
                return item
        raise Fail(f"the recorded draw {quote(chosen)} is not among the items")

    def shuffle(self, items: Sequence[T]) -> list[T]:
        """The items in a drawn order."""

        def order() -> list[int]:
            places = list(range(len(items)))
            for index in range(len(places) - 1, 0, -1):
                other = self._below(index + 1)
                places[index], places[other] = places[other], places[index]
            return places

        whole = list(range(len(items)))
        places = self._draw(order, lambda value: type(value) is list and sorted(value) == whole)
        return [items[place] for place in places]

    def fresh_id(self, prefix: str, digits: int) -> str:
        """An id that the episode has not drawn yet; Fail where there is none left."""
        if not 1 <= digits <= 18:
            raise Fail("an id has 1 to 18 digits")
        taken = self._fresh = self._fresh if self._fresh is not None else []

        def make() -> str:
            for _ in range(1_000):
                made = f"{prefix}{self._below(10**digits):0{digits}}"
                if made not in taken:
                    return made
            raise Fail(f"there is no fresh id of {digits} digits left")

        made: str = self._draw(make, lambda value: type(value) is str)
        taken.append(made)
        return made

    def _draw(self, make: Callable[[], Any], fits: Callable[[Any], bool]) -> Any:
        drawn = self._drawn = self._drawn if self._drawn is not None else []
        if self._tape is None:
            value = make()
        elif len(drawn) >= len(self._tape):
            raise Fail("the recorded draws are used up")
        else:
            value = self._tape[len(drawn)]
            if not fits(value):
                raise Fail(f"the recorded draw {quote(value)} is of another type")
        drawn.append(value)
        return value

    def _below(self, count: int) -> int:
        bound = 2**64 - 2**64 % count
        while (word := self._next()) >= bound:
            pass
        return word % count

    def _next(self) -> int:
        if self._key is None:
            tool, arguments = self.call
            text = canonical([self._seed, tool, list(arguments)])
            occurrence = (self._seen or {}).get(text, 0)
            whole = canonical([self._seed, tool, list(arguments), occurrence])
            self._key = (text, blake2b(whole.encode(), digest_size=32).digest())
            self._word = 0
        word = blake2b(self._word.to_bytes(8, "big"), key=self._key[1], digest_size=8).digest()
        self._word += 1
        return int.from_bytes(word, "big")
