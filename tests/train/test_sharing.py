"""What is computed once for rows of one prompt, and drawn for rows that go on, is the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from transformers import GenerationConfig  # noqa: E402
from trl.trainer.utils import FusedCausalLMOutput  # noqa: E402

from tests.train.test_tiny import WORDS, Vocabulary, grpo  # noqa: E402
from toolc.train import generation, sampling  # noqa: E402
from toolc.train.compact import compact, telling  # noqa: E402
from toolc.train.config import TinyModel  # noqa: E402
from toolc.train.generation import Generator, Sampling  # noqa: E402
from toolc.train.sampling import drawn, plain  # noqa: E402
from toolc.train.sharing import packed  # noqa: E402
from toolc.train.tiny import make_model  # noqa: E402

PAD = 0


@pytest.fixture(params=["sdpa", "eager"])
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)  # of the prompts too
    made = make_model(Vocabulary(), TinyModel(), 0)
    made.set_attn_implementation(request.param)
    made.eval()
    return made


def compacted(model: Any) -> Any:
    accelerator = SimpleNamespace(unwrap_model=lambda model: model)
    compact(SimpleNamespace(model=model, accelerator=accelerator), FusedCausalLMOutput, 0.7)
    return model


def groups() -> dict[str, Any]:
    """Two prompts of different lengths with three and two completions, one of them empty."""
    prompts = torch.randint(10, WORDS, (2, 9))
    ids = torch.cat([prompts[[0, 1, 0, 1, 0]], torch.randint(10, WORDS, (5, 6))], 1)
    mask = torch.ones_like(ids)
    mask[[1, 3], :4] = 0
    for row, length in enumerate((6, 3, 0, 5, 1)):
        mask[row, 9 + length :] = 0
    labels = ids.masked_fill(mask == 0, -100)
    labels[:, :9] = -100
    return {"input_ids": ids * mask, "attention_mask": mask, "labels": labels}


def test_completions_behind_one_prompt_have_the_same_probabilities_and_gradients(
    model: Any,
) -> None:
    given = groups()
    compacted(model)
    kept = packed(given["input_ids"], given["attention_mask"], given["labels"] >= 0, torch.float32)
    assert kept is not None
    assert kept.inputs["input_ids"].shape == (2, 9 + 8)
    together = model(**given, fused_lm_head=True).log_probs
    weights = torch.arange(together.numel()).view_as(together).cos()
    (together * weights).sum().backward()
    gradients = [each.grad.clone() for each in model.parameters()]
    model.zero_grad()
    for row in (0, 1, 3, 4):
        shown = {name: value[row : row + 1] for name, value in given.items()}
        alone = model(**shown, fused_lm_head=True).log_probs
        torch.testing.assert_close(together[row], alone[0], atol=1e-4, rtol=1e-4)
        (alone * weights[row]).sum().backward()
    for one, other in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("spoil", ["all different", "a gap", "nothing learnt"])
def test_what_shares_no_prompt_is_not_packed(spoil: str) -> None:
    given = groups()
    learnt = given["labels"] >= 0
    if spoil == "all different":
        given["input_ids"][:, 5] = torch.arange(5) + 10
    elif spoil == "a gap":
        learnt[0, 11] = False
    else:
        learnt[:] = False
    assert packed(given["input_ids"], given["attention_mask"], learnt, torch.float32) is None


def test_equal_rows_are_learnt_once_and_count_as_often() -> None:
    rows = torch.tensor([[1], [2], [1], [1], [2]])
    inputs = {
        "advantages": torch.tensor([0.5, -1.0, 0.5, 0.25, -1.0]),
        "prompt_ids": rows,
        "prompt_mask": torch.ones_like(rows),
        "completion_ids": rows + 5,
        "completion_mask": torch.ones_like(rows),
        "number": 5,
    }
    kept = telling(grpo(), inputs)
    assert kept["completion_ids"].tolist() == [[6], [7], [6]]
    assert kept["advantages"].tolist() == [1.0, -2.0, 0.25]
    assert kept["number"] == 5


def configured(**options: Any) -> Any:
    make: Any = GenerationConfig
    return make(**options)


def prompts() -> tuple[Any, Any]:
    ids = torch.randint(10, WORDS, (3, 12))[[0, 1, 0, 2, 1]]
    mask = torch.ones_like(ids)
    mask[[1, 4], :5] = 0
    return ids * mask, mask


def test_the_likeliest_tokens_are_those_of_transformers(model: Any) -> None:
    ids, mask = prompts()
    [end] = {int(model(ids[:1]).logits[0, -1].argmax())}
    asked = {"max_new_tokens": 20, "do_sample": False, "pad_token_id": PAD, "eos_token_id": end}
    expected = model.generate(input_ids=ids, attention_mask=mask, **asked)
    compacted(model)
    with torch.inference_mode():
        made = drawn(model, ids, mask, 20, 0.0, [end], PAD)
    assert made.tolist() == expected.tolist()


def test_draws_follow_the_probabilities(model: Any) -> None:
    ids, mask = prompts()
    ids, mask = ids[:1].repeat(4000, 1), mask[:1].repeat(4000, 1)
    compacted(model)
    config = configured(
        max_new_tokens=1, do_sample=True, temperature=0.25, top_k=0, pad_token_id=0, eos_token_id=1
    )
    assert plain(config)
    with torch.inference_mode():
        made = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        likely = (model(ids[:1]).logits[0, -1].float() / 0.25).softmax(-1)
    assert likely.max() > 0.2  # else any draws would do
    found = torch.bincount(made[:, -1], minlength=len(likely)) / 4000
    assert (found - likely).abs().max() < 0.04


def test_completions_of_one_prompt_do_not_see_each_other(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, mask = (each.repeat_interleave(4, 0) for each in prompts())  # more than one row holds
    ends = list(range(10, WORDS // 2))  # half of them end with each token
    steps = []
    said = sampling._said

    def seen(logits: Any, temperature: float) -> Any:
        made = said(logits, temperature)
        steps.append((logits.clone(), made))
        return made

    monkeypatch.setattr(sampling, "_said", seen)
    with torch.inference_mode():
        made = drawn(model, ids, mask, 6, 1.0, ends, PAD)
        shown = torch.cat([mask, torch.ones_like(made[:, ids.shape[1] :])], 1)
        places = (shown.cumsum(1) - 1).clamp(min=0)
        whole = model(input_ids=made, attention_mask=shown, position_ids=places).logits
    alive = torch.arange(len(ids))
    for at, (logits, tokens) in enumerate(steps):
        column = ids.shape[1] + at
        assert tokens.tolist() == made[alive, column].tolist()
        torch.testing.assert_close(logits, whole[alive, column - 1], atol=1e-4, rtol=1e-4)
        ended = torch.isin(tokens, torch.tensor(ends))
        assert (made[alive[ended], column + 1 :] == PAD).all()
        alive = alive[~ended]
    assert 1 < len(steps) <= 6
    assert len({tuple(row) for row in made.tolist()}) > 5


@pytest.mark.parametrize("other", [{"top_p": 0.9}, {"top_k": 5}, {"num_beams": 2}, {"min_p": 0.1}])
def test_other_ways_of_drawing_are_left_to_transformers(other: dict[str, Any]) -> None:
    asked = {"max_new_tokens": 3, "do_sample": True, "top_k": 0, "pad_token_id": 0}
    assert plain(configured(eos_token_id=1, **asked))
    assert not plain(configured(eos_token_id=1, **{**asked, **other}))
    assert not plain(configured(**asked))
    assert not plain(None)


@pytest.mark.parametrize("heat", [0.0, 1.0])
def test_what_a_checkpoint_brings_for_its_use_changes_no_reply(
    model: Any, heat: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "full_attention", lambda config: False)
    tokenizer = SimpleNamespace(pad_token_id=PAD, eos_token_id=WORDS + 1)
    ids = torch.randint(10, WORDS, (1, 12)).tolist()

    def replies(**brought: Any) -> list[list[int]]:
        for name, value in brought.items():
            setattr(model.generation_config, name, value)
        generator = Generator(model, tokenizer, lambda *_: {}, Sampling(12, heat))
        torch.manual_seed(0)
        with torch.inference_mode():
            return generator._draw(ids * 4)

    plainly = replies()
    assert replies(top_k=1, top_p=0.1, repetition_penalty=9.0, do_sample=True) == plainly
    [[first, *_], *_] = plainly
    assert replies(eos_token_id=[first])[0] == [first]


def test_a_prompt_without_room_does_not_silence_the_others(model: Any) -> None:
    room = model.config.max_position_embeddings
    tokenizer = SimpleNamespace(pad_token_id=PAD, eos_token_id=WORDS + 1)
    generator = Generator(model, tokenizer, lambda *_: {}, Sampling(max_tokens=3))
    with torch.inference_mode():
        replies = generator._draw([[20, 21], [22] * room, [23, 24, 25]])
        assert [len(reply) for reply in replies] == [3, 0, 3]
        assert replies[0] == generator._draw([[20, 21]])[0]
        assert generator._draw([[22] * room]) == [[]]
