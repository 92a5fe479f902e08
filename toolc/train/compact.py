"""What TRL computes for nothing on a processor, left out: the results are the same.

Its trainers have the probabilities of all tokens computed there, of prompts too, which with a small
model takes most of a step; and they go through episodes whose advantage is 0, which teach nothing.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from typing import Any


def compact(trainer: Any, temperature: float = 1.0) -> None:
    """Has a trainer's model give the probabilities of learnt tokens alone, where it is on a
    processor. `temperature` is what TRL divides the logits by."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    if model.device.type == "cpu":
        model.forward = types.MethodType(_compact(model.forward, temperature), model)


def _compact(forward: Any, temperature: float) -> Any:
    from torch.nn.functional import log_softmax
    from trl.trainer.utils import FusedCausalLMOutput

    @functools.wraps(forward)  # its signature: `generate` looks at it
    def compacted(
        self: Any, *arguments: Any, fused_lm_head: bool = False, labels: Any = None, **named: Any
    ) -> Any:
        if not fused_lm_head:
            return forward(*arguments, **named, **({} if labels is None else {"labels": labels}))
        states = self.base_model(*arguments, **{**named, "use_cache": False}).last_hidden_state
        wanted = labels[:, 1:]
        learnt = wanted >= 0
        logits = self.get_output_embeddings()(states[:, :-1][learnt]).float() / temperature
        every = log_softmax(logits, -1)
        chosen = every.gather(-1, wanted[learnt][:, None])[:, 0]

        def placed(values: Any) -> Any:
            return values.new_zeros(learnt.shape).masked_scatter(learnt, values)

        return FusedCausalLMOutput(
            log_probs=placed(chosen),
            entropy=placed(-(every.exp() * every).sum(-1)),
            is_top1=placed((logits.argmax(-1) == wanted[learnt]).float()),
            label_mask=learnt,
        )

    return compacted


def telling(trainer: Any, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rows of a GRPO trainer's inputs that have a gradient, at least one; all where the loss is
    not a sum over tokens, or holds more than advantages."""
    told = inputs["advantages"] != 0
    if trainer.loss_type != "dapo" or trainer.beta or told.dim() != 1 or told.all():
        return inputs
    told[0] |= not told.any()
    rows = len(told)
    return {
        name: value[told] if getattr(value, "shape", ())[:1] == (rows,) else value
        for name, value in inputs.items()
    }
