"""What the adapter rests on, played through TRL's own loop with a model that says what is written.

Each test is a trap of TRL: should a version behave otherwise, the test that names it fails.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.eval.tiny import tokenizer_for
from tests.scenarios.specs import compile_text, load_built
from tests.train import test_trl_step as step
from toolc.train.config import TINY_RUN, TinyModel
from toolc.train.examples import encoder
from toolc.train.generation import readable
from toolc.train.live import Unspoken, suffix_ids
from toolc.train.messages import cut
from toolc.train.models import beginning
from toolc.train.reference import demonstrate
from toolc.train.rows import Row, rl_rows, sft_rows, source, whole_tasks
from toolc.train.scores import SCORES
from toolc.train.trl_adapter import (
    TESTED,
    Clock,
    Unsupported,
    _lazily,
    episode_function,
    factories,
    rl_trainer,
    shared_options,
    step_function,
    training_template,
    unlearnable,
    unsupported,
)
from toolc_runtime.environment import Environment
from toolc_runtime.trl import emitted, offering

pytestmark = pytest.mark.slow

END = "<|end|>"


def call(name: str, /, **arguments: Any) -> str:
    """A call as the tiny model's template has it."""
    return f"<tool_call>{name} {json.dumps(arguments)}</tool_call>"


class Played(NamedTuple):
    """What a step of the trainer made of scripts: per episode, in the order of the scripts."""

    rewards: list[float]
    completions: list[list[dict[str, Any]]]
    prompts: list[str]
    traces: list[list[tuple[str, str]]]
    advantages: list[float]
    trainer: Any


@pytest.fixture(scope="module")
def made(town: Environment) -> tuple[Any, Any, Any]:
    """The town's source, a model and a tokenizer."""
    import dataclasses

    of = source(town)
    rows = [row for task in town.tasks.values() for row in sft_rows(of, task, 1, 0)]
    size = TinyModel(vocabulary=600, hidden=32, layers=1, heads=2, intermediate=32)
    return of, *beginning(dataclasses.replace(TINY_RUN, tiny=size), rows, [])


@pytest.fixture
def play(made: tuple[Any, Any, Any], tmp_path: Path) -> Any:
    """Plays scripts, a list of replies each, in one step of the trainer."""
    of, model, tokenizer = made

    def run(
        rows: Sequence[Row],
        scripts: Sequence[Sequence[str]],
        batch_normalised: bool = False,
        reward: Any = None,
        live: bool = False,
        **options: Any,
    ) -> Played:
        group = len(scripts) // len(rows)
        environments = factories([of], [row["environment"] for row in rows], Clock())
        trainer = rl_trainer(
            model,
            tokenizer,
            rows,
            environments,
            reward or episode_function("task", SCORES["task"]),
            {
                "output_dir": str(tmp_path),
                "use_cpu": True,
                "bf16": False,
                "gradient_checkpointing": False,
                "report_to": "none",
                "disable_tqdm": True,
                "per_device_train_batch_size": len(scripts),
                "num_generations": group,
                "max_completion_length": 200,
                "max_steps": 1,
                "save_strategy": "no",
                **options,
            },
            [],
            None,
            batch_normalised,
            live,
        )
        advantages: list[float] = []
        score = trainer._generate_and_score_completions

        def noted(inputs: Any) -> Any:
            output = score(inputs)
            advantages.extend(output["advantages"].tolist())
            return output

        trainer._generate_and_score_completions = noted
        prompts: list[str] = []
        known: list[tuple[list[int], list[str]]] = []

        def say(prompt_ids: list[list[int]], *rest: Any, **named: Any) -> tuple[Any, None]:
            if not known:
                prompts.extend(tokenizer.decode(ids) for ids in prompt_ids)
                known.extend(
                    (list(ids), list(s)) for ids, s in zip(prompt_ids, scripts, strict=True)
                )
            said = []
            waiting = list(range(len(known)))
            for ids in prompt_ids:
                at = next(at for at in waiting if ids[: len(known[at][0])] == known[at][0])
                waiting.remove(at)
                script = known[at][1]
                new = tokenizer(script.pop(0))["input_ids"] if script else [tokenizer.eos_token_id]
                known[at] = ([*ids, *new], script)
                said.append(new)
            return said, None

        trainer._generate_single_turn = say
        trainer.train()
        logs = trainer._logs
        return Played(
            list(next(iter(logs["rewards"].values()))),
            list(logs["completion"]),
            prompts,
            [[(c.tool, c.status) for c in e._episode.trace] for e in trainer.environments],
            advantages,
            trainer,
        )

    return run


def row_of(made: tuple[Any, Any, Any], task: str, turn: int = 0) -> Row:
    of = made[0]
    return rl_rows(of, of.environment.tasks[task])[turn]


def test_the_version_is_one_that_was_tested() -> None:
    from importlib.metadata import version

    assert version("trl") in TESTED


def test_the_plan_earns_everything_and_silence_nothing(made: Any, play: Any) -> None:
    good = [call("shelf_of", title="Amber") + END, 'Answer: "A1"' + END]
    played = play([row_of(made, "shelf:Amber")], [good, ["I do not know." + END]])
    assert played.rewards == [1.0, 0.0]
    assert played.traces == [[("shelf_of", "ok")], []]


def test_the_tools_of_a_prompt_are_those_of_its_task_with_the_exact_schemas(
    made: Any, play: Any
) -> None:
    rows = [row_of(made, "shelf:Amber"), row_of(made, "stock:Amber")]
    played = play(rows, [[END]] * 4)
    assert "<|tools|>shelf_of copies_of <|end|>" in played.prompts[0]
    assert "reset_ <|end|>" in played.prompts[2]
    exact = played.trainer._env_tools["town/1"][2]["function"]["parameters"]
    assert exact["properties"]["copies"]["minimum"] == 0


def test_a_tool_that_a_task_does_not_offer_is_a_call_in_vain(made: Any, play: Any) -> None:
    good = [call("shelf_of", title="Amber") + END, 'Answer: "A1"' + END]
    reset = [call("reset_", title="Amber", copies=1) + END, *good]
    played = play([row_of(made, "shelf:Amber")], [reset, good])
    assert played.traces[0] == [("reset_", "rejected"), ("shelf_of", "ok")]
    assert 0 < played.rewards[0] < played.rewards[1] == 1.0


def test_unknown_tools_and_arguments_that_are_no_object_count(made: Any, play: Any) -> None:
    good = [call("shelf_of", title="Amber") + END, 'Answer: "A1"' + END]
    scripts = [
        [call("where_is", title="Amber") + END, *good],
        [f'<tool_call>shelf_of ["Amber"]</tool_call>{END}', *good],
        [call("shelf_of", name="Amber") + END, *good],
        good,
    ]
    played = play([row_of(made, "shelf:Amber")], scripts)
    assert [trace[0][1] for trace in played.traces] == ["rejected"] * 3 + ["ok"]
    assert len({*played.rewards[:3]}) == 1
    assert played.rewards[0] < 1.0


def test_a_call_that_is_not_json_ends_the_turn_as_text(made: Any, play: Any) -> None:
    broken = [f'<tool_call>shelf_of {{"title": </tool_call>{END}', 'Answer: "A1"' + END]
    played = play([row_of(made, "shelf:Amber")], [broken, [END]])
    assert played.traces[0] == []
    assert len(played.completions[0]) == 1


def test_results_are_the_episodes_text(made: Any, play: Any) -> None:
    script = [call("copies_of", title="Birch") + END, "Answer: 5" + END]
    failing = [call("copies_of", title="Beech") + END, "Answer: 5" + END]
    played = play([row_of(made, "stock:Birch")], [script, failing])
    results = [
        [message["content"] for message in completion if message["role"] == "tool"]
        for completion in played.completions
    ]
    assert results == [["5"], ['"unknown book: Beech"']]


def test_a_result_that_the_trainer_dropped_does_not_count(made: Any, play: Any) -> None:
    first = call("copies_of", title="Cedar") + END
    second = call("reset_", title="Cedar", copies=3) + END
    script = [first, second, "Done." + END]
    whole = play([row_of(made, "one_more:Cedar")], [script, script])
    assert whole.rewards == [1.0, 1.0]
    tokenizer = made[2]
    room = len(tokenizer(first)["input_ids"]) + len(tokenizer(second)["input_ids"]) + 5
    cut = play([row_of(made, "one_more:Cedar")], [script, script], max_completion_length=room)
    assert cut.traces == [[("copies_of", "ok")]] * 2
    assert cut.rewards[0] == cut.rewards[1] < 1.0
    ran = [environment._made for environment in cut.trainer.environments]
    assert [len(each) for each in ran] == [2, 2], "the trainer ran the call whose result it dropped"


def test_rounds_are_bounded(made: Any, play: Any) -> None:
    endless = [call("copies_of", title="Cedar") + END] * 50
    played = play([row_of(made, "stock:Cedar")], [endless] * 2, max_tool_calling_iterations=3)
    assert [len(trace) for trace in played.traces] == [3, 3]


def test_calls_of_one_message_are_calls_of_one_message(made: Any, play: Any) -> None:
    both = call("shelf_of", title="Ember") + call("copies_of", title="Ember") + END
    script = [both, 'Answer: ["E3", "4"]' + END]
    played = play([row_of(made, "both:Ember")], [script, script])
    assert played.rewards == [1.0, 1.0]
    trace = played.trainer.environments[0]._episode.trace
    assert [each.message for each in trace] == [0, 0]


def test_a_group_begins_with_the_same_state(made: Any, play: Any) -> None:
    lost = [call("reset_", title="Birch", copies=0) + END, "Done." + END]
    look = [call("copies_of", title="Birch") + END, "Answer: 5" + END]
    played = play([row_of(made, "stock:Birch")], [lost, look, look, lost])
    assert [completion[1]["content"] for completion in played.completions] == ["0", "5", "5", "0"]


def test_a_later_turn_is_played_after_the_earlier_ones(made: Any, play: Any) -> None:
    script = [call("reset_", title="Birch", copies=0) + END, "Done." + END]
    played = play([row_of(made, "talk:Birch", 1)], [script, ["Done." + END]])
    assert played.rewards[0] == 1.0
    assert 0 < played.rewards[1] < 1.0
    assert "How many copies of Birch" in played.prompts[0]
    assert "Answer: 5" in played.prompts[0]


def test_an_earlier_turn_is_judged_with_the_later_ones_as_planned(made: Any, play: Any) -> None:
    script = [call("copies_of", title="Birch") + END, "Answer: 5" + END]
    played = play([row_of(made, "talk:Birch", 0)], [script, ["Answer: 5" + END]])
    assert played.rewards[0] == 1.0 > played.rewards[1] > 0


def talks(made: Any, *titles: str) -> list[Row]:
    """Rows of whole tasks of two turns."""
    return whole_tasks([row_of(made, f"talk:{title}") for title in titles])


def test_a_live_user_answers_what_the_model_has_said(made: Any, play: Any) -> None:
    ask = call("copies_of", title="Fjord") + END
    write = call("reset_", title="Fjord", copies=0) + END
    script = [ask, "There are 6." + END, write, "Done." + END]
    played = play(
        talks(made, "Fjord"), [script, [*script[:2], "Done." + END], ["6." + END]], live=True
    )
    assert played.rewards[0] == 1.0
    assert max(played.rewards[1:]) < 1.0
    first, second, _ = played.completions
    assert [message["role"] for message in first] == [
        *("assistant", "tool", "assistant"),
        *("user", "assistant", "tool", "assistant"),
    ]
    assert first[3]["content"] == "All of them were lost: record that there are none."
    assert [message["role"] for message in second[3:]] == ["user", "assistant"]
    assert played.traces[0] == [("copies_of", "ok"), ("reset", "ok")]


def test_what_a_live_user_says_is_not_learnt(made: Any, play: Any) -> None:
    tokenizer = made[2]
    ask = call("copies_of", title="Fjord") + END
    script = [ask, "There are 6." + END, "Hm." + END]
    trainer = play(talks(made, "Fjord"), [script, script], live=True).trainer
    prompt = tokenizer("<|user|>?<|end|><|assistant|>")["input_ids"]
    ids = tokenizer("6.<|end|>")["input_ids"]
    environment = trainer.environments[0]
    environment.reset(**talks(made, "Fjord")[0])
    trainer._batch_environments = trainer._batch_environments[:1]
    mine = tokenizer("Hm.<|end|>")["input_ids"]
    trainer._generate_single_turn = lambda *rest, **named: ([list(mine)], [[-0.5] * len(mine)])
    mask, completions, made_ids, logs, *_ = trainer._tool_call_loop(
        [[]],
        [prompt],
        [list(ids)],
        [[{"role": "assistant", "content": "6."}]],
        [[-0.1] * len(ids)],
        None,
        {},
    )
    said = completions[0][1]["content"]
    assert tokenizer.decode(made_ids[0]) == f"6.<|end|><|user|>{said}<|end|><|assistant|>Hm.<|end|>"
    between = len(made_ids[0]) - len(ids) - len(mine)
    assert mask[0] == [1] * len(ids) + [0] * between + [1] * len(mine)
    assert logs[0] == [-0.1] * len(ids) + [0.0] * between + [-0.5] * len(mine)


def test_a_live_episode_is_judged_by_what_was_said_and_called_in_each_turn(
    made: Any, play: Any
) -> None:
    ask = call("copies_of", title="Fjord") + END
    both = call("copies_of", title="Fjord") + call("shelf_of", title="Fjord") + END
    write = call("reset_", title="Fjord", copies=0) + END
    unknown = call("burn", title="Fjord") + END
    rest = ["There are 6." + END, write, END]
    played = play(
        talks(made, "Fjord"), [[ask, *rest], [both, *rest], [unknown, ask, *rest]], live=True
    )
    assert played.traces[1] == [("copies_of", "ok"), ("shelf_of", "ok"), ("reset", "ok")]
    assert played.traces[2] == [("burn", "rejected"), ("copies_of", "ok"), ("reset", "ok")]
    assert played.rewards[0] == 1.0
    assert max(played.rewards[1:]) < 1.0
    late = play(talks(made, "Fjord"), [[write, "6." + END, ask, END], [END, END]], live=True)
    assert max(late.rewards) < 1.0


def test_live_turns_end_where_a_reply_does_not(made: Any, play: Any) -> None:
    ask = call("copies_of", title="Fjord") + END
    scripts = [["There are 6."], [ask, call("copies_of", title="Fjord") + END]]
    played = play(talks(made, "Fjord"), scripts, live=True, max_tool_calling_iterations=1)
    assert [[message["role"] for message in each] for each in played.completions] == [
        ["assistant"],
        ["assistant", "tool", "assistant"],
    ]


def test_single_turns_are_not_asked_again(made: Any, play: Any) -> None:
    rows = whole_tasks([row_of(made, "shelf:Amber")])
    script = [call("shelf_of", title="Amber") + END, "A1" + END]
    played = play(rows, [script, script], live=True)
    assert played.rewards == [1.0, 1.0]
    assert [len(each) for each in played.completions] == [3, 3]


@pytest.mark.parametrize(
    ("template", "suffix"),
    [
        ("qwen2_5_training", "\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"),
        ("qwen3_training", "\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"),
        ("gptoss_training", None),
    ],
)
def test_templates_go_on_live_or_are_told(template: str, suffix: str | None) -> None:
    import trl

    path = Path(trl.__file__).parent / "chat_templates" / f"{template}.jinja"
    tokenizer = tokenizer_for(path.read_text(encoding="utf-8"))
    trainer = SimpleNamespace(
        processing_class=tokenizer,
        chat_template=None,
        chat_template_kwargs={},
        eos_token_ids=[tokenizer.eos_token_id],
    )
    if suffix is not None:
        assert tokenizer.decode(suffix_ids(trainer, "c")) == suffix
        return
    with pytest.raises(Unspoken, match="shows a reply otherwise"):
        suffix_ids(trainer, "c")


def test_a_finished_episode_says_so(town: Environment) -> None:
    instance = offering(emitted(town), ["shelf_of"])()
    instance.reset(task="shelf:Amber")
    instance._judge([{"role": "assistant", "content": "Done."}])
    assert "the episode is over" in instance.shelf_of(title="Amber")  # type: ignore[attr-defined]


def test_resets_of_any_row_raise_nothing(town: Environment) -> None:
    instance = offering(emitted(town), ["shelf_of"])()
    rows: list[Mapping[str, Any]] = [
        {},
        {"task": None, "prompt": None, "prefix": "{", "rest": 3},
        {"task": "shelf:Amber", "prefix": '[["call", 1]]', "seed": "x"},
        {"task": "shelf:Amber", "prefix": '{"a": 1}', "rest": '["reply"]'},
    ]
    for row in rows:
        instance.reset(**row)
        for completion in (None, "text", [], [None], [{"role": "tool"}], [{"tool_calls": [1]}]):
            assert instance._judge(completion).reward in (0.0, 1.0)
            assert isinstance(instance._next(completion), (str, type(None)))


def test_rows_and_replies_that_are_rubbish_do_not_end_training(made: Any, play: Any) -> None:
    row = row_of(made, "shelf:Amber")
    rows = [row | {"task": "none"}, row | {"prefix": '[["call", 1]]'}, row | {"rest": "{"}]
    said = ["<tool_call>reset_ [1]</tool_call><tool_call>", "\x00" + END]
    played = play(rows, [said] * 6)
    assert len(played.rewards) == 6
    assert all(math.isnan(reward) or reward == 0 for reward in played.rewards), played.rewards


def test_the_prompt_is_the_conversation_and_nothing_glued_to_it(made: Any, play: Any) -> None:
    row = row_of(made, "shelf:Amber")
    played = play([row], [[END]] * 2)
    shown = made[2].apply_chat_template(
        row["prompt"], tools=json.loads(row["tools"]), add_generation_prompt=True, tokenize=False
    )
    assert played.prompts == [shown] * 2


def test_what_an_offered_class_shows_to_trl_are_the_tools(made: Any, play: Any) -> None:
    row = row_of(made, "one_more:Amber")
    trainer = play([row], [[END]] * 2).trainer
    offered = [schema["function"]["name"] for schema in json.loads(row["tools"])]
    assert "reset_" in offered
    for tools in trainer._sync_tool_dicts:
        assert sorted(tools) == sorted(offered)


KINDS = """\
toolc 1
environment kinds "Results of all kinds." version "1.0"
record Pair { left: int, right: str }
tool get_reward "A list." () -> list[int] { return [1, 2] }
tool reset "A record." (left: int "A number.") -> Pair {
  return {left: left, right: "a\\"b"}
}
tool nothing "An optional." (at: int "A number.") -> int? {
  if at > 0 { return at }
  return null
}
scenario one "Any" {
  user "What is on the list?"
  plan { step "Look." let found = get_reward() }
  answer found
}
"""


def test_names_that_trl_takes_are_offered_otherwise_and_results_are_json(tmp_path: Path) -> None:
    kinds = load_built(compile_text(KINDS), tmp_path, "kinds")
    instance: Any = offering(emitted(kinds), list(kinds.tools))()
    task = next(iter(kinds.tasks))
    instance.reset(task=task, prefix="[]", rest="[]")
    results = [
        instance.get_reward_(),
        instance.reset_(left=3),
        instance.nothing(at=0),
        instance.nothing(at=2),
    ]
    assert all(type(result) is str for result in results)
    assert [json.loads(result) for result in results] == [
        [1, 2],
        {"left": 3, "right": 'a"b'},
        None,
        2,
    ]


def test_rows_reach_the_trainer_as_they_are(made: Any) -> None:
    of = made[0]
    task = of.environment.tasks["talk:Amber"]
    rows = rl_rows(of, task)
    data = _lazily(rows)
    assert [row["prompt"] for row in data] == [list(map(readable, row["prompt"])) for row in rows]
    taken = {"environments", "image", "images", "completion", "completions", "completion_ids"}
    assert not taken & {*data.column_names, "trainer_state"}
    assert not [name for name in data.column_names if name.startswith("log_")]


def test_derived_schemas_are_those_of_the_emitted_class(town: Environment) -> None:
    from transformers.utils.chat_template_utils import get_json_schema

    instance = offering(emitted(town), ["reset"])()
    derived = get_json_schema(instance.reset_)["function"]["parameters"]  # type: ignore[attr-defined]
    assert derived["required"] == ["title", "copies"]
    assert "at least 0" in derived["properties"]["copies"]["description"].lower()


def test_advantages_compare_within_a_group_or_within_the_batch(made: Any, play: Any) -> None:
    good = [call("shelf_of", title="Amber") + END, 'Answer: "A1"' + END]
    rows = [row_of(made, "shelf:Amber"), row_of(made, "shelf:Birch")]
    scripts = [good, good, good, ["No." + END]]
    grouped = play(rows, scripts)
    assert grouped.rewards == [1.0, 1.0, 0.0, 0.0]
    assert grouped.advantages == [0.0] * 4
    whole = play(rows, scripts, batch_normalised=True)
    assert whole.advantages == pytest.approx([0.866, 0.866, -0.866, -0.866], abs=1e-3)


def test_a_message_is_judged_where_its_trajectory_left_off(made: Any, play: Any) -> None:
    of = made[0]
    task = of.environment.tasks["both:Ember"]
    first, second, last = cut(of, task, demonstrate(of.environment, task).messages(), "x")
    shelf = call("shelf_of", title="Ember") + END
    copies = call("copies_of", title="Ember") + END
    both = call("shelf_of", title="Ember") + copies
    per_message = {"reward": step_function("solve_f1"), "max_tool_calling_iterations": 0}
    played = play([first], [[shelf], [both], ["Hm." + END], [END]], **per_message)
    assert played.rewards == pytest.approx([1.0, 1.0, 0.0, -0.5])
    assert [len(completion) for completion in played.completions] == [1] * 4
    played = play([second], [[shelf], [copies], [shelf.replace(END, copies)], [END]], **per_message)
    assert played.rewards == pytest.approx([0.0, 1.0, 2 / 3, -0.5])
    broken = "<tool_call>shelf_of {" + END
    played = play([last], [["They are E3 and 4." + END], [broken]], **per_message)
    assert played.rewards == pytest.approx([1.0, -0.3])


def test_options_that_trl_does_not_have_are_named() -> None:
    nothing: dict[str, dict[str, Any]] = {"sft": {}, "rl": {}}
    with pytest.raises(Unsupported, match=r"no option `use_vlm` of .*; did you mean `use_vllm`"):
        shared_options({"sft": {"use_vlm": True}, "rl": {"use_vlm": True}}, nothing)
    with pytest.raises(Unsupported, match="no option `packing` of TRL's GRPOConfig"):
        shared_options({"sft": {}, "rl": {"packing": True}}, {**nothing, "rl": {"packing": True}})


def test_options_of_one_stage_are_left_to_it() -> None:
    given = {"use_vllm": True, "packing": True, "bf16": True}
    assert shared_options({"sft": given, "rl": given}, {"sft": {}, "rl": {}}) == {
        "sft": {"packing": True, "bf16": True},
        "rl": {"use_vllm": True, "bf16": True},
    }


def test_templates_that_cannot_be_used_are_told(made: Any) -> None:
    import copy

    tokenizer = copy.deepcopy(made[2])
    assert unsupported(tokenizer) is None
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    assert "does not show tool calls" in (unsupported(tokenizer) or "")
    tokenizer.chat_template = None
    assert "no chat template" in (unsupported(tokenizer) or "")
    tokenizer = copy.deepcopy(made[2])
    tokenizer.response_template = None
    assert "does not know how to read its replies" in (unsupported(tokenizer) or "")
    tokenizer = copy.deepcopy(made[2])
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "{{ message.content or", '{{ "" if loop.last else "Well, " }}{{ message.content or'
    )
    assert "shows earlier messages otherwise" in (unsupported(tokenizer) or "")


def test_what_the_model_says_is_learnt_and_nothing_else(made: Any) -> None:
    of, _, tiny = made
    task = of.environment.tasks["talk:Amber"]
    [row] = sft_rows(of, task, 1, 0)
    texts = [json.dumps(message) for message in row["messages"]]
    qwen = step.tokenizer_for(texts)
    said = [message for message in row["messages"] if message["role"] == "assistant"]
    for tokenizer, end in ((tiny, END), (qwen, "<|im_end|>")):
        assert unlearnable(tokenizer) is None
        encode = encoder(tokenizer, {"chat_template": training_template(tokenizer)})
        ids, learnt = encode(row)
        assert len(ids) == len(learnt)
        replies = tokenizer.decode([id for id, mine in zip(ids, learnt, strict=True) if mine])
        assert replies.count(end) == len(said)
        assert replies.rstrip().endswith(end)
        for message in said:
            assert (message["content"] or "") in replies
            for each in message.get("tool_calls") or ():
                assert each["function"]["name"] in replies
        assert "Amber are there?" in tokenizer.decode(ids)
        assert "Amber are there?" not in replies


def test_templates_that_do_not_mark_replies_are_told_where_plans_are_learnt(made: Any) -> None:
    import copy

    tokenizer = copy.deepcopy(made[2])
    for text in ("{% generation %}", "{% endgeneration %}"):
        tokenizer.chat_template = tokenizer.chat_template.replace(text, "")
    assert unsupported(tokenizer) is None
    assert "does not mark what the model says" in (unlearnable(tokenizer) or "")
    tokenizer = copy.deepcopy(made[2])
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "<|end|>{% endgeneration %}", "{% endgeneration %}<|end|>"
    )
    assert "up to the token that ends a reply" in (unlearnable(tokenizer) or "")
