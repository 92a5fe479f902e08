"""Random weights that lean to copying.

What a small model learns late is to repeat a name that stood before: some heads of the first layer
have to look at the token before, and some of a later layer have to find where the present token
stood, and repeat what came after. The weights are drawn so that such heads are there at the start
("mimetic initialisation"); which names to copy, and all else, is left to training.

With q and k normalised by head, and rotary positions:

- Embeddings share a constant first component. In the first layer half of the heads draw q and k
  from it alone, k one position further: so each token attends to the one before, of which a
  random projection is written to the residual stream.
- In every later layer each head compares a projection of its token with the same projection of
  what the first layer wrote, in the components that rotate too slowly to tell positions apart.
- Its values and outputs are a projection onto a subspace, so that what is attended to is repeated
  in the space of the embeddings, which are also those of the output.
"""

from __future__ import annotations

import math
from typing import Any

THETA = 1e6
"""The base of the rotary frequencies: of a head's components five eighths turn by less than half
a radian in 80 tokens."""

_SCALE = 0.06
"""Standard deviation of embeddings."""
_CONSTANT = 0.5
"""Of the first component, as a part of an embedding's length."""
_NOISE = 0.3
"""Part that is left of the weights that were drawn before."""
_KEPT, _COPIED = 0.5, 1.0
"""Lengths, in embeddings, of what is written of the token before, and of what is copied."""
_LOOKING, _MATCHING = 2.0, 1.6
"""Weights of the norms of q and k, by which scores are sharp."""


def lean_to_copying(model: Any, generator: Any) -> None:
    """Changes a `Qwen3ForCausalLM` of tied embeddings and as many key as query heads in place.
    `generator` is torch's, from which everything is drawn."""
    import torch

    with torch.no_grad():
        embeddings = model.model.embed_tokens.weight
        embeddings.normal_(0, _SCALE, generator=generator)
        embeddings[:, 0] = _CONSTANT * _SCALE * math.sqrt(embeddings.shape[1])
        first, *later = (layer.self_attn for layer in model.model.layers)
        read, written = _look_back(first, model.config, generator)
        for attention in later:
            _repeat(attention, model.config, read, written, generator)


def _look_back(attention: Any, config: Any, generator: Any) -> tuple[Any, Any]:
    """Has half of the heads read the token before. Returns what they read of it
    (components x hidden) and where they write it (hidden x components)."""
    import torch

    width, size, heads = config.hidden_size, config.head_dim, config.num_attention_heads
    fast = max(2, size // 16)
    turns = THETA ** (-torch.arange(fast) / (size // 2))
    pairs = [*range(fast), *range(size // 2, size // 2 + fast)]
    ahead = torch.cat([turns.cos(), turns.sin()])
    kept = min(size, (width - 1) // heads)
    sources, targets = _orthonormal(width - 1, generator), _orthonormal(width - 1, generator)
    read, written = [], []
    for head in range(max(1, heads // 2)):
        rows = slice(head * size, (head + 1) * size)
        for weights in (attention.q_proj.weight, attention.k_proj.weight):
            weights[rows] *= _NOISE
        at = torch.arange(size * head, size * (head + 1))[pairs]
        attention.q_proj.weight[at[:fast], 0] += 1
        attention.k_proj.weight[at, 0] += ahead
        source, target = torch.zeros(size, width), torch.zeros(width, size)
        source[:kept, 1:] = sources[head * kept : (head + 1) * kept]
        target[1:, :kept] = targets[head * kept : (head + 1) * kept].T
        attention.v_proj.weight[rows] = source
        attention.o_proj.weight[:, rows] = target * (_KEPT * _SCALE * math.sqrt(width / kept))
        read.append(source[:kept])
        written.append(target[:, :kept])
    for norm in (attention.q_norm, attention.k_norm):
        norm.weight[pairs] = _LOOKING
    return torch.cat(read), torch.cat(written, 1)


def _repeat(attention: Any, config: Any, read: Any, written: Any, generator: Any) -> None:
    """Has every head look for what follows its own token, and repeat it."""
    import torch

    width, size = config.hidden_size, config.head_dim
    half = size // 2
    slow = [at for at in range(size) if at % half >= 3 * half // 8]
    basis = _orthonormal(width, generator)
    for head in range(config.num_attention_heads):
        rows = slice(head * size, (head + 1) * size)
        at = torch.arange(size * head, size * (head + 1))[slow]
        compared = _orthonormal(max(len(slow), len(read)), generator)[: len(slow), : len(read)]
        for weights, seen in (
            (attention.q_proj.weight, read),
            (attention.k_proj.weight, written.T),
        ):
            weights[rows] *= _NOISE
            weights[at] += compared @ seen
        attention.v_proj.weight[rows] = basis[rows]
        attention.o_proj.weight[:, rows] = basis[rows].T * (_COPIED * _SCALE)
    for norm in (attention.q_norm, attention.k_norm):
        norm.weight.fill_(_MATCHING)


def _orthonormal(size: int, generator: Any) -> Any:
    """A random orthonormal basis (size x size)."""
    import torch

    return torch.linalg.qr(torch.randn(size, size, generator=generator))[0]
