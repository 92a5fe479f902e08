"""Episodes that are played by a server: well, badly, and not at all."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.eval.server import Plan, Server, calls, fails, in_turn, playing, replies, says
from tests.eval.world import play, steps_of, towns
from toolc.cli.terminal import UsageError
from toolc.eval import endpoint
from toolc.eval.endpoint import EndpointPolicy
from toolc.eval.policy import Unavailable, Unusable
from toolc.models.client import Client
from toolc.models.endpoint import Endpoint
from toolc_runtime import Environment
from toolc_runtime.chat import FORMATS, Reply, ToolCall

TOLD = sorted(FORMATS.keys() - {"openai"})
"""Formats of models that are told of tools in their prompt."""
KEY = "sk-not-to-be-shown"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return towns(tmp_path_factory.mktemp("endpoint"))


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's proxy is in between, and nobody's key is sent."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@contextmanager
def asking(url: str, format: str = "auto", **settings: Any) -> Iterator[EndpointPolicy]:
    given = {"timeout": 20.0, "retries": 2, **settings}
    policy = EndpointPolicy(Client(Endpoint(url, "m", **given), first_wait=0.001), format)
    try:
        yield policy
    finally:
        policy.client.close()


def replies_of(environment: Environment, task: str) -> list[Reply]:
    """The plan of a task as a model's messages: a call each, then the answer."""
    steps = steps_of(environment, task)
    made = [
        Reply("I see.", (ToolCall(f"c{index}", step["tool"], json.dumps(step["arguments"])),))
        for index, step in enumerate(steps)
    ]
    return [*made, Reply(f"Answer: {steps[-1]['result']}")]


def plans(environment: Environment, format: str | None = None) -> dict[str, Plan]:
    """The plans of all tasks as messages, with native calls or with calls in their text."""
    found: dict[str, Plan] = {}
    for name, task in environment.tasks.items():
        made = replies_of(environment, name)
        found[task.turns[0]["user"]] = [
            reply.to_message() if format is None else {"content": FORMATS[format].render(reply)}
            for reply in made
        ]
    return found


def statuses(episode: Any) -> list[str]:
    return [call.status for call in episode.trace]


def test_native_calls_are_played(environment: Environment) -> None:
    with Server(by=playing(plans(environment))) as server, asking(server.url) as policy:
        verdict, messages, _ = play(environment, "note:Ulm", policy, seed=7)
    assert verdict.reward == 1.0
    first, second, third = (request.body for request in server.requests)
    assert {tool["function"]["name"] for tool in first["tools"]} == {"get_people", "set_note"}
    assert first["seed"] == 7
    assert third["messages"] == messages[:-1] and second["messages"] == messages[:-3]
    assert third["messages"][-1]["role"] == "tool"


@pytest.mark.parametrize("format", TOLD)
def test_a_model_that_is_told_of_tools_in_its_prompt(environment: Environment, format: str) -> None:
    script = playing(plans(environment, format))
    with Server(by=script) as server, asking(server.url, format) as policy:
        for task in environment.tasks:
            verdict, _, episode = play(environment, task, policy)
            assert verdict.reward == 1.0 and set(statuses(episode)) == {"ok"}
    for request in server.requests:
        messages = request.body["messages"]
        roles = [message["role"] for message in messages]
        assert "tools" not in request.body
        assert roles[:2] == ["system", "user"] and set(roles[2:]) <= {"assistant", "user"}
        assert all(message.keys() == {"role", "content"} for message in messages)
        assert "set_note" in messages[0]["content"]


@pytest.mark.parametrize("format", TOLD)
def test_calls_that_a_server_left_in_the_text_are_found(
    environment: Environment, format: str
) -> None:
    with Server(by=playing(plans(environment, format))) as server, asking(server.url) as policy:
        verdict, messages, _ = play(environment, "note:Trier", policy)
    assert verdict.reward == 1.0
    # From then on they are the server's calls.
    assert server.requests[-1].body["messages"][-2]["tool_calls"]
    ids = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert len(set(ids)) == 2


def test_with_the_format_openai_text_is_text(environment: Environment) -> None:
    script = playing(plans(environment, "hermes"))
    with Server(by=script) as server, asking(server.url, "openai") as policy:
        verdict, _, episode = play(environment, "note:Ulm", policy)
    assert verdict.reward == 0.0 and not episode.trace


def test_reasoning_is_kept_but_not_sent_back(environment: Environment) -> None:
    call = {"function": {"name": "get_people", "arguments": {"town": "Ulm"}}}
    script = (
        replies({"content": None, "reasoning_content": "Hm.", "tool_calls": [call]}),
        says("<think>So many!</think>Answer: 128928"),
    )
    with Server(*script) as server, asking(server.url) as policy:
        verdict, messages, _ = play(environment, "people:Ulm", policy)
    assert verdict.reward == 1.0
    assert messages[-3]["reasoning_content"] == "Hm."
    assert messages[-1] == {
        "role": "assistant",
        "content": "Answer: 128928",
        "reasoning_content": "So many!",
    }
    assert "Hm." not in json.dumps(server.requests[1].body)


MALFORMED = {
    "cut off": calls(("get_people", '{"town": "Ul')),
    "a list": calls(("get_people", "[1]")),
    "nothing said": calls(("get_people", "")),
    "another tool": calls(("get_persons", {"town": "Ulm"})),
    "no name": calls(("", {"town": "Ulm"})),
    "a name that is none": calls(("get people!\n" * 20, {})),
    "what is no call": replies({"tool_calls": [None]}),
    "in the text": says('<tool_call>{"name": "get_people", "arguments": {"town": </tool_call>'),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_call_is_answered_and_counted(environment: Environment, what: str) -> None:
    script = (MALFORMED[what], says("Answer: 128928"))
    with Server(*script) as server, asking(server.url) as policy:
        _, messages, episode = play(environment, "people:Ulm", policy)
    assert statuses(episode) == ["rejected"]
    assert "error" in json.loads(messages[-2]["content"])
    # What is sent back is a conversation that servers take.
    (made,) = server.requests[1].body["messages"][-2]["tool_calls"]
    assert made["function"]["name"].replace("_", "").isalnum()
    assert isinstance(json.loads(made["function"]["arguments"]), dict)
    assert server.requests[1].body["messages"][-1]["tool_call_id"] == made["id"]


def test_parallel_calls_are_one_message(environment: Environment) -> None:
    call = ("set_note", {"town": "Jena", "note": "so many"})
    script = (calls(call, ("get_people", {"town": "Jena"})), says("Answer: 111191"))
    with Server(*script) as server, asking(server.url) as policy:
        verdict, _, episode = play(environment, "note:Jena", policy)
    assert verdict.reward == 1.0 and [made.message for made in episode.trace] == [0, 0]


def test_what_passes_does_not_show(environment: Environment) -> None:
    troubles = [fails(500), fails(429, b"", Retry_After="0.001")]
    script = in_turn(troubles, playing(plans(environment)))
    with Server(by=script) as server, asking(server.url) as policy:
        verdict, _, _ = play(environment, "people:Ulm", policy)
    assert verdict.reward == 1.0 and len(server.requests) == 4


def test_a_model_that_is_not_available_is_not_a_zero(environment: Environment) -> None:
    with Server(says("Hi."), fails(500)) as server, asking(server.url) as policy:
        play(environment, "people:Ulm", policy)
        with pytest.raises(Unavailable, match="status 500"):
            play(environment, "people:Ulm", policy)


def test_a_server_that_refuses_ends_the_run(environment: Environment) -> None:
    script = (says("Hi."), fails(401, b'{"detail": "no longer"}'))
    with Server(*script) as server, asking(server.url) as policy:
        play(environment, "people:Ulm", policy)
        with pytest.raises(Unusable, match="status 401"):
            play(environment, "people:Ulm", policy)
    assert len(server.requests) == 2


def test_episodes_are_played_side_by_side(environment: Environment) -> None:
    tasks = list(environment.tasks) * 8
    script = in_turn([fails(503)] * 5, playing(plans(environment)))
    with Server(by=script) as server, asking(server.url) as policy, ThreadPoolExecutor(8) as pool:
        verdicts = pool.map(lambda task: play(environment, task, policy)[0].reward, tasks)
        assert list(verdicts) == [1.0] * len(tasks)


# ---------------------------------------------------------------- options


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    endpoint.add_options(parser)
    return parser.parse_args(arguments)


def test_options_make_the_policy(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    with Server(by=playing(plans(environment))) as server:
        args = parsed(
            *(
                "--endpoint",
                server.url,
                "--model",
                "m",
                "--key-env",
                "SOME_KEY",
                "--temperature",
                "0",
            ),
            *("--max-tokens", "64", "--body", '{"top_k": 1}', "--rate", "600000/minute"),
            *("--no-model-seed", "--timeout", "20", "--retries", "1"),
        )
        settings = endpoint.settings_of(args)
        policy = endpoint.from_settings(json.loads(json.dumps(settings)))
        verdict, messages, _ = play(environment, "people:Ulm", policy)
        policy.client.close()
    assert verdict.reward == 1.0
    body: Mapping[str, Any] = server.requests[0].body
    sent = {"model": "m", "temperature": 0.0, "max_tokens": 64, "top_k": 1}
    assert {name: body[name] for name in body.keys() - {"messages", "tools"}} == sent
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps([settings, messages, repr(policy.client.endpoint)])


def test_without_a_key_none_is_sent(environment: Environment) -> None:
    with Server(says("Hi.")) as server:
        policy = endpoint.from_args(parsed("--endpoint", server.url, "--model", "m"))
        play(environment, "people:Ulm", policy)
        policy.client.close()
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rate", "often"),
        ("--body", "[]"),
        ("--body", "{"),
        ("--body", '{"messages": []}'),
        ("--temperature", "warm"),
        ("--temperature", "-1"),
        ("--temperature", "nan"),
        ("--top-p", "2"),
        ("--timeout", "never"),
        ("--retries", "1000"),
        ("--max-tokens", "0"),
        ("--chat-format", "smoke"),
    ],
)
def test_options_that_are_none(
    arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed("--endpoint", "http://localhost/v1", "--model", "m", *arguments)
    assert f"argument {arguments[0]}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says_so"),
    [
        (("--endpoint", "localhost"), "--endpoint: the address"),
        (("--endpoint", "http://user:secret@localhost"), "no user"),
        (("--endpoint", "http://localhost/v1"), "needs --model"),
        (("--endpoint", "http://localhost/v1", "--model", "m", "--key-env", "NO_SUCH"), "NO_SUCH"),
    ],
)
def test_policies_that_cannot_be_made(arguments: tuple[str, ...], says_so: str) -> None:
    with pytest.raises(UsageError, match=says_so) as error:
        endpoint.from_args(parsed(*arguments))
    assert "secret" not in str(error.value)
