"""A run before its first stage: its folder, what it trains on, and that both are what they were."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from hashlib import file_digest
from typing import Any, NamedTuple

from toolc import __version__
from toolc.eval.store import LOCK, RUN, difference
from toolc.files import why
from toolc.output import artifacts_digest, write_file
from toolc.train import models, processes
from toolc.train.admitted import Admitted
from toolc.train.collected import CollectedError, collected, file_of
from toolc.train.config import STAGES, Config, to_json, trainer_options
from toolc.train.dataset import Dataset, Options, make
from toolc.train.examples import encoder
from toolc.train.rows import Row, Source, source
from toolc.train.splits import Shares
from toolc.train.trl_adapter import shared_options, training_template

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
    about: Mapping[str, Any]
    """What `run.json` says."""
    say: Say
    progress: bool

    @property
    def shown(self) -> Mapping[str, Any]:
        """What chat templates are told beside conversations."""
        given = trainer_options(self.config, "rl").get("chat_template_kwargs")
        return dict(given) if isinstance(given, dict) else {}

    def shown_in_training(self, tokenizer: Any) -> Mapping[str, Any]:
        """The same, with the template by which TRL trains."""
        return {**self.shown, "chat_template": training_template(tokenizer)}

    def bar(self, what: str, number: int) -> Any:
        """A progress bar beside those of the trainers, to be `update`d."""
        from tqdm import tqdm

        return tqdm(desc=what, total=number, disable=not self.progress, leave=False)

    def place(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)


def planned(config: Config, admitted: Mapping[str, Admitted], say: Say, progress: bool) -> Run:
    """The run of a configuration, of which nothing is written yet. Raises `RunError` and
    `Unsupported`."""
    trainers = shared_options(
        {stage: trainer_options(config, stage) for stage in STAGES},
        {stage: config.trainer.get(stage, {}) for stage in STAGES},
    )
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
        "processes": processes.number(),
    }
    sources = {name: source(each.environment) for name, each in chosen.items()}
    if config.rl.trajectories and "rl" in config.stages:
        about["trajectories"] = _digest_of(config.rl.trajectories, chosen, sources)
    _a_runs(config.output)
    data = config.data
    shares = Shares(data.families, data.tasks, data.validation)
    options = Options(data.hold_out or (), shares, data.orders, config.seed)
    dataset = make(chosen, options)
    if not dataset.sft["train"]:
        raise RunError("`data.hold_out` leaves no task to train on")
    about = json.loads(json.dumps(about))
    return Run(config, config.output, dataset, chosen, sources, trainers, about, say, progress)


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


def _a_runs(folder: str) -> None:
    """Refuses a folder in which something else is."""
    try:
        names = set(os.listdir(folder)) - {LOCK} if os.path.lexists(folder) else set()
    except OSError as error:
        raise RunError(f"cannot write `{folder}`: {why(error)}") from None
    if names and RUN not in names:
        raise RunError(f"`{folder}` holds something else than a run")


def claim(run: Run) -> None:
    """Begins the folder's `run.json`, or sees that it tells of the same run. A run of which nothing
    was finished is taken for any."""
    path = run.place(RUN)
    try:
        known = _known(path)
        if known is None or not os.path.isdir(run.place("init", "model")):
            write_file(path, (json.dumps(run.about, indent=2) + "\n").encode())
        else:
            _agree(run.folder, known, run.about)
    except OSError as error:
        raise RunError(f"cannot write `{run.folder}`: {why(error)}") from None


def _known(path: str) -> Mapping[str, Any] | None:
    """What a `run.json` of training says; None where there is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise RunError(f"`{path}` is not of a run of `toolc train`: give another folder")
    return found


_PLACES = ("build", "output", "threads")
"""Of a configuration, what may be another when a run goes on: folders may be moved."""


def _agree(folder: str, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    both = [
        {
            **about,
            "config": {n: each for n, each in about["config"].items() if n not in _PLACES},
        }
        for about in (known, wanted)
    ]
    for name in dict.fromkeys([*wanted, *known]):
        if both[0].get(name) != both[1].get(name):
            other, own = difference(name, both[0].get(name), both[1].get(name))
            raise RunError(f"the run in `{folder}` has {other}, not {own}: give another folder")


def fitting(run: Run) -> Run:
    """The run without the tasks whose reference is longer than the data may be."""
    most = run.config.data.max_tokens
    tokenizer = models.tokenizer(run.place("init", "model"))
    encode = encoder(tokenizer, run.shown_in_training(tokenizer))
    rows = [row for split in run.dataset.sft.values() for row in split]
    fits = {task_of(row) for row in rows} - {task_of(r) for r in rows if len(encode(r)[0]) > most}
    number = len({task_of(row) for split in run.dataset.rl.values() for row in split})
    run.say(f"{len(fits)} of {number} tasks have a reference of {most} tokens or fewer")
    dataset = Dataset(
        *(
            {name: [row for row in split if task_of(row) in fits] for name, split in kind.items()}
            for kind in run.dataset
        )
    )
    if not dataset.sft["train"]:
        raise RunError("no task to train on is short enough: raise `data.max_tokens`")
    return run._replace(dataset=dataset)


def task_of(row: Row) -> tuple[str, str]:
    return row["of"], row["task"]
