"""The published measure of FTRL (arXiv 2508.08791), to be reported beside this project's own.

It knows no state, no arguments and no order: a call of a tool solves one of the answers that are
expected of that tool when the answer stands somewhere in the result. Its weaknesses are part of
it: `14` holds `4`, an error that repeats its argument may count, no call at all has precision 1,
and a step's reward can exceed 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc_runtime.task import Task

Unsolved = dict[str, list[str]]
"""By tool, the answers that are still expected of it: the published `unsolved_set`."""

MARKUP = ("<tool_call>", "</tool_call>")
"""What is left in a text when a call could not be read."""


def contains(result: Any, expected: str) -> bool:
    """Whether a result holds an expected answer: every part of it (they are separated by a comma
    and a blank) as a part of the text, in lower case, without commas, stripped. Lists and objects
    are dumped as JSON first."""
    told = _plain(_told(result))
    return all(_plain(part) in told for part in expected.split(", "))


def _told(result: Any) -> str:
    if isinstance(result, (list, dict)):
        return json.dumps(result, ensure_ascii=False)
    return str(result)


def _plain(text: str) -> str:
    return text.lower().replace(",", "").strip()


def solve(unsolved: Unsolved, tool: str, result: Any) -> bool:
    """Takes the first answer that a result solves out of those that are expected of its tool."""
    waiting = unsolved.get(tool, [])
    for index, expected in enumerate(waiting):
        if contains(result, expected):
            del waiting[index]
            return True
    return False


class Score(NamedTuple):
    """`solved` of `expected` answers, by `calls` calls."""

    solved: int
    calls: int
    expected: int

    @property
    def precision(self) -> float:
        """Solve-P: solved by calls; 1 where there was no call."""
        return self.solved / self.calls if self.calls else 1.0

    @property
    def rate(self) -> float:
        """Solve-R: solved by expected; 1 where nothing was expected."""
        return self.solved / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        """Solve-F1: twice solved by calls and expected together; 1 where both are none."""
        both = self.calls + self.expected
        return 2 * self.solved / both if both else 1.0


def score(expected: Mapping[str, Sequence[str]], calls: Iterable[tuple[str, Any]]) -> Score:
    """The score of a trajectory: its calls as pairs of tool and result."""
    unsolved = {tool: list(answers) for tool, answers in expected.items()}
    made = [solve(unsolved, tool, result) for tool, result in calls]
    return Score(sum(made), len(made), sum(map(len, expected.values())))


STEP_REWARDS: dict[str, Callable[[int, int], float]] = {
    "solve_f1": lambda solved, calls: 2 * solved / (calls + 1),
    "precision": lambda solved, calls: solved / calls,
    "rate": lambda solved, calls: float(solved),
    "pr": lambda solved, calls: solved * solved / calls,
}
"""The rewards of a turn with calls, from how many answers it newly solved and its calls."""


def step_reward(
    kind: str, unsolved: Unsolved, calls: Sequence[tuple[str, Any]], text: str, answer: str
) -> float:
    """The reward of one turn; what it solves is taken out of `unsolved`.

    `answer` is the expected final answer. A turn without calls earns -0.5 with an empty text, -0.3
    with tool-call markup left in it, 1 / (1 + answers still unsolved) where the text has the
    answer, 0.5 where all were solved before, else 0. KeyError for an unknown kind.
    """
    reward = STEP_REWARDS[kind]
    if calls:
        return float(reward(sum(solve(unsolved, *call) for call in calls), len(calls)))
    return final_reward(text, sum(map(len, unsolved.values())), contains(text, answer))


def final_reward(text: str, left: int, right: bool) -> float:
    """The reward of a turn without calls: `left` answers are still unsolved, and `right` says
    whether the text has the final one."""
    if not text.strip():
        return -0.5
    if any(mark in text for mark in MARKUP):
        return -0.3
    if right:
        return 1 / (1 + left)
    return 0.5 if not left else 0.0


def expected_answers(task: Task) -> dict[str, list[str]]:
    """What a task expects of each tool, as the published rows have it: for each step of the plan
    the scalars of its result, separated by a comma and a blank, each as `contains` reads it."""
    expected: dict[str, list[str]] = {}
    for turn in task.turns:
        for step in turn.get("steps") or ():
            outcome = step["failure"] if "failure" in step else step.get("result")
            expected.setdefault(step["tool"], []).append(", ".join(_scalars(outcome)))
    return expected


def expected_text(answer: Any) -> str:
    """A turn's expected answer as the published rows have it: the parts of a list separated by a
    comma and a blank; "" where none is expected."""
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer or "")


def _scalars(outcome: Any) -> Iterator[str]:
    if not isinstance(outcome, (dict, list)):
        yield _told(outcome)
        return
    for value in outcome.values() if isinstance(outcome, dict) else outcome:
        if isinstance(value, (dict, list)):
            yield from _scalars(value)
        else:
            text = json.dumps(value, ensure_ascii=False)
            yield text[1:-1] if isinstance(value, str) else text
