"""Rewards: from goals, guards and the number of calls to one number in 0..1.

With s the sum of the goals' values, t their number, n the number of those that are not steps, and
q the calls that count:

    solve_f1         2 s / (q + n + t)
    solve_precision  s / (q + n)
    solve_rate       s / t
    binary           1 where every goal is 1, else 0
    ftrl_step        the mean over the model's messages of the published step reward, each held to
                     0..1: 2 k / (n + 1) for n calls that do k steps; for a final text 1 / (1 + u)
                     where its answer is right, u steps being left, 1/2 where it is not and u is 0

times the product of the guards. q counts every call that was made, rejected and failed ones too;
but in turns whose steps are not among the goals, as many calls are free as the plan has steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toolc_runtime.ftrl import STEP_REWARDS, final_reward
from toolc_runtime.verify.record import Episode, Task
from toolc_runtime.verify.run import Run
from toolc_runtime.verify.verdict import Check, Verdict

Verifier = Callable[[Any, Any], Verdict]


class _Sums:
    """What the formulas are made of."""

    __slots__ = ("calls", "moved", "others", "solved", "total")

    def __init__(self, run: Run, goals: Sequence[Check]) -> None:
        solved = total = others = 0.0
        asked = answers = 0
        moved = False
        for goal in goals:
            weight = goal.weight
            value = goal.value
            solved += value * weight
            total += weight
            group = goal.group
            if group == "steps":
                asked += 1
            else:
                others += weight
                if group == "answer":
                    answers += 1
                    continue
            if value:
                moved = True
        self.moved = moved or (answers == len(goals) and solved > 0)
        """Whether a goal beside the answers is met; where there is no other, whether an answer
        is."""
        self.solved = solved
        self.total = total
        self.others = others
        self.calls = len(run.trace)
        if asked != len(run.plan.steps):
            self.calls -= _free_calls(run, goals)


def _free_calls(run: Run, goals: Sequence[Check]) -> int:
    names = {goal.name for goal in goals if goal.group == "steps"}
    return sum(
        min(sum(step.name not in names for step in steps), len(run.trace_of(turn)))
        for turn, steps in enumerate(run.plan.turns)
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _f1(sums: _Sums) -> float:
    return _ratio(2 * sums.solved, sums.calls + sums.others + sums.total)


def _precision(sums: _Sums) -> float:
    return _ratio(sums.solved, sums.calls + sums.others)


def _rate(sums: _Sums) -> float:
    return _ratio(sums.solved, sums.total)


def _binary(sums: _Sums) -> float:
    return float(sums.solved == sums.total)


def solve_f1(run: Run, goals: Sequence[Check], guards: Sequence[Check] = ()) -> Verdict:
    """The F1 of goals met against calls made and goals there are."""
    return _verdict(run, goals, guards, _f1)


def solve_precision(run: Run, goals: Sequence[Check], guards: Sequence[Check] = ()) -> Verdict:
    """Goals met by call made."""
    return _verdict(run, goals, guards, _precision)


def solve_rate(run: Run, goals: Sequence[Check], guards: Sequence[Check] = ()) -> Verdict:
    """The share of goals met."""
    return _verdict(run, goals, guards, _rate)


def binary(run: Run, goals: Sequence[Check], guards: Sequence[Check] = ()) -> Verdict:
    """All or nothing."""
    return _verdict(run, goals, guards, _binary)


def ftrl_step(run: Run, goals: Sequence[Check], guards: Sequence[Check] = ()) -> Verdict:
    """The published step reward, over an episode: see the module."""
    return _verdict(run, goals, guards, lambda _: _mean_step(run, goals))


def _mean_step(run: Run, goals: Sequence[Check]) -> float:
    right = {goal.name: goal.value == 1.0 for goal in goals if goal.group == "answer"}
    doers = {index for index in run.calls if index is not None}
    rewards: list[float] = []
    for turn, steps in enumerate(run.plan.turns):
        messages: dict[int, list[bool]] = {}
        for index, call in enumerate(run.trace):
            if call.turn == turn:
                messages.setdefault(call.message, []).append(index in doers)
        rewards += [STEP_REWARDS["solve_f1"](sum(made), len(made)) for made in messages.values()]
        if turn < len(run.texts):
            left = sum(run.calls[step.index] is None for step in steps)
            name = f"answer {turn + 1}" if f"answer {turn + 1}" in right else "answer"
            rewards.append(final_reward(run.texts[turn], left, right.get(name, not left)))
    return _ratio(sum(min(1.0, max(0.0, each)) for each in rewards), len(rewards))


def weighted(
    run: Run,
    goals: Sequence[Check],
    guards: Sequence[Check],
    formula: Callable[[Callable[[str], float]], float],
) -> Verdict:
    """An expression over goals, held to 0..1: `formula` is given a function from a goal's name to
    its value. `steps`, `state` and `answer` are means over all checks of that kind, by weight; a
    name that no goal has is 0."""

    def value_of(name: str) -> float:
        named = [goal for goal in goals if goal.group == name]
        weight = sum(goal.weight for goal in named)
        return _ratio(sum(goal.value * goal.weight for goal in named), weight)

    return _verdict(run, goals, guards, lambda _: float(formula(value_of)))


def _verdict(
    run: Run, goals: Sequence[Check], guards: Sequence[Check], formula: Callable[[_Sums], float]
) -> Verdict:
    sums = _Sums(run, goals)
    kept = 1.0
    for guard in guards:
        kept *= guard.value
    if run.task.kind == "none":
        right = not run.trace and kept == 1 and sums.solved == sums.total
        reward = float(right)
    elif not run.trace or not sums.moved:
        reward = 0.0
    else:
        reward = kept * min(1.0, max(0.0, formula(sums)))
    scored = "fault" not in [call.status for call in run.trace]
    return Verdict(reward, (*goals, *guards), sums.solved, len(goals), len(run.trace), scored)


def judge(verifier: Verifier, episode: Episode, task: Task) -> Verdict:
    """The verdict of an emitted verifier. An error in it is the environment's fault, not the
    model's: the verdict is then not scored, and its only check says what happened."""
    try:
        return verifier(episode, task)
    except Exception as error:
        reason = f"the verifier failed: {type(error).__name__}: {error}"
        check = Check("verifier", "guard", 0.0, reason)
        return Verdict(0.0, (check,), 0.0, 0, len(episode.trace), scored=False)
