"""What a model makes of text that has nothing to do with what it was trained on: how well it
predicts the text, and how far its predictions are from those of another model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from toolc.analyse.checkpoint import CheckpointError

CHARACTERS = 32
"""Of the text, characters a token at most: what is beyond is not read."""

_ROWS = 128
"""Positions whose distributions are held at a time."""


class DriftError(Exception):
    """Text or models that cannot be compared; the message says why."""


class Drift(NamedTuple):
    """Over the tokens of a text that were predicted: the perplexities of A and of B, the mean
    KL(A‖B) in nats a token, and the share of the tokens where both find the same one likeliest."""

    tokens: int
    windows: int
    context: int
    perplexity: tuple[float, float]
    kl: float
    agreement: float

    def to_json(self) -> dict[str, Any]:
        """The figures by name; None for what is no number."""
        a, b = self.perplexity
        return {
            "tokens": self.tokens,
            "windows": self.windows,
            "context": self.context,
            "perplexity": {"a": _number(a), "b": _number(b)},
            "kl": _number(self.kl),
            "agreement": self.agreement,
        }


class Pair(NamedTuple):
    """Two models and the tokenizer that both have."""

    a: Any
    b: Any
    tokenizer: Any

    @property
    def context(self) -> int | None:
        """Tokens that both can read at a time; None where neither says."""
        found = [getattr(each.config, "max_position_embeddings", None) for each in (self.a, self.b)]
        return min((each for each in found if each), default=None)


def loaded(a: str, b: str) -> Pair:
    """The models of two folders. Raises `CheckpointError` where one cannot be loaded, and
    `DriftError` where their tokenizers differ."""
    tokenizers = [_tokenizer(folder) for folder in (a, b)]
    if tokenizers[0].get_vocab() != tokenizers[1].get_vocab():
        raise DriftError(f"`{a}` and `{b}` have other tokenizers: no figure would compare")
    return Pair(_model(a), _model(b), tokenizers[0])


def _tokenizer(folder: str) -> Any:
    from transformers import AutoTokenizer

    return _made(AutoTokenizer, "tokenizer", folder)


def _model(folder: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = _made(AutoModelForCausalLM, "model", folder, use_safetensors=True, dtype=torch.float32)
    return model.to(device).eval()


def _made(kind: Any, what: str, folder: str, **options: Any) -> Any:
    try:
        return kind.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **options
        )
    except Exception as error:  # whatever a folder holds that nobody vouches for
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise CheckpointError(f"cannot load the {what} of `{folder}`: {reason}") from None


def windows_of(text: str, tokenizer: Any, tokens: int, context: int) -> list[list[int]]:
    """The text's first tokens as windows that follow each other. Raises `DriftError` where there
    are fewer than two."""
    ids = tokenizer(text[: tokens * CHARACTERS], add_special_tokens=False)["input_ids"][:tokens]
    windows = [ids[start : start + context] for start in range(0, len(ids), context)]
    kept = [window for window in windows if len(window) > 1]
    if not kept:
        raise DriftError("the text is too short: it takes two tokens to predict one")
    return kept


def measure(
    pair: Pair, windows: Sequence[Sequence[int]], context: int, done: Callable[[], object]
) -> Drift:
    """The drift over windows, in each of which all tokens but the first are predicted; `done` is
    called after each window."""
    sums = [0.0, 0.0, 0.0, 0.0]
    for window in windows:
        for at, value in enumerate(_sums(pair, window)):
            sums[at] += value
        done()
    tokens = sum(len(window) - 1 for window in windows)
    losses = (sums[0] / tokens, sums[1] / tokens)
    return Drift(
        tokens,
        len(windows),
        context,
        (_exp(losses[0]), _exp(losses[1])),
        max(0.0, sums[2] / tokens),
        sums[3] / tokens,
    )


def _sums(pair: Pair, window: Sequence[int]) -> tuple[float, float, float, float]:
    """Of a window the negative log-likelihoods of A and B, the KL divergences, and how often both
    find the same token likeliest."""
    import torch

    ids = torch.tensor([window], device=pair.a.device)
    with torch.inference_mode():
        logits = [each(input_ids=ids, use_cache=False).logits[0, :-1] for each in (pair.a, pair.b)]
        found = torch.zeros(4, dtype=torch.float64)
        for start in range(0, len(window) - 1, _ROWS):
            next = ids[0, 1 + start : 1 + start + _ROWS, None]
            a, b = (each[start : start + _ROWS].double().log_softmax(-1) for each in logits)
            found += torch.stack(
                [
                    -a.gather(1, next).sum(),
                    -b.gather(1, next).sum(),
                    (a.exp() * (a - b)).sum(),
                    (a.argmax(-1) == b.argmax(-1)).sum(),
                ]
            ).cpu()
    first, second, divergence, same = found.tolist()
    return first, second, divergence, same


def _exp(loss: float) -> float:
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
