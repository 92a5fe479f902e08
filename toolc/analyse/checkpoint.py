"""Folders of models, of which nothing is trusted: where their weights are, and one tensor of them
at a time.

Only safetensors are read: a pickle runs code as it is opened.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

from toolc.files import read_bytes, why

MODEL = "model"
"""Of a stage of a training run, the folder with what came out."""

_WEIGHTS = ".safetensors"
_WHOLE = f"model{_WEIGHTS}"
_INDEX = f"{_WHOLE}.index.json"
_ADAPTERS = "adapter_config.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_LIMIT = 64 << 20
_PART = 1 << 24
"""Numbers that are read at a time."""


class CheckpointError(Exception):
    """A folder that cannot be read as a model; the message says why."""


class Tensor(NamedTuple):
    """Where a tensor is, and of which shape."""

    file: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


class Checkpoint:
    """The tensors of a folder. Files are open within a `with` block."""

    def __init__(self, folder: str) -> None:
        """Raises `CheckpointError` where there are no weights that can be read."""
        self.folder = located(folder)
        self._open = ExitStack()
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        from safetensors import SafetensorError, safe_open

        try:
            for path in _files(self.folder):
                try:
                    self._files[path] = self._open.enter_context(safe_open(path, framework="pt"))
                except (SafetensorError, OSError) as error:
                    raise CheckpointError(f"cannot read `{path}`: {error}") from None
            self.tensors: Mapping[str, Tensor] = self._found()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def _found(self) -> dict[str, Tensor]:
        made: dict[str, Tensor] = {}
        for path, file in self._files.items():
            for name in file.keys():  # noqa: SIM118
                if name in made:
                    raise CheckpointError(f"`{name}` is in two files of `{self.folder}`")
                made[name] = Tensor(path, tuple(file.get_slice(name).get_shape()))
        if not made:
            raise CheckpointError(f"`{self.folder}` holds no tensor")
        return made

    def parts(self, name: str) -> Iterator[Any]:
        """A tensor as parts that follow each other, vectors of at most some millions of numbers
        (a single row may have more)."""
        file, shape = self.tensors[name]
        opened = self._files[file]
        if not shape:
            yield opened.get_tensor(name).reshape(1)
            return
        rows = max(1, _PART // max(1, math.prod(shape[1:])))
        slices = opened.get_slice(name)
        for start in range(0, shape[0], rows):
            yield slices[start : start + rows].reshape(-1)


def located(folder: str) -> str:
    """The folder with the weights: the one that is given, or `model` in that of a stage of a
    training run. Raises `CheckpointError` where there is none."""
    if not os.path.isdir(folder):
        raise CheckpointError(f"`{folder}` is no folder of a model")
    inner = os.path.join(folder, MODEL)
    found = inner if os.path.isdir(inner) else folder
    try:
        names = sorted(os.listdir(found))
    except OSError as error:
        raise CheckpointError(f"cannot read `{found}`: {why(error)}") from None
    if _ADAPTERS in names:
        raise CheckpointError(
            f"`{found}` holds adapters{_base(found)}, not a model: merge them into it "
            "(peft's `merge_and_unload`) and save that"
        )
    if any(name.endswith(_WEIGHTS) for name in names):
        return found
    raise CheckpointError(f"`{found}` {_lacking(found, names)}")


def _lacking(folder: str, names: list[str]) -> str:
    """What a folder without weights is, in words."""
    pickles = [name for name in names if name.endswith(_PICKLES)]
    if pickles:
        return (
            f"holds pickled weights (`{pickles[0]}`), which run code when they are read: save the "
            "model as safetensors"
        )
    inside = [name for name in names if os.path.isdir(os.path.join(folder, name))]
    stages = [name for name in inside if os.path.isdir(os.path.join(folder, name, MODEL))]
    if stages:
        return f"is a run: name one of its stages, {_listed(folder, stages)}"
    checkpoints = [name for name in inside if name.startswith("checkpoint-")]
    if checkpoints:
        return f"holds checkpoints: name one of them, {_listed(folder, checkpoints)}"
    return "holds no weights of a model (`*.safetensors`)"


def _listed(folder: str, names: list[str]) -> str:
    return " or ".join(f"`{os.path.join(folder, name)}`" for name in names[-3:])


def _base(folder: str) -> str:
    about = _json(os.path.join(folder, _ADAPTERS))
    base = about.get("base_model_name_or_path") if isinstance(about, dict) else None
    return f" of `{base}`" if isinstance(base, str) and base else ""


def _files(folder: str) -> list[str]:
    """The files with the weights: those that the index names, else the one, else all."""
    index = os.path.join(folder, _INDEX)
    if os.path.exists(index):
        about = _json(index)
        weights = about.get("weight_map") if isinstance(about, dict) else None
        if not isinstance(weights, dict) or not all(map(_plain, weights.values())):
            raise CheckpointError(f"`{index}` is no index of weights")
        names = sorted(set(weights.values()))
        missing = [name for name in names if not os.path.isfile(os.path.join(folder, name))]
        if missing:
            raise CheckpointError(f"`{folder}` lacks `{missing[0]}`, which its index names")
    elif os.path.isfile(os.path.join(folder, _WHOLE)):
        names = [_WHOLE]
    else:
        names = sorted(name for name in os.listdir(folder) if name.endswith(_WEIGHTS))
    return [os.path.join(folder, name) for name in names]


def _plain(name: Any) -> bool:
    """Whether it names a file of weights in the same folder."""
    return isinstance(name, str) and name.endswith(_WEIGHTS) and os.path.basename(name) == name


def _json(path: str) -> Any:
    try:
        return json.loads(read_bytes(path, _LIMIT))
    except OSError as error:
        raise CheckpointError(f"cannot read `{path}`: {why(error)}") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"`{path}` is not JSON") from None
