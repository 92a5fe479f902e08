"""The parts of training that need neither torch nor TRL."""

from __future__ import annotations

import json
import random
import re
import signal
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.specs import compile_text, load_built
from toolc.train import checkpoints, metrics
from toolc.train.batching import BatchPolicy, Request
from toolc.train.config import (
    _RANGES,
    TINY_RUN,
    Config,
    ConfigError,
    Sft,
    _leaves,
    parse,
    trainer_options,
)
from toolc.train.examples import IGNORED, examples, schedule
from toolc.train.messages import cut
from toolc.train.renaming import Renamer, exchanged, texts_of, with_own_names
from toolc.train.rows import sft_rows, source
from toolc.train.timer import Timer
from toolc.train.trl_adapter import step_function
from toolc_runtime.chat.message import Reply
from toolc_runtime.environment import Environment
from toolc_runtime.trl import emitted, offering

# ---------------------------------------------------------------- configuration


def test_a_file_changes_what_it_names_and_nothing_else() -> None:
    made = parse(
        'seed = 3\n[rl]\nsteps = 5\n[trainer]\nbf16 = true\n[data]\nhold_out = ["a"]', TINY_RUN
    )
    assert (made.seed, made.rl.steps, made.rl.group) == (3, 5, TINY_RUN.rl.group)
    assert made.data.hold_out == ("a",)
    assert made.trainer == {"bf16": True}
    assert made.tiny == TINY_RUN.tiny


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[rl]\nlearning_rat = 1", "no option `rl.learning_rat`; did you mean `rl.learning_rate`"),
        ("steps = 3", "there is no option `steps`"),
        ("[rl]\nsteps = true", "`rl.steps` must be a whole number, found True"),
        ("rl = 3", "`rl` is a table of options"),
        ("stages = [1]", "`stages` must be a list of texts"),
        ('stages = ["rl", "sft"]', "in the order sft, rl"),
        ('stages = ["sfx"]', "`stages` cannot be `sfx`; did you mean `sft`?"),
        ('[rl]\nalgorithm = "ppo"', "`rl.algorithm` cannot be `ppo`; there are grpo"),
        ("[rl]\ngroup = 1", "`rl.group` must be 2 or more"),
        ('[rl]\nturns = "life"', "`rl.turns` cannot be `life`; did you mean `live`?"),
        ("[rl]\nprobe = 4", '`rl.probe` is for `rl.unit = "message"`'),
        ('[rl]\nunit = "message"\nprobe = 1', "`rl.probe` must be 0, for none, or 2 or more"),
        ('[rl]\nturns = "live"\nunit = "message"', '`rl.turns = "live"` is for `rl.unit'),
        ("[sft]\nsteps = 0", "`sft.steps` must be 1 or more"),
        ("[data]\ntasks = 1.5", "`data.tasks` must be from 0 to 0.9"),
        ("[evaluation]\nsamples = 4", "`evaluation.samples` is for an `evaluation.temperature`"),
        ("[evaluation]\ntemperature = -1", "`evaluation.temperature` must be 0 or more"),
        ("[rl]\nnorm_rate = 0", "`rl.norm_rate` must be more than 0"),
        ("[trainer]\nuse_vllm = true", "does not go with the tiny model"),
        ("[tiny]\nhidden = 31", "`tiny.hidden` must be an even multiple of `tiny.heads`"),
        ("[tiny]\nheads = 0", "`tiny.heads` must be 1 or more"),
        ("seed = -1", "`seed` must be from 0 to 4.29497e+09"),
        ("[rl]\nkl = nan", "`rl.kl` must be a finite number"),
        ("[rl]\ntemperature = inf", "`rl.temperature` must be a finite number"),
        ("[lora]\nrank = -4", "`lora.rank` must be 0 or more"),
        ("[evaluation]\nmost = -3", "`evaluation.most` must be 0 or more"),
        ('output = ""', "`output` must not be empty"),
        ('dtype = "int8"', "`dtype` cannot be `int8`; there are float32, bfloat16"),
        ("[lora]\nalpha = 8", "`lora.alpha` is for a `lora.rank`"),
        ("[lora]\nrank = 8\n[rl]\nnorm_rate = 2", "`rl.norm_rate` does not go with `lora.rank`"),
        ('[rl]\nstep_reward = "pr"', "`rl.step_reward` is for `rl.unit"),
        ("[evaluation]\ntasks = 2", "`evaluation.tasks` is for `evaluation.every`"),
        ("[trainer]\neval_strategy = 'no'", "`trainer.eval_strategy` is given by `evaluation"),
        ("[trainer.rl]\nseed = 1", "`trainer.seed` is given by `seed`"),
        ("[trainer]\nrl = 1", "`trainer.rl` is a table of options"),
        (
            '[data]\nenvironments = ["a"]\nhold_out = ["b"]',
            "`data.hold_out` must be among `data.environments`",
        ),
        ("a = [", "not TOML"),
    ],
)
def test_what_does_not_exist_or_go_together_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(text)


def test_what_is_given_by_default_goes_together() -> None:
    assert parse("") == Config()
    assert parse("", TINY_RUN) == TINY_RUN


@pytest.mark.parametrize("other", ['unit = "episode"', 'trajectories = "runs"'])
def test_what_tiny_has_for_reference_plans_goes_where_others_are_asked_for(other: str) -> None:
    made = parse(f"[rl]\n{other}", TINY_RUN).rl
    assert (made.renamed, made.probe) == (0, 0)
    assert parse('[rl]\nsteps = 3\nunit = "message"', TINY_RUN).rl.renamed > 0


def test_every_option_that_is_a_number_has_a_range() -> None:
    numbers = {name for name, value in _leaves(Config()) if type(value) in (int, float)}
    assert numbers == _RANGES.keys()


def test_what_tiny_has_for_all_weights_goes_where_adapters_are_learnt() -> None:
    assert TINY_RUN.rl.norm_rate > 1
    assert parse("[lora]\nrank = 4", TINY_RUN).rl.norm_rate == 1


def test_a_wider_tiny_model_learns_at_lower_rates_and_its_norms_at_the_same() -> None:
    made = parse("[tiny]\nhidden = 256\n[rl]\nsteps = 3", TINY_RUN)
    assert made.sft.learning_rate == TINY_RUN.sft.learning_rate / 2
    assert made.rl.learning_rate == TINY_RUN.rl.learning_rate / 2
    norms = TINY_RUN.rl.learning_rate * TINY_RUN.rl.norm_rate
    assert made.rl.learning_rate * made.rl.norm_rate == pytest.approx(norms)
    given = "[tiny]\nhidden = 256\n[sft]\nlearning_rate = 0.25"
    assert parse(given, TINY_RUN).sft.learning_rate == 0.25
    assert parse("[tiny]\nhidden = 256").sft == Config().sft


def test_flags_win_over_the_file_before_it_is_checked() -> None:
    text = 'model = "tiny"\n[trainer]\nuse_vllm = true\n[sft]\nsteps = 3\nbatch = 2'
    made = parse(text, over={"model": "some/model", "sft": {"steps": 7}})
    assert (made.model, made.sft.steps, made.sft.batch) == ("some/model", 7, 2)


def test_a_stage_has_options_of_its_trainer_alone() -> None:
    made = parse('[trainer]\nbf16 = true\n[trainer.rl]\nloss_type = "dr_grpo"\nbf16 = false')
    assert trainer_options(made, "sft") == {"bf16": True}
    assert trainer_options(made, "rl") == {"bf16": False, "loss_type": "dr_grpo"}


def test_tiny_evaluates_the_likeliest_replies_once_where_those_are_asked_for() -> None:
    assert TINY_RUN.evaluation.samples > 1
    assert parse("[evaluation]\ntemperature = 0", TINY_RUN).evaluation.samples == 1
    with pytest.raises(ConfigError, match=r"`evaluation\.samples` is for"):
        parse("[evaluation]\ntemperature = 0\nsamples = 3", TINY_RUN)


# ---------------------------------------------------------------- rows in order


def test_renamed_rows_are_whole(town: Environment) -> None:
    rows = [row for task in town.tasks.values() for row in sft_rows(source(town), task, 1, 0)]
    renamer = Renamer(rows, {"town": texts_of(town)})
    row = next(row for row in rows if row["task"] == "both:Ember")
    seen = set()
    for seed in range(20):
        made = renamer.rename(row, random.Random(seed))
        user, first, shelf, second, copies, last = made["messages"]
        called = [json.loads(m["tool_calls"][0]["function"]["arguments"]) for m in (first, second)]
        title = called[0]["title"]
        assert called[1]["title"] == title
        assert user["content"] == f"Where does {title} stand, and how many copies are there?"
        assert json.loads(last["content"].removeprefix("Answer: ")) == [
            json.loads(shelf["content"]),
            copies["content"],
        ]
        seen.add(title)
    assert len(seen) > 5


def test_a_message_after_other_names_is_judged_by_the_own_ones(town: Environment) -> None:
    of = source(town)
    task = town.tasks["both:Ember"]
    reference = next(sft_rows(of, task, 1, 0))
    renamer = Renamer([reference], {"town": texts_of(town)})

    def reward(row: dict[str, Any], said: dict[str, Any], kind: str = "solve_f1") -> float | None:
        environment = offering(emitted(town), list(town.tools))()
        environment.reset(**row)
        calls = [
            {**call, "function": {**call["function"], "arguments": json.loads(given)}}
            for call in said.get("tool_calls") or ()
            for given in [call["function"]["arguments"]]
        ]
        return environment._step(
            kind, with_own_names([{**said, "tool_calls": calls}], row["names"])
        )

    unchanged: list[float | None] = []
    for item in cut(of, task, reference["messages"], "town/both:Ember"):
        row = renamer.item(item, reference["id"], random.Random(3))
        said = reference["messages"][len(item["prompt"])]
        others = {name: other for other, name in json.loads(row["names"]).items()}
        assert others["Ember"] in json.dumps(row["prompt"])
        assert "Ember" not in json.dumps(row["prompt"])
        [shown] = exchanged([said], others)
        assert reward(row, shown) == 1
        assert reward({**item, "names": ""}, said) == 1
        if "Ember" in json.dumps(said):
            assert reward(row, said, "task") == 0  # what was remembered and not read
        unchanged.append(reward({**row, "names": ""}, shown))
    assert 0 in unchanged  # what is not changed back names what is not there


def test_a_message_is_worth_what_it_adds_to_the_plan(town: Environment) -> None:
    of = source(town)
    task = town.tasks["both:Ember"]
    reference = next(sft_rows(of, task, 1, 0))
    rows = list(cut(of, task, reference["messages"], "town/both:Ember"))
    said = [reference["messages"][len(row["prompt"])] for row in rows]
    [shelf], [copies], last = said[0]["tool_calls"], said[1]["tool_calls"], said[2]["content"]

    def reward(row: dict[str, Any], text: str, *calls: dict[str, Any]) -> float | None:
        environment = offering(emitted(town), list(town.tools))()
        environment.reset(**row)
        made = [
            {
                "function": {
                    "name": call["function"]["name"],
                    "arguments": json.loads(call["function"]["arguments"]),
                }
            }
            for call in calls
        ]
        message = {"role": "assistant", "content": text, "tool_calls": made}
        return environment._step("task", [message])

    first, second, third = rows
    assert reward(first, "", shelf) == reward(second, "", copies) == reward(third, last) == 1
    assert reward(first, "", copies) == 1  # the other step first
    assert reward(first, "", shelf, copies) == 1
    assert reward(second, "", shelf) == 0  # was done before
    partly = reward(first, "", shelf, shelf)
    assert partly is not None
    assert 0 < partly < 0.5
    assert reward(first, last) == reward(second, last) == reward(third, "Done.") == 0
    assert reward({**first, "task": "unknown"}, "", shelf) is None
    for rest in ("[3, [], [[]], {}]", "{", "[[1, 2]]"):
        assert reward({**first, "rest": rest}, "", shelf) is not None
        assert reward({**first, "rest": rest, "prefix": '[["reply", "x"]]'}, last) == 0


TOWNS = ("Ulm", "Trier")
AT_ONCE = """\
toolc 1
environment towns "Towns."
table towns[name]: {name: str, people: int} = [
  {name: "Ulm", people: 128928}, {name: "Trier", people: 112195},
]
tool get_people "How many people live in a town." (town: str) -> int {
  return towns[town].people else fail "unknown town"
}
scenario both "Two towns" {
  user "How many people live in Ulm, and how many in Trier? Ask for both at once."
  plan {
    step let a = get_people(town: "Ulm")
    step let b = get_people(town: "Trier")
  }
  answer [a, b]
  verify { constraint turns <= 2 }
}
"""


def test_calls_of_one_message_take_one_turn(tmp_path: Path) -> None:
    towns = load_built(compile_text(AT_ONCE), tmp_path, "towns")
    [task] = towns.tasks.values()
    calls = [{"function": {"name": "get_people", "arguments": {"town": name}}} for name in TOWNS]
    rest = [["call", "get_people", {"town": name}, name != "Ulm"] for name in TOWNS]
    row = {"prompt": [1], "task": task.id, "prefix": "[]"}
    row["rest"] = json.dumps([*rest, ["reply", "Answer: [128928, 112195]"]])
    judge = step_function("task")

    def reward(*made: list[dict[str, Any]]) -> list[float | None]:
        environments = [offering(emitted(towns), list(towns.tools))() for _ in made]
        for environment in environments:
            environment.reset(**row)
        said = [[{"role": "assistant", "content": "", "tool_calls": each}] for each in made]
        return judge(said, environments)

    assert reward(calls) == [1]
    assert reward(calls[:1], calls, calls, calls[1:]) == [0, 1, 1, 0]  # too many turns are left


@pytest.mark.parametrize("completion", [None, [], ["x"], [{"tool_calls": 3}], [{"content": 1}]])
def test_what_is_no_message_is_left_as_it_is(completion: Any) -> None:
    assert with_own_names(completion, '{"a": "b"}') == completion
    assert with_own_names(completion, "{") is completion


def test_what_is_not_named_by_the_prompt_stays(town: Environment) -> None:
    rows = [row for task in town.tasks.values() for row in sft_rows(source(town), task, 1, 0)]
    rain = next(row for row in rows if row["task"] == "rain")
    assert Renamer(rows, {}).rename(rain, random.Random(0)) is rain


def test_examples_are_as_many_as_the_steps_take(town: Environment) -> None:
    rows = [row for task in town.tasks.values() for row in sft_rows(source(town), task, 1, 0)]

    def encode(row: dict[str, Any]) -> tuple[list[int], list[int]]:
        length = len(row["messages"])
        return list(range(length)), [int(m["role"] == "assistant") for m in row["messages"]]

    options = Sft(steps=7, batch=4, renamed=0.5)
    made = list(examples(rows, encode, options, 1, {}))
    assert len(made) == 28
    assert made == list(examples(rows, encode, options, 1, {}))
    for example in made:
        assert example["labels"][0] == IGNORED
        assert example["labels"][-1] == len(example["labels"]) - 1
    everything = examples(rows, encode, Sft(steps=1, batch=4, context_share=1.0), 1, {})
    assert all(example["labels"] == example["input_ids"] for example in everything)


def test_a_curriculum_begins_with_what_is_easy() -> None:
    rows = [{"id": n, "kind": "k", "steps": n // 10, "depth": 1, "offered": 3} for n in range(50)]
    made = [row["steps"] for row in schedule(rows, 200, "difficulty", 0)]
    assert max(made[:10]) <= 1
    assert max(made) == 4
    level = schedule(rows, 200, "none", 0)
    assert sorted(row["id"] for row in level[:50]) == list(range(50))


# ---------------------------------------------------------------- many episodes at once


def test_what_all_wait_for_is_answered_together() -> None:
    batches: list[int] = []

    def answer(requests: Any) -> list[Reply]:
        batches.append(len(requests))
        return [Reply(f"{request.messages[0]['content']}!") for request in requests]

    policy = BatchPolicy("m", answer)

    def rollout(number: int) -> list[str]:
        said = []
        for at in range(number):
            request = Request([{"role": "user", "content": f"{number}.{at}"}], [], 0)
            said.append(policy.ask(request).content)
        return said

    made = list(policy.play(rollout, [1, 3, 2, 0], width=3))
    assert made == [["1.0!"], ["3.0!", "3.1!", "3.2!"], ["2.0!", "2.1!"], []]
    assert batches == [3, 2, 1]


def test_what_is_answered_together_has_the_same_order_whoever_asks_first() -> None:
    asked: list[list[int]] = []

    def answer(requests: Any) -> list[Reply]:
        asked.append([request.seed for request in requests])
        return [Reply("")] * len(requests)

    policy = BatchPolicy("m", answer)

    def rollout(seed: int) -> None:
        while len(policy._waiting) < 3 - seed:  # 3 asks first, then 2, then 1
            time.sleep(0.001)
        policy.ask(Request([], [], seed))

    list(policy.play(rollout, [1, 2, 3], width=3))
    assert asked == [[1, 2, 3]]


def test_an_interrupt_while_a_rollout_works_leaves_no_thread() -> None:
    policy = BatchPolicy("m", lambda requests: [Reply("yes") for _ in requests])
    asked_after: list[int] = []

    def rollout(number: int) -> None:
        if number == 1:  # as a tool that takes long
            while len(policy._waiting) < 2:
                time.sleep(0.001)
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
            until = time.monotonic() + 30
            while not policy._stopped and time.monotonic() < until:
                time.sleep(0.001)
            asked_after.append(number)
        policy.ask(Request([], [], number))

    before = threading.active_count()
    known = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(policy.play(rollout, range(3), width=3))
    finally:
        signal.signal(signal.SIGINT, known)
    assert asked_after == [1]
    assert threading.active_count() == before


def test_an_interrupt_while_threads_start_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = BatchPolicy("m", lambda requests: [Reply("yes") for _ in requests])
    begun: list[threading.Thread] = []
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        begun.append(thread)
        if len(begun) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(policy.play(lambda number: policy.ask(Request([], [], number)), range(3), width=3))
    assert [thread.is_alive() for thread in begun] == [False, False]


@pytest.mark.parametrize("where", ["model", "rollout"])
def test_errors_end_all_and_leave_no_thread(where: str) -> None:
    def answer(requests: Any) -> list[Reply]:
        if where == "model":
            raise MemoryError("no room")
        return [Reply("yes") for _ in requests]

    policy = BatchPolicy("m", answer)

    def rollout(number: int) -> str:
        said = policy.ask(Request([], [], 0)).content
        if number == 1:
            raise MemoryError("no room")
        return said

    before = threading.active_count()
    with pytest.raises(MemoryError):
        list(policy.play(rollout, range(4), width=4))
    assert threading.active_count() == before


# ---------------------------------------------------------------- what is kept


def test_checkpoints_count_when_they_are_whole(tmp_path: Path) -> None:
    assert checkpoints.latest(str(tmp_path / "none")) is None
    for step in (2, 10, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "model.safetensors").write_text("x")
    checkpoints.mark(str(tmp_path), 2)
    checkpoints.mark(str(tmp_path), 10)
    assert checkpoints.latest(str(tmp_path)) == (str(tmp_path / "checkpoint-10"), 10)
    checkpoints.prune(str(tmp_path))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-2"]


def test_a_model_is_there_whole_or_not(tmp_path: Path) -> None:
    def fail(place: str) -> None:
        (Path(place) / "half").write_text("x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        checkpoints.put(str(tmp_path / "model"), fail)
    assert not (tmp_path / "model").exists()
    checkpoints.put(str(tmp_path / "model"), lambda place: (Path(place) / "all").write_text("x"))
    assert [each.name for each in tmp_path.rglob("*")] == ["model", "all"]


def test_the_time_of_work_counts_once_over_all_processes(tmp_path: Path) -> None:
    first = Timer(str(tmp_path))
    assert first.seconds == 0
    time.sleep(0.01)
    first.note()
    time.sleep(0.01)  # is lost with the process
    second = Timer(str(tmp_path))
    assert second.seconds == pytest.approx(first.seconds, abs=1e-3)
    assert second.seconds >= 0.009
    second.note()
    second.note()
    assert Timer(str(tmp_path)).seconds == pytest.approx(second.seconds, abs=1e-3)
    (tmp_path / "seconds.json").write_text("{", "utf-8")
    assert Timer(str(tmp_path)).seconds == 0


def test_metrics_are_rewound_to_a_checkpoint(tmp_path: Path) -> None:
    folder = str(tmp_path)
    for stage, step in (("sft", 1), ("sft", 2), ("rl", 1), ("rl", 2), ("rl", 3)):
        metrics.append(folder, stage, step, {"loss": step, "nothing": float("nan"), "text": "x"})
    with open(tmp_path / metrics.METRICS, "a", encoding="utf-8") as file:
        file.write('{"stage": "rl", "st')
    metrics.rewind(folder, "rl", 1, ())
    assert metrics.read(folder) == [
        {"stage": "sft", "step": 1, "loss": 1},
        {"stage": "sft", "step": 2, "loss": 2},
        {"stage": "rl", "step": 1, "loss": 1},
    ]
    metrics.rewind(folder, "sft", 1, ("rl",))
    assert [line["step"] for line in metrics.read(folder)] == [1]


def test_events_are_records_with_their_checksums(tmp_path: Path) -> None:
    metrics.append(str(tmp_path), "rl", 300, {"reward": 0.5})
    metrics.write_events(str(tmp_path), ["sft", "rl"])
    (file,) = (tmp_path / metrics.EVENTS).rglob("events.*")
    content = file.read_bytes()
    records = []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        assert content[8:12] == metrics._masked(content[:8])
        records.append(content[12 : 12 + length])
        assert content[12 + length : 16 + length] == metrics._masked(records[-1])
        content = content[16 + length :]
    assert records[0].endswith(b"brain.Event:2")
    assert b"reward" in records[1]
    assert struct.pack("<f", 0.5) in records[1]
    assert b"\x10\xac\x02" in records[1], "the step, 300, as a varint"


def test_the_checksum_is_crc32c() -> None:
    # The check value of CRC-32C, masked as TFRecord has it.
    crc = 0xE3069283
    expected = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert metrics._masked(b"123456789") == struct.pack("<I", expected)
