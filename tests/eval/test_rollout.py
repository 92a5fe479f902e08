"""One episode: whatever a model says is played, and its line says what happened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from toolc.eval.policy import Unavailable
from toolc.eval.rollout import MAX_TURNS, Line, Work, most_messages, rollout
from toolc.eval.store import line_of
from toolc_runtime import Environment, Task
from toolc_runtime.chat.message import Message, Reply, ToolCall
from toolc_runtime.episode import Episode


class Said:
    """A policy that says what a function gives for the messages, as player of every episode."""

    name = "said"

    def __init__(self, speak: Callable[[Sequence[Message]], Reply]) -> None:
        self.respond_to = speak
        self.tools: Sequence[dict[str, Any]] = ()

    def open(self, episode: Episode, task: Task, seed: int) -> Said:
        return self

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        self.tools = tools
        return self.respond_to(messages)


def saying(*replies: Reply) -> Said:
    """Says these, one after the other."""
    waiting: Iterator[Reply] = iter(replies)
    return Said(lambda messages: next(waiting))


def call(name: str, arguments: str, id: str = "c") -> ToolCall:
    return ToolCall(id, name, arguments)


def play(environment: Environment, task: str, policy: Said, max_turns: int | None = None) -> Line:
    line = rollout(environment, Work(environment.name, task, 0, 11), policy, max_turns)
    assert json.loads(line_of(line)) == line, "a line is JSON"
    return line


def test_the_line_of_an_episode(allotment: Environment) -> None:
    lease = call("lease", '{"name": "Hazel", "digger": "Mia"}', "one")
    look = call("get_plot", '{"name": "Hazel"}', "two")
    policy = saying(
        Reply("I do it.", (lease, look), 20, 5),
        Reply("Answer: nothing", (), 30, 6),
        Reply("Bye."),
    )
    line = play(allotment, "for_a_day", policy)
    made = line["calls"][0]["result"]["lease_id"]
    row = {"lease_id": made, "plot": "Hazel", "digger": "Mia"}
    assert [tool["function"]["name"] for tool in policy.tools] == list(allotment.tools)
    assert (line["id"], line["seed"], line["kind"]) == ("allotment/for_a_day#0", 11, "multi_hop")
    assert [message["role"] for message in line["messages"]] == [
        *("user", "assistant", "tool", "tool", "assistant", "user", "assistant")
    ]
    assert line["messages"][1]["tool_calls"][1] == {
        "id": "two",
        "type": "function",
        "function": {"name": "get_plot", "arguments": '{"name": "Hazel"}'},
    }
    assert line["messages"][3]["tool_call_id"] == "two"
    assert [(each["message"], each["turn"]) for each in line["calls"]] == [(0, 0), (0, 0)]
    assert line["calls"][0]["arguments"] == {"name": "Hazel", "digger": "Mia"}
    hazel = {"name": "Hazel", "size": 95, "digger": "Mia"}
    assert line["calls"][0]["writes"] == {
        "plots": {"Hazel": hazel},
        "leases": {made: row},
        "let_out": 3,
    }
    assert line["calls"][1]["writes"] == {}
    assert line["changes"] == {
        "plots": {"Hazel": {"before": {"name": "Hazel", "size": 95}, "after": hazel}},
        "leases": {made: {"before": None, "after": row}},
        "let_out": {"before": 2, "after": 3},
    }
    verdict, figures = line["verdict"], line["figures"]
    assert (verdict["solved"], verdict["goals"], verdict["calls"]) == (1, 4, 2)
    others = verdict["goals"] - 2
    assert figures == {
        "solve_precision": pytest.approx(1 / (2 + others)),
        "solve_rate": pytest.approx(1 / 4),
        "solve_f1": pytest.approx(2 / (2 + others + 4)),
        "success": False,
        "calls": 2,
        "turns": 3,
        "invalid_calls": 0,
        "truncated": False,
    }
    assert line["ftrl"] == {"solve_precision": 0.5, "solve_rate": 0.5, "solve_f1": 0.5}
    assert line["usage"] == {"prompt_tokens": 50, "completion_tokens": 11}
    assert line["not_scored"] is None


@pytest.mark.parametrize(
    ("name", "arguments", "kept"),
    [
        ("get_plot", "{", "{"),
        ("get_plot", "[]", []),
        ("get_plot", '{"name": 3}', {"name": 3}),
        ("get_plot", '{"name": NaN}', '{"name": NaN}'),
        ("get_plot", "[" * 100_000, "[" * 100_000),
        ("", "<tool_call>{", "<tool_call>{"),
        ("dig", "{}", {}),
        ("\ud800", '{"name": "\ud800"}', '{"name": "\ud800"}'),
    ],
)
def test_what_nobody_can_call_is_answered(
    allotment: Environment, name: str, arguments: str, kept: Any
) -> None:
    policy = saying(Reply("\udfff", (call(name, arguments),)), Reply("Answer: 40"))
    line = play(allotment, "size_of:Beech", policy)
    (made,) = line["calls"]
    assert (made["status"], made["arguments"]) == ("rejected", kept)
    assert json.loads(line["messages"][2]["content"]) == made["result"]
    assert (line["figures"]["invalid_calls"], line["not_scored"]) == (1, None)
    assert line["verdict"]["reward"] == 0


def test_a_model_that_never_ends_is_stopped(allotment: Environment) -> None:
    def again(messages: Sequence[Message]) -> Reply:
        return Reply("", (call("free_plots", "{}"),))

    line = play(allotment, "size_of:Beech", Said(again))
    assert (line["figures"]["turns"], line["figures"]["truncated"]) == (MAX_TURNS, True)
    assert line["verdict"]["scored"] and line["verdict"]["reward"] == 0
    line = play(allotment, "size_of:Beech", Said(again), 3)
    assert len(line["calls"]) == line["figures"]["turns"] == 3
    assert line["messages"][-1]["role"] == "tool"


def test_a_model_that_fills_the_memory_is_stopped(
    allotment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolc.eval.rollout.MAX_TEXT", 100)
    many = (call("free_plots", "{}"),) * 1_000
    line = play(allotment, "size_of:Beech", Said(lambda messages: Reply("", many)))
    shown = [each["content"] for each in line["messages"] if each["role"] == "tool"]
    assert sum(map(len, shown[:-1])) < 100 <= sum(map(len, shown))
    assert line["figures"]["truncated"]


def test_a_task_bounds_the_messages_itself() -> None:
    def task(steps: int, **limits: int) -> Task:
        return Task({"turns": [{"steps": [{}] * steps}], "limits": limits})

    assert most_messages(task(1), None) == MAX_TURNS
    assert most_messages(task(100), None) == 202
    assert most_messages(task(1, turns=4), None) == 4
    assert most_messages(task(1, turns=4), 3) == 3
    assert most_messages(task(1, turns=4), 9) == 4


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Unavailable("timeout after 60 s"), "timeout after 60 s"),
        (Unavailable(), "the model was not available"),
        (KeyError("x" * 10_000), "the policy failed: KeyError: 'xxx"),
    ],
)
def test_a_model_that_cannot_be_asked_is_not_scored(
    allotment: Environment, error: Exception, why: str
) -> None:
    def speak(messages: Sequence[Message]) -> Reply:
        if len(messages) > 1:
            raise error
        return Reply("", (call("free_plots", "{}"),))

    line = play(allotment, "size_of:Beech", Said(speak))
    assert line["not_scored"].startswith(why) and len(line["not_scored"]) <= 500
    assert (line["verdict"], line["figures"], line["ftrl"]) == (None, None, None)
    assert [each["result"] for each in line["calls"]] == [["Cedar", "Hazel"]]


def test_a_fault_of_the_environment_is_not_scored(
    allotment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(state: Any, name: str) -> Any:
        return 1 // 0

    prepared = allotment._prepared["get_plot"]._replace(function=defective)
    monkeypatch.setitem(allotment._prepared, "get_plot", prepared)
    monkeypatch.setattr(allotment.tasks["size_of:Beech"], "start", None)
    policy = saying(Reply("", (call("get_plot", '{"name": "Beech"}'),)), Reply("40"))
    line = play(allotment, "size_of:Beech", policy)
    monkeypatch.undo()
    allotment.tasks["size_of:Beech"].start = None
    assert line["not_scored"] == "fault of the environment: the tool `get_plot` is defective"
    assert (line["verdict"]["scored"], line["figures"], line["ftrl"]) == (False, None, None)


def test_success_is_the_whole_reward_and_guards_bound_every_figure(
    allotment: Environment,
) -> None:
    looks = [call("get_plot", json.dumps({"name": name})) for name in ("Cedar", "Hazel")]
    together = play(allotment, "two_sizes", saying(Reply("", tuple(looks)), Reply("Answer: 150")))
    assert together["figures"]["success"] and together["figures"]["solve_f1"] == 1
    alone = [Reply("", (look,)) for look in looks]
    apart = play(allotment, "two_sizes", saying(*alone, Reply("Answer: 150")))
    assert [apart["figures"][name] for name in ("solve_precision", "solve_rate", "solve_f1")] == [
        *(0, 0, 0)
    ]
    assert apart["ftrl"]["solve_rate"] == 1, "the published measure knows no guards"
