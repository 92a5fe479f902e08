"""Rewards by name, each a function of an episode and its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolc_runtime.episode import Episode
from toolc_runtime.verify import Verdict, match, solve_f1, solve_precision, solve_rate

Score = Callable[[Verdict, Episode], float]


def _by(formula: Callable[..., Verdict]) -> Score:
    def score(verdict: Verdict, episode: Episode) -> float:
        task: Any = episode.task
        if task is None:
            return 0.0
        goals = [check for check in verdict.checks if check.kind == "goal"]
        guards = [check for check in verdict.checks if check.kind == "guard"]
        return formula(match(episode, task), goals, guards).reward

    return score


SCORES: dict[str, Score] = {
    "task": lambda verdict, episode: verdict.reward,
    "solve_f1": _by(solve_f1),
    "solve_precision": _by(solve_precision),
    "solve_rate": _by(solve_rate),
    "success": lambda verdict, episode: float(verdict.reward >= 1 - 1e-9),
}
"""`task`: the reward that the scenario itself names."""
