"""The class for TRL: its methods are the tools, described as TRL reads them."""

from __future__ import annotations

import types
from typing import Any

import pytest

import toolc_runtime
from tests.emit.spec import environment
from toolc.emit.trl import class_name, emit_trl
from toolc_runtime.trl import TrlEnvironment, final_text, rewards

TOOLS = """
record Nothing {}
record Place { name: str, floor: int = 0 }
tool get_row "A row." (
  key: str "Its key.",
  from: date? = null,
  unit: Unit = "a" "Unit of the result.",
  limit: int(minimum: 1, maximum: 9) = 5,
  place: Place? = null,
  tags: list[str] = [],
  "b-c": str? = null "A label that is no name.",
  b_c: Nothing? = null,
  "2nd": int = 2,
) -> int { return 1 }
tool reset () -> int { return 1 }
tool _hidden "Still a tool." (self: str) -> int { return 1 }
"""


class Episode:
    """Stands for an episode: notes its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages = [{"role": "user", "content": "hello"}]

    def call(self, name: str, arguments: dict[str, Any], parallel: bool) -> str:
        self.calls.append((name, arguments))
        return "{}"

    def reply(self, text: str) -> None:
        self.said = text

    def finish(self) -> Any:
        return types.SimpleNamespace(reward=float(len(self.said)), scored=self.said != "")


class Environment:
    """Stands for a loaded build."""

    tasks = {"known": None}  # noqa: RUF012

    def episode(self, task: str | None = None, seed: int | None = None) -> Episode:
        self.task = task
        return Episode()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An instance of the emitted class, on an environment that only notes its calls."""
    monkeypatch.setattr(toolc_runtime, "load", lambda folder: Environment())
    module = types.ModuleType("trl_environment")
    module.__file__ = "/build/small/trl_environment.py"
    source = emit_trl(environment(TOOLS))
    exec(compile(source, "trl_environment.py", "exec"), module.__dict__)
    return module.__dict__[class_name("small")]()


def public(instance: Any) -> list[str]:
    """The methods that TRL takes for tools."""
    return [name for name in dir(instance) if not name.startswith("_") and name != "reset"]


def test_every_public_method_is_a_tool(made: Any) -> None:
    assert sorted(public(made)) == ["get_row", "hidden", "reset_"]


def test_arguments_reach_the_tool_under_its_own_names(made: Any) -> None:
    made.get_row("a", from_="2024-01-01", limit=2)
    made.hidden(self_="x")
    made.get_row("a", b_c="x", b_c_={}, _2nd=3)
    assert made._episode.calls == [
        ("get_row", {"key": "a", "from": "2024-01-01", "limit": 2}),
        ("_hidden", {"self": "x"}),
        ("get_row", {"key": "a", "b-c": "x", "b_c": {}, "2nd": 3}),
    ]


def test_reset_is_total(made: Any) -> None:
    assert made.reset(task="known", prompt=[{"role": "user"}]) is None
    assert made._episode.calls == []
    assert made._environment.task == "known"
    assert made.reset(task="unknown") == "hello"
    assert made.reset(task=["no", "text"], answer=3) == "hello"
    assert made._environment.task is None


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        ("plain", "plain"),
        ([{"role": "assistant", "content": "Answer: 3"}], "Answer: 3"),
        ([{"role": "assistant", "content": "call"}, {"role": "tool", "content": "3"}], ""),
        ([{"role": "assistant", "content": None}], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_final_text(completion: Any, text: str) -> None:
    assert final_text(completion) == text


def test_rewards_are_the_verdicts(made: TrlEnvironment) -> None:
    done = [{"role": "assistant", "content": "abc"}]
    assert rewards([done, []], [made, made]) == [3.0, None]


@pytest.mark.slow
def test_trl_reads_every_method(made: Any) -> None:
    from transformers.utils.chat_template_utils import get_json_schema

    schemas = {name: get_json_schema(getattr(made, name))["function"] for name in public(made)}
    parameters = schemas["get_row"]["parameters"]
    assert parameters["required"] == ["key"]
    described = {name: each["description"] for name, each in parameters["properties"].items()}
    place = (
        '{"type": ["object", "null"], "properties": {"name": {"type": "string"}, '
        '"floor": {"type": "integer", "default": 0}}, "required": ["name"], '
        '"additionalProperties": false}'
    )
    nothing = '{"type": ["object", "null"], "properties": {}, "additionalProperties": false}'
    assert described == {
        "key": "Its key.",
        "from_": "The from. A date, as in 2024-05-31.",
        "unit": "Unit of the result. Default a.",
        "limit": "The limit. At least 1, at most 9, default 5.",
        "place": f"The place. As JSON Schema {place}.",
        "tags": "The tags. Default [].",
        "b_c": "A label that is no name.",
        "b_c_": f"The b c. As JSON Schema {nothing}.",
        "_2nd": "The 2nd. Default 2.",
    }
    assert parameters["properties"]["unit"]["enum"] == ["a", "b"]
    assert schemas["hidden"]["parameters"]["required"] == ["self_"]
