"""The published measure agrees with a computation of its own, written from the formulas."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from toolc_runtime import Task
from toolc_runtime.ftrl import STEP_REWARDS, contains, expected_answers, score, step_reward

TRACES = 10_000
TOOLS = ("find", "count", "look")
WORDS = ("4", "14", "Ulm", "ulm, 1,024", "Paris", "1,024", "red", "Red, Paris", "")


def holds(result: Any, expected: str) -> bool:
    told = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    told = "".join(char for char in told.lower() if char != ",").strip()
    wanted = [part.lower().replace(",", "").strip() for part in expected.split(", ")]
    return sum(told.count(part) > 0 for part in wanted) == len(wanted)


def count_solved(
    expected: dict[str, list[str]], calls: list[tuple[str, Any]]
) -> tuple[list[int], int]:
    """Which calls solved something, as ones and zeros, and how many answers are left."""
    left = [(tool, answer) for tool, answers in expected.items() for answer in answers]
    marks = []
    for tool, result in calls:
        hit = [pair for pair in left if pair[0] == tool and holds(result, pair[1])][:1]
        for pair in hit:
            left.remove(pair)
        marks.append(len(hit))
    return marks, len(left)


def value(chance: random.Random) -> Any:
    word = chance.choice(WORDS)
    return chance.choice([word, {"name": word}, [word, 3], 4, 2.5, None, f"It is {word}."])


def trace(chance: random.Random) -> tuple[dict[str, list[str]], list[tuple[str, Any]]]:
    expected = {tool: [chance.choice(WORDS) for _ in range(chance.randint(0, 2))] for tool in TOOLS}
    calls = [(chance.choice(TOOLS), value(chance)) for _ in range(chance.randint(0, 5))]
    return expected, calls


def test_scores_agree_on_random_traces() -> None:
    chance = random.Random(1)
    for _ in range(TRACES):
        expected, calls = trace(chance)
        marks, left = count_solved(expected, calls)
        s, q, t = sum(marks), len(calls), sum(map(len, expected.values()))
        found = score(expected, calls)
        assert (found.solved, found.calls, found.expected - found.solved) == (s, q, left)
        assert found.precision == (1.0 if q == 0 else s / q)
        assert found.rate == (1.0 if t == 0 else s / t)
        assert found.f1 == (1.0 if q + t == 0 else 2 * s / (q + t))


@pytest.mark.parametrize("kind", STEP_REWARDS)
def test_step_rewards_agree_on_random_traces(kind: str) -> None:
    chance = random.Random(2)
    for _ in range(TRACES // len(STEP_REWARDS)):
        expected, calls = trace(chance)
        text = chance.choice(["", "  ", "It is Ulm.", "<tool_call>{", "No idea."])
        unsolved = {tool: list(answers) for tool, answers in expected.items()}
        marks, left = count_solved(expected, calls)
        k, n = sum(marks), len(calls)
        if n:
            wanted = {
                "solve_f1": 2 * k / (n + 1),
                "precision": k / n,
                "rate": k,
                "pr": k**2 / n,
            }[kind]
        elif not text.strip():
            wanted = -0.5
        elif "<tool_call>" in text:
            wanted = -0.3
        elif "ulm" in text.lower():
            wanted = 1 / (1 + left)
        else:
            wanted = 0.5 if left == 0 else 0
        assert step_reward(kind, unsolved, calls, text, "Ulm") == wanted
        assert sum(map(len, unsolved.values())) == left


def test_its_weaknesses_are_kept() -> None:
    assert contains("14 rooms", "4")
    assert contains("error: unknown town: Ulm", "Ulm")
    assert score({"find": ["4"]}, []).precision == 1.0
    assert step_reward("rate", {"find": ["4", "5"]}, [("find", 4), ("find", 5)], "", "") == 2


RESULTS: list[Any] = [
    None,
    True,
    1e-7,
    "",
    "São Paulo, 1,024",
    'say "no",\nthen go',
    [],
    {"name": "Zoë", "pets": [{"name": "Ulm", "age": None}, 3.5], "home": {}},
    [['{"a": "b, c"}', False], "→"],
]


def planned(*turns: list[Any]) -> Task:
    steps = [[{"tool": "look", "arguments": {}, "result": each} for each in turn] for turn in turns]
    return Task({"turns": [{"steps": turn} for turn in steps] + [{}]})


def test_what_is_expected_are_the_scalars_of_each_step() -> None:
    task = Task(
        {
            "turns": [
                {"steps": [{"tool": "find", "result": {"name": "Ulm", "at": [48.4, 10]}}]},
                {
                    "steps": [
                        {"tool": "count", "result": 3},
                        {"tool": "find", "failure": {"error": "unknown town"}},
                    ]
                },
            ]
        }
    )
    assert expected_answers(task) == {"find": ["Ulm, 48.4, 10", "unknown town"], "count": ["3"]}
    assert expected_answers(Task({"turns": [{"steps": None}, {}]})) == {}


@pytest.mark.parametrize("result", RESULTS, ids=repr)
def test_the_plan_solves_what_it_expects(result: Any) -> None:
    task = planned([result, "other"], [result])
    calls = [("look", result), ("look", "other"), ("look", result)]
    assert score(expected_answers(task), calls) == (3, 3, 3)
