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

import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from hashlib import file_digest
from typing import Any, NamedTuple

from toolc import __version__
from toolc.eval import store
from toolc.eval.store import held
from toolc.files import why
from toolc.output import artifacts_digest, write_file
from toolc.train import checkpoints, metrics, models, processes
from toolc.train.admitted import Admitted
from toolc.train.collected import CollectedError, collected, file_of
from toolc.train.config import Config, Evaluation, to_json
from toolc.train.dataset import Dataset, Options, make
from toolc.train.evaluation import Held, concluded, evaluate, generator_of, held_out
from toolc.train.examples import encoder, examples, renamed, schedule
from toolc.train.failures import of_the_disk
from toolc.train.generation import Generator, Sampling, prompt_ids
from toolc.train.messages import cut
from toolc.train.probing import Reward, earned, promising
from toolc.train.renaming import Renamer, texts_of
from toolc.train.rows import Row, Source, source, whole_tasks
from toolc.train.scores import SCORES
from toolc.train.splits import Shares
from toolc.train.trl_adapter import (
    Clock,
    episode_function,
    factories,
    parse,
    rl_trainer,
    sft_trainer,
    shared_options,
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
    trainers: Mapping[str, Mapping[str, Any]]
    """By stage, options of the trainer that the configuration gives."""
    say: Say
    progress: bool

    def place(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)


def train(
    config: Config, admitted: Mapping[str, Admitted], say: Say, progress: bool = False
) -> dict[str, Any]:
    """Runs the stages that are not finished on environments' admitted tasks, by name, and returns
    the summary. Raises `RunError` and `Unsupported`.

    Of several processes (see `processes`) all call it, and all but the first get nothing."""
    began = time.monotonic()
    models.prepare(config.threads, progress)
    options = shared_options(config.trainer, config.stages)
    first = processes.is_first()
    run = _prepare(config, admitted, say if first else _silent, progress and first, options)
    if version := untested():
        run.say(f"TRL {version} was not tested with toolc")
    try:
        with held(config.output) if first else nullcontext():
            return _go_on(run, began)
    except store.RunError as error:
        raise RunError(str(error)) from None
    except Exception as error:
        reason = of_the_disk(error)
        if reason is None:
            raise
        raise RunError(
            f"cannot write `{config.output}`: {reason}; with room again, the same command goes on "
            "from what is whole"
        ) from None


def _go_on(run: _Run, began: float) -> dict[str, Any]:
    first = processes.is_first()
    stages = ("init", *run.config.stages)
    if not os.path.isdir(run.place("init", "model")) and first:
        _init(run)
    processes.wait()
    run = _fitting(run)
    held_out = _held_out(run)
    for at, stage in enumerate(stages):
        processes.wait()
        finished = os.path.isdir(run.place(stage, "model"))
        processes.wait()
        if not finished:
            if first:
                metrics.rewind(run.folder, stage, _reached(run, stage), stages[at + 1 :])
            try:
                _STAGES[stage](run, stages[at - 1], held_out)
            finally:
                if first:
                    checkpoints.latest(run.place(stage))  # what is not whole takes room
        if first:
            _evaluated(run, stage, held_out)
    processes.wait()
    if not first:
        return {}
    metrics.write_events(run.folder, stages)
    metrics.write_plot(run.folder)
    return _summarise(run, stages, held_out, time.monotonic() - began)


def _silent(text: str) -> None:
    """Says nothing: one process speaks for all."""


# ---------------------------------------------------------------- before the first stage


def _prepare(
    config: Config,
    admitted: Mapping[str, Admitted],
    say: Say,
    progress: bool,
    trainers: Mapping[str, Mapping[str, Any]],
) -> _Run:
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
    sources = {name: source(each.environment) for name, each in chosen.items()}
    if config.rl.trajectories and "rl" in config.stages:
        about["trajectories"] = _digest_of(config.rl.trajectories, chosen, sources)
    if processes.is_first():
        _same_run(config.output, json.loads(json.dumps(about)))
    data = config.data
    shares = Shares(data.families, data.tasks, data.validation)
    options = Options(data.hold_out or (), shares, data.orders, config.seed)
    dataset = make(chosen, options)
    return _Run(config, config.output, dataset, chosen, sources, trainers, say, progress)


def _digest_of(
    place: str, environments: Mapping[str, Admitted], sources: Mapping[str, Source]
) -> str:
    """The digest of the trajectories, which can be read and are of this build."""
    try:
        collected(place, environments, sources, ())
        with open(file_of(place), "rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except CollectedError as error:
        raise RunError(str(error)) from None


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
    most = run.config.evaluation.most
    return held_out(run.dataset.rl["test"], run.environments, names, most)


def _same_run(folder: str, about: dict[str, Any]) -> None:
    """Begins the folder's `run.json`, or sees that it tells of the same run. A folder in which
    nothing was finished is taken for any."""
    path = os.path.join(folder, "run.json")
    try:
        os.makedirs(folder, exist_ok=True)
        names = os.listdir(folder)
        if names and "run.json" not in names:
            raise RunError(f"`{folder}` holds something else than a run")
        if os.path.isdir(os.path.join(folder, "init", "model")):
            _agree(folder, path, about)
        else:
            write_file(path, (json.dumps(about, indent=2) + "\n").encode())
    except OSError as error:
        raise RunError(f"cannot write `{folder}`: {why(error)}") from None


def _agree(folder: str, path: str, about: Mapping[str, Any]) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            before = dict(json.load(file))
    except (ValueError, TypeError, RecursionError):
        raise RunError(f"`{path}` is not a run's") from None
    parts = [name for name in {**about, **before} if before.get(name) != about.get(name)]
    if parts:
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
    for_all = dataclasses.replace(config.sft, steps=config.sft.steps * processes.number())
    run.say(f"sft: {len(rows)} rows, {config.sft.steps} steps")
    options = {
        **_common(run, "sft", config.sft),
        "per_device_train_batch_size": config.sft.batch,
        "lr_scheduler_type": "linear",
    }
    trainer = sft_trainer(
        model,
        tokenizer,
        list(examples(rows, encoder(tokenizer), for_all, config.seed, _texts(run))),
        {**options, **run.trainers["sft"]},
        [_watch(run, "sft", None, None)],
        models.adapters(config.lora),
    )
    _finish(run, "sft", trainer, tokenizer)


def _rl(run: _Run, before: str, held: Mapping[str, Held]) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"))
    rows = _sampled(run, tokenizer)
    if not rows:
        raise RunError("there is no row to sample from: raise `data.max_tokens`")
    clock = Clock()
    environments = factories(run.sources.values(), (row["environment"] for row in rows), clock)
    by_message = config.rl.unit == "message"
    reward = config.rl.reward
    judge = (
        clock.timed(step_function(config.rl.step_reward))
        if by_message
        else episode_function(reward, SCORES[reward])
    )
    if config.rl.probe:
        rows = _promising(run, model, tokenizer, rows, environments, judge)
        clock.seconds = 0.0  # of training alone
    run.say(f"rl: {len(rows)} rows, {config.rl.steps} steps")
    number = config.rl.steps * config.rl.prompts * processes.number()
    wanted = schedule(rows, number, config.rl.curriculum, config.seed)
    if config.rl.renamed:
        renamer = Renamer(run.dataset.sft["train"], _texts(run))
        wanted = renamed(wanted, renamer, config.rl.renamed, config.seed)

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
        {row["environment"]: environments[row["environment"]] for row in wanted},
        judge,
        {**options, **run.trainers["rl"]},
        [_watch(run, "rl", clock, measure)],
        models.adapters(config.lora),
        batch_normalised=config.rl.algorithm == "reinforce++",
        live=config.rl.turns == "live",
        norm_rate=config.rl.norm_rate,
    )
    _finish(run, "rl", trainer, tokenizer)


def _promising(
    run: _Run,
    model: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    environments: Mapping[str, Any],
    judge: Reward,
) -> Sequence[Row]:
    """The rows that the model solves sometimes."""
    options = run.config.rl
    sampling = Sampling(
        options.message_tokens or options.max_tokens,
        options.temperature,
        run.config.evaluation.batch,
    )
    path = run.place("rl", "probe.json")
    if processes.is_first() and not os.path.exists(path):
        run.say(f"rl: sampling {len(rows)} rows, {options.probe} times each")
        generator = Generator(model, tokenizer, parse(tokenizer), sampling)
        known = earned(rows, generator, environments, judge, options.probe, run.config.seed)
        os.makedirs(run.place("rl"), exist_ok=True)
        write_file(path, (json.dumps(known) + "\n").encode())
    processes.wait()
    try:
        with open(path, encoding="utf-8") as file:
            found = promising(rows, json.load(file))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise RunError(
            f"`{path}` is not of this run; without it the rows are sampled anew"
        ) from None
    run.say(f"rl: {len(found)} of {len(rows)} rows are solved sometimes")
    return found


def _sampled(run: _Run, tokenizer: Any) -> Sequence[Row]:
    """The rows that reinforcement learning samples from."""
    config = run.config
    if config.rl.unit == "episode":
        rows = run.dataset.rl["train"]
        return whole_tasks(rows) if config.rl.turns == "live" else rows
    references: dict[tuple[str, str], Row] = {}
    for row in run.dataset.sft["train"]:
        references.setdefault(_task(row), row)
    if not config.rl.trajectories:
        return [
            {**item, "reference": row["id"]}
            for (of, id), row in references.items()
            for item in cut(
                run.sources[of],
                run.sources[of].environment.tasks[id],
                row["messages"],
                f"{of}/{id}",
            )
        ]
    try:
        found = collected(config.rl.trajectories, run.environments, run.sources, references)
    except CollectedError as error:
        raise RunError(str(error)) from None
    rows = [
        row
        for row in found.rows
        if len(prompt_ids(tokenizer, row["prompt"], json.loads(row["tools"])))
        <= config.data.max_tokens
    ]
    run.say(
        f"rl: {found.taken} trajectories, {len(rows)} messages; not taken: {found.elsewhere} of "
        f"tasks that are not trained on, {found.unusable} that are not scored or unreadable, "
        f"{len(found.rows) - len(rows)} messages after too long a prompt"
    )
    return rows


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
    if processes.is_first():
        checkpoints.latest(run.place(stage))  # takes away what is not whole
    processes.wait()
    found = checkpoints.latest(run.place(stage))
    if found:
        run.say(f"{stage}: going on from step {found[1]}")
    try:
        trainer.train(resume_from_checkpoint=found[0] if found else None)
    except Exception as error:
        if not found or trainer.state.global_step > found[1] or of_the_disk(error):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise RunError(
            f"cannot go on from `{found[0]}`: {reason}; without it the stage goes on from an "
            "earlier one"
        ) from None
    model = models.merged(trainer.accelerator.unwrap_model(trainer.model))
    if processes.is_first():
        place = run.place(stage, "model")
        checkpoints.put(place, lambda place: models.save(model, tokenizer, place))


def _watch(
    run: _Run,
    stage: str,
    clock: Clock | None,
    measure: Callable[[Any], dict[str, Any]] | None,
) -> Any:
    """A callback that keeps what is measured, evaluates on the way, and marks checkpoints; in the
    first process, for all."""
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

    return Watch() if processes.is_first() else TrainerCallback()


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
    policy = {"name": "trained", "model": run.config.model, "stage": stage}
    found = {}
    for name, tasks in held.items():
        for kind, temperature, samples in _decodings(options):
            generator = generator_of(
                model, tokenizer, options.max_tokens, options.batch, temperature
            )
            if most is None:
                place = run.place(stage, "evaluation", name + kind)
                found[name + kind] = evaluate(generator, tasks, policy, place, samples)
            elif not kind:
                found[name] = evaluate(generator, tasks.first(most), policy, None, samples)
    return found


GREEDY = "_greedy"
"""What is added to the name of a set, of the likeliest replies beside samples."""


def _decodings(options: Evaluation) -> list[tuple[str, float, int]]:
    """How tasks are played: what is added to the name of a set, the temperature, and the samples of
    each task."""
    made = [("", options.temperature, options.samples)]
    return [*made, (GREEDY, 0.0, 1)] if options.temperature else made


def _evaluated(run: _Run, stage: str, held: Mapping[str, Held]) -> None:
    """Evaluates the model at the end of a stage, unless that was done."""
    kinds = [kind for kind, *_ in _decodings(run.config.evaluation)]
    left = {
        name: tasks
        for name, tasks in held.items()
        if not all(concluded(run.place(stage, "evaluation", name + kind)) for kind in kinds)
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
    kinds = [kind for kind, *_ in _decodings(run.config.evaluation)]
    for name in (name + kind for name in held for kind in kinds):
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
