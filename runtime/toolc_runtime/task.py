"""A task: one line of `scenarios.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Task:
    """One line of scenarios.jsonl, read only; `record` is the whole line.

    Beside the documented fields a line may have `clock` (ISO 8601, where the episode's clock
    starts), and a turn may have `given` (what changed in the plan as the turn began) and `advance`
    (an ISO 8601 duration, how far the clock moved).
    """

    __slots__ = ("record", "start")

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.start: Any = None
        """What the environment has prepared for episodes of this task."""

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def scenario(self) -> str:
        return str(self.record["scenario"])

    @property
    def kind(self) -> str:
        return str(self.record.get("kind", ""))

    @property
    def bindings(self) -> Mapping[str, Any]:
        return self.record.get("bindings") or {}

    @property
    def difficulty(self) -> Mapping[str, Any]:
        return self.record.get("difficulty") or {}

    @property
    def seed(self) -> int | None:
        return self.record.get("seed")

    @property
    def fixed_seed(self) -> bool:
        """Whether its episodes keep its seed: the plan shows draws other than ids."""
        return bool(self.record.get("fixed_seed"))

    @property
    def tools(self) -> Sequence[str] | None:
        """The names offered; None for all."""
        return self.record.get("tools")

    @property
    def system(self) -> str | None:
        return self.record.get("system")

    @property
    def turns(self) -> Sequence[Mapping[str, Any]]:
        return self.record.get("turns") or ()

    @property
    def given(self) -> Mapping[str, Any]:
        return self.record.get("given") or {}

    @property
    def state(self) -> Mapping[str, Any]:
        """The changes that the plan makes."""
        return self.record.get("state") or {}

    @property
    def fresh(self) -> Sequence[str]:
        """The ids that the plan drew."""
        return self.record.get("fresh") or ()

    @property
    def limits(self) -> Mapping[str, int]:
        return self.record.get("limits") or {}

    @property
    def reward(self) -> Any:
        return self.record.get("reward")

    def __repr__(self) -> str:
        return f"Task({self.id!r})"
