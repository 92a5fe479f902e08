"""A model's next messages, for a batch of conversations."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from toolc.models.local import ends_of
from toolc.train import sampling
from toolc.train.batching import Request
from toolc.train.sharing import full_attention
from toolc_runtime.chat.message import Message, Reply, ToolCall

Parse = Callable[[list[int], list[int], Sequence[dict[str, Any]]], Message]
"""From the ids of a reply, those of its prompt and the tools: the message."""


class Sampling(NamedTuple):
    """How messages are drawn: the likeliest tokens at temperature 0."""

    max_tokens: int = 128
    temperature: float = 0.0
    batch: int = 64


class Drawn(NamedTuple):
    """A message as it was parsed, and the tokens of its prompt and its own."""

    message: Message
    prompt_tokens: int
    tokens: int


class Generator:
    """Answers batches with a model of transformers. The model is put into its mode of
    evaluation, and back into the one it had. `shown` is what the chat template is told beside the
    conversation."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        parse: Parse,
        sampling: Sampling,
        shown: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.parse = parse
        self.sampling = sampling
        self.shown = shown
        self._ends = ends_of(model, tokenizer)

    def __call__(self, requests: Sequence[Request]) -> list[Reply]:
        return [_reply(drawn) for drawn in self.draw(requests)]

    def draw(
        self, requests: Sequence[Request], done: Callable[[int], object] = lambda number: None
    ) -> list[Drawn]:
        """What the model says next in each conversation; `done` is told how many more it has."""
        import torch

        prompts = [self._prompt(request) for request in requests]
        by_length = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))
        made: dict[int, Drawn] = {}
        training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                for start in range(0, len(by_length), self.sampling.batch):
                    batch = by_length[start : start + self.sampling.batch]
                    for at, ids in zip(
                        batch, self._draw([prompts[at] for at in batch]), strict=True
                    ):
                        message = self.parse(ids, prompts[at], requests[at].tools)
                        made[at] = Drawn(message, len(prompts[at]), len(ids))
                    done(len(batch))
        finally:
            self.model.train(training)
        return [made[at] for at in range(len(prompts))]

    def _prompt(self, request: Request) -> list[int]:
        return prompt_ids(self.tokenizer, request.messages, request.tools, self.shown)

    def _draw(self, prompts: Sequence[list[int]]) -> list[list[int]]:
        """Replies, each without a token where its prompt leaves no room for one."""
        import torch

        room = getattr(self.model.config, "max_position_embeddings", None) or math.inf
        fits = [at for at, prompt in enumerate(prompts) if len(prompt) < room]
        replies: list[list[int]] = [[] for _ in prompts]
        if not fits:
            return replies
        width = max(len(prompts[at]) for at in fits)
        pad, device = self.tokenizer.pad_token_id, self.model.device
        padded = [[pad] * (width - len(prompts[at])) + prompts[at] for at in fits]
        shown = [[0] * (width - len(prompts[at])) + [1] * len(prompts[at]) for at in fits]
        made = self._continued(
            torch.tensor(padded, device=device),
            torch.tensor(shown, device=device),
            int(min(self.sampling.max_tokens, room - width)),
        )
        for at, row in zip(fits, made[:, width:].tolist(), strict=True):
            replies[at] = _until(self._ends, row)
        return replies

    def _continued(self, ids: Any, mask: Any, tokens: int) -> Any:
        pad, heat = self.tokenizer.pad_token_id, self.sampling.temperature
        if ids.device.type == "cpu" and full_attention(self.model.config):
            return sampling.drawn(self.model, ids, mask, tokens, heat, self._ends, pad)
        return self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=tokens,
            do_sample=heat > 0,
            pad_token_id=pad,
            eos_token_id=self._ends,
            # What a checkpoint brings for its use must not change what is measured.
            repetition_penalty=1.0,
            **({"temperature": heat, "top_k": 0, "top_p": 1.0} if heat > 0 else {}),
        )


def _reply(drawn: Drawn) -> Reply:
    calls = [
        ToolCall(f"call_{at}", call["function"]["name"], _text(call["function"]["arguments"]))
        for at, call in enumerate(drawn.message.get("tool_calls") or ())
    ]
    return Reply(drawn.message["content"], tuple(calls), drawn.prompt_tokens, drawn.tokens)


def prompt_ids(
    tokenizer: Any,
    messages: Sequence[Message],
    tools: Sequence[dict[str, Any]],
    shown: Mapping[str, Any] = MappingProxyType({}),
) -> list[int]:
    """What a model is given to say the next message; `shown` goes to the chat template too."""
    made = tokenizer.apply_chat_template(
        list(map(readable, messages)),
        tools=list(tools) or None,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
        **shown,
    )
    return list(made)


def readable(message: Message) -> Message:
    """A message with the arguments of its calls as values, as chat templates want them."""
    if not message.get("tool_calls"):
        return message
    calls = []
    for call in message["tool_calls"]:
        function = call["function"]
        try:
            arguments = json.loads(function["arguments"])
        except ValueError:
            arguments = function["arguments"]
        calls.append({**call, "function": {**function, "arguments": arguments}})
    return {**message, "tool_calls": calls}


def _text(arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False)


def _until(ends: Sequence[int], ids: list[int]) -> list[int]:
    at = next((at for at, id in enumerate(ids) if id in ends), len(ids))
    return ids[: at + 1]
