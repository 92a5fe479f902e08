"""What a training run is told: a TOML file or options, read into immutable values.

Every table of the file is a class here, every key a field, so that a key which nobody knows, a
value of another type or out of its range is an error that names it.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, get_origin, get_type_hints

from toolc_runtime.names import near

ALGORITHMS = ("grpo", "reinforce++")
REWARDS = ("task", "solve_f1", "solve_precision", "solve_rate", "success")
CURRICULA = ("none", "difficulty")
UNITS = ("episode", "message")
TURNS = ("replayed", "live")
STEP_REWARDS = ("task", "solve_f1", "precision", "rate", "pr")
STAGES = ("sft", "rl")
DTYPES = ("float32", "bfloat16")
TINY = "tiny"
OWN: Mapping[str, str] = {
    "output_dir": "`output`",
    "seed": "`seed`",
    "max_steps": "`sft.steps` and `rl.steps`",
    "save_steps": "`sft.save_every` and `rl.save_every`",
    "save_strategy": "`sft.save_every` and `rl.save_every`",
    "save_total_limit": "the run's folder, which keeps the last two checkpoints",
    "save_only_model": "the run's folder, which goes on from its checkpoints",
    "per_device_train_batch_size": "`sft.batch`, and `rl.prompts` times `rl.group`",
    "num_generations": "`rl.group`",
    "eval_strategy": "`evaluation.every`",
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
    what the stage's own table gives, but for those in `OWN`; what stands in its tables `sft` and
    `rl` to that stage alone. `dtype` is that of the weights: small
    steps of an optimiser are lost on weights of 16 bits."""

    build: str = "build"
    output: str = "run"
    model: str = TINY
    dtype: str = "float32"
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


def parse(
    text: str, start: Config | None = None, over: Mapping[str, Any] = MappingProxyType({})
) -> Config:
    """The configuration of a TOML text, on top of `start` and below `over`, which has tables and
    values as the text has them. Raises `ConfigError`."""
    try:
        given = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"not TOML: {error}") from None
    given = _over(given, over)
    made = check(_read(_begun(start or Config(), given), given, ""))
    for name, (used, wants) in _IDLE.items():
        table, option = name.split(".")
        if option in given.get(table, {}) and not used(made):
            raise ConfigError(f"`{name}` is for {wants}")
    return made


def _over(given: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of options, with others in their places."""
    made = dict(given)
    for name, value in over.items():
        table = isinstance(value, Mapping) and isinstance(made.get(name, {}), dict)
        made[name] = _over(made.get(name, {}), value) if table else value
    return made


def _begun(start: Config, given: Mapping[str, Any]) -> Config:
    """The start as it goes with what is asked for: with rates of learning for the tiny model's
    width; without what it has for messages of reference plans where others are, its samples of a
    task where replies are the likeliest, its rate of norms where adapters are learnt."""
    tables = ("tiny", "rl", "evaluation", "lora")
    tiny, rl, evaluation, lora = (given.get(name) for name in tables)
    if isinstance(tiny, dict) and start == TINY_RUN:
        start = _as_wide(start, tiny.get("hidden"))
    if isinstance(lora, dict) and lora.get("rank"):
        start = dataclasses.replace(start, rl=dataclasses.replace(start.rl, norm_rate=1.0))
    if isinstance(rl, dict) and (
        rl.get("unit", start.rl.unit) != "message" or rl.get("trajectories")
    ):
        start = dataclasses.replace(start, rl=dataclasses.replace(start.rl, renamed=0.0, probe=0))
    if isinstance(evaluation, dict) and evaluation.get("temperature") == 0:
        once = dataclasses.replace(start.evaluation, samples=1)
        start = dataclasses.replace(start, evaluation=once)
    return start


def _as_wide(start: Config, width: Any) -> Config:
    """The start with rates of learning in inverse proportion to the width, but for those of norms:
    what suits one width suits another then (maximal update parametrisation, arXiv 2203.03466)."""
    if not isinstance(width, int) or width < 1:
        return start
    wider = width / start.tiny.hidden
    rl = dataclasses.replace(
        start.rl,
        learning_rate=start.rl.learning_rate / wider,
        norm_rate=start.rl.norm_rate * wider,
    )
    sft = dataclasses.replace(start.sft, learning_rate=start.sft.learning_rate / wider)
    return dataclasses.replace(start, sft=sft, rl=rl)


def check(config: Config) -> Config:
    """The same, where its values go together. Raises `ConfigError`."""
    values = dict(_leaves(config))
    for name, known in _CHOICES.items():
        for value in (values[name],) if isinstance(values[name], str) else values[name]:
            _one_of(name, value, known)
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"`{name}` must be a finite number")
        if name in _RANGES and not _RANGES[name].holds(value):
            raise ConfigError(f"`{name}` must be {_RANGES[name]}")
    for name in ("build", "output", "model"):
        if not values[name]:
            raise ConfigError(f"`{name}` must not be empty")
    for name, own in OWN.items():
        for table in (config.trainer, *(config.trainer.get(stage) for stage in STAGES)):
            if isinstance(table, dict) and name in table:
                raise ConfigError(f"`trainer.{name}` is given by {own}")
    for holds, told in _TOGETHER:
        if not holds(config):
            raise ConfigError(told)
    return config


class _Range(NamedTuple):
    """From `least` to `most`, without the least where it is `above` only."""

    least: float = 0
    most: float = math.inf
    above: bool = False

    def holds(self, value: float) -> bool:
        return (self.least < value if self.above else self.least <= value) and value <= self.most

    def __str__(self) -> str:
        if self.most < math.inf:
            return f"from {self.least:g} to {self.most:g}"
        return f"more than {self.least:g}" if self.above else f"{self.least:g} or more"


_SOME, _COUNT, _PART = _Range(1), _Range(), _Range(most=1)
_ABOVE = _Range(above=True)

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "stages": STAGES,
    "dtype": DTYPES,
    "rl.algorithm": ALGORITHMS,
    "rl.reward": REWARDS,
    "rl.step_reward": STEP_REWARDS,
    "rl.unit": UNITS,
    "rl.turns": TURNS,
    "rl.curriculum": CURRICULA,
}

_RANGES: Mapping[str, _Range] = {
    "seed": _Range(most=2**32 - 1),
    "threads": _COUNT,
    "data.families": _Range(most=0.9),
    "data.tasks": _Range(most=0.9),
    "data.validation": _Range(most=0.9),
    "data.orders": _SOME,
    "data.max_tokens": _SOME,
    "tiny.vocabulary": _SOME,
    "tiny.hidden": _SOME,
    "tiny.layers": _SOME,
    "tiny.heads": _SOME,
    "tiny.intermediate": _SOME,
    "tiny.context": _SOME,
    "sft.steps": _SOME,
    "sft.batch": _SOME,
    "sft.learning_rate": _ABOVE,
    "sft.warmup": _COUNT,
    "sft.save_every": _SOME,
    "sft.context_share": _PART,
    "sft.renamed": _PART,
    "rl.steps": _SOME,
    "rl.prompts": _SOME,
    "rl.group": _Range(2),
    "rl.learning_rate": _ABOVE,
    "rl.warmup": _COUNT,
    "rl.temperature": _ABOVE,
    "rl.max_tokens": _SOME,
    "rl.message_tokens": _COUNT,
    "rl.max_rounds": _SOME,
    "rl.kl": _COUNT,
    "rl.save_every": _SOME,
    "rl.renamed": _PART,
    "rl.probe": _COUNT,
    "rl.norm_rate": _ABOVE,
    "evaluation.every": _COUNT,
    "evaluation.tasks": _COUNT,
    "evaluation.max_tokens": _SOME,
    "evaluation.batch": _SOME,
    "evaluation.temperature": _COUNT,
    "evaluation.samples": _SOME,
    "evaluation.most": _COUNT,
    "lora.rank": _COUNT,
    "lora.alpha": _SOME,
    "lora.dropout": _Range(most=0.9),
}

_TOGETHER: tuple[tuple[Callable[[Config], bool], str], ...] = (
    (
        lambda config: list(config.stages) == [one for one in STAGES if one in config.stages],
        "`stages` must be in the order sft, rl, each once",
    ),
    (
        lambda config: config.rl.turns != "live" or config.rl.unit == "episode",
        '`rl.turns = "live"` is for `rl.unit = "episode"`',
    ),
    (
        lambda config: not config.rl.trajectories or config.rl.unit == "message",
        '`rl.trajectories` is for `rl.unit = "message"`',
    ),
    (
        lambda config: (
            not config.rl.renamed or (config.rl.unit == "message" and not config.rl.trajectories)
        ),
        '`rl.renamed` is for `rl.unit = "message"` of reference plans',
    ),
    (
        lambda config: not config.rl.probe or config.rl.unit == "message",
        '`rl.probe` is for `rl.unit = "message"`',
    ),
    (
        lambda config: config.rl.norm_rate == 1 or not config.lora.rank,
        "`rl.norm_rate` does not go with `lora.rank`: adapters leave norms as they are",
    ),
    (
        lambda config: config.rl.probe != 1,
        "`rl.probe` must be 0, for none, or 2 or more",
    ),
    (
        lambda config: config.evaluation.samples == 1 or config.evaluation.temperature > 0,
        "`evaluation.samples` is for an `evaluation.temperature` above 0",
    ),
    (
        lambda config: config.model != TINY or not trainer_options(config, "rl").get("use_vllm"),
        "`trainer.use_vllm` does not go with the tiny model, which vLLM lacks",
    ),
    (
        lambda config: config.tiny.hidden % (2 * config.tiny.heads) == 0,
        "`tiny.hidden` must be an even multiple of `tiny.heads`",
    ),
    (
        lambda config: (
            not config.data.environments
            or set(config.data.hold_out or ()) <= set(config.data.environments)
        ),
        "`data.hold_out` must be among `data.environments`, where they are named",
    ),
)
"""What must hold between values, and what is said where it does not."""

_IDLE: Mapping[str, tuple[Callable[[Config], bool], str]] = {
    "rl.reward": (lambda config: config.rl.unit == "episode", '`rl.unit = "episode"`'),
    "rl.step_reward": (lambda config: config.rl.unit == "message", '`rl.unit = "message"`'),
    "lora.alpha": (lambda config: config.lora.rank > 0, "a `lora.rank`"),
    "lora.dropout": (lambda config: config.lora.rank > 0, "a `lora.rank`"),
    "lora.targets": (lambda config: config.lora.rank > 0, "a `lora.rank`"),
    "evaluation.tasks": (lambda config: config.evaluation.every > 0, "`evaluation.every`"),
}
"""Options that change nothing unless something else is asked for: who gives one means it."""


def _leaves(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names of all options, with their values."""
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if dataclasses.is_dataclass(value):
            yield from _leaves(value, f"{path}{each.name}.")
        else:
            yield f"{path}{each.name}", value


def trainer_options(config: Config, stage: str) -> dict[str, Any]:
    """What the trainer of a stage is told: what all are, and above that what it alone is."""
    shared = {name: value for name, value in config.trainer.items() if name not in STAGES}
    own = config.trainer.get(stage, {})
    if not isinstance(own, dict):
        raise ConfigError(f"`trainer.{stage}` is a table of options")
    return {**shared, **own}


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
