"""The model and tokenizer that a run begins with, or goes on with."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from toolc.train.config import TINY, Config, Lora
from toolc.train.rows import Row
from toolc.train.tiny import make_model, make_tokenizer
from toolc.train.trl_adapter import Unsupported, unlearnable, unsupported

_MARKUP = re.compile(r"<\|\w+\|>|</?tool_call>")


NAMED = 12
"""How often a name of the data counts in the text that the tiny tokenizer is made of."""


def beginning(config: Config, rows: Sequence[Row], names: list[str]) -> tuple[Any, Any]:
    """Model and tokenizer before training: for `tiny` made of nothing but the text of the rows and
    the environments' names. Raises `Unsupported`, also where the stages cannot train it."""
    if config.model == TINY:
        own = make_tokenizer([*_texts(rows), *names * NAMED], config.tiny)
        return make_model(own, config.tiny, config.seed), own
    reader = tokenizer(config.model)
    why = unlearnable(reader) if "sft" in config.stages else None
    if why is not None:
        raise Unsupported(f"the model `{config.model}` cannot be trained on plans: {why}")
    return weights(config.model, config.dtype), reader


def load(place: str, dtype: str) -> tuple[Any, Any]:
    """A model, in numbers of a kind, and its tokenizer, from a folder or, by name, from a hub.
    Raises `Unsupported` where there are none, or none that can be trained on tools."""
    return weights(place, dtype), tokenizer(place)


def weights(place: str, dtype: str) -> Any:
    """A model, of safetensors alone: other files of weights may run code. Raises `Unsupported`."""
    import torch
    from transformers import AutoModelForCausalLM

    return _loaded(AutoModelForCausalLM, place, use_safetensors=True, dtype=getattr(torch, dtype))


def tokenizer(place: str) -> Any:
    """A model's tokenizer, by which it can be trained on tools. Raises `Unsupported`."""
    from transformers import AutoTokenizer

    found = _loaded(AutoTokenizer, place)
    if found.pad_token_id is None:
        found.pad_token = found.eos_token
    why = unsupported(found)
    if why is not None:
        raise Unsupported(f"the model `{place}` cannot be trained on tools: {why}")
    return found


def _loaded(kind: Any, place: str, **options: Any) -> Any:
    try:
        return kind.from_pretrained(place, trust_remote_code=False, **options)
    except Exception as error:  # whatever a folder holds that nobody vouches for
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise Unsupported(f"cannot load the model `{place}`: {reason}") from None


def save(model: Any, tokenizer: Any, folder: str) -> None:
    """Writes both so that `load` finds them."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def adapters(options: Lora) -> Any:
    """The configuration of low-rank adapters; None for none."""
    if not options.rank:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=list(options.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )


def merged(model: Any) -> Any:
    """The model with its adapters merged into its weights."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def _texts(rows: Iterable[Row]) -> Iterable[str]:
    """The conversations as the template shows them, without its marks."""
    import json

    from transformers.utils.chat_template_utils import render_jinja_template

    from toolc.train.tiny import TEMPLATE

    for row in rows:
        shown: Any = render_jinja_template(
            conversations=[row["messages"]],
            tools=json.loads(row["tools"]),
            chat_template=TEMPLATE,
        )[0]
        yield _MARKUP.sub(" ", shown[0])


def at_work(model: Any) -> Any:
    """The model on the accelerator, where there is one."""
    return model if on_processor() else model.to("cuda")


def on_processor() -> bool:
    """Whether there is no accelerator."""
    import torch

    return not torch.cuda.is_available()


def prepare(threads: int, progress: bool) -> None:
    """Sets how many threads torch uses (0: as many as there are cores, shared by the processes that
    `torchrun` started here) and whether models are read and written under progress bars."""
    import torch
    from transformers.utils import logging as transformers_logging

    # TRL sets the option under the name that transformers has given up.
    warnings.filterwarnings("ignore", ".*gradient_checkpointing.* is deprecated", FutureWarning)
    here = int(os.environ.get("LOCAL_WORLD_SIZE") or 1)
    torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) // here))
    if not progress:
        bars: Any = transformers_logging
        bars.disable_progress_bar()
