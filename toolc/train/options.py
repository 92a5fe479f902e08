"""What each option of a training run means, for the table of `docs/training.md`.

`toolc.train.config` says which there are, of what type, and what holds where none is given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

from toolc.train.config import (
    ALGORITHMS,
    CURRICULA,
    DTYPES,
    REWARDS,
    STAGES,
    STEP_REWARDS,
    TINY_RUN,
    TURNS,
    UNITS,
    Config,
)


class Option(NamedTuple):
    """An option: its dotted name, what holds without it, what holds under `--tiny`, its meaning."""

    name: str
    default: str
    tiny: str
    meaning: str


def _of(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)


MEANINGS = {
    "build": "the folder of the build, audited",
    "output": "the run's folder; one of the same values is gone on with",
    "model": "a folder, a name on the hub, or `tiny`",
    "dtype": f"of the weights: {_of(DTYPES)}, of which the second loses small steps unless only "
    "adapters are learnt",
    "stages": f"of {_of(STAGES)}, in this order",
    "seed": "of splits, orders, exchanged names, weights that begin at random, samples",
    "threads": "of torch; 0 for as many as there are cores",
    "trainer": "a table handed to those of TRL's trainers that have them, as they are; it wins "
    "over what stands here, but for what a run's folder rests on; its tables `sft` and `rl` are "
    "for one of them",
    "data.hold_out": "environments that training never sees; `[]` for none; without it one by the "
    "seed, where there are three or more",
    "data.families": "share of each environment's scenario families that is kept for tests",
    "data.tasks": "share of the other families' tasks that is kept for tests",
    "data.validation": "share of what tests leave of them that is kept for validation",
    "data.orders": "orders of independent steps in which a plan is learnt, at most",
    "data.max_tokens": "tasks are left out, of training and evaluation, whose reference is a "
    "longer conversation; of trajectories, messages after a longer prompt",
    "data.environments": "environments to train on; all where none is named",
    "tiny.vocabulary": "tokens of the model that is built in place",
    "tiny.hidden": "width",
    "tiny.layers": "layers",
    "tiny.heads": "heads of attention, of which `tiny.hidden` is a multiple",
    "tiny.intermediate": "width within a layer",
    "tiny.context": "positions",
    "sft.steps": "steps of the optimiser",
    "sft.batch": "rows a step, on each process",
    "sft.learning_rate": "falls to 0 in a line",
    "sft.warmup": "steps in which the learning rate rises",
    "sft.save_every": "steps between checkpoints",
    "sft.context_share": "share of the tokens of prompts and results that is learnt too",
    "sft.renamed": "share of the rows in which names are exchanged for others",
    "rl.algorithm": f"{_of(ALGORITHMS)}: advantages within a group, or over the batch",
    "rl.unit": f"{_of(UNITS)}: what is sampled and judged",
    "rl.reward": f"of episodes: {_of(REWARDS)}; `task` is the verifier's",
    "rl.step_reward": f"of messages: {_of(STEP_REWARDS)}",
    "rl.trajectories": "for `message`: what `toolc sample` wrote, or an `episodes.jsonl` of "
    "`toolc eval`; the reference plans where none is named",
    "rl.curriculum": f"{_of(CURRICULA)}: balanced rounds, or the easiest first",
    "rl.steps": "steps of the optimiser",
    "rl.prompts": "rows a step, on each process",
    "rl.group": "samples of each row",
    "rl.learning_rate": "falls to 0 in a line",
    "rl.warmup": "steps in which the learning rate rises",
    "rl.temperature": "of sampling",
    "rl.renamed": "for `message` of reference plans: share of the rows in which names are "
    "exchanged for others",
    "rl.probe": "for `message`: samples of each row before training, after which rows of which all "
    "earn the same are left out; 0 for none",
    "rl.norm_rate": "learning rate of the norms' weights, as a multiple",
    "rl.max_tokens": "of an episode (of a turn, where turns are live), results of tools among them",
    "rl.message_tokens": "of one message; 0 for no bound of its own",
    "rl.max_rounds": "of calls in an episode (of a turn, where turns are live)",
    "rl.kl": "weight of the divergence from the model at the stage's beginning; 0 for none",
    "rl.save_every": "steps between checkpoints",
    "rl.turns": f"{_of(TURNS)}: earlier turns from the plan, or all by the model",
    "evaluation.every": "steps of `rl` between evaluations; 0 for only after the stage",
    "evaluation.tasks": "of each environment, in those; 0 for all",
    "evaluation.max_tokens": "of one message",
    "evaluation.batch": "prompts that go through the model at a time",
    "evaluation.temperature": "of sampling; 0 for the likeliest replies",
    "evaluation.samples": "episodes of each task, at a temperature above 0",
    "evaluation.most": "tasks of each set, after a stage; 0 for all",
    "lora.rank": "of low-rank adapters; 0 for training all weights",
    "lora.alpha": "their scale",
    "lora.dropout": "on their input",
    "lora.targets": "modules that get them; all linear ones where none is named",
}
"""By dotted name, in the order of the table."""


def options() -> list[Option]:
    """All options. KeyError where one has no meaning, ValueError where a meaning has no option."""
    defaults, tiny = dict(_values(Config())), dict(_values(TINY_RUN))
    unknown = MEANINGS.keys() - defaults.keys()
    if unknown:
        raise ValueError(f"there is no option {min(unknown)}")
    order = list(MEANINGS)
    return [
        Option(
            name,
            _shown(defaults[name]),
            "" if tiny[name] == defaults[name] else _shown(tiny[name]),
            MEANINGS[name],
        )
        for name in sorted(defaults, key=lambda name: order.index(name) if name in order else -1)
    ]


def _values(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _values(value, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}", value


def _shown(value: Any) -> str:
    """A value as TOML has it; nothing where there is none."""
    match value:
        case None | () | "" | {}:
            return ""
        case str():
            return f'`"{value}"`'
        case tuple():
            return "`[" + ", ".join(f'"{each}"' for each in value) + "]`"
        case _:
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
