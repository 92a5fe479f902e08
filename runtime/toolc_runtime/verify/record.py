"""What verification reads of an episode and of a task, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Change = tuple[Any, Any]
"""A value before and after; None stands for a row that is not there."""

Changes = Mapping[str, Any]
"""By table `{key: Change}`, by scalar a `Change`, a tuple. Values and keys are the runtime's."""

Log = Sequence[tuple[str, Any, Any, Any]]
"""What was written, in order: `(name, key, before, after)` each, a scalar's key is None."""


class Call(Protocol):
    """One call of an episode's trace."""

    @property
    def tool(self) -> str: ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Defaults filled in, where the call passed its schema."""

    @property
    def result(self) -> Any:
        """The result, or the failure, as a value or a JSON value."""

    @property
    def status(self) -> str:
        """`ok`, `failed`, `rejected`, `exhausted` or `fault`."""

    @property
    def log(self) -> Log:
        """What this call wrote."""

    @property
    def writes(self) -> Changes:
        """What this call changed, relative to the state just before it."""

    @property
    def turn(self) -> int:
        """The index of the user's turn it was made in."""

    @property
    def message(self) -> int:
        """The index of the model's message that made it; parallel calls share one."""


class Episode(Protocol):
    """An episode that has ended, or is looked at as if it had."""

    @property
    def trace(self) -> Sequence[Call]: ...

    @property
    def texts(self) -> Sequence[str]:
        """The text that ended each turn, for the turns that have ended."""

    @property
    def fresh(self) -> Sequence[str]:
        """The ids that `fresh_id` drew, in order."""

    @property
    def state(self) -> Any: ...

    def changes(self) -> Changes:
        """The state against the state after `given`."""

    def state_after(self, calls: int) -> Any:
        """The state as it was after the first `calls` calls."""


class Task(Protocol):
    """One line of scenarios.jsonl; the parts that verification reads. Never changes."""

    def __hash__(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def bindings(self) -> Mapping[str, Any]: ...

    @property
    def system(self) -> str | None: ...

    @property
    def turns(self) -> Sequence[Mapping[str, Any]]: ...

    @property
    def record(self) -> Mapping[str, Any]: ...

    @property
    def fresh(self) -> Sequence[str]: ...
