"""Episodes that are played by a model in this process; nothing is ever downloaded."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tests.eval.world import play, steps_of, towns
from toolc.cli.terminal import UsageError
from toolc.eval import local
from toolc.eval.local import LocalPolicy
from toolc.eval.policy import Unavailable, Unusable
from toolc.eval.sampling import Sampling
from toolc.models.local import LocalModel
from toolc_runtime import Environment
from toolc_runtime.chat import FORMATS, Reply, ToolCall

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.eval.tiny import Parrot, saved, tokenizer_for

PLAIN = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""A template that knows of no tools."""

MISTRAL = """\
{% if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}\
{% for message in messages %}{% if message.role == "user" %}[INST]{{ message.content }}[/INST]\
{% elif message.role == "tool" %}[TOOL_RESULTS]{{ message.content }}[/TOOL_RESULTS]\
{% elif message.tool_calls %}[TOOL_CALLS][{% for call in message.tool_calls %}\
{% if call.id | length != 9 %}{{ raise_exception("ids have nine characters") }}{% endif %}\
{{ {"name": call.function.name, "arguments": call.function.arguments, "id": call.id} | tojson }}\
{% if not loop.last %}, {% endif %}{% endfor %}]<|im_end|>\
{% else %}{{ message.content }}<|im_end|>{% endif %}{% endfor %}"""

ONE_EACH = MISTRAL.replace(
    "{% elif message.tool_calls %}",
    "{% elif message.tool_calls %}{% if message.tool_calls | length > 1 %}"
    '{{ raise_exception("one call at once") }}{% endif %}',
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return towns(tmp_path_factory.mktemp("local"))


def template_of(name: str) -> str:
    """A chat template of the ones that TRL comes with."""
    trl = pytest.importorskip("trl")
    file = Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja"
    return file.read_text(encoding="utf-8")


def parrot(
    template: str, *texts: str, format: str = "auto", positions: int = 1 << 20, **variables: Any
) -> tuple[LocalPolicy, Parrot]:
    tokenizer = tokenizer_for(template)
    model = Parrot(tokenizer, texts, positions)
    return LocalPolicy(LocalModel(model, tokenizer, variables), Sampling(format=format)), model


def said(environment: Environment, task: str, format: str) -> list[str]:
    """The plan of a task as texts of a model, a call each."""
    steps = steps_of(environment, task)
    texts = [
        FORMATS[format].render(
            Reply("", (ToolCall("", step["tool"], json.dumps(step["arguments"])),))
        )
        for step in steps
    ]
    return [*texts, f"Answer: {steps[-1]['result']}"]


TEMPLATES = {
    "qwen2_5": "hermes",
    "qwen3": "hermes",
    "qwen3_instruct_2507": "hermes",
    "qwen3_5_think": "qwen3_coder",
    "qwen3_5_nothink": "qwen3_coder",
    "llama3_1": "llama3",
    "llama3_2": "llama3",
}


@pytest.mark.parametrize("name", [*TEMPLATES, "mistral"])
def test_the_format_is_seen_from_the_template(environment: Environment, name: str) -> None:
    template = MISTRAL if name == "mistral" else template_of(name).replace("bos_token", '""')
    format = TEMPLATES.get(name, name)
    thought = "</think>\n\n" if name == "qwen3_5_think" else ""
    texts = [thought + text for text in said(environment, "note:Ulm", format)]
    policy, model = parrot(template, *texts)
    assert policy.format == format and not policy.told
    verdict, messages, episode = play(environment, "note:Ulm", policy)
    assert verdict.reward == 1.0 and [call.status for call in episode.trace] == ["ok", "ok"]
    assert messages[-1]["content"].startswith("Answer: ")
    # The last prompt has both calls and their results, as the template writes them.
    assert model.prompts[-1].count("so many") >= 2 and "128928" in model.prompts[-1]


def test_other_formats_are_read_as_the_tokenizer_says(environment: Environment) -> None:
    call = (
        "<tool_call>get_people\n<arg_key>town</arg_key>\n<arg_value>Ulm</arg_value>\n</tool_call>"
    )
    bad = "<tool_call>get_people\n<arg_key>town</arg_key>\n<arg"
    policy, _ = parrot(template_of("glm4moe"), call, bad, "Answer: 128928")
    assert policy.format == "template"
    _, messages, episode = play(environment, "people:Ulm", policy)
    assert [call.status for call in episode.trace] == ["ok", "rejected"]
    assert episode.trace[0].arguments == {"town": "Ulm"}
    assert messages[-1]["content"] == "Answer: 128928"


def test_reasoning_that_the_prompt_begins_is_kept_apart(environment: Environment) -> None:
    texts = said(environment, "people:Ulm", "qwen3_coder")
    policy, model = parrot(
        template_of("qwen3_5_think"),
        f"I must look.\n</think>\n\n{texts[0]}",
        f"Now I know.\n</think>\n\n{texts[1]}",
    )
    verdict, messages, _ = play(environment, "people:Ulm", policy)
    assert model.prompts[0].rstrip().endswith("<think>")
    assert verdict.reward == 1.0
    assert messages[1]["reasoning_content"] == "I must look." and messages[1]["content"] == ""
    assert messages[-1]["reasoning_content"] == "Now I know."
    assert "I must look." in model.prompts[1]


def test_reasoning_without_end_is_no_answer(environment: Environment) -> None:
    policy, _ = parrot(template_of("qwen3_5_think"), "It may be that Answer: 128928")
    verdict, messages, _ = play(environment, "people:Ulm", policy)
    assert messages[-1]["content"] == "" and verdict.reward == 0.0


def test_variables_of_the_template(environment: Environment) -> None:
    policy, model = parrot(template_of("qwen3"), "Hi.", enable_thinking=False)
    play(environment, "people:Ulm", policy)
    assert model.prompts[0].endswith("<think>\n\n</think>\n\n")


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "get_people", "arguments": {"town": \n</tool_call>',
        '<tool_call>\n{"name": "get_people", "arguments": [1]}\n</tool_call>',
        "<tool_call>\nget_people(Ulm)\n</tool_call>",
    ],
)
@pytest.mark.parametrize("name", ["qwen3", "qwen3_5_nothink"])
def test_a_malformed_call_is_answered_and_the_talk_goes_on(
    environment: Environment, name: str, text: str
) -> None:
    policy, model = parrot(template_of(name), text, "Answer: 1")
    _, messages, episode = play(environment, "people:Ulm", policy)
    assert [call.status for call in episode.trace] == ["rejected"]
    assert '"error"' in model.prompts[1] and "malformed" in model.prompts[1]
    assert "get_people" in messages[1]["tool_calls"][0]["function"]["arguments"] or "[1]" in text


def test_a_template_that_takes_one_call_a_message(environment: Environment) -> None:
    calls = [
        ToolCall("", step["tool"], json.dumps(step["arguments"]))
        for step in steps_of(environment, "note:Ulm")
    ]
    both = FORMATS["mistral"].render(Reply("", tuple(calls)))
    policy, model = parrot(ONE_EACH, both, "Answer: 128928")
    verdict, _, _ = play(environment, "note:Ulm", policy)
    assert verdict.reward == 1.0
    first, second = model.prompts[1].index('set_note", "arg'), model.prompts[1].index("true")
    assert first < second < model.prompts[1].rindex("get_people")


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_a_template_without_tools_has_them_in_the_prompt(
    environment: Environment, format: str
) -> None:
    texts = said(environment, "note:Jena", format)
    policy, model = parrot(PLAIN, *texts, format=format)
    verdict, _, _ = play(environment, "note:Jena", policy)
    assert policy.told and verdict.reward == 1.0
    assert model.prompts[0].startswith("<|im_start|>system\n# Tools")
    assert "set_note" in model.prompts[-1].rpartition("<|im_start|>user")[0].partition("Jena")[2]


@pytest.mark.parametrize(
    ("template", "says_so"),
    [
        (PLAIN, "tells the model of no tools"),
        ('{{ raise_exception("not today") }}', "does not take this: not today"),
        ("{{ messages[", "does not take this"),
        (
            "{{ tools }}{% for m in messages %}{% if m.tool_calls %}~~{% endif %}{% endfor %}",
            "in a format that is not known: '~~'",
        ),
    ],
)
def test_models_that_cannot_be_read(template: str, says_so: str) -> None:
    with pytest.raises(Unusable, match=says_so):
        parrot(template)


def test_a_conversation_that_is_too_long_is_not_a_zero(environment: Environment) -> None:
    policy, _ = parrot(template_of("qwen3"), "Hi.", positions=100)
    with pytest.raises(Unavailable, match="tokens, and the model takes no more"):
        play(environment, "people:Ulm", policy)


def test_how_tokens_are_drawn(environment: Environment) -> None:
    for temperature, top_p, drawn in [
        (None, None, None),
        (0.0, None, False),
        (0.7, None, True),
        (None, 0.9, True),
    ]:
        policy, model = parrot(template_of("qwen3"), "A message that is rather long.")
        policy.sampling = Sampling(temperature, top_p, 8)
        _, messages, _ = play(environment, "people:Ulm", policy)
        assert messages[-1]["content"] == "A messag"
        assert model.options[0].get("do_sample") is drawn
        assert model.options[0]["max_new_tokens"] == 8


# ---------------------------------------------------------------- a real model


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    local.add_options(parser)
    return parser.parse_args(arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("tiny"), template_of("qwen3"))


def test_a_model_of_random_weights_plays(environment: Environment, folder: Path) -> None:
    args = parsed("--model-path", str(folder), "--max-tokens", "24", "--temperature", "1.5")
    settings = json.loads(json.dumps(local.settings_of(args)))
    policy = local.from_settings(settings)
    assert policy.format == "hermes"

    def talk(seed: int, policy: LocalPolicy = policy) -> list[dict[str, Any]]:
        verdict, messages, _ = play(environment, "people:Ulm", policy, seed=seed)
        assert verdict.scored and verdict.reward == 0.0
        return messages

    assert talk(1) == talk(1)
    assert talk(1) != talk(2)
    policy.sampling = policy.sampling._replace(temperature=0.0)
    assert talk(1) == talk(2)
    # Loaded again, it says the same.
    again = local.from_args(
        parsed("--model-path", str(folder), "--max-tokens", "24", "--temperature", "0")
    )
    assert talk(1) == talk(1, again)


def test_replies_count_tokens(environment: Environment, folder: Path) -> None:
    policy = local.from_args(parsed("--model-path", str(folder), "--max-tokens", "5"))
    task = environment.tasks["people:Ulm"]
    episode = environment.episode(task)
    reply = policy.open(episode, task, 1).respond(
        [dict(message) for message in episode.messages], environment.schemas_of(task)
    )
    assert reply.prompt_tokens > 500 and 1 <= reply.completion_tokens <= 5


def test_folders_that_hold_no_model(tmp_path: Path) -> None:
    (tmp_path / "no_template").mkdir()
    saved(tmp_path / "no_template", None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    for name, says_so in [
        ("missing", "cannot load the model"),
        ("broken", "cannot load the model"),
        ("no_template", "has no chat template"),
    ]:
        with pytest.raises(UsageError, match=says_so) as error:
            local.from_args(parsed("--model-path", str(tmp_path / name)))
        assert "\n" not in str(error.value)


def test_variables_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--model-path", "x", "--template", "[]")
    assert "are a JSON object" in capsys.readouterr().err
