"""A run before its first stage: its folder, what it trains on, and that both are what they were."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from hashlib import file_digest
from typing import Any, NamedTuple

from toolc import __version__
from toolc.files import why
from toolc.output import artifacts_digest, write_file
from toolc.train import models, processes
from toolc.train.admitted import Admitted
from toolc.train.collected import CollectedError, collected, file_of
from toolc.train.config import Config, to_json
from toolc.train.dataset import Dataset, Options, make
from toolc.train.examples import encoder
from toolc.train.rows import Row, Source, source
from toolc.train.splits import Shares

Say = Callable[[str], object]


class RunError(Exception):
    """The run cannot be begun or gone on with; the message says why."""


class Run(NamedTuple):
    """What all stages of a run need."""

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


def begun(
    config: Config,
    admitted: Mapping[str, Admitted],
    say: Say,
    progress: bool,
    trainers: Mapping[str, Mapping[str, Any]],
) -> Run:
    """The run of a configuration, in its folder; RunError where that is another's."""
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
    return Run(config, config.output, dataset, chosen, sources, trainers, say, progress)


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


def fitting(run: Run) -> Run:
    """The run without the tasks whose reference is longer than the data may be."""
    most = run.config.data.max_tokens
    encode = encoder(models.tokenizer(run.place("init", "model")))
    rows = [row for split in run.dataset.sft.values() for row in split]
    fits = {task_of(row) for row in rows} - {task_of(r) for r in rows if len(encode(r)[0]) > most}
    if not fits:
        raise RunError("no task is short enough: raise `data.max_tokens`")
    number = len({task_of(row) for split in run.dataset.rl.values() for row in split})
    run.say(f"{len(fits)} of {number} tasks have a reference of {most} tokens or fewer")
    return run._replace(
        dataset=Dataset(
            *(
                {
                    name: [row for row in split if task_of(row) in fits]
                    for name, split in kind.items()
                }
                for kind in run.dataset
            )
        )
    )


def task_of(row: Row) -> tuple[str, str]:
    return row["of"], row["task"]
