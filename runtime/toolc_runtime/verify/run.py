"""An episode beside its plan: which call did which step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolc_runtime.verify.equality import Renaming
from toolc_runtime.verify.plan import Plan
from toolc_runtime.verify.record import Call, Changes, Episode, Task
from toolc_runtime.verify.seen import Seen

_NO_IDS = Renaming((), ())
"""It pairs nothing, so that all episodes may share it."""


class Run:
    """An episode whose calls are matched with the steps of its task's plan.

    `calls[i]` is the index in the trace of the call that did step i, or None.
    """

    __slots__ = ("_changes", "calls", "episode", "ids", "plan", "task", "texts", "trace")

    def __init__(self, episode: Episode, task: Task, plan: Plan) -> None:
        self.episode = episode
        self.task = task
        self.plan = plan
        self.trace = episode.trace
        self.texts = episode.texts
        self.ids = Renaming(plan.fresh, episode.fresh) if plan.fresh else _NO_IDS
        self.calls: list[int | None] = [None] * len(plan.steps)
        self._changes: Changes | None = None

    def seen(self, turn: int | None = None) -> Seen:
        """How the episode went, or one of its turns."""
        texts = self.texts if turn is None else self.texts[turn : turn + 1]
        return Seen(self.trace_of(turn), texts)

    def changes(self, turn: int | None = None) -> Changes:
        """What the calls of a turn, or of all turns, changed together."""
        if turn is not None:
            return self._together(turn)
        if self._changes is None:
            self._changes = self._together(None)
        return self._changes

    def _together(self, turn: int | None) -> Changes:
        total: dict[str, Any] = {}
        for call in self.trace:
            if turn is not None and call.turn != turn:
                continue
            for name, key, before, after in call.log:
                if key is None:
                    total[name] = (total[name][0] if name in total else before, after)
                    continue
                rows = total.setdefault(name, {})
                rows[key] = (rows[key][0] if key in rows else before, after)
        return total

    def trace_of(self, turn: int | None) -> Sequence[Call]:
        """The calls of one turn, or of all."""
        return self.trace if turn is None else [call for call in self.trace if call.turn == turn]


def planned(run: Run, index: int) -> Any:
    """The result (or the failure) of a step of the plan, as a JSON value, with the episode's ids.

    `index` counts over all turns.
    """
    return run.ids.apply(run.plan.steps[index].result.json)


def state_after(run: Run, turn: int) -> Any:
    """The state at the end of a turn."""
    return run.episode.state_after(calls_until(run, turn))


def calls_until(run: Run, turn: int) -> int:
    """How many calls were made up to the end of a turn."""
    return sum(call.turn <= turn for call in run.trace)
