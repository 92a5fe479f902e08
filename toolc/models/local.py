"""A model of the transformers library, loaded from a folder and run in this process.

Nothing is downloaded, and no code is run that comes with a model. One message is generated at a
time: with a seed of its own, so that it depends on nothing but the conversation. For speed there
are servers (vLLM, llama.cpp, …), which `client.py` speaks to.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

MAX_TOKENS = 4_096
"""Tokens of a message, unless more or fewer are asked for."""
SHOWN = 300
"""Characters of an error of the library in a message."""

Message = Mapping[str, Any]


class LocalError(Exception):
    """The model cannot be loaded, or its template does not take the conversation."""


class Failed(Exception):
    """One message could not be generated: too long a conversation, too little memory."""


class Generated(NamedTuple):
    """A message of the model's."""

    text: str
    """With special tokens, without what ends it."""
    end: str
    """The token that ends it, "" where the limit of tokens did."""
    prompt: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Writer(Protocol):
    """What constrains one text: a logits processor of transformers."""

    def __call__(self, ids: Any, scores: Any) -> Any: ...

    def whole(self, tokens: Sequence[int]) -> str:
        """The text of all tokens, brought to an end. Raises Failed."""


class Constraint(Protocol):
    """What may be written."""

    def writer(self, prompt_tokens: int) -> Writer:
        """What constrains a text after a prompt of so many tokens."""


class LocalModel:
    """A model with its tokenizer. Used by several threads, one at a time."""

    def __init__(self, model: Any, tokenizer: Any, template: Mapping[str, Any] | None = None):
        """`template`: further variables of the chat template, such as `enable_thinking`."""
        self.tokenizer = tokenizer
        self._model = model
        self._template = dict(template or {})
        self._lock = threading.Lock()
        if not getattr(tokenizer, "chat_template", None):
            raise LocalError("the model has no chat template; its tokenizer's folder may hold one")

    @classmethod
    def load(
        cls,
        path: str,
        device: str | None = None,
        dtype: str = "auto",
        template: Mapping[str, Any] | None = None,
    ) -> LocalModel:
        """The model of a folder. LocalError where that cannot be, or libraries are missing."""
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise LocalError(
                f"local models need torch and transformers, `pip install toolc[train]` ({error})"
            ) from None
        try:
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(
                path, dtype=dtype, local_files_only=True
            )
            model = model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        except Exception as error:  # whatever a library finds wrong with a folder
            raise LocalError(f"cannot load the model `{path}`: {_line(error)}") from None
        return cls(model.eval(), tokenizer, template)

    def prompt(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        reply: bool = True,
    ) -> str:
        """The conversation as the model's template writes it, `reply` up to where the model is to
        go on. LocalError where the template does not take it."""
        try:
            text = self.tokenizer.apply_chat_template(
                [dict(message) for message in messages],
                tools=list(tools) or None,
                add_generation_prompt=reply,
                tokenize=False,
                **self._template,
            )
        except Exception as error:  # a template is a program: anything may be raised
            raise LocalError(f"the chat template does not take this: {_line(error)}") from None
        return str(text)

    def generate(
        self,
        prompt: str,
        *,
        seed: int,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        constraint: Constraint | None = None,
    ) -> Generated:
        """What the model makes of a prompt. `seed` decides what is drawn; a temperature of 0 draws
        nothing; a constraint decides what may be written, and is kept to also where the limit of
        tokens ends it. Raises Failed."""
        import torch

        given = self.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
        length = given["input_ids"].shape[1]
        room = self._room() - length
        if room < 1:
            raise Failed(f"the conversation has {length:,} tokens, and the model takes no more")
        options = {
            "max_new_tokens": min(max_tokens or MAX_TOKENS, room),
            "eos_token_id": self.ends,
            "pad_token_id": self._padding(),
            **_drawing(temperature, top_p),
        }
        writer = constraint.writer(length) if constraint is not None else None
        if writer is not None:
            options["logits_processor"] = [writer]
        device = self._model.device
        with self._lock, torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(Random(seed).getrandbits(63))
            try:
                made = self._model.generate(
                    input_ids=given["input_ids"].to(device),
                    attention_mask=given["attention_mask"].to(device),
                    **options,
                )
            except RuntimeError as error:  # such as too little memory
                raise Failed(f"the model failed: {_line(error)}") from None
        ids = made[0, length:].tolist()
        ends = set(self.ends)
        told = next((place for place, id in enumerate(ids) if id in ends), len(ids))
        text, end = self._text(ids[:told]), self._text(ids[told : told + 1])
        if writer is not None and not end:
            text = writer.whole(ids)
        return Generated(text, end, prompt, length, min(told + 1, len(ids)))

    def _text(self, ids: list[int]) -> str:
        return str(
            self.tokenizer.decode(
                ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    def _room(self) -> int:
        """The tokens of a conversation, as far as the model says."""
        config = self._model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", None) or 1 << 30)

    @property
    def ends(self) -> list[int]:
        """The tokens that end a message, by the model and by its tokenizer."""
        return ends_of(self._model, self.tokenizer)

    def _padding(self) -> int:
        own = self.tokenizer.pad_token_id
        return int(own if own is not None else next(iter(self.ends), 0))


def ends_of(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a message, by a model and by its tokenizer."""
    known = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ends = [known] if isinstance(known, int) else list(known or ())
    own = tokenizer.eos_token_id
    return [*ends, own] if own is not None and own not in ends else ends


def _drawing(temperature: float | None, top_p: float | None) -> dict[str, Any]:
    """How tokens are drawn, by the model's own settings where nothing is asked for."""
    if temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    asked = {"temperature": temperature, "top_p": top_p}
    given = {name: value for name, value in asked.items() if value is not None}
    return {"do_sample": True, **given} if given else {}


def _line(error: BaseException) -> str:
    """What an error says, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
