"""Models of the transformers library that are built in place: a tokenizer of bytes, a Qwen 3 of
random weights, and one that says what it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKS = ["<tool_call>", "</tool_call>", "<think>", "</think>", "[TOOL_CALLS]", "<|python_tag|>"]


def tokenizer_for(template: str | None) -> Any:
    """A token for each byte, and one for each mark."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = [*SPECIAL, *alphabet]
    inner = Tokenizer(models.BPE(vocab={name: id for id, name in enumerate(names)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_tokens(MARKS)
    if template is not None:
        tokenizer.chat_template = template
    return tokenizer


def model_for(tokenizer: Any, positions: int = 8_192) -> Any:
    """A Qwen 3 of a few thousand random weights."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=positions,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen3ForCausalLM(config)


def saved(folder: Path, template: str | None) -> Path:
    """The tiny model in a folder, as models are shared."""
    tokenizer = tokenizer_for(template)
    model_for(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Parrot:
    """Stands for a model: says its texts, one after the other."""

    def __init__(self, tokenizer: Any, texts: Sequence[str], positions: int = 1 << 20) -> None:
        self.config = SimpleNamespace(max_position_embeddings=positions)
        self.config.get_text_config = lambda: self.config
        self.generation_config = SimpleNamespace(eos_token_id=[tokenizer.eos_token_id])
        self.device = "cpu"
        self.prompts: list[str] = []
        self.options: list[dict[str, Any]] = []
        self._tokenizer = tokenizer
        self._texts = list(texts)

    def generate(self, input_ids: Any, attention_mask: Any, **options: Any) -> Any:
        import torch

        self.prompts.append(self._tokenizer.decode(input_ids[0]))
        self.options.append(options)
        text = self._texts.pop(0) + "<|im_end|><|endoftext|>"
        ids = self._tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        return torch.cat([input_ids, ids[:, : options["max_new_tokens"]]], dim=1)
