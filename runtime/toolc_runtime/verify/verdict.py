"""A check and a verdict, as values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Kind = Literal["goal", "guard"]

Reason = str | tuple[Any, ...]
"""A sentence, or `(function, *arguments)` that gives one: most reasons are never read."""


class Check:
    """One goal or guard: `value` in 0..1, and why.

    `group` is what a weighted reward calls it by: `steps`, `state`, `answer`, or its own name.
    """

    __slots__ = ("_reason", "group", "kind", "name", "value", "weight")

    def __init__(
        self,
        name: str,
        kind: Kind,
        value: float,
        reason: Reason,
        group: str = "",
        weight: float = 1.0,
    ) -> None:
        self.name = name
        self.kind = kind
        self.value = value
        self.group = group or name
        self.weight = weight
        self._reason = reason

    @property
    def reason(self) -> str:
        """A sentence that says what held, or what did not and where."""
        if not isinstance(self._reason, str):
            render: Callable[..., str] = self._reason[0]
            self._reason = render(*self._reason[1:])
        return self._reason

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "value": self.value,
            "weight": self.weight,
            "reason": self.reason,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return Check, (self.name, self.kind, self.value, self.reason, self.group, self.weight)

    def __repr__(self) -> str:
        return f"Check({self.name!r}, {self.kind!r}, {self.value:g}, {self.reason!r})"


class Verdict:
    """What an episode earned.

    `reward` is in 0..1; `solved` the sum of the goals' values, `goals` their number, `calls` the
    calls made. `scored` is false where the environment itself was at fault: then the reward says
    nothing about the model, and a trainer drops the episode.
    """

    __slots__ = ("calls", "checks", "goals", "reward", "scored", "solved")

    def __init__(
        self,
        reward: float,
        checks: tuple[Check, ...],
        solved: float,
        goals: int,
        calls: int,
        scored: bool = True,
    ) -> None:
        self.reward = reward
        self.checks = checks
        self.solved = solved
        self.goals = goals
        self.calls = calls
        self.scored = scored

    def check(self, name: str) -> Check | None:
        """The first check of that name."""
        return next((check for check in self.checks if check.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """A JSON value, every reason rendered."""
        return {
            "reward": self.reward,
            "scored": self.scored,
            "solved": self.solved,
            "goals": self.goals,
            "calls": self.calls,
            "checks": [check.to_json() for check in self.checks],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.reward, self.checks, self.solved, self.goals, self.calls, self.scored)
        return Verdict, parts

    def __repr__(self) -> str:
        return (
            f"Verdict(reward={self.reward:g}, solved={self.solved:g}/{self.goals}, "
            f"calls={self.calls}, scored={self.scored})"
        )
