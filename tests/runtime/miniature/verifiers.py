"""Verifiers, written by hand as the compiler would write them."""

from typing import Any

from toolc_runtime.verify import Verdict, match, solve_f1, state, steps


def cancel_twice(episode: Any, task: Any) -> Verdict:
    """A second cancellation is refused."""
    run = match(episode, task)
    return solve_f1(run, [*steps(run), state(run)], [])


VERIFIERS = {"cancel_twice": cancel_twice}
