"""Completions drawn on a processor: rows that have ended are not gone on with.

What `generate` of transformers draws has the same distribution; it goes on with all rows until the
last has ended, and with a small model most of the time is theirs.
"""

from __future__ import annotations

from typing import Any

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
    places = (mask.long().cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    alive = torch.arange(len(ids))
    asked, at = ids, 0
    while at < tokens and len(alive):
        output = model(
            input_ids=asked,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[:, -1].float()
        if temperature > 0:
            likely = (logits / temperature).softmax(-1)
            said = torch.multinomial(likely, 1)[:, 0]
        else:
            said = logits.argmax(-1)
        made[alive, at] = said
        at += 1
        going = (~torch.isin(said, stop)).nonzero()[:, 0]
        if len(going) < len(alive):
            alive, said, mask, places = alive[going], said[going], mask[going], places[going]
            cache.batch_select_indices(going)
        asked, places = said[:, None], places[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], -1)
    return torch.cat([ids, made[:, :at]], -1)
