"""A prompt that several rows of a batch share goes through the model once.

A group's completions follow the same prompt, which is most of their length: they stand behind it in
one row, and none sees another (as in Prefix Grouper, arXiv 2506.05433).
"""

from __future__ import annotations

from typing import Any, NamedTuple


def additive(seen: Any, dtype: Any) -> Any:
    """A mask of which token sees which (rows x tokens x tokens) as what is added to attention."""
    import torch

    return torch.zeros(1, dtype=dtype).where(seen, torch.finfo(dtype).min)[:, None]


def full_attention(config: Any) -> bool:
    """Whether each of a model's tokens sees whichever others a mask lets it."""
    layers = getattr(config, "layer_types", None) or ()
    return config._attn_implementation in ("sdpa", "eager") and set(layers) == {"full_attention"}


def of_rows(value: Any, rows: Any, number: int) -> Any:
    """Some rows of a value that has so many; any other as it is."""
    return value[rows] if getattr(value, "shape", ())[:1] == (number,) else value


def different(values: list[Any]) -> tuple[Any, Any]:
    """The first of each kind of row, and for each row its kind's index; a row is that of all
    values (rows x anything)."""
    import torch

    kinds: dict[tuple[Any, ...], int] = {}
    first, which = [], []
    for at, row in enumerate(zip(*(value.tolist() for value in values), strict=True)):
        kind = tuple(map(tuple, row))
        if kind not in kinds:
            kinds[kind] = len(kinds)
            first.append(at)
        which.append(kinds[kind])
    return torch.tensor(first), torch.tensor(which)


class Packed(NamedTuple):
    """Rows behind the prompts that they share.

    `inputs` (packed rows x tokens) with a mask of which token sees which; `rows` and `columns` say
    where the states stand from which learnt tokens follow, in the tokens' order.
    """

    inputs: dict[str, Any]
    rows: Any
    columns: Any


def packed(ids: Any, mask: Any, learnt: Any, dtype: Any) -> Packed | None:
    """Rows (x tokens) whose learnt tokens, all behind one column, are the end of what `mask` shows;
    None where they are not, or no two rows share what is before. `dtype` is the model's."""
    import torch

    if not learnt.any():
        return None
    width = int(learnt.any(0).nonzero()[0])
    lengths = learnt.sum(1)
    ahead = torch.arange(ids.shape[1] - width) < lengths[:, None]
    if width < 1 or not torch.equal(learnt[:, width:], ahead):
        return None
    if not torch.equal(mask[:, width:].bool(), ahead):
        return None
    first, which = different([ids[:, :width], mask[:, :width]])
    if len(first) == len(ids):
        return None
    starts, ends = [], [width] * len(first)
    for kind, length in zip(which.tolist(), lengths.tolist(), strict=True):
        starts.append(ends[kind])
        ends[kind] += length
    shape = (len(first), max(ends))
    tokens, places, parts = (ids.new_zeros(shape), ids.new_zeros(shape), ids.new_full(shape, -1))
    tokens[:, :width] = ids[first, :width]
    places[:, :width] = torch.arange(width)
    parts[:, :width] = mask[first, :width].to(parts.dtype) - 1  # 0: seen by all, -1: by none
    columns = []
    for row, (kind, start, length) in enumerate(
        zip(which.tolist(), starts, lengths.tolist(), strict=True)
    ):
        end = start + length
        tokens[kind, start:end] = ids[row, width : width + length]
        places[kind, start:end] = torch.arange(width, width + length)
        parts[kind, start:end] = row + 1
        columns.append(torch.tensor([width - 1, *range(start, end - 1)][:length], dtype=torch.long))
    order = torch.arange(shape[1])
    seen = (parts[:, None, :] == parts[:, :, None]) | (parts[:, None, :] == 0)
    seen &= (order[None, :] <= order[:, None]) & (parts[:, None, :] >= 0)
    seen |= torch.eye(shape[1], dtype=torch.bool)  # a row that sees nothing has no numbers
    inputs = {"input_ids": tokens, "position_ids": places, "attention_mask": additive(seen, dtype)}
    return Packed(inputs, which.repeat_interleave(lengths), torch.cat(columns))


_TOLD = (
    "prompt_ids",
    "prompt_mask",
    "completion_ids",
    "completion_mask",
    "tool_mask",
    "advantages",
)


def merged(inputs: dict[str, Any]) -> dict[str, Any]:
    """A GRPO trainer's inputs with equal rows as one, whose advantage is the sum of theirs."""
    import torch

    number = len(inputs["advantages"])
    told = [inputs[name].reshape(number, -1) for name in _TOLD if inputs.get(name) is not None]
    first, which = different(told)
    made = {name: of_rows(value, first, number) for name, value in inputs.items()}
    made["advantages"] = made["advantages"] * torch.bincount(which).to(made["advantages"].dtype)
    return made
