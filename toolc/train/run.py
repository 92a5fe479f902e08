"""A training run: a folder in which every finished piece stays, so that it can be gone on with.

    RUN/run.json           the configuration, and the digests of what it trains on
    RUN/init/, sft/, rl/   `model/` at the end of the stage, `checkpoint-N/` on the way,
                           `evaluation/SET/` as `toolc eval` has it
    RUN/metrics.jsonl, tensorboard/, plot.svg
    RUN/summary.json       held-out figures after every stage

A run that is started again in the same folder takes up the stage that is not finished from its
last whole checkpoint. What ended a stage is never done twice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from toolc import __version__
from toolc.output import artifacts_digest, write_file
from toolc.train import checkpoints, metrics, models
from toolc.train.admitted import Admitted
from toolc.train.config import Config, to_json
from toolc.train.dataset import Dataset, Options, make
from toolc.train.evaluation import Held, concluded, evaluate, generator_of, held_out
from toolc.train.examples import encoder, examples, schedule
from toolc.train.messages import cut, trajectories
from toolc.train.renaming import texts_of
from toolc.train.rows import Row, Source, source
from toolc.train.scores import SCORES
from toolc.train.splits import Shares
from toolc.train.trl_adapter import (
    Clock,
    episode_function,
    factories,
    rl_trainer,
    sft_trainer,
    step_function,
    untested,
)

Say = Callable[[str], object]


class RunError(Exception):
    """The run cannot be begun or gone on with; the message says why."""


class _Run(NamedTuple):
    config: Config
    folder: str
    dataset: Dataset
    environments: Mapping[str, Admitted]
    sources: Mapping[str, Source]
    say: Say
    progress: bool

    def place(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)


def train(
    config: Config, admitted: Mapping[str, Admitted], say: Say, progress: bool = False
) -> dict[str, Any]:
    """Runs the stages that are not finished on environments' admitted tasks, by name, and returns
    the summary. Raises `RunError` and `Unsupported`."""
    began = time.monotonic()
    run = _prepare(config, admitted, say, progress)
    models.prepare(config.threads, progress)
    if version := untested():
        say(f"TRL {version} was not tested with toolc")
    stages = ("init", *config.stages)
    if not os.path.isdir(run.place("init", "model")):
        _init(run)
    run = _fitting(run)
    held = _held_out(run)
    for at, stage in enumerate(stages):
        if not os.path.isdir(run.place(stage, "model")):
            metrics.rewind(run.folder, stage, _reached(run, stage), stages[at + 1 :])
            _STAGES[stage](run, stages[at - 1], held)
        _evaluated(run, stage, held)
    metrics.write_events(run.folder, stages)
    metrics.write_plot(run.folder)
    return _summarise(run, stages, held, time.monotonic() - began)


# ---------------------------------------------------------------- before the first stage


def _prepare(config: Config, admitted: Mapping[str, Admitted], say: Say, progress: bool) -> _Run:
    wanted = config.data.environments or tuple(admitted)
    for name in (*wanted, *(config.data.hold_out or ())):
        if name not in admitted:
            raise RunError(f"there is no environment `{name}` in the build")
    chosen = {name: admitted[name] for name in admitted if name in wanted}
    about = {
        "format": 1,
        "toolc": __version__,
        "config": to_json(config),
        "environments": {name: artifacts_digest(each.folder) for name, each in chosen.items()},
    }
    _same_run(config.output, json.loads(json.dumps(about)))
    data = config.data
    shares = Shares(data.families, data.tasks, data.validation)
    options = Options(data.hold_out or (), shares, data.orders, config.seed)
    dataset = make(chosen, options)
    sources = {name: source(each.environment) for name, each in chosen.items()}
    return _Run(config, config.output, dataset, chosen, sources, say, progress)


def _fitting(run: _Run) -> _Run:
    """The run without the tasks whose reference is longer than the data may be."""
    most = run.config.data.max_tokens
    encode = encoder(models.tokenizer(run.place("init", "model")))
    rows = [row for split in run.dataset.sft.values() for row in split]
    fits = {_task(row) for row in rows} - {_task(r) for r in rows if len(encode(r)[0]) > most}
    if not fits:
        raise RunError("no task is short enough: raise `data.max_tokens`")
    number = len({_task(row) for split in run.dataset.rl.values() for row in split})
    run.say(f"{len(fits)} of {number} tasks have a reference of {most} tokens or fewer")
    return run._replace(
        dataset=Dataset(
            *(
                {name: [row for row in split if _task(row) in fits] for name, split in kind.items()}
                for kind in run.dataset
            )
        )
    )


def _task(row: Row) -> tuple[str, str]:
    return row["of"], row["task"]


def _held_out(run: _Run) -> dict[str, Held]:
    names = {name: each.names for name, each in run.sources.items()}
    return held_out(run.dataset.rl["test"], run.environments, names)


def _same_run(folder: str, about: dict[str, Any]) -> None:
    """Begins the folder's `run.json`, or sees that it tells of the same run."""
    path = os.path.join(folder, "run.json")
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(path):
            if os.listdir(folder):
                raise RunError(f"`{folder}` holds something else than a run")
            write_file(path, (json.dumps(about, indent=2) + "\n").encode())
            return
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
    except OSError as error:
        raise RunError(f"cannot write `{folder}`: {error.strerror or error}") from None
    except ValueError:
        raise RunError(f"`{path}` is not a run's") from None
    if before != about:
        parts = [
            name
            for name in about
            if not isinstance(before, dict) or before.get(name) != about[name]
        ]
        raise RunError(
            f"`{folder}` holds a run with other {' and '.join(parts)}: give another folder"
        )


def _reached(run: _Run, stage: str) -> int:
    found = checkpoints.latest(run.place(stage))
    return found[1] if found else 0


# ---------------------------------------------------------------- stages


def _init(run: _Run) -> None:
    model, tokenizer = models.beginning(
        run.config,
        run.dataset.sft["train"],
        [text for each in _texts(run).values() for text in each],
    )
    checkpoints.put(run.place("init", "model"), lambda place: models.save(model, tokenizer, place))


def _texts(run: _Run) -> dict[str, list[str]]:
    """The names in the data of the environments that are trained on."""
    return {
        name: texts_of(each.environment)
        for name, each in run.environments.items()
        if name not in (run.config.data.hold_out or ())
    }


def _sft(run: _Run, before: str, held: Mapping[str, Held]) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"))
    rows = run.dataset.sft["train"]
    run.say(f"sft: {len(rows)} rows, {config.sft.steps} steps")
    options = {
        **_common(run, "sft", config.sft),
        "per_device_train_batch_size": config.sft.batch,
        "lr_scheduler_type": "linear",
    }
    trainer = sft_trainer(
        model,
        tokenizer,
        list(examples(rows, encoder(tokenizer), config.sft, config.seed, _texts(run))),
        {**options, **config.trainer},
        [_watch(run, "sft", None, None)],
        models.adapters(config.lora),
    )
    _finish(run, "sft", trainer, tokenizer)


def _rl(run: _Run, before: str, held: Mapping[str, Held]) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"))
    rows = _sampled(run)
    if not rows:
        raise RunError("there is no row to sample from: raise `data.max_tokens`")
    run.say(f"rl: {len(rows)} rows, {config.rl.steps} steps")
    wanted = schedule(rows, config.rl.steps * config.rl.prompts, config.rl.curriculum, config.seed)
    clock = Clock()
    environments = factories(run.sources.values(), (row["environment"] for row in wanted), clock)
    by_message = config.rl.unit == "message"
    reward = config.rl.reward

    def measure(trained: Any) -> dict[str, Any]:
        return _measured(run, trained, tokenizer, held, "rl", run.config.evaluation.tasks)

    options = {
        **_common(run, "rl", config.rl),
        "per_device_train_batch_size": config.rl.prompts * config.rl.group,
        "num_generations": config.rl.group,
        "lr_scheduler_type": "linear",
        "max_completion_length": config.rl.max_tokens,
        "max_tool_calling_iterations": 0 if by_message else config.rl.max_rounds,
        "temperature": config.rl.temperature,
        "beta": config.rl.kl,
    }
    if config.rl.message_tokens:
        options["generation_kwargs"] = {"max_new_tokens": config.rl.message_tokens}
    trainer = rl_trainer(
        model,
        tokenizer,
        wanted,
        environments,
        step_function(config.rl.step_reward)
        if by_message
        else episode_function(reward, SCORES[reward]),
        {**options, **config.trainer},
        [_watch(run, "rl", clock, measure)],
        models.adapters(config.lora),
        batch_normalised=config.rl.algorithm == "reinforce++",
    )
    _finish(run, "rl", trainer, tokenizer)


def _sampled(run: _Run) -> Sequence[Row]:
    """The rows that reinforcement learning samples from."""
    config = run.config
    if config.rl.unit == "episode":
        return run.dataset.rl["train"]
    references: dict[tuple[str, str], Any] = {}
    for row in run.dataset.sft["train"]:
        references.setdefault(_task(row), row["messages"])
    if not config.rl.trajectories:
        return [
            row
            for (of, id), messages in references.items()
            for row in cut(
                run.sources[of], run.sources[of].environment.tasks[id], messages, f"{of}/{id}"
            )
        ]
    try:
        with open(config.rl.trajectories, encoding="utf-8") as lines:
            return list(trajectories(lines, run.sources, references))
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"cannot read `{config.rl.trajectories}`: {error}") from None


_STAGES: dict[str, Callable[[_Run, str, Mapping[str, Held]], None]] = {
    "sft": _sft,
    "rl": _rl,
}


_ON_PROCESSOR = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False}


def _common(run: _Run, stage: str, options: Any) -> dict[str, Any]:
    """What the trainers of both stages are told."""
    return {
        "output_dir": run.place(stage),
        "max_steps": options.steps,
        "learning_rate": options.learning_rate,
        "warmup_steps": options.warmup,
        "save_strategy": "steps",
        "save_steps": options.save_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        "report_to": "none",
        "seed": run.config.seed,
        "disable_tqdm": not run.progress,
        **(_ON_PROCESSOR if models.on_processor() else {}),
    }


def _finish(run: _Run, stage: str, trainer: Any, tokenizer: Any) -> None:
    found = checkpoints.latest(run.place(stage))
    if found:
        run.say(f"{stage}: going on from step {found[1]}")
    trainer.train(resume_from_checkpoint=found[0] if found else None)
    model = models.merged(trainer.accelerator.unwrap_model(trainer.model))
    checkpoints.put(run.place(stage, "model"), lambda place: models.save(model, tokenizer, place))


def _watch(
    run: _Run,
    stage: str,
    clock: Clock | None,
    measure: Callable[[Any], dict[str, Any]] | None,
) -> Any:
    """A callback that keeps what is measured, evaluates on the way, and marks checkpoints."""
    from transformers import TrainerCallback

    every = run.config.evaluation.every

    class Watch(TrainerCallback):
        began = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            self.began = time.perf_counter()

        def on_log(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            figures = {name: value for name, value in named["logs"].items() if name != "epoch"}
            figures["seconds"] = time.perf_counter() - self.began
            if clock is not None:
                figures["environment/seconds"] = clock.seconds
                figures["environment/share"] = clock.seconds / figures["seconds"]
                clock.seconds = 0.0
            self.began = time.perf_counter()
            metrics.append(run.folder, stage, state.global_step, figures)

        def on_save(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            checkpoints.mark(run.place(stage), state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            if measure and every and state.global_step % every == 0:
                began = time.perf_counter()
                found = measure(named["model"])
                metrics.append(run.folder, stage, state.global_step, flat(found))
                self.began += time.perf_counter() - began  # no part of the step

    return Watch()


FIGURES = ("solve_f1", "reward", "success", "calls", "invalid_calls")
"""Of an evaluation during training, the figures that are kept."""


def flat(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Figures by set as figures of a step."""
    return {f"eval/{name}/{each}": found[name][each] for name in found for each in FIGURES}


# ---------------------------------------------------------------- what came out


def _measured(
    run: _Run, model: Any, tokenizer: Any, held: Mapping[str, Held], stage: str, most: int | None
) -> dict[str, Any]:
    """Summaries of evaluations by set, on the way of at most so many tasks of each environment
    (0: all); at the end of a stage (None) of all, and kept in its folder."""
    options = run.config.evaluation
    generator = generator_of(model, tokenizer, options.max_tokens, options.batch)
    policy = {"name": "trained", "model": run.config.model, "stage": stage}
    return {
        name: evaluate(generator, tasks, policy, run.place(stage, "evaluation", name))
        if most is None
        else evaluate(generator, tasks.first(most), policy)
        for name, tasks in held.items()
    }


def _evaluated(run: _Run, stage: str, held: Mapping[str, Held]) -> None:
    """Evaluates the model at the end of a stage, unless that was done."""
    left = {
        name: tasks
        for name, tasks in held.items()
        if not concluded(run.place(stage, "evaluation", name))
    }
    if not left:
        return
    model, tokenizer = models.load(run.place(stage, "model"))
    began = time.monotonic()
    found = _measured(run, model, tokenizer, left, stage, None)
    shown = ", ".join(f"{name} {figures['solve_f1']:.3f}" for name, figures in found.items())
    run.say(f"{stage}: Solve-F1 {shown} ({time.monotonic() - began:.0f} s)")


def _summarise(
    run: _Run, stages: Sequence[str], held: Mapping[str, Held], seconds: float
) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for name in held:
        found[name] = {}
        for stage in stages:
            place = run.place(stage, "evaluation", name, "summary.json")
            with open(place, encoding="utf-8") as file:
                found[name][stage] = json.load(file)
    summary = {
        "format": 1,
        "toolc": __version__,
        "model": run.config.model,
        "seed": run.config.seed,
        "seconds": round(seconds, 1),
        "tasks": {name: found[name][stages[0]]["tasks"] for name in held},
        "solve_f1": _of("solve_f1", found),
        "success": _of("success", found),
    }
    write_file(run.place("summary.json"), (json.dumps(summary, indent=2) + "\n").encode())
    return summary


def _of(figure: str, found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {stage: figures[figure] for stage, figures in by_stage.items()}
        for name, by_stage in found.items()
    }
