"""How often a server is asked, and when again after it could not answer.

Nothing here sleeps: what is given is how long to wait.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

UNITS = {"s": 1.0, "second": 1.0, "m": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?:/([a-z]+))?")


def rate_of(text: str) -> float:
    """Requests a second: `5`, `5/second`, `60/minute`, `1000/hour`. ValueError for other texts."""
    read = _RATE.fullmatch(text.strip())
    unit = UNITS.get(read[2] or "s") if read else None
    if read is None or unit is None or float(read[1]) == 0:
        raise ValueError(f"`{text}` is no rate: 5/second, 60/minute")
    return float(read[1]) / unit


class Pace:
    """A token bucket that several threads share: `rate` tokens a second, at most `burst` of them.

    Without a rate there are always tokens. `hold` keeps everyone waiting, whatever is in it.
    """

    def __init__(
        self,
        rate: float | None = None,
        burst: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = burst
        self._at = clock()
        self._held = self._at

    def take(self) -> float:
        """Takes a token, if need be one that is yet to come: seconds until it may be used."""
        with self._lock:
            now = self._clock()
            if self._rate is None:
                return max(0.0, self._held - now)
            # What is held back is not gathered: tokens come from the end of the hold on.
            at = max(now, self._held)
            self._tokens = min(self._burst, self._tokens + (at - self._at) * self._rate)
            self._at = at
            self._tokens -= 1.0
            return at - now + max(0.0, -self._tokens / self._rate)

    def hold(self, seconds: float) -> None:
        """Lets no token be used for so long, for a server that asks for it."""
        with self._lock:
            self._held = max(self._held, self._clock() + seconds)


def delays(retries: int, random: Random, first: float = 1.0, most: float = 60.0) -> Iterator[float]:
    """Seconds to wait before each further try: doubling up to `most`, less up to half by chance,
    so that those who failed together do not come back together."""
    for attempt in range(retries):
        yield min(most, first * 2.0 ** min(attempt, 30)) * random.uniform(0.5, 1.0)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """The seconds that a `Retry-After` header asks to wait, given as such or as a date."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    from email.utils import parsedate_to_datetime  # and what it imports

    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
