"""Dependencies between steps, by names and through the state."""

from __future__ import annotations

from toolc.analysis import types as t
from toolc.analysis.core import Local, Symbol, TupleOf
from toolc.node import NOWHERE
from toolc.scenarios.dependencies import (
    WHOLE,
    Access,
    Place,
    by_names,
    by_state,
    closure,
    symbols,
)


def access(reads: set[Place] = frozenset(), writes: set[Place] = frozenset()) -> Access:  # type: ignore[assignment]
    return Access(frozenset(reads), frozenset(writes))


def test_a_step_rests_on_the_steps_whose_names_it_uses() -> None:
    first, second, third = (Symbol(name, t.INT) for name in ("a", "b", "a"))
    tree = TupleOf(NOWHERE, t.INT, (Local(NOWHERE, t.INT, first), Local(NOWHERE, t.INT, third)))
    assert by_names(symbols(tree), [first, None, second, third]) == {0, 3}


def test_reads_after_writes_and_writes_after_reads_are_dependencies() -> None:
    a, b = ("orders", "a"), ("orders", "b")
    found = by_state(
        [
            access(reads={a}),
            access(reads={b}),
            access(reads={a}, writes={a}),
            access(reads={a}),
            access(writes={a}),
        ]
    )
    assert found == [set(), set(), {0}, {2}, {0, 2, 3}]


def test_two_reads_are_independent_and_so_are_other_rows() -> None:
    found = by_state([access(writes={("orders", "a")}), access(writes={("orders", "b")})])
    assert found == [set(), set()]
    found = by_state([access(reads={("orders", WHOLE)}), access(reads={("orders", WHOLE)})])
    assert found == [set(), set()]


def test_a_loop_over_a_table_meets_every_write_to_it_alone() -> None:
    found = by_state(
        [
            access(writes={("orders", "a")}),
            access(reads={("orders", WHOLE)}),
            access(reads={("users", WHOLE)}),
            access(writes={("orders", "b")}),
        ]
    )
    assert found == [set(), {0}, set(), {1}]


def test_scalars_are_places_too() -> None:
    found = by_state([access(writes={("count", None)}), access(reads={("count", None)})])
    assert found == [set(), {0}]


def test_closure_reaches_what_the_roots_rest_on() -> None:
    assert closure([[], [0], [], [1]], [3]) == [0, 1, 3]
    assert closure([[], [0]], []) == []
