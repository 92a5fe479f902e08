"""What a training run is told: a TOML file or options, read into immutable values.

Every table of the file is a class here, every key a field, so that a key which nobody knows, a
value of another type or out of its range is an error that names it.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_origin, get_type_hints

from toolc_runtime.names import near

ALGORITHMS = ("grpo", "reinforce++")
REWARDS = ("task", "solve_f1", "solve_precision", "solve_rate", "success")
CURRICULA = ("none", "difficulty")
UNITS = ("episode", "message")
TURNS = ("replayed", "live")
STEP_REWARDS = ("task", "solve_f1", "precision", "rate", "pr")
STAGES = ("sft", "rl")
TINY = "tiny"
OWN: Mapping[str, str] = {
    "output_dir": "`output`",
    "seed": "`seed`",
    "max_steps": "`sft.steps` and `rl.steps`",
    "save_steps": "`sft.save_every` and `rl.save_every`",
    "save_strategy": "`sft.save_every` and `rl.save_every`",
    "resume_from_checkpoint": "the run's folder",
}
"""Options of trainers on which a run's folder rests, and what gives them."""


class ConfigError(Exception):
    """The configuration asks for what does not exist or does not go together."""


@dataclass(frozen=True)
class Data:
    """Which tasks are trained on and kept. Tasks whose reference is a conversation of more than
    `max_tokens` are left out, of training as of evaluation."""

    hold_out: tuple[str, ...] | None = None
    families: float = 0.1
    tasks: float = 0.2
    validation: float = 0.1
    orders: int = 2
    max_tokens: int = 4096
    environments: tuple[str, ...] = ()


@dataclass(frozen=True)
class TinyModel:
    """The size of the model that is built in place."""

    vocabulary: int = 3072
    hidden: int = 128
    layers: int = 3
    heads: int = 2
    intermediate: int = 256
    context: int = 1024


@dataclass(frozen=True)
class Sft:
    """Supervised training on reference plans.

    `context_share` is the part of the prompts' and results' tokens that is learnt beside the
    replies; `renamed` the part of the rows in which names are exchanged for others.
    """

    steps: int = 200
    batch: int = 16
    learning_rate: float = 1e-5
    warmup: int = 10
    save_every: int = 50
    context_share: float = 0.0
    renamed: float = 0.0


@dataclass(frozen=True)
class Rl:
    """Reinforcement learning: `prompts` rows a step, `group` samples of each.

    The `unit` is an episode, judged by `reward`; or a message, judged by `step_reward`, of the
    trajectories in the file `trajectories`, or of the reference plans where none is named.
    `max_tokens` are those of an episode, results of tools among them; `message_tokens` those of
    one message, 0 for no bound of their own; `max_rounds` are rounds of calls. Of a task of several
    `turns` each is a row whose earlier ones are "replayed" from the plan; or "live", where the task
    is one row, and the bounds are those of a turn. `renamed` is the part of the rows of single
    messages in which names are exchanged for others, which are changed back for the judge. Where
    `probe` is not 0, each row of single messages is sampled so many times before, and those that
    all samples or none solve are left out. The
    weights of norms learn at `norm_rate` times the learning rate.
    """

    algorithm: str = "grpo"
    unit: str = "episode"
    reward: str = "task"
    step_reward: str = "task"
    trajectories: str = ""
    curriculum: str = "none"
    steps: int = 100
    prompts: int = 8
    group: int = 8
    learning_rate: float = 1e-6
    warmup: int = 0
    temperature: float = 1.0
    max_tokens: int = 512
    message_tokens: int = 0
    max_rounds: int = 8
    kl: float = 0.0
    save_every: int = 20
    turns: str = "replayed"
    renamed: float = 0.0
    probe: int = 0
    norm_rate: float = 1.0


@dataclass(frozen=True)
class Evaluation:
    """Held-out evaluation: after every stage, and each `every` steps of RL on `tasks` of each
    environment's unseen tasks; 0 for no evaluation between, and for all tasks. After a stage at
    most `most` tasks are played of each set, drawn by chance; 0 for all.

    At `temperature` 0 it is of the likeliest replies; else of `samples` episodes of each task, and
    after a stage of the likeliest replies too."""

    every: int = 0
    tasks: int = 0
    max_tokens: int = 512
    batch: int = 64
    temperature: float = 0.0
    samples: int = 1
    most: int = 0


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters; none where `rank` is 0."""

    rank: int = 0
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """A run. `trainer` holds options for TRL's trainers as they have them, such as `bf16` or
    `gradient_accumulation_steps`; each goes to the stages whose trainers have it, in place of
    what the stage's own table gives, but for those in `OWN`."""

    build: str = "build"
    output: str = "run"
    model: str = TINY
    stages: tuple[str, ...] = STAGES
    seed: int = 0
    threads: int = 0
    data: Data = field(default_factory=Data)
    tiny: TinyModel = field(default_factory=TinyModel)
    sft: Sft = field(default_factory=Sft)
    rl: Rl = field(default_factory=Rl)
    evaluation: Evaluation = field(default_factory=Evaluation)
    lora: Lora = field(default_factory=Lora)
    trainer: Mapping[str, Any] = field(default_factory=dict)


TINY_RUN = Config(
    data=Data(max_tokens=300, tasks=0.15, validation=0.02),
    tiny=TinyModel(vocabulary=4096),
    sft=Sft(
        steps=500,
        batch=8,
        learning_rate=3e-3,
        warmup=20,
        save_every=100,
        renamed=1.0,
    ),
    rl=Rl(
        unit="message",
        reward="solve_f1",
        learning_rate=1.5e-4,
        warmup=10,
        steps=150,
        prompts=32,
        max_tokens=192,
        message_tokens=48,
        max_rounds=5,
        save_every=25,
        renamed=0.4,
        probe=4,
        norm_rate=200.0,
    ),
    evaluation=Evaluation(max_tokens=64, batch=128, temperature=1.0, samples=2, most=100),
)
"""What `--tiny` begins with."""


def parse(text: str, start: Config | None = None) -> Config:
    """The configuration of a TOML text, on top of `start`. Raises `ConfigError`."""
    try:
        given = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"not TOML: {error}") from None
    return check(_read(_begun(start or Config(), given), given, ""))


def _begun(start: Config, given: Mapping[str, Any]) -> Config:
    """The start, without what does not go with what is asked for: what it has for messages of
    reference plans where others are, its samples of a task where replies are the likeliest."""
    rl, evaluation = (given.get(name) for name in ("rl", "evaluation"))
    if isinstance(rl, dict) and (
        rl.get("unit", start.rl.unit) != "message" or rl.get("trajectories")
    ):
        start = dataclasses.replace(start, rl=dataclasses.replace(start.rl, renamed=0.0, probe=0))
    if isinstance(evaluation, dict) and evaluation.get("temperature") == 0:
        once = dataclasses.replace(start.evaluation, samples=1)
        start = dataclasses.replace(start, evaluation=once)
    return start


def check(config: Config) -> Config:
    """The same, where its values go together. Raises `ConfigError`."""
    _one_of("rl.algorithm", config.rl.algorithm, ALGORITHMS)
    _one_of("rl.reward", config.rl.reward, REWARDS)
    _one_of("rl.unit", config.rl.unit, UNITS)
    _one_of("rl.turns", config.rl.turns, TURNS)
    if config.rl.turns == "live" and config.rl.unit != "episode":
        raise ConfigError('`rl.turns = "live"` is for `rl.unit = "episode"`')
    _one_of("rl.step_reward", config.rl.step_reward, STEP_REWARDS)
    if config.rl.trajectories and config.rl.unit != "message":
        raise ConfigError('`rl.trajectories` is for `rl.unit = "message"`')
    for name, own in OWN.items():
        if name in config.trainer:
            raise ConfigError(f"`trainer.{name}` is given by {own}")
    _one_of("rl.curriculum", config.rl.curriculum, CURRICULA)
    for stage in config.stages:
        _one_of("stages", stage, STAGES)
    if list(config.stages) != [stage for stage in STAGES if stage in config.stages]:
        raise ConfigError("`stages` must be in the order sft, rl, each once")
    _positive("sft", config.sft, ("steps", "batch", "learning_rate", "save_every"))
    _positive("rl", config.rl, ("steps", "prompts", "learning_rate", "temperature", "save_every"))
    _positive("rl", config.rl, ("norm_rate",))
    _positive("rl", config.rl, ("max_tokens", "max_rounds"))
    _positive("evaluation", config.evaluation, ("max_tokens", "batch", "samples"))
    if config.evaluation.temperature < 0:
        raise ConfigError("`evaluation.temperature` must be 0 or more")
    if config.evaluation.samples > 1 and not config.evaluation.temperature:
        raise ConfigError("`evaluation.samples` is for an `evaluation.temperature` above 0")
    _positive("data", config.data, ("orders", "max_tokens"))
    for name in ("families", "tasks", "validation"):
        _share(f"data.{name}", getattr(config.data, name), 0.9)
    for name in ("context_share", "renamed"):
        _share(f"sft.{name}", getattr(config.sft, name), 1)
    _share("rl.renamed", config.rl.renamed, 1)
    if config.rl.renamed and (config.rl.unit != "message" or config.rl.trajectories):
        raise ConfigError('`rl.renamed` is for `rl.unit = "message"` of reference plans')
    if config.rl.probe and config.rl.unit != "message":
        raise ConfigError('`rl.probe` is for `rl.unit = "message"`')
    if config.rl.probe < 0 or config.rl.probe == 1:
        raise ConfigError("`rl.probe` must be 0, for none, or 2 or more")
    if config.rl.group < 2:
        raise ConfigError("`rl.group` must be 2 or more: advantages compare episodes of one task")
    if config.model == TINY and config.trainer.get("use_vllm"):
        raise ConfigError("`trainer.use_vllm` does not go with the tiny model, which vLLM lacks")
    if config.tiny.hidden % config.tiny.heads:
        raise ConfigError("`tiny.hidden` must be a multiple of `tiny.heads`")
    return config


def to_json(config: Config) -> dict[str, Any]:
    """The configuration as plain values, for `run.json`."""
    return dataclasses.asdict(config)


def _read(start: Any, given: Mapping[str, Any], path: str) -> Any:
    kinds = get_type_hints(type(start))
    made: dict[str, Any] = {}
    for name, value in given.items():
        where = f"{path}{name}"
        if name not in kinds:
            similar = near(name, list(kinds))
            hint = f"; did you mean `{path}{similar[0]}`?" if similar else ""
            raise ConfigError(f"there is no option `{where}`{hint}")
        made[name] = _value(kinds[name], value, getattr(start, name), where)
    return dataclasses.replace(start, **made)


def _value(kind: Any, value: Any, start: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"`{where}` is a table of options")
        return _read(start, value, f"{where}.")
    if get_origin(kind) is Mapping or kind is Mapping:
        if not isinstance(value, dict):
            raise ConfigError(f"`{where}` is a table of options")
        return {**start, **value}
    if kind is str or kind is int:
        if type(value) is kind:
            return value
    elif kind is float:
        if type(value) in (int, float):
            return float(value)
    elif isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise ConfigError(f"`{where}` must be {_NAMES.get(kind, 'a list of texts')}, found {value!r}")


_NAMES = {str: "a text", int: "a whole number", float: "a number"}


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        similar = near(value, known)
        hint = f"did you mean `{similar[0]}`?" if similar else f"there are {', '.join(known)}"
        raise ConfigError(f"`{name}` cannot be `{value}`; {hint}")


def _positive(table: str, values: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if not getattr(values, name) > 0:
            raise ConfigError(f"`{table}.{name}` must be more than 0")


def _share(name: str, value: float, most: float) -> None:
    if not 0 <= value <= most:
        raise ConfigError(f"`{name}` must be from 0 to {most:g}")
