"""The emitted `trl_environment.py` in a real step of TRL's GRPOTrainer, on a tiny model on CPU."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
trl = pytest.importorskip("trl")

SPEC = """\
toolc 1
environment towns "Towns and their people." version "1.0"
record Town { name: str, people: int }
table towns[name]: Town = [{name: "Ulm", people: 128928}, {name: "Trier", people: 112195}]
tool get_people "How many people live in a town." (town: str "Name of the town.") -> int {
  let row = towns[town] else fail "unknown town: {town}"
  return row.people
}
scenario people for t in towns {
  user "How many people live in {t.name}?"
  plan { step "How many?" let people = get_people(town: t.name) }
  answer people
}
"""
CALL = '<tool_call>\n{"name": "get_people", "arguments": {"town": "Ulm"}}\n</tool_call><|im_end|>'


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The emitted module of a small environment."""
    folder = tmp_path_factory.mktemp("trl")
    (folder / "specs").mkdir()
    (folder / "specs" / "towns.toolc").write_text(SPEC, encoding="utf-8")
    command = [sys.executable, "-m", "toolc", "compile", "specs", "-o", "trl_build", "--quiet"]
    subprocess.run(command, cwd=folder, check=True)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("trl_build.towns.trl_environment")
    finally:
        sys.path.remove(str(folder))


def tokenizer_for(texts: list[str]) -> Any:
    """A byte-level BPE trained on the texts, with Qwen3's chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast
    from trl.chat_template_utils import qwen3_chat_template

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_tokens(["<tool_call>", "</tool_call>", "<think>", "</think>"])
    tokenizer.chat_template = qwen3_chat_template
    return tokenizer


def model_for(tokenizer: Any) -> Any:
    """A Qwen3 of a few hundred thousand random weights."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=1024,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    return Qwen3ForCausalLM(config)


def teach(model: Any, tokenizer: Any, prompt: str, reply: str) -> None:
    """Fit the reply to the prompt, so that the model makes a call at all."""
    start = tokenizer(prompt, return_tensors="pt").input_ids
    ids = tokenizer(prompt + reply, return_tensors="pt").input_ids
    labels = ids.clone()
    labels[:, : start.shape[1]] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(150):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.01:
            break
    assert loss.item() < 0.05


def test_a_grpo_step_plays_the_compiled_environment(towns: Any, tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers.utils.chat_template_utils import get_json_schema
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    schema = get_json_schema(towns.TownsEnvironment().get_people)
    messages = [{"role": "user", "content": "How many people live in Ulm?"}]
    tokenizer = tokenizer_for([json.dumps(schema), CALL, messages[0]["content"]] * 4)
    prompt = tokenizer.apply_chat_template(
        messages, tools=[schema], add_generation_prompt=True, tokenize=False
    )
    tokenizer = tokenizer_for([prompt, CALL] * 4)
    model = model_for(tokenizer)
    teach(model, tokenizer, prompt, CALL)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    traces: list[tuple[str, str]] = []

    def reward(completions: Any, environments: Any, **columns: Any) -> list[float | None]:
        for environment in environments:
            for call in environment._episode.trace:
                traces.append((call.tool, call.status))
        # The trainer needs a spread within the group to learn from: the length adds one.
        rewards = towns.reward(completions=completions, environments=environments, **columns)
        return [value + 0.001 * index for index, value in enumerate(rewards)]

    rows = [{"prompt": messages, "task": "people:Ulm"}] * 4
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=GRPOConfig(
            output_dir=str(tmp_path),
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to="none",
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=96,
            max_tool_calling_iterations=1,
            max_steps=1,
            learning_rate=1e-3,
            temperature=0.5,
            disable_tqdm=True,
            save_strategy="no",
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        environment_factory=towns.TownsEnvironment,
    )
    trainer.train()
    assert ("get_people", "ok") in traces
    logged = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    assert logged and logged[0] > 0
    changed = [
        name
        for name, weight in model.named_parameters()
        if not torch.equal(weight.detach().cpu(), before[name])
    ]
    assert changed
