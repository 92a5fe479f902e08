"""From checks to rewards."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.world import Do, Turn, default, play, task_of, verdict
from toolc_runtime.verify import (
    Check,
    Verdict,
    answer,
    binary,
    check,
    constraint,
    ftrl_step,
    judge,
    match,
    no_call,
    order,
    solve_f1,
    solve_precision,
    solve_rate,
    state,
    steps,
    weighted,
)

ONE, TWO = {"order_id": "#W1"}, {"order_id": "#W2"}
GETS = [Do("get_order", ONE), Do("get_order", TWO)]
PLAN = task_of(Turn(steps=GETS))
ANSWERED = task_of(Turn(steps=GETS, extra={"answer": 40.0, "answer_rests_on": [0, 1]}))
CANCEL = task_of(Turn(steps=[Do("cancel", ONE)]))
NONE = task_of(Turn(), kind="none")

FIRST, SECOND = ("get_order", ONE), ("get_order", TWO)
BAD: tuple[str, dict[str, str]] = ("get_order", {})


def by(reward: Any) -> Any:
    return lambda episode, task: reward(match(episode, task), steps(match(episode, task)))


@pytest.mark.parametrize(
    ("reward", "moves", "value"),
    [
        (solve_f1, [FIRST, SECOND], 1.0),
        (solve_f1, [FIRST], 2 / 3),
        (solve_f1, [FIRST, SECOND, SECOND], 4 / 5),
        (solve_f1, [FIRST, BAD], 2 / 4),
        (solve_f1, [BAD], 0.0),
        (solve_f1, [], 0.0),
        (solve_precision, [FIRST, SECOND], 1.0),
        (solve_precision, [FIRST], 1.0),
        (solve_precision, [FIRST, BAD], 0.5),
        (solve_precision, [], 0.0),
        (solve_rate, [FIRST, BAD, BAD], 0.5),
        (solve_rate, [FIRST, SECOND, BAD], 1.0),
        (binary, [FIRST, SECOND, BAD], 1.0),
        (binary, [FIRST], 0.0),
    ],
)
def test_formulas(reward: Any, moves: Any, value: float) -> None:
    found = verdict(PLAN, *moves, verifier=by(reward))
    assert found.reward == pytest.approx(value)
    assert (found.goals, found.calls, found.scored) == (2, len(moves), True)


def test_goals_that_are_not_steps_count_as_calls_that_had_to_be_made() -> None:
    assert verdict(ANSWERED, FIRST, SECOND, end="40").reward == 1.0
    assert verdict(ANSWERED, FIRST, SECOND, end="41").reward == pytest.approx(2 * 2 / (2 + 1 + 3))
    assert verdict(ANSWERED, FIRST, end="40").reward == pytest.approx(2 / (1 + 1 + 3))
    assert verdict(CANCEL, ("cancel", ONE)).reward == 1.0
    assert verdict(CANCEL, ("cancel", ONE), FIRST).reward == pytest.approx(4 / 5)


def test_an_answer_alone_earns_nothing() -> None:
    assert verdict(ANSWERED, end="40").reward == 0.0

    def lenient(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_rate(run, [*steps(run), check("said", lambda: False), answer(run)])

    unsupported = task_of(Turn(steps=GETS, extra={"answer": 40.0}))
    found = verdict(unsupported, BAD, end="40", verifier=lenient)
    assert (found.solved, found.reward) == (1.0, 0.0)


def test_without_a_call_nothing_is_earned() -> None:
    def trivial(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_rate(run, [*steps(run), check("still_there", lambda: True)])

    assert verdict(PLAN, end="done", verifier=trivial).reward == 0.0
    assert verdict(PLAN, FIRST, end="done", verifier=trivial).reward == pytest.approx(2 / 3)


def test_calls_are_free_where_steps_are_no_goals() -> None:
    def only_state(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_f1(run, [state(run)])

    assert verdict(CANCEL, ("cancel", ONE), verifier=only_state).reward == 1.0
    found = verdict(CANCEL, FIRST, ("cancel", ONE), verifier=only_state)
    assert found.reward == pytest.approx(2 / 3)

    def first_turn_only(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_f1(run, steps(run, 0))

    task = task_of(Turn(steps=[GETS[0]]), Turn(steps=[GETS[1]]))
    assert verdict(task, FIRST, "ok", SECOND, verifier=first_turn_only).reward == 1.0
    found = verdict(task, FIRST, "ok", SECOND, SECOND, verifier=first_turn_only)
    assert found.reward == pytest.approx(2 / 3)


def test_an_answer_may_be_the_only_goal() -> None:
    def only_answer(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_f1(run, [answer(run)])

    assert verdict(ANSWERED, FIRST, SECOND, end="40", verifier=only_answer).reward == 1.0
    assert verdict(ANSWERED, FIRST, end="40", verifier=only_answer).reward == 0.0


def test_guards_multiply() -> None:
    def guarded(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        guards = [order(run), constraint(run, "calls <= 2", lambda seen: seen.calls <= 2)]
        return solve_f1(run, steps(run), guards)

    task = task_of(Turn(steps=[GETS[0], Do("get_order", TWO, after=[0])]))
    assert verdict(task, FIRST, SECOND, verifier=guarded).reward == 1.0
    assert verdict(task, SECOND, FIRST, verifier=guarded).reward == 0.0
    assert verdict(task, FIRST, SECOND, BAD, verifier=guarded).reward == 0.0


def test_weights_of_goals() -> None:
    def heavy(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_f1(run, [*steps(run), answer(run, weight=3)])

    assert verdict(ANSWERED, FIRST, SECOND, end="40", verifier=heavy).reward == 1.0
    # 2 s / (q + n + t) with s = 2, q = 2, n = 3, t = 5
    assert verdict(ANSWERED, FIRST, SECOND, end="none", verifier=heavy).reward == 0.4

    def mean(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        goals = [*steps(run), check("x", lambda: True, weight=3), check("x", lambda: False)]
        return weighted(run, goals, [], lambda goal: goal("x"))

    assert verdict(ANSWERED, FIRST, verifier=mean).reward == 0.75


@pytest.mark.parametrize(
    ("moves", "end", "reward"),
    [
        ((FIRST, SECOND), "40", 1.0),
        ((FIRST, SECOND), "50", (1 + 1 + 0.5) / 3),
        ((FIRST, SECOND), "", 2 / 3),
        ((FIRST, SECOND), "<tool_call>40", 2 / 3),
        ((FIRST, SECOND, SECOND), "40", 3 / 4),
        ((FIRST,), "40", 1 / 2),
        ((), "40", 0.0),
    ],
)
def test_ftrl_step(moves: tuple[Any, ...], end: str, reward: float) -> None:
    def stepwise(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return ftrl_step(run, [*steps(run), answer(run)])

    found = verdict(ANSWERED, *moves, end=end, verifier=stepwise)
    assert found.reward == pytest.approx(reward)


def test_weighted() -> None:
    def half(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        goals = [*steps(run), check("tidy", lambda: len(run.trace) < 3), answer(run)]
        return weighted(
            run,
            goals,
            [],
            lambda goal: 0.5 * goal("steps") + 0.25 * goal("tidy") + goal("answer") - goal("none"),
        )

    assert verdict(ANSWERED, FIRST, verifier=half).reward == 0.5
    assert verdict(ANSWERED, FIRST, SECOND, verifier=half).reward == 0.75
    assert verdict(ANSWERED, FIRST, SECOND, end="40", verifier=half).reward == 1.0
    assert verdict(ANSWERED, BAD, BAD, BAD, verifier=half).reward == 0.0


def test_nothing_to_call() -> None:
    def quiet(episode: Any, task: Any) -> Verdict:
        run = match(episode, task)
        return solve_f1(run, [], [no_call(run)])

    assert verdict(NONE, end="I can't.", verifier=quiet).reward == 1.0
    assert verdict(NONE, FIRST, end="I can't.", verifier=quiet).reward == 0.0
    assert verdict(NONE, BAD, verifier=quiet).reward == 0.0
    answered = task_of(Turn(extra={"answer": 4}), kind="none")
    assert verdict(answered, end="4").reward == 1.0
    assert verdict(answered, end="5").reward == 0.0


def test_turns_are_counted_together() -> None:
    task = task_of(Turn(steps=[GETS[0]]), Turn(steps=[GETS[1]]))
    assert verdict(task, FIRST, "ok", SECOND, end="ok").reward == 1.0
    assert verdict(task, FIRST).reward == pytest.approx(2 / 3)


def test_a_fault_is_not_scored() -> None:
    assert verdict(PLAN, FIRST, ("broken", {})).scored is False
    assert verdict(PLAN, FIRST, BAD).scored is True


def test_a_defective_verifier_is_not_scored() -> None:
    def defective(episode: Any, task: Any) -> Verdict:
        raise ValueError("oops")

    found = verdict(PLAN, FIRST, verifier=defective)
    assert (found.reward, found.scored) == (0.0, False)
    assert found.checks[0].reason == "the verifier failed: ValueError: oops"
    assert judge(default, play(PLAN, FIRST), PLAN).scored is True


def test_a_verdict_is_plain_data() -> None:
    found = verdict(PLAN, FIRST)
    copy = pickle.loads(pickle.dumps(found))
    assert copy.to_json() == found.to_json()
    assert json.loads(json.dumps(found.to_json()))["checks"][1] == {
        "name": "step 2",
        "kind": "goal",
        "value": 0.0,
        "weight": 1.0,
        "reason": "(get_order): every call of get_order did another step",
    }
    assert found.check("step 1") is found.checks[0]
    assert found.check("step 9") is None


VALUES = st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=4)


@given(VALUES, VALUES, st.integers(0, 4))
def test_every_reward_is_in_bounds(goals: list[float], guards: list[float], calls: int) -> None:
    task = task_of(Turn())
    run = match(play(task, *[FIRST] * calls), task)
    made = [Check(f"g{index}", "goal", value, "") for index, value in enumerate(goals)]
    kept = [Check(f"h{index}", "guard", value, "") for index, value in enumerate(guards)]
    for reward in (solve_f1, solve_precision, solve_rate, binary):
        found = reward(run, made, kept)
        assert 0.0 <= found.reward <= 1.0
        assert (calls and any(goals)) or found.reward == 0.0
