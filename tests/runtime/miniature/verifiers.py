"""Verifiers, written by hand as the compiler would write them."""

from datetime import timedelta
from typing import Any

from toolc_runtime.state import advance
from toolc_runtime.verify import Verdict, match, solve_f1, state, steps


def cancel_twice(episode: Any, task: Any) -> Verdict:
    """A second cancellation is refused."""
    run = match(episode, task)
    return solve_f1(run, [*steps(run), state(run)], [])


def given_cancel_twice_2(episode: Any, task: Any) -> None:
    """What changes before turn 2 of `cancel_twice`."""
    advance(episode.state, timedelta(days=1))
    episode.state.cancelled_today += 99


GIVEN = {("cancel_twice", 1): given_cancel_twice_2}
VERIFIERS = {"cancel_twice": cancel_twice}
