"""A model that needs no download: its tokenizer, its chat template and its random weights.

What dominates a step on a processor is the length of the prompt, so the template names tools with
their parameters and nothing more, and the tokenizer makes one token of a frequent word. A word is
the same token wherever it stands, after a space as after a quotation mark, so that to copy a name
from a question into a call is to repeat tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolc.train.config import TinyModel
from toolc.train.induction import THETA, lean_to_copying

END = "<|end|>"
PAD = "<|pad|>"
_ROLES = ("tools", "system", "user", "assistant", "tool")
_MARKS = ("<tool_call>", "</tool_call>")

TEMPLATE = """\
{%- if tools -%}
<|tools|>
{%- for tool in tools -%}
{%- set function = tool.function if tool.function is defined else tool -%}
{{ function.name ~ " " }}
{%- endfor -%}
<|end|>
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == "assistant" -%}
<|assistant|>{% generation %}{{ message.content or "" }}
{%- for call in message.tool_calls or [] -%}
{%- set function = call.function -%}
<tool_call>{{ function.name }} {% if function.arguments is string %}{{ function.arguments }}
{%- else %}{{ function.arguments | tojson(separators=(",", ":")) }}{% endif -%}
</tool_call>
{%- endfor -%}
<|end|>{% endgeneration %}
{%- else -%}
<|{{ message.role }}|>{{ message.content }}<|end|>
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"""
"""Conversations as the tiny model reads and writes them, a call as `<tool_call>name {…}`."""

RESPONSE: dict[str, Any] = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|assistant|>",
    "fields": {
        "tool_calls": {
            "open_pattern": r"<tool_call>(?P<name>[^\s<]*) ?",
            "close_pattern": r"</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {
                "type": "function",
                "function": {"name": "{name}", "arguments": "{content}"},
            },
        },
        "content": {"close_pattern": r"<\|end\|>", "content": "text"},
    },
}
"""How to parse what it writes (`response_template` of transformers)."""


def make_tokenizer(texts: Iterable[str], size: TinyModel) -> Any:
    """A byte-level BPE trained on the texts, with the compact template: a
    `PreTrainedTokenizerFast`. The same texts give the same tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    words = Regex(r" \p{Ll}+(?![\p{L}\p{N}_])|[\p{L}_]+|\p{N}{1,2}|[^\p{L}\p{N}_]+")
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    marks = [PAD, END, *(f"<|{role}|>" for role in _ROLES)]
    trainer = trainers.BpeTrainer(
        vocab_size=size.vocabulary - len(_MARKS),
        special_tokens=marks,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=inner, eos_token=END, pad_token=PAD, padding_side="left")
    # Not special: decoding a reply must keep them, for the parser to see.
    tokenizer.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in _MARKS])
    tokenizer.chat_template = TEMPLATE
    tokenizer.response_template = RESPONSE
    return tokenizer


def make_model(tokenizer: Any, size: TinyModel, seed: int) -> Any:
    """A `Qwen3ForCausalLM` of random weights, which lean to copying."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=size.hidden,
            intermediate_size=size.intermediate,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.heads,
            head_dim=size.hidden // size.heads,
            max_position_embeddings=size.context,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
            pad_token_id=tokenizer.pad_token_id,
            rope_parameters={"rope_type": "default", "rope_theta": THETA},
            tie_word_embeddings=True,
        )
    )
    lean_to_copying(model, torch.Generator().manual_seed(seed))
    return model
