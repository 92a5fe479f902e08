"""What TRL computes for nothing on a processor, left out: the results are the same.

Its trainers have the probabilities of all tokens computed there, of prompts too, and of a prompt
once for each of its completions, which with a small model takes most of a step; and they go through
episodes whose advantage is 0, which teach nothing, and again through equal ones.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

from toolc.train import sampling
from toolc.train.sharing import full_attention, merged, of_rows, packed


def compact(trainer: Any, output: Callable[..., Any], temperature: float = 1.0) -> None:
    """Has a trainer's model give the probabilities of learnt tokens alone, and go through a shared
    prompt once, where it is on a processor and its logits are not scaled. `temperature` is what TRL
    divides the logits by, `output` its class of what a model gives that computes no more."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    if model.device.type == "cpu" and not _scaled(model.config):
        model.forward = types.MethodType(_compact(model.forward, output, temperature), model)
        if full_attention(model.config):
            model.generate = types.MethodType(_drawing(model.generate), model)


def _scaled(config: Any) -> bool:
    """Whether a model makes something else of its last layer's logits."""
    scale = getattr(config, "logit_scale", None)
    return scale not in (None, 1) or bool(getattr(config, "final_logit_softcapping", None))


def _compact(forward: Any, output: Callable[..., Any], temperature: float) -> Any:
    from torch.nn.functional import log_softmax

    @functools.wraps(forward)  # its signature: `generate` looks at it
    def compacted(
        self: Any, *arguments: Any, fused_lm_head: bool = False, labels: Any = None, **named: Any
    ) -> Any:
        if not fused_lm_head:
            return forward(*arguments, **named, **({} if labels is None else {"labels": labels}))
        wanted = labels[:, 1:]
        learnt = wanted >= 0
        logits = self.get_output_embeddings()(_states(self, labels >= 0, arguments, named))
        logits = logits.float() / temperature
        every = log_softmax(logits, -1)
        chosen = every.gather(-1, wanted[learnt][:, None])[:, 0]

        def placed(values: Any) -> Any:
            return values.new_zeros(learnt.shape).masked_scatter(learnt, values)

        return output(
            log_probs=placed(chosen),
            entropy=placed(-(every.exp() * every).sum(-1)),
            is_top1=placed((logits.argmax(-1) == wanted[learnt]).float()),
            label_mask=learnt,
        )

    return compacted


def _drawing(generate: Any) -> Any:
    @functools.wraps(generate)
    def drawing(self: Any, generation_config: Any = None, **named: Any) -> Any:
        if set(named) != {"input_ids", "attention_mask"} or not sampling.plain(generation_config):
            return generate(generation_config=generation_config, **named)
        ends, config = generation_config.eos_token_id, generation_config
        return sampling.drawn(
            self,
            named["input_ids"],
            named["attention_mask"],
            config.max_new_tokens,
            1.0 if config.temperature is None else config.temperature,
            ends if isinstance(ends, list) else [ends],
            config.pad_token_id,
        )

    return drawing


def _states(model: Any, learnt: Any, arguments: Any, named: dict[str, Any]) -> Any:
    """The states from which learnt tokens follow, one after another."""
    ids, mask = named.get("input_ids"), named.get("attention_mask")
    given = {**named, "use_cache": False}
    whole = arguments or ids is None or mask is None or not full_attention(model.config)
    together = None if whole else packed(ids, mask, learnt, model.dtype)
    if together is None:
        return model.base_model(*arguments, **given).last_hidden_state[:, :-1][learnt[:, 1:]]
    states = model.base_model(**{**given, **together.inputs}).last_hidden_state
    return states[together.rows, together.columns]


def telling(trainer: Any, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Rows of a GRPO trainer's inputs that have a gradient, at least one, and equal ones as one;
    all where the loss is not a sum over tokens, or holds more than advantages. What TRL measures
    in the loss, such as the entropy, is then of these rows. All, too, on an accelerator, where the
    shapes of batches are better left alike, and of several processes, which compare them."""
    told = inputs["advantages"] != 0
    alone = told.device.type == "cpu" and trainer.accelerator.num_processes == 1
    if not alone or not _of_advantages(trainer) or told.dim() != 1:
        return inputs
    told[0] |= not told.any()
    rows = len(told)
    return merged({name: of_rows(value, told, rows) for name, value in inputs.items()})


def _of_advantages(trainer: Any) -> bool:
    """Whether the loss of a GRPO trainer is a sum over tokens, of advantages alone."""
    return (
        trainer.loss_type == "dapo"
        and not trainer.beta
        and trainer.top_entropy_quantile == 1.0
        and not trainer.entropy_coef
        and not trainer.use_adaptive_entropy
        and not trainer.aux_loss_enabled
    )
