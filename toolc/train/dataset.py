"""Data sets of a build's audited tasks, in memory and as folders that `datasets` loads."""

from __future__ import annotations

import io
import json
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from toolc import __version__
from toolc.output import carry_over, replacing, sha256
from toolc.train import rows as made_of
from toolc.train.admitted import Admitted
from toolc.train.rows import Row, Source
from toolc.train.schema_losses import Lost
from toolc.train.splits import Item, Place, Shares, balanced, split
from toolc_runtime.task import Task

CARD = "dataset.json"
SPLITS = ("train", "validation", "test")


class DatasetError(Exception):
    """The data set cannot be made or written; the message says why."""


class Options(NamedTuple):
    """How a data set is made of tasks.

    `orders` is the number of orders of independent steps that an SFT row may come in.
    """

    held_out: tuple[str, ...] = ()
    shares: Shares = Shares()
    orders: int = 2
    seed: int = 0


class Dataset(NamedTuple):
    """Rows by split. Every beginning of a split is balanced over kinds and numbers of steps."""

    rl: Mapping[str, Sequence[Row]]
    sft: Mapping[str, Sequence[Row]]


def make(admitted: Mapping[str, Admitted], options: Options) -> Dataset:
    """A data set of environments' admitted tasks, by name.

    Raises `DatasetError` where an environment to be held out is not among them.
    """
    rl: dict[str, list[Row]] = {name: [] for name in SPLITS}
    sft: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for source, task, place in placed(admitted, options):
        rl[place.split] += made_of.rl_rows(source, task, place.unseen)
        sft[place.split] += made_of.sft_rows(source, task, options.orders, options.seed)
    return Dataset(in_balance(rl, options.seed), in_balance(sft, options.seed))


def placed(
    admitted: Mapping[str, Admitted], options: Options
) -> Iterator[tuple[Source, Task, Place]]:
    """The admitted tasks, each with its place. Raises `DatasetError` as `make` does."""
    unknown = [name for name in options.held_out if name not in admitted]
    if unknown:
        raise DatasetError(f"there is no environment `{unknown[0]}` in the build")
    items = {
        Item(name, task.scenario, id, task.kind, int(task.difficulty.get("steps", 0))): task
        for name, (_, environment, ids) in admitted.items()
        for id in ids
        for task in (environment.tasks[id],)
    }
    places = split(list(items), options.held_out, options.shares, options.seed)
    sources = {name: made_of.source(each.environment) for name, each in admitted.items()}
    for item, place in places.items():
        yield sources[item.environment], items[item], place


def in_balance(splits: Mapping[str, list[Row]], seed: int) -> dict[str, list[Row]]:
    """Rows by split in an order of which every beginning is balanced over kinds and steps."""
    return {
        name: balanced(
            rows, lambda row: (row["kind"], row["steps"]), random.Random(f"{seed}:{name}")
        )
        for name, rows in splits.items()
    }


def default_held_out(environments: Sequence[str], seed: int) -> tuple[str, ...]:
    """One environment, where there are three or more."""
    if len(environments) < 3:
        return ()
    return (random.Random(f"{seed}:held out").choice(sorted(environments)),)


# ---------------------------------------------------------------- on disk


def summary(dataset: Dataset, options: Options) -> dict[str, Any]:
    """What a data set holds, by split: rows, kinds, steps, environments, what tests tell."""
    return {
        "format": 1,
        "toolc": __version__,
        "seed": options.seed,
        "held_out": list(options.held_out),
        "shares": options.shares._asdict(),
        "orders": options.orders,
        "splits": {
            config: {name: _counts(rows) for name, rows in splits.items()}
            for config, splits in dataset._asdict().items()
        },
    }


def _counts(rows: Sequence[Row]) -> dict[str, Any]:
    counted = {"rows": len(rows)}
    for column in ("of", "kind", "steps", "unseen"):
        found = Counter(str(row[column]) for row in rows if row.get(column, "") != "")
        if found:
            counted[column] = dict(sorted(found.items()))  # type: ignore[assignment]
    return counted


def write(
    dataset: Dataset, options: Options, folder: str, losses: Mapping[str, Lost]
) -> dict[str, Any]:
    """Writes `CONFIG/SPLIT.jsonl` and `.parquet`, a card for `datasets` and, last, `dataset.json`
    with the digests of all, and with what the schemas lose that TRL derives, by environment and
    tool; returns that. Raises `DatasetError`."""
    about = summary(dataset, options)
    about["schema_losses"] = {
        name: {tool: [loss._asdict() for loss in found] for tool, found in tools.items()}
        for name, tools in losses.items()
    }
    readme = ("README.md", _readme(dataset).encode())
    write_folder(chain(_files(dataset), [readme]), about, CARD, folder)
    return about


def write_folder(
    files: Iterable[tuple[str, bytes]], about: dict[str, Any], card: str, folder: str
) -> None:
    """Writes files as they come, and a card that says what they are, with their digests; all take
    the place of what an earlier card tells of, in one step. A folder that holds other files and no
    such card is refused; what was put beside those of a card stays. Raises `DatasetError`."""
    digests = about["files"] = {}
    root = os.path.realpath(folder)
    try:
        with replacing(root) as fresh:
            own = _told(os.path.join(root, card)) | {card}
            if own == {card} and os.path.lexists(root) and os.listdir(root):
                raise DatasetError(f"`{folder}` holds something else than a data set")
            for name, content in files:
                _put(os.path.join(fresh, name), content)
                digests[name] = sha256(content)
            text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
            _put(os.path.join(fresh, card), text.encode())
            carry_over(root, fresh, own)
    except OSError as error:
        raise DatasetError(f"cannot write `{folder}`: {error.strerror or error}") from None


def _told(card: str) -> set[str]:
    """The files that a card tells of."""
    try:
        with open(card, encoding="utf-8") as file:
            return set(json.load(file)["files"])
    except (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError):
        return set()


def _put(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(content)


def _files(dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    for config, splits in dataset._asdict().items():
        yield from split_files(f"{config}/", splits)


def split_files(prefix: str, splits: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, bytes]]:
    """The rows of each split as JSON lines and as Parquet; none of a split without rows."""
    for name, rows in splits.items():
        if rows:
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            yield f"{prefix}{name}.jsonl", "".join(lines).encode()
            yield f"{prefix}{name}.parquet", _parquet(rows)


def _parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    text = arrow.string()
    call = arrow.struct(
        {
            "id": text,
            "type": text,
            "function": arrow.struct({"name": text, "arguments": text}),
        }
    )
    message = arrow.struct(
        {
            "role": text,
            "content": text,
            "tool_calls": arrow.list_(call),
            "tool_call_id": text,
            "name": text,
        }
    )
    kinds = {list: arrow.list_(message), int: arrow.int64(), str: text, float: arrow.float64()}
    fields = [
        (name, kinds.get(type(value)) or arrow.infer_type([row[name] for row in rows]))
        for name, value in rows[0].items()
    ]
    schema = arrow.schema(fields)
    buffer = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(list(rows), schema=schema), buffer)
    return buffer.getvalue()


def _readme(dataset: Dataset) -> str:
    lines = ["---", "configs:"]
    for config, splits in dataset._asdict().items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for name, rows in splits.items():
            if rows:
                lines += [f"  - split: {name}", f"    path: {config}/{name}.parquet"]
    lines += ["---", "", "Tasks of tool environments, made by `toolc dataset`.", ""]
    return "\n".join(lines)
