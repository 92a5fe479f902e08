"""The record of an episode's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolc_runtime.state import Write


class Call:
    """One call. `status` is one of

    - `ok`;
    - `failed`: the tool refused, `result` is its failure;
    - `rejected`: unknown tool, malformed JSON, arguments that break the schema;
    - `exhausted`: beyond a limit of the episode, or beyond the call's budget;
    - `fault`: a defect of the tool's code.

    `arguments` are runtime values with defaults filled in where the call passed its schema, else
    what was sent as far as it was an object. `result` is a runtime value, for the last three the
    JSON value of the observation.
    """

    __slots__ = ("_given", "log", "message", "result", "status", "tool", "turn")

    def __init__(
        self,
        tool: str,
        given: Mapping[str, Any] | tuple[tuple[str, ...], tuple[Any, ...]],
        result: Any,
        status: str,
        writes: tuple[Write, ...],
        turn: int,
        message: int,
    ) -> None:
        self.tool = tool
        self._given = given  # a mapping, or shared names and the values: a third of a dict's size
        self.result = result
        self.status = status
        self.log = writes
        """What it wrote, in order: `(name, key, before, after)` each, a scalar's key is None."""
        self.turn = turn
        self.message = message

    @property
    def arguments(self) -> Mapping[str, Any]:
        """By name, in schema order where the call passed its schema."""
        given = self._given
        return dict(zip(*given, strict=True)) if isinstance(given, tuple) else given

    @property
    def writes(self) -> dict[str, Any]:
        """What changed: `{table: {key: (before, after)}, scalar: (before, after)}`."""
        made: dict[str, Any] = {}
        for name, key, before, after in self.log:
            if key is None:
                made[name] = (before, after)
            else:
                made.setdefault(name, {})[key] = (before, after)
        return made

    def __repr__(self) -> str:
        return f"Call({self.tool!r}, {self.arguments!r}, {self.result!r}, {self.status!r})"
