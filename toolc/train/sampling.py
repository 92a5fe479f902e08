"""Completions drawn on a processor: those of one prompt stand behind it in one row, and those that
have ended are not gone on with.

What `generate` of transformers draws has the same distribution; it copies the keys and values of a
prompt for each of its completions with every token, and goes on with all until the last has ended.
With a small model most of the time goes there.
"""

from __future__ import annotations

from typing import Any

from toolc.train.sharing import additive, different

_BESIDE = 8
"""Most completions behind a prompt in one row: each token is compared with those of all."""

_PLAIN: dict[str, tuple[Any, ...]] = {
    "top_k": (None, 0),
    "top_p": (None, 1.0),
    "repetition_penalty": (None, 1.0),
    "num_beams": (None, 1),
    "num_return_sequences": (None, 1),
}
_OWN = {
    "max_new_tokens",
    "do_sample",
    "temperature",
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "disable_compile",
    "transformers_version",
    "_from_model_config",
}


def plain(config: Any) -> bool:
    """Whether a generation's configuration asks for nothing but draws at a temperature."""
    asked = {} if config is None else config.to_diff_dict()
    return (
        asked.get("do_sample") is True
        and {"max_new_tokens", "eos_token_id", "pad_token_id"} <= asked.keys()
        and all(
            name in _OWN or value is None or value in _PLAIN.get(name, ())
            for name, value in asked.items()
        )
    )


def drawn(
    model: Any, ids: Any, mask: Any, tokens: int, temperature: float, ends: list[int], pad: int
) -> Any:
    """Prompts (rows x tokens, padded at the left) with up to `tokens` more, padded behind their
    end; the likeliest ones at temperature 0."""
    import torch
    from transformers import DynamicCache

    made = torch.full((len(ids), tokens), pad, dtype=ids.dtype)
    stop = torch.tensor(ends)
    first, which = different([ids, mask])
    shown = mask[first].bool()
    lengths = shown.sum(1)
    cache = DynamicCache(config=model.config)
    output = model(
        input_ids=ids[first],
        attention_mask=mask[first],
        position_ids=(lengths[:, None] + torch.arange(-shown.shape[1], 0)).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits = output.logits[:, -1][which]
    prompts, rows = _rows(which)
    cache.batch_select_indices(prompts)
    shown, lengths = shown[prompts], lengths[prompts]
    owners = torch.zeros((len(prompts), 0), dtype=torch.long)  # whose each later token is
    alive = torch.arange(len(ids))
    for at in range(tokens):
        said = _said(logits.float(), temperature)
        made[alive, at] = said
        going = ~torch.isin(said, stop)
        alive, said, rows = alive[going], said[going], rows[going]
        if at + 1 == tokens or not len(alive):
            break
        kept, rows = rows.unique(return_inverse=True)
        if len(kept) < len(shown):
            cache.batch_select_indices(kept)
            shown, lengths, owners = shown[kept], lengths[kept], owners[kept]
        columns = _places(rows)
        asked = torch.full((len(kept), int(columns.max()) + 1), pad)
        asking = torch.full_like(asked, -1)
        asked[rows, columns], asking[rows, columns] = said, alive
        owners = torch.cat([owners, asking], 1)
        own = owners[:, None] == asking[:, :, None]
        seen = torch.cat([shown[:, None].expand(-1, asked.shape[1], -1), own], -1)
        output = model(
            input_ids=asked,
            attention_mask=additive(seen, logits.dtype),
            position_ids=(lengths[:, None] + at).expand_as(asked),
            past_key_values=cache,
            use_cache=True,
        )
        logits = output.logits[rows, columns]
    return torch.cat([ids, made[:, : at + 1]], -1)


def _said(logits: Any, temperature: float) -> Any:
    import torch

    if temperature > 0:
        return torch.multinomial((logits / temperature).softmax(-1), 1)[:, 0]
    return logits.argmax(-1)


def _places(values: Any) -> Any:
    """For each of the values how many equal ones come before it."""
    import torch

    order = values.argsort(stable=True)
    starts = torch.searchsorted(values[order], values[order])
    return torch.empty_like(values).scatter(0, order, torch.arange(len(values)) - starts)


def _rows(which: Any) -> tuple[Any, Any]:
    """The prompts of rows that take a few completions each, and the row of each completion."""
    import torch

    inside = _places(which) // _BESIDE
    split: Any = torch.stack([which, inside], 1)
    pairs, rows = split.unique(dim=0, return_inverse=True)
    return pairs[:, 0], rows
