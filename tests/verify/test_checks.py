"""Goals and guards, one by one."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.verify.world import Do, Turn, play, task_of
from toolc_runtime.errors import Fail
from toolc_runtime.verify import (
    Check,
    Run,
    Seen,
    answer,
    called,
    check,
    constraint,
    invariant,
    match,
    never,
    no_call,
    order,
    state,
    state_after,
    unchanged,
)

ONE, TWO = {"order_id": "#W1"}, {"order_id": "#W2"}
GET, CANCEL = Do("get_order", ONE), Do("cancel", ONE)
ORDER = {"user": "ann", "amount": 5.0}


def run_of(task: Any, *moves: Any, **options: Any) -> Run:
    return match(play(task, *moves, **options), task)


def both(check: Check) -> tuple[float, str]:
    return check.value, check.reason


class TestState:
    task = task_of(Turn(steps=[CANCEL]))

    def test_equal(self) -> None:
        assert both(state(run_of(self.task, ("cancel", ONE)))) == (1.0, "the state is the plan's")

    def test_untouched(self) -> None:
        check = state(run_of(self.task), ignore=["cancelled_today"])
        assert check.value == 0.0
        assert check.reason.startswith('orders[#W1] is unchanged, and should be {"order_id":"#W1"')

    def test_a_field_differs(self) -> None:
        run = run_of(self.task, ("cancel", {**ONE, "reason": "by mistake"}))
        reason = 'orders[#W1]: cancel_reason is "by mistake", not "no longer needed"'
        assert both(state(run)) == (0.0, reason)
        assert state(run, ignore=["orders.cancel_reason"]).value == 1.0
        assert state(run, ignore=["orders"]).value == 1.0

    def test_a_row_too_many(self) -> None:
        run = run_of(self.task, ("cancel", ONE), ("drop", TWO))
        assert both(state(run))[0] == 0.0
        assert state(run).reason.startswith("orders[#W2] is missing; the plan has {")

    def test_scalars(self) -> None:
        run = run_of(self.task, ("cancel", ONE), ("cancel", TWO))
        assert state(run, ignore=["orders", "users"]).reason == "cancelled_today: it is 2, not 1"
        assert state(run, ignore=["orders", "users", "cancelled_today"]).value == 1.0

    def test_rows_that_were_changed_back_do_not_count(self) -> None:
        task = task_of(Turn(steps=[Do("create", ORDER), Do("drop", {"order_id": "$0"})]))
        assert task.state == {}
        assert state(run_of(task)).value == 1.0

    def test_a_row_that_differs_in_what_is_ignored_only(self) -> None:
        task = task_of(Turn(steps=[Do("note", {**ONE, "text": "x"})]))
        assert state(run_of(task), ignore=["orders.note"]).value == 1.0
        assert state(run_of(task)).value == 0.0
        run = run_of(task, ("note", {**TWO, "text": "y"}))
        assert state(run, ignore=["orders.note"]).value == 1.0

    def test_fresh_ids_are_renamed_even_without_a_matched_step(self) -> None:
        task = task_of(Turn(steps=[Do("create", ORDER), Do("create", {**ORDER, "amount": 6.0})]))
        swapped = [("create", {**ORDER, "amount": 6.0}), ("create", ORDER)]
        assert state(run_of(task, *swapped, seed=5)).value == 1.0
        elsewhere = task_of(Turn(), Turn(steps=[Do("create", ORDER)]))
        run = run_of(elsewhere, ("create", ORDER), seed=5)
        assert run.calls == [None]
        assert state(run).value == 1.0
        assert state(run_of(elsewhere, ("create", {**ORDER, "user": "bob"}))).value == 0.0

    def test_of_a_turn(self) -> None:
        first = task_of(Turn(steps=[CANCEL]))
        task = task_of(Turn(steps=[CANCEL], extra={"state": first.state}), Turn())
        run = run_of(task, ("cancel", ONE), "done", ("drop", TWO), end="done")
        assert state(run, turn=0).value == 1.0
        assert state(run).value == 0.0
        late = run_of(task, "done", ("cancel", ONE), end="done")
        assert (state(late, turn=0).value, state(late).value) == (0.0, 1.0)
        assert both(state(run_of(task, ("cancel", ONE)), turn=0)) == (0.0, "turn 1 did not end")


class TestAnswer:
    task = task_of(Turn(steps=[GET], extra={"answer": 40.0, "answer_rests_on": [0]}))

    def test_right(self) -> None:
        assert both(answer(run_of(self.task, ("get_order", ONE), end="It was 40."))) == (
            1.0,
            "the text has it",
        )

    def test_pays_only_when_its_steps_are_solved(self) -> None:
        value, reason = both(answer(run_of(self.task, end="It was 40.")))
        assert (value, reason) == (0.0, "the answer rests on step 1, which is not solved")

    def test_without_a_text(self) -> None:
        run = run_of(self.task, ("get_order", ONE))
        assert both(answer(run)) == (0.0, "turn 1 has no final text")

    def test_fresh_ids_are_renamed(self) -> None:
        plain = task_of(Turn(steps=[Do("create", ORDER)]))
        made = plain.turns[0]["steps"][0]["result"]
        task = task_of(Turn(steps=[Do("create", ORDER)], extra={"answer": made}))
        own = play(task, ("create", ORDER), seed=3).trace[0].result
        assert own != made
        assert answer(run_of(task, ("create", ORDER), seed=3, end=f"It is {own}.")).value == 1.0
        assert answer(run_of(task, ("create", ORDER), seed=3, end=f"It is {made}.")).value == 0.0

    def test_of_turns(self) -> None:
        task = task_of(Turn(extra={"answer": 1}), Turn(extra={"answer": 2}))
        run = run_of(task, "1", end="3")
        first, second = answer(run, 0), answer(run, 1)
        assert (first.name, first.value) == ("answer 1", 1.0)
        assert (second.name, second.reason) == ("answer 2", "expected 2: it is not in the text")
        assert answer(run).name == "answer 2"


class TestExpressions:
    @pytest.mark.parametrize(
        ("outcome", "value", "reason"),
        [
            (True, 1.0, "holds"),
            (False, 0.0, "c: is false"),
            (0.25, 0.25, "c: is 0.25"),
            (7, 1.0, "holds"),
            (-1, 0.0, "c: is -1"),
            ("yes", 0.0, 'c: is "yes"'),
        ],
    )
    def test_value(self, outcome: Any, value: float, reason: str) -> None:
        assert both(check("c", lambda: outcome)) == (value, reason)

    def test_a_failure_is_no(self) -> None:
        def fail() -> bool:
            raise Fail("orders has no #W9")

        assert both(check("c", fail, "It is cancelled.")) == (
            0.0,
            "It is cancelled.: could not be evaluated: orders has no #W9",
        )
        assert check("c", lambda: 1 / 0 > 0).reason == (
            "c: could not be evaluated: division by zero"
        )

    def test_constraints(self) -> None:
        task = task_of(Turn(), Turn())
        run = run_of(task, ("cancel", ONE), ("get_order", ONE), "# Done\n\n- it is\n- gone", "bye")
        found = constraint(run, "c", lambda seen: seen.calls <= 1 and seen.calls_of("cancel") == 0)
        assert (found.kind, *both(found)) == ("guard", 0.0, "2 calls")
        found = constraint(run, "c", lambda seen: seen.calls_of("cancel") == 1)
        assert both(found) == (1.0, "1 call of cancel")
        found = constraint(run, "c", lambda seen: seen.bullets == 2 and seen.lines == 3, turn=0)
        assert both(found) == (1.0, "2 bullets, 3 lines")
        found = constraint(run, "c", lambda seen: "bye" in seen.text)
        assert both(found) == (1.0, 'the text is "bye"')

    def test_a_constraint_that_cannot_be_evaluated(self) -> None:
        def fail(seen: object) -> bool:
            raise Fail("not JSON")

        found = constraint(run_of(task_of(Turn())), "c", fail)
        assert both(found) == (0.0, "c: could not be evaluated: not JSON")


def test_called_and_never() -> None:
    run = run_of(
        task_of(Turn(), Turn()),
        ("cancel", ONE),
        ("cancel", ONE),
        ("cancel", {}),
        "done",
        ("cancel", {**TWO, "reason": "by mistake"}),
    )
    assert both(called(run, "cancel", ONE)) == (1.0, "2 matching calls of cancel")
    assert both(called(run, "cancel", ONE, times=1)) == (0.0, "2 matching calls of cancel, not 1")
    assert called(run, "cancel", times=3).value == 1.0
    assert called(run, "cancel", {"reason": "no longer needed"}, times=2).value == 1.0
    assert called(run, "cancel", ONE, turn=1).value == 0.0
    assert called(run, "cancel", ONE).name == 'called cancel(order_id: "#W1")'
    assert never(run, "drop").value == 1.0
    assert both(never(run, "cancel", TWO)) == (0.0, "call 4 is one of cancel")
    assert never(run, "cancel", TWO, turn=0).value == 1.0


def test_no_call() -> None:
    run = run_of(task_of(Turn(), Turn()), "no", ("cancel", {}))
    assert no_call(run, 0).value == 1.0
    assert both(no_call(run, 1)) == (0.0, "1 call, where none is right")
    assert no_call(run).value == 0.0


def test_unchanged() -> None:
    run = run_of(task_of(Turn(), Turn()), ("get_order", ONE), "ok", ("cancel", ONE))
    assert unchanged(run, ["orders", "users"], turn=0).value == 1.0
    assert both(unchanged(run, ["users"])) == (0.0, "users[ann]: balance is 140.0, not 100.0")
    assert both(unchanged(run, ["cancelled_today"])) == (0.0, "cancelled_today: it is 1, not 0")
    back = run_of(task_of(Turn()), ("create", ORDER))
    made = back.trace[0].result
    undone = run_of(task_of(Turn()), ("create", ORDER), ("drop", {"order_id": made}))
    assert unchanged(undone, ["orders"]).value == 1.0
    assert unchanged(back, ["orders"]).value == 0.0


def test_invariants_are_asked_after_every_call() -> None:
    def small(state: Any) -> bool:
        return bool(state.cancelled_today != 1)

    run = run_of(task_of(Turn()), ("get_order", ONE), ("cancel", ONE), ("cancel", TWO))
    assert both(invariant(run, "small", small, ["cancelled_today"])) == (
        0.0,
        "broken by call 2 (cancel)",
    )
    assert invariant(run, "small", small, ["nothing"]).value == 1.0
    assert invariant(run, "small", small).value == 0.0
    assert "could not be evaluated" in invariant(run, "small", lambda state: state.none).reason


def test_order() -> None:
    steps = [
        GET,
        Do("get_order", TWO, after=[0]),
        Do("get_order", {"order_id": "#W3"}, after=[1]),
    ]
    task = task_of(Turn(steps=steps))
    moves = [("get_order", {"order_id": f"#W{number}"}) for number in (1, 2, 3)]
    assert both(order(run_of(task, *moves))) == (1.0, "the plan's order was kept")
    # Of three pairs (the order is transitive) only that of steps 2 and 3 was kept.
    value, reason = both(order(run_of(task, moves[1], moves[2], moves[0])))
    assert value == pytest.approx(1 / 3)
    assert reason == "step 2 was done before step 1"
    assert order(run_of(task, moves[2], moves[0])).value == 0.0
    assert order(run_of(task, moves[2])).value == 1.0


@pytest.mark.parametrize(
    ("text", "lines", "paragraphs", "bullets"),
    [
        ("", 0, 0, 0),
        (" \n\t\n", 0, 0, 0),
        ("one", 1, 1, 0),
        ("one\ntwo", 2, 1, 0),
        ("one\n \n\ntwo\n", 2, 2, 0),
        ("- a\n  * b\n1. c\n2) d\n\u2022 e\n+ f", 6, 1, 6),
        ("-a\n1.5 b\n-\n** c", 4, 1, 0),
    ],
)
def test_the_form_of_a_text(text: str, lines: int, paragraphs: int, bullets: int) -> None:
    seen = Seen((), [text])
    assert (seen.lines, seen.paragraphs, seen.bullets) == (lines, paragraphs, bullets)


def test_what_was_seen() -> None:
    task = task_of(Turn(), Turn())
    episode = play(
        task, ("cancel", ONE), ("cancel", ONE), ("cancel", {}), "one two", ("get_order", ONE)
    )
    found = match(episode, task).seen()
    assert (found.calls, found.turns, found.refused, found.rejected) == (4, 5, 1, 1)
    assert (found.parallel, found.words, found.characters) == (1, 2, 7)
    assert (found.calls_of("cancel"), found.tools_used) == (3, ["cancel", "get_order"])
    second = match(episode, task).seen(1)
    assert (second.calls, second.turns, second.text, second.words) == (1, 1, "", 0)


def test_the_state_after_a_turn() -> None:
    task = task_of(Turn(), Turn())
    run = run_of(task, ("cancel", ONE), "ok", ("cancel", TWO))
    assert state_after(run, 0).cancelled_today == 1
    assert state_after(run, 1).cancelled_today == 2


def test_checks_survive_pickling_with_their_reasons() -> None:
    run = run_of(task_of(Turn(steps=[GET])))
    from toolc_runtime.verify import steps

    copy = pickle.loads(pickle.dumps(steps(run)[0]))
    assert copy.to_json() == {
        "name": "step 1",
        "kind": "goal",
        "value": 0.0,
        "weight": 1.0,
        "reason": "(get_order): get_order was not called",
    }
