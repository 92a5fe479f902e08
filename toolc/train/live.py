"""Episodes of several turns whose user answers what the model has said.

TRL's loop of tool calls ends where the model says something without a call; its `rollout_func`
gives no way on, since what it returns is read as one message and its mask is not used where there
are tools. So the loop runs once for every turn: where an episode is not over its environment gives
the user's next message, whose tokens are no part of what is learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Ids = list[int]


class Unspoken(Exception):
    """A chat template that cannot go on after a turn; the message says why."""


def with_live_turns(trainer: type, parse: Callable[[Ids, Ids, Any], Mapping[str, Any]]) -> type:
    """A subclass of a GRPO trainer with environments, whose episodes go on turn by turn.

    `parse` reads a reply: its ids, those of its prompt, and the tools. `max_completion_length` and
    `max_tool_calling_iterations` then hold for a turn.
    """

    class Live(trainer):  # type: ignore[misc]
        def _tool_call_loop(
            self,
            prompts: list[Any],
            prompt_ids: list[Ids],
            completion_ids: list[Ids],
            completions: list[list[Any]],
            logprobs: list[list[float]] | None,
            images: Any,
            multimodal_fields: Any,
        ) -> tuple[Any, ...]:
            loop = super()._tool_call_loop
            given = (prompts, prompt_ids, completion_ids, completions, logprobs)
            whole = _Turn(*loop(*given, images, multimodal_fields))
            asked: Sequence[int] = range(len(prompts))
            while asked:
                begun = self._begun(asked, prompt_ids, whole)
                asked = list(begun)
                if not asked:
                    break
                starts = [begun[at].ids for at in asked]
                drawn, logs = self._generate_single_turn(starts, None, {}, num_generations=1)
                replies = dict(zip(asked, drawn, strict=True))
                known = None if logs is None else dict(zip(asked, logs, strict=True))
                turn = _Turn(
                    *loop(
                        [[] for _ in prompts],
                        [begun[at].ids if at in begun else [] for at in range(len(prompts))],
                        [list(replies.get(at, [])) for at in range(len(prompts))],
                        [[self._read(at, replies, begun)] for at in range(len(prompts))],
                        None
                        if known is None
                        else [list(known.get(at, [])) for at in range(len(prompts))],
                        None,
                        {},
                    )
                )
                for at in asked:
                    whole.extend(at, begun[at], turn)
                whole = whole._replace(
                    calls=whole.calls + turn.calls, failures=whole.failures + turn.failures
                )
            return tuple(whole)

        def _begun(
            self, asked: Sequence[int], prompt_ids: list[Ids], whole: _Turn
        ) -> dict[int, _Begun]:
            """The next turns of the episodes that go on and have room for one."""
            room = self.model.config.get_text_config().max_position_embeddings
            made = {}
            for at in asked:
                completion, ids = whole.completions[at], whole.ids[at]
                if not ids or ids[-1] not in self.eos_token_ids or not _ends(completion):
                    continue
                text = self.environments[at]._next(completion)
                if text is None:
                    continue
                suffix = suffix_ids(self, text)
                start = [*prompt_ids[at], *ids, *suffix]
                if len(start) < room:
                    made[at] = _Begun(text, suffix, start)
            return made

        def _read(
            self, at: int, replies: Mapping[int, Ids], begun: Mapping[int, _Begun]
        ) -> Mapping[str, Any]:
            if at not in replies:
                return {}
            tools = self._env_tools[self._batch_environments[at]]
            return parse(replies[at], begun[at].ids, tools)

    Live.__name__ = trainer.__name__
    return Live


class _Begun(NamedTuple):
    """A turn before the model's first message: what the user says, the tokens of that, and all
    tokens up to there."""

    text: str
    suffix: Ids
    ids: Ids


class _Turn(NamedTuple):
    """What TRL's loop returns; `mask` is 1 where a token is the model's."""

    mask: list[list[int]]
    completions: list[list[Any]]
    ids: list[Ids]
    logprobs: list[list[float]] | None
    calls: int
    failures: int
    images: Any

    def extend(self, at: int, begun: _Begun, turn: _Turn) -> None:
        """Adds an episode's next turn."""
        self.completions[at] += [{"role": "user", "content": begun.text}, *turn.completions[at]]
        self.ids[at] = [*self.ids[at], *begun.suffix, *turn.ids[at]]
        self.mask[at] = [*self.mask[at], *([0] * len(begun.suffix)), *turn.mask[at]]
        if self.logprobs is not None and turn.logprobs is not None:
            unknown = [0.0] * len(begun.suffix)
            self.logprobs[at] = [*self.logprobs[at], *unknown, *turn.logprobs[at]]


def _ends(completion: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the model has ended its turn."""
    last = completion[-1] if completion else {}
    return last.get("role") == "assistant" and not last.get("tool_calls")


def suffix_ids(trainer: Any, text: str) -> Ids:
    """The tokens between the end of a reply and the next one, with what the user says there.
    Raises `Unspoken` where the template writes replies otherwise when a message follows."""

    def shown(messages: Sequence[Mapping[str, str]], prompt: bool) -> Ids:
        return list(
            trainer.processing_class.apply_chat_template(
                list(messages),
                add_generation_prompt=prompt,
                tokenize=True,
                chat_template=trainer.chat_template,
                return_dict=False,
                **trainer.chat_template_kwargs,
            )
        )

    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    before = shown(said, False)
    ends = [at for at, id in enumerate(before) if id in trainer.eos_token_ids]
    before = before[: ends[-1] + 1] if ends else before
    whole = shown([*said, {"role": "user", "content": text}], True)
    if whole[: len(before)] != before:
        raise Unspoken(
            "its chat template shows a reply otherwise when the user answers it, so that "
            '`rl.turns = "live"` cannot go on'
        )
    return whole[len(before) :]
