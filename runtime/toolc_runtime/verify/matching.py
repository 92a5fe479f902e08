"""Matching the calls of an episode with the steps of a plan.

A step is done by at most one call of its turn, a call does at most one step. Among all such
pairings one with the most pairs is taken; ties go to the earlier step and the earlier call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolc_runtime.verify.changes import deltas, readable, same_writes
from toolc_runtime.verify.equality import difference, show
from toolc_runtime.verify.plan import Step, plan_of
from toolc_runtime.verify.record import Call, Episode, Task
from toolc_runtime.verify.run import Run

SEARCH = 2_000
"""Most attempts to pair a step with a call in one turn, where fresh ids tie pairs together."""

_NO_ARGUMENTS: Mapping[str, Any] = {}
_RAN = frozenset({"ok", "failed"})


def match(episode: Episode, task: Task) -> Run:
    """Sets an episode's calls against the plan of its task."""
    run = Run(episode, task, plan_of(task))
    for turn, steps in enumerate(run.plan.turns):
        if not steps:
            continue
        calls = [
            index
            for index, call in enumerate(run.trace)
            if call.turn == turn and call.status in _RAN
        ]
        if run.ids.idle:
            _match_most(run, steps, calls)
        else:
            _match_with_ids(run, steps, calls)
    return run


def does(number: int, step: Step, run: Run) -> bool:
    """Whether the call of that number does a step; pairs fresh ids as needed where it does."""
    call = run.trace[number]
    if call.tool != step.tool or (call.status == "failed") is not step.fails:
        return False
    ids = run.ids
    arguments = call.arguments if step.pinned else _NO_ARGUMENTS
    if ids.idle:
        for name, value in step.pinned:
            if not value.matches(arguments.get(name)):
                return False
        if not step.writes:
            return step.result.matches(call.result)
        if step.wrote_again(call.log):
            return True
        found = deltas(call.writes)
        if step.written.matches(found) or same_writes(step.writes, found, ids):
            step.remember(call.log)
            return True
        return False
    mark = ids.mark()
    if all(ids.unify(value.json, arguments.get(name)) for name, value in step.pinned) and (
        same_writes(step.writes, deltas(call.writes), ids)
        if step.writes
        else ids.unify(step.result.json, call.result)
    ):
        return True
    ids.back(mark)
    return False


# ---------------------------------------------------------------- without fresh ids


def _match_most(run: Run, steps: Sequence[Step], calls: Sequence[int]) -> None:
    """Pairs each step with its first free call, then finds room for the rest by moving others
    (augmenting paths)."""
    doers: dict[int, int] = {}  # call to step
    left = []
    for step in steps:
        for index in calls:
            if index not in doers and does(index, step, run):
                doers[index] = step.index
                break
        else:
            left.append(step)
    if left and doers:
        able = {step.index: [index for index in calls if does(index, step, run)] for step in steps}
        for step in left:
            _augment(step.index, able, doers, set())
    for index, number in doers.items():
        run.calls[number] = index


def _augment(step: int, able: dict[int, list[int]], doers: dict[int, int], seen: set[int]) -> bool:
    for index in able[step]:
        if index in seen:
            continue
        seen.add(index)
        if index not in doers or _augment(doers[index], able, doers, seen):
            doers[index] = step
            return True
    return False


# ---------------------------------------------------------------- with fresh ids


class _Search:
    """Depth first over the steps of a turn: each takes a free call, or none. The first leaf is the
    greedy pairing; the search ends at the first that pairs every step, or when its attempts are
    used up, and keeps the best."""

    def __init__(self, run: Run, steps: Sequence[Step], calls: Sequence[int]) -> None:
        self.run = run
        self.steps = steps
        self.calls = calls
        self.attempts = SEARCH
        self.taken: dict[int, int] = {}  # step to call
        self.best: dict[int, int] = {}

    def visit(self, position: int) -> bool:
        """Whether the search is over."""
        if len(self.taken) > len(self.best):
            self.best = dict(self.taken)
        left = len(self.steps) - position
        if left == 0:
            return len(self.best) == len(self.steps)
        if len(self.taken) + left <= len(self.best):
            return False
        step = self.steps[position]
        used = set(self.taken.values())
        for index in self.calls:
            if index in used:
                continue
            if self.attempts == 0:
                return True
            self.attempts -= 1
            mark = self.run.ids.mark()
            if does(index, step, self.run):
                self.taken[step.index] = index
                if self.visit(position + 1):
                    return True
                del self.taken[step.index]
                self.run.ids.back(mark)
        return self.visit(position + 1)


def _match_with_ids(run: Run, steps: Sequence[Step], calls: Sequence[int]) -> None:
    mark = run.ids.mark()
    search = _Search(run, steps, calls)
    search.visit(0)
    run.ids.back(mark)
    for step in steps:
        index = search.best.get(step.index)
        if index is not None and does(index, step, run):
            run.calls[step.index] = index


# ---------------------------------------------------------------- reasons


def describe(run: Run, step: Step) -> str:
    """Why a step is solved, or what came closest to it."""
    number = run.calls[step.index]
    if number is not None:
        return f"call {number + 1} did it"
    tool = step.tool
    near = [
        index
        for index, call in enumerate(run.trace)
        if call.tool == tool and call.turn == step.turn
    ]
    if not near:
        elsewhere = any(call.tool == tool for call in run.trace)
        return f"{tool} was not called" + (" in this turn" if elsewhere else "")
    free = [index for index in near if index not in run.calls]
    if not free:
        return f"every call of {tool} did another step"
    index = max(free, key=lambda index: (_likeness(run, run.trace[index], step), -index))
    return f"call {index + 1}: {_mismatch(run, run.trace[index], step)}"


def _likeness(run: Run, call: Call, step: Step) -> int:
    agreeing = sum(
        run.ids.agree(value.json, call.arguments.get(name)) for name, value in step.pinned
    )
    return 2 * agreeing + ((call.status == "failed") is step.fails)


def _mismatch(run: Run, call: Call, step: Step) -> str:
    """What keeps a call of the right tool from doing a step."""
    if call.status not in _RAN:
        return f"{call.tool} was {call.status}: {show(call.result)}"
    if (call.status == "failed") is not step.fails:
        if step.fails:
            return f"{call.tool} succeeded, where the plan expects it to fail"
        return f"{call.tool} failed: {show(call.result)}"
    for name, value in step.pinned:
        if not run.ids.agree(value.json, call.arguments.get(name)):
            return "argument " + difference(
                run.ids.apply(value.json), call.arguments.get(name), name
            )
    if step.writes:
        return f"{call.tool} wrote something else: " + difference(
            readable(run.ids.apply(step.writes)), readable(deltas(call.writes))
        )
    what = "failure" if step.fails else "result"
    return f"the {what} of {call.tool} differs: " + difference(
        run.ids.apply(step.result.json), call.result
    )
