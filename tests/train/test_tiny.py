"""The tiny model before training, and what its trainers leave out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from toolc.train.compact import compact, telling  # noqa: E402
from toolc.train.config import TinyModel  # noqa: E402
from toolc.train.tiny import make_model  # noqa: E402
from toolc.train.trl_adapter import apart, norms  # noqa: E402

WORDS = 2000


def grpo(**options: Any) -> SimpleNamespace:
    """As much of a GRPO trainer as decides which rows its loss needs."""
    known = {
        "loss_type": "dapo",
        "beta": 0.0,
        "top_entropy_quantile": 1.0,
        "entropy_coef": 0.0,
        "use_adaptive_entropy": False,
        "aux_loss_enabled": False,
        "accelerator": SimpleNamespace(num_processes=1),
    }
    return SimpleNamespace(**{**known, **options})


class Vocabulary:
    """As much of a tokenizer as a model is made with."""

    pad_token_id, eos_token_id = 0, 1

    def __len__(self) -> int:
        return WORDS


@pytest.mark.parametrize("size", [TinyModel(), TinyModel(hidden=256, heads=4, layers=4)])
def test_random_weights_lean_to_repeat_what_they_have_read(size: TinyModel) -> None:
    model = make_model(Vocabulary(), size, 3)
    once = torch.randperm(WORDS, generator=torch.Generator().manual_seed(0))[:80]
    with torch.inference_mode():
        scores = model(torch.cat([once, once])[None]).logits[0, 80:-1]
    following = scores.gather(1, once[1:, None])
    assert (scores > following).sum(1).median() < 20


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = (make_model(Vocabulary(), TinyModel(), seed) for seed in (1, 1, 2))
    same = [
        torch.equal(*pair) for pair in zip(first.parameters(), second.parameters(), strict=True)
    ]
    assert all(same)
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)


@pytest.mark.parametrize("grouped", [True, False])
def test_norms_learn_at_a_rate_of_their_own(grouped: bool) -> None:
    model = make_model(Vocabulary(), TinyModel(), 0)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    chosen = norms(model)
    assert len(chosen) == sum("norm" in name for name in before) > 10
    others = [each for each in model.parameters() if not any(each is norm for norm in chosen)]
    kinds = [{"params": others}, {"params": chosen}] if grouped else model.parameters()
    optimizer = torch.optim.AdamW(kinds, lr=1e-4, weight_decay=0.0)
    apart(optimizer, chosen, 100)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    model(torch.arange(30)[None], labels=torch.arange(30)[None]).loss.backward()
    optimizer.step()
    schedule.step()
    for name, weight in model.named_parameters():
        moved = float((weight - before[name]).detach().abs().max())
        assert moved == pytest.approx(5e-3 if "norm" in name else 5e-5, rel=0.05), name


def test_learnt_tokens_have_the_probabilities_that_trl_gives_them() -> None:
    from trl.trainer.utils import FusedCausalLMOutput, add_fused_lm_head

    model = make_model(Vocabulary(), TinyModel(), 0)
    add_fused_lm_head(model, 0.7, outputs=("log_probs", "entropy", "is_top1"))
    ids = torch.randint(10, 1000, (3, 20))
    labels = ids.masked_fill(torch.rand(3, 20) < 0.6, -100)
    labels[2] = -100
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    whole = model(**given, fused_lm_head=True)
    plain = model(ids).logits
    accelerator = SimpleNamespace(unwrap_model=lambda model: model)
    compact(SimpleNamespace(model=model, accelerator=accelerator), FusedCausalLMOutput, 0.7)
    made = model(**given, fused_lm_head=True)
    for name in ("log_probs", "entropy", "is_top1", "label_mask"):
        torch.testing.assert_close(made[name], whole[name], check_dtype=False)
    assert torch.equal(model(ids).logits, plain)


def test_rows_without_an_advantage_are_left_out() -> None:
    trainer = grpo()
    rows = torch.arange(4)
    inputs = {"advantages": torch.tensor([0.0, 1.0, 0.0, -1.0]), "prompt_ids": rows, "number": 9}
    kept = telling(trainer, inputs)
    assert kept["prompt_ids"].tolist() == [1, 3]
    assert kept["advantages"].tolist() == [1, -1]
    assert kept["number"] == 9
    none = telling(trainer, {**inputs, "advantages": torch.zeros(4)})
    assert none["prompt_ids"].tolist() == [0]
    for other in (
        grpo(loss_type="grpo"),
        grpo(beta=0.1),
        grpo(entropy_coef=0.01),
        grpo(top_entropy_quantile=0.2),
        grpo(use_adaptive_entropy=True),
        grpo(aux_loss_enabled=True),
        grpo(accelerator=SimpleNamespace(num_processes=2)),
    ):
        assert telling(other, inputs) is inputs
