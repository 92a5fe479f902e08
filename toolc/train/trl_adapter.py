"""Everything that touches TRL. What it rests on is tested in `tests/train/test_trl_contract.py`.

TRL derives schemas from signatures and docstrings, which lose bounds, named fields and defaults;
here its trainer is given the exact ones instead. What else TRL does that would spoil training is
met in `toolc_runtime.trl`: results are text, arguments are checked by the episode, `reset` and
rewards never raise, dropped calls are told from those that count.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from toolc.train.compact import compact, telling
from toolc.train.generation import readable
from toolc.train.live import Unspoken, suffix_ids, with_live_turns
from toolc.train.renaming import with_own_names
from toolc.train.rows import Row, Source
from toolc.train.scores import Score
from toolc_runtime.chat.message import Message
from toolc_runtime.names import near
from toolc_runtime.trl import TrlEnvironment, emitted, offering, verdicts

if TYPE_CHECKING:
    from toolc_runtime.episode import Episode

TESTED = ("1.16.0",)
"""Versions of TRL that the contract tests have passed with."""

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")


class Unsupported(Exception):
    """The model, its tokenizer or TRL cannot be used; the message says why."""


def untested() -> str | None:
    """The version of TRL where it is not one that was tested."""
    found = version("trl")
    return None if found in TESTED else found


# ---------------------------------------------------------------- environments


class Clock:
    """Seconds spent in environments and rewards."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._running = False

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts, once where one calls another."""

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            if self._running:
                return function(*arguments, **named)
            self._running = True
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - began
                self._running = False

        return run


def factories(
    sources: Iterable[Source], wanted: Iterable[str], clock: Clock
) -> dict[str, type[TrlEnvironment]]:
    """By key of a set of tools the class whose methods are those tools, for the `environment`
    column of rows to choose from."""
    keys = set(wanted)
    made = {}
    for source in sources:
        everything = emitted(source.environment)
        for tools, key in source.sets.items():
            if key in keys:
                made[key] = _clocked(offering(everything, tools), clock)
    return made


def _clocked(environment: type[TrlEnvironment], clock: Clock) -> type[TrlEnvironment]:
    class Clocked(environment):  # type: ignore[valid-type, misc]
        reset = clock.timed(environment.reset)
        _call = clock.timed(environment._call)
        _judge = clock.timed(environment._judge)
        _next = clock.timed(environment._next)

    Clocked.__name__ = environment.__name__
    return Clocked


# ---------------------------------------------------------------- models and templates


def unsupported(tokenizer: Any) -> str | None:
    """Why TRL cannot train a model with this tokenizer on tools, in words; None where it can."""
    from trl.chat_template_utils import (
        get_training_chat_template,
        is_chat_template_prefix_preserving,
        supports_tool_calling,
    )

    if tokenizer.chat_template is None:
        return "its tokenizer has no chat template"
    if not supports_tool_calling(tokenizer):
        return "its chat template does not show tool calls and their results"
    if getattr(tokenizer, "response_template", None) is None:
        try:
            with_parser(tokenizer)
        except (ValueError, TypeError):
            return (
                "TRL does not know how to read its replies: its chat template is none that TRL "
                "knows; set `response_template` in the tokenizer's configuration"
            )
    if not is_chat_template_prefix_preserving(tokenizer):
        try:
            get_training_chat_template(tokenizer)
        except (ValueError, TypeError):
            return "its chat template shows earlier messages otherwise when later ones follow"
    return None


def with_parser(tokenizer: Any) -> Any:
    """The tokenizer with the parser of replies that TRL has for its chat template. Raises
    `ValueError` where it has none."""
    from trl.chat_template_utils import add_response_schema

    return add_response_schema(tokenizer)


def training_template(tokenizer: Any) -> str | None:
    """TRL's template for training, which shows earlier messages always alike and marks what the
    model says; None where the tokenizer's own is taken."""
    from trl.chat_template_utils import get_training_chat_template

    try:
        return get_training_chat_template(tokenizer)
    except (ValueError, TypeError):
        return None


def unlearnable(tokenizer: Any) -> str | None:
    """Why supervised training cannot tell what the model says from what it is shown, in words; None
    where it can."""
    from trl.chat_template_utils import is_chat_template_stop_token_trained

    if is_chat_template_stop_token_trained(tokenizer, training_template(tokenizer)):
        return None
    return (
        "its chat template does not mark what the model says, up to the token that ends a reply: "
        "put `{% generation %}` and `{% endgeneration %}` around it in the tokenizer's "
        'configuration, or train with `stages = ["rl"]`'
    )


def parse(tokenizer: Any) -> Callable[[list[int], list[int], Sequence[dict[str, Any]]], Message]:
    """How TRL reads a reply: the function that turns ids into a message."""
    from trl.chat_template_utils import parse_response

    def parsed(ids: list[int], prompt: list[int], tools: Sequence[dict[str, Any]]) -> Message:
        if not ids:
            return {"role": "assistant", "content": ""}
        message: Message = parse_response(tokenizer, ids, prefix=prompt, tools=list(tools))
        return message

    return parsed


# ---------------------------------------------------------------- supervised training


def sft_trainer(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    callbacks: Sequence[Any],
    lora: Any,
) -> Any:
    """A trainer that goes through the examples (`input_ids` and `labels`) in their order."""
    from datasets import Dataset
    from torch.utils.data import SequentialSampler
    from trl.trainer.sft_trainer import SFTTrainer
    from trl.trainer.utils import FusedCausalLMOutput

    class InOrder(SFTTrainer):
        def _get_train_sampler(self, dataset: Any = None) -> Any:
            every: Any = self.train_dataset if dataset is None else dataset
            return SequentialSampler(every)

    arguments = _made(
        _config("sft"),
        {"dataset_kwargs": {"skip_prepare_dataset": True}, "max_length": None, **options},
    )
    trainer = _built(
        InOrder,
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(list(examples)),
        processing_class=tokenizer,
        callbacks=list(callbacks),
        peft_config=lora,
    )
    compact(trainer, FusedCausalLMOutput)
    return _quiet(trainer)


def _built(kind: Callable[..., Any], **given: Any) -> Any:
    """A trainer. Raises `Unsupported` where it refuses its options, or misses a library."""
    try:
        return kind(**given)
    except (ValueError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise Unsupported(f"TRL's trainer refuses its options: {reason}") from error


def _quiet(trainer: Any) -> Any:
    """Without the callback that prints every figure."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer


# ---------------------------------------------------------------- reinforcement learning


def rl_trainer(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    environments: Mapping[str, type[TrlEnvironment]],
    reward: Callable[..., list[float | None]],
    options: Mapping[str, Any],
    callbacks: Sequence[Any],
    lora: Any,
    batch_normalised: bool = False,
    live: bool = False,
    norm_rate: float = 1.0,
) -> Any:
    """A GRPO trainer that goes through the rows in their order, each for one group.

    `batch_normalised`: advantages compare with the whole batch and not with the group
    (REINFORCE++). `live`: episodes go on turn by turn; raises `Unsupported` where the template
    cannot. The weights of norms learn at `norm_rate` times the learning rate.
    """
    from trl.trainer.grpo_trainer import GRPOTrainer
    from trl.trainer.utils import FusedCausalLMOutput

    schemas = {row["environment"]: json.loads(row["tools"]) for row in rows}

    class OnTools(GRPOTrainer):
        """Shows models the exact schemas, and can normalise over batches."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._env_tools = {name: schemas[name] for name in self._env_tools}

        def create_optimizer(self, *arguments: Any, **named: Any) -> Any:
            optimizer = super().create_optimizer(*arguments, **named)
            if norm_rate != 1:
                apart(optimizer, norms(self.model), norm_rate)
            return optimizer

        def _calculate_rewards(self, *arguments: Any, **named: Any) -> Any:
            self._rewarded = super()._calculate_rewards(*arguments, **named)
            return self._rewarded

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            output = super()._generate_and_score_completions(inputs)
            if batch_normalised:
                own = slice(
                    self.accelerator.process_index * len(inputs),
                    (self.accelerator.process_index + 1) * len(inputs),
                )
                rewards = self._rewarded * self.reward_weights.to(self._rewarded.device)
                output["advantages"] = _normalised(rewards)[own]
            return output

        def _compute_loss(self, model: Any, inputs: Any) -> Any:
            trl: Any = super()
            return trl._compute_loss(model, telling(self, inputs))

    arguments = _made(_config("rl"), {"shuffle_dataset": False, **options})
    kind = with_live_turns(OnTools, parse(tokenizer)) if live else OnTools
    trainer = _built(
        kind,
        model=model,
        reward_funcs=[reward],
        args=arguments,
        train_dataset=_lazily(rows),
        processing_class=tokenizer,
        environment_factory=dict(environments),
        callbacks=list(callbacks),
        peft_config=lora,
    )
    compact(trainer, FusedCausalLMOutput, trainer.temperature)
    _quiet(trainer)
    if live:
        try:
            suffix_ids(trainer, "c")
        except Unspoken as error:
            raise Unsupported(f"the model cannot be trained: {error}") from None
    return trainer


def norms(model: Any) -> list[Any]:
    """The weights of a model's norms."""
    return [
        weight
        for module in model.modules()
        if "norm" in type(module).__name__.lower()
        for weight in module.parameters(recurse=False)
    ]


def apart(optimizer: Any, weights: Sequence[Any], rate: float) -> None:
    """Puts an optimizer's weights into groups of their own, which learn at `rate` times the rate
    of the groups that they were in."""
    chosen = set(map(id, weights))
    for group in list(optimizer.param_groups):
        own = [weight for weight in group["params"] if id(weight) in chosen]
        others = [weight for weight in group["params"] if id(weight) not in chosen]
        if own and others:
            group["params"] = others
            optimizer.add_param_group({**group, "params": own, "lr": group["lr"] * rate})
        elif own:
            group["lr"] *= rate


def _normalised(rewards: Any) -> Any:
    """Advantages over a batch from rewards (completions x functions); 0 where there is none."""
    import torch

    missing = torch.isnan(rewards).all(dim=1)
    sums = rewards.nansum(dim=1)
    known = sums[~missing]
    if known.numel() < 2:
        return torch.zeros_like(sums)
    advantages = (sums - known.mean()) / (known.std() + 1e-4)
    advantages[missing] = 0.0
    return advantages


def episode_function(name: str, score: Score) -> Callable[..., list[float | None]]:
    """A reward function of a score, under a name for the metrics."""

    def reward(
        completions: Sequence[Any], environments: Sequence[TrlEnvironment], **columns: Any
    ) -> list[float | None]:
        found = verdicts(completions, environments)
        log = columns.get("log_metric")
        if log is not None:
            for verdict in found:
                log("environment/calls", float(verdict.calls))
        return [
            score(verdict, environment._episode) if verdict.scored else None
            for verdict, environment in zip(found, environments, strict=True)
        ]

    reward.__name__ = name
    return reward


_JUDGED = ("task", "seed", "prefix", "rest")
"""What a message's reward rests on beside the message, of a row."""


def step_function(kind: str) -> Callable[..., list[float | None]]:
    """A reward function for rows that are one message each, whose calls the trainer must not run
    (`max_tool_calling_iterations` 0). What comes before the messages of a group is played once,
    and equal ones are judged once."""

    def step(
        completions: Sequence[Any], environments: Sequence[TrlEnvironment], **columns: Any
    ) -> list[float | None]:
        starts: dict[str, Episode] = {}
        known: dict[tuple[str, str], float | None] = {}
        found = []
        named = columns.get("names") or [""] * len(completions)
        for said, environment, names in zip(completions, environments, named, strict=True):
            told = [environment._row.get(name) for name in _JUDGED]
            row = json.dumps([type(environment).__name__, names, *told])
            which = row, json.dumps(said, default=str)
            if which not in known:
                if row not in starts:
                    starts[row] = environment._begin()
                environment._played = starts[row].fork()
                known[which] = environment._step(kind, with_own_names(said, names))
            found.append(known[which])
        return found

    step.__name__ = f"step_{kind}"
    return step


def _lazily(rows: Sequence[Row]) -> Any:
    """A data set whose messages are JSON text until a row is read: Arrow would fill them up."""
    from datasets import Dataset

    columns = ("prompt", "task", "environment", "prefix", "rest")
    kept = [
        {
            **{name: row[name] for name in columns},
            "seed": row.get("seed"),
            "names": row.get("names", ""),
        }
        for row in rows
    ]
    texts = [{**row, "prompt": json.dumps(row["prompt"])} for row in kept]

    def read(batch: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        prompts = [list(map(readable, json.loads(text))) for text in batch["prompt"]]
        return {**batch, "prompt": prompts}

    return Dataset.from_list(texts).with_transform(read)


def shared_options(
    options: Mapping[str, Mapping[str, Any]], own: Mapping[str, Collection[str]]
) -> dict[str, dict[str, Any]]:
    """Of the options that a configuration gives the trainers, by stage, those that its trainer has;
    `own` names those that stand in the stage's own table. Raises `Unsupported` for one that no
    trainer has, or of a stage's own table that its trainer has not."""
    known = {stage: _fields(_config(stage)) for stage in options}
    for stage, given in options.items():
        for name in given:
            places = (stage,) if name in own[stage] else tuple(options)
            if not any(name in known[place] for place in places):
                raise _no_option(name, places)
        kwargs = given.get("chat_template_kwargs", {})
        if not isinstance(kwargs, Mapping) or _OF_TEMPLATES & kwargs.keys():
            raise Unsupported(
                "`trainer.chat_template_kwargs` is a table of what the chat template is told "
                f"beside {', '.join(sorted(_OF_TEMPLATES))}"
            )
    return {
        stage: {name: value for name, value in given.items() if name in known[stage]}
        for stage, given in options.items()
    }


_OF_TEMPLATES = {
    "add_generation_prompt",
    "chat_template",
    "conversation",
    "return_assistant_tokens_mask",
    "return_dict",
    "tokenize",
    "tools",
}


def checked(stage: str, options: Mapping[str, Any]) -> None:
    """Raises `Unsupported` where a stage's trainer would refuse its options."""
    _made(_config(stage), options)


def _config(stage: str) -> type:
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.sft_config import SFTConfig

    return {"sft": SFTConfig, "rl": GRPOConfig}[stage]


def _fields(config: Any) -> list[str]:
    return [each.name for each in dataclasses.fields(config)]


def _made(config: Any, options: Mapping[str, Any]) -> Any:
    """TRL's configuration. Raises `Unsupported` where it refuses the options."""
    try:
        return config(**options)
    except (TypeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise Unsupported(f"TRL's {config.__name__} refuses its options: {reason}") from None


def _no_option(name: str, stages: Iterable[str]) -> Unsupported:
    configs = [_config(stage) for stage in stages]
    similar = near(name, [field for config in configs for field in _fields(config)])
    hint = f"; did you mean `{similar[0]}`?" if similar else ""
    told = " or ".join(config.__name__ for config in configs)
    return Unsupported(f"there is no option `{name}` of TRL's {told}{hint}")
