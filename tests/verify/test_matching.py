"""Which call does which step."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verify.world import Do, Turn, play, task_of
from toolc_runtime.verify import match, planned
from toolc_runtime.verify.matching import SEARCH, describe
from toolc_runtime.verify.run import Run

ONE, TWO = {"order_id": "#W1"}, {"order_id": "#W2"}
GET, CANCEL = Do("get_order", ONE), Do("cancel", ONE)


def run_of(task, *moves, **options) -> Run:  # type: ignore[no-untyped-def]
    return match(play(task, *moves, **options), task)


def test_a_reading_step_is_matched_by_its_result() -> None:
    task = task_of(Turn(steps=[GET, Do("get_order", TWO)]))
    assert run_of(task, ("get_order", TWO), ("get_order", ONE)).calls == [1, 0]
    assert run_of(task, ("get_order", ONE), ("get_order", ONE)).calls == [0, None]
    assert run_of(task).calls == [None, None]


def test_an_argument_that_the_result_does_not_show_is_matched_itself() -> None:
    free = task_of(Turn(steps=[Do("ping", {"host": "a"})]))
    pinned = task_of(Turn(steps=[Do("ping", {"host": "a"}, pinned=["host"])]))
    assert run_of(free, ("ping", {"host": "b"})).calls == [0]
    run = run_of(pinned, ("ping", {"host": "b"}))
    assert run.calls == [None]
    assert describe(run, run.plan.steps[0]) == 'call 1: argument host is "b", not "a"'
    assert run_of(pinned, ("ping", {"host": "a"})).calls == [0]


def test_defaults_are_filled_in() -> None:
    task = task_of(Turn(steps=[Do("cancel", ONE, pinned=["reason"])]))
    assert run_of(task, ("cancel", {**ONE, "reason": "no longer needed"})).calls == [0]
    run = run_of(task, ("cancel", {**ONE, "reason": "by mistake"}))
    assert run.calls == [None]


def test_a_writing_step_is_matched_by_what_it_wrote() -> None:
    task = task_of(Turn(steps=[CANCEL]))
    # The note changes the row that cancel gives back, not what cancel writes.
    assert run_of(task, ("note", {**ONE, "text": "x"}), ("cancel", ONE)).calls == [1]
    run = run_of(task, ("cancel", {**ONE, "reason": "by mistake"}))
    assert describe(run, run.plan.steps[0]) == (
        "call 1: cancel wrote something else: "
        'orders[#W1].cancel_reason is "by mistake", not "no longer needed"'
    )


def test_independent_writes_to_one_counter_may_come_in_any_order() -> None:
    task = task_of(Turn(steps=[CANCEL, Do("cancel", TWO)]))
    assert run_of(task, ("cancel", TWO), ("cancel", ONE)).calls == [1, 0]


def test_a_step_that_fails_is_matched_by_its_failure() -> None:
    task = task_of(Turn(steps=[Do("cancel", {"order_id": "#W3"}, fails=True)]))
    assert run_of(task, ("cancel", {"order_id": "#W3"})).calls == [0]
    run = run_of(task, ("cancel", {"order_id": "#W9"}))
    assert describe(run, run.plan.steps[0]) == (
        "call 1: the failure of cancel differs: "
        'it is "order not found", not {"error":"only a pending order can be cancelled",'
        '"status":"delivered"}'
    )
    run = run_of(task, ("cancel", ONE))
    assert describe(run, run.plan.steps[0]) == (
        "call 1: cancel succeeded, where the plan expects it to fail"
    )


@pytest.mark.parametrize(
    ("moves", "reason"),
    [
        ([], "get_order was not called"),
        ([("get_order", {})], "call 1: get_order was rejected: "),
        ([("get_order", {"order_id": "#W9"})], 'call 1: get_order failed: "order not found"'),
        (
            [("get_order", TWO)],
            'call 1: the result of get_order differs: order_id is "#W2", not "#W1"',
        ),
    ],
)
def test_reasons(moves, reason) -> None:  # type: ignore[no-untyped-def]
    run = run_of(task_of(Turn(steps=[GET])), *moves)
    assert run.calls == [None]
    assert describe(run, run.plan.steps[0]).startswith(reason)


def test_a_step_is_matched_in_its_own_turn_only() -> None:
    task = task_of(Turn(steps=[GET]), Turn(steps=[Do("get_order", TWO)]))
    assert run_of(task, ("get_order", ONE), "done", ("get_order", TWO)).calls == [0, 1]
    run = run_of(task, ("get_order", TWO), ("get_order", ONE), "done")
    assert run.calls == [1, None]
    assert describe(run, run.plan.steps[1]) == "get_order was not called in this turn"


def test_every_call_is_consumed_once() -> None:
    task = task_of(Turn(steps=[GET, GET]))
    run = run_of(task, ("get_order", ONE))
    assert run.calls == [0, None]
    assert describe(run, run.plan.steps[1]) == "every call of get_order did another step"


def test_as_many_steps_as_possible_are_matched() -> None:
    # Any ping does the first step, only a ping of b the second: the first must make room.
    task = task_of(Turn(steps=[Do("ping", {"host": "a"}), Do("ping", {"host": "b"}, ["host"])]))
    assert run_of(task, ("ping", {"host": "b"}), ("ping", {"host": "c"})).calls == [1, 0]
    three = [Do("ping", {"host": "a"}), *[Do("ping", {"host": host}, ["host"]) for host in "bc"]]
    task = task_of(Turn(steps=three))
    for hosts in permutations("bcd"):
        run = run_of(task, *[("ping", {"host": host}) for host in hosts])
        assert [hosts[call] for call in run.calls if call is not None] == ["d", "b", "c"]


def most(able: list[list[int]]) -> int:
    """The size of the largest pairing, by trying all."""
    if not able:
        return 0
    first, *rest = able
    pairings = [1 + most([[c for c in one if c != call] for one in rest]) for call in first]
    return max([most(rest), *pairings])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=4),
    st.lists(st.sampled_from("abc"), max_size=4),
)
def test_no_pairing_is_larger(steps: list[tuple[str, bool]], hosts: list[str]) -> None:
    task = task_of(
        Turn(steps=[Do("ping", {"host": host}, ["host"] * pinned) for host, pinned in steps])
    )
    run = run_of(task, *[("ping", {"host": host}) for host in hosts])
    able = [
        [call for call, other in enumerate(hosts) if other == host or not pinned]
        for host, pinned in steps
    ]
    solved = [(step, call) for step, call in enumerate(run.calls) if call is not None]
    assert len(solved) == most(able) == len({call for _, call in solved})
    assert all(call in able[step] for step, call in solved)


class TestFreshIds:
    def test_another_draw_is_renamed(self) -> None:
        order = {"user": "ann", "amount": 5.0}
        task = task_of(
            Turn(
                steps=[
                    Do("create", order),
                    Do("note", {"order_id": "$0", "text": "hello"}, ["order_id", "text"], [0]),
                ]
            )
        )
        planned_id = task.turns[0]["steps"][0]["result"]
        episode = play(task, ("create", order), seed=2)
        own = episode.trace[0].result
        assert own != planned_id
        run = run_of(task, ("create", order), ("note", {"order_id": own, "text": "hello"}), seed=2)
        assert run.calls == [0, 1]
        assert planned(run, 0) == own

    def test_twins_are_told_apart_by_what_follows(self) -> None:
        order = {"user": "ann", "amount": 5.0}
        task = task_of(
            Turn(
                steps=[
                    Do("create", order),
                    Do("create", order),
                    Do("note", {"order_id": "$0", "text": "first"}, ["text"], [0]),
                    Do("note", {"order_id": "$1", "text": "second"}, ["text"], [1]),
                ]
            )
        )
        ids = [call.result for call in play(task, ("create", order), ("create", order)).trace]
        run = run_of(
            task,
            ("create", order),
            ("create", order),
            ("note", {"order_id": ids[0], "text": "second"}),
            ("note", {"order_id": ids[1], "text": "first"}),
        )
        assert run.calls == [1, 0, 3, 2]

    def test_the_search_is_bounded(self) -> None:
        order = {"user": "ann", "amount": 5.0}
        task = task_of(Turn(steps=[*[Do("create", order)] * 8, Do("ping", {"host": "a"})]))
        run = run_of(task, *[("create", order)] * 8)
        assert run.calls == [*range(8), None]
        assert SEARCH < 8 * 7 * 6 * 5 * 4 * 3 * 2
