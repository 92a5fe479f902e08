"""The folder of a run: what it is of, its episodes, its summary.

`episodes.jsonl` grows by whole lines, each written at once: a process that is killed loses none
that it had written, and leaves at most one torn at the end. The disk is told to keep them every
second and at the end: a machine that fails loses that much. The other files are replaced whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

from toolc.eval.figures import Row, row_of
from toolc.files import why
from toolc.output import write_file

RUN = "run.json"
EPISODES = "episodes.jsonl"
SUMMARY = "summary.json"
LOCK = ".lock"

FORMAT = 1
"""Of the three files."""

ABOUT = ("build",)
"""What `run.json` says that need not agree when a run goes on."""

SYNC = 1.0
"""Seconds between two times that the disk is told to keep what was written."""


class RunError(Exception):
    """A folder in which a run cannot begin or go on; the message says why."""


@contextlib.contextmanager
def held(folder: str) -> Iterator[None]:
    """Makes the folder and holds it for this process alone; a killed process holds nothing."""
    try:
        os.makedirs(folder, exist_ok=True)
        lock = open(os.path.join(folder, LOCK), "wb")  # noqa: SIM115
    except OSError as error:
        raise RunError(f"cannot write `{folder}`: {why(error)}") from None
    with lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"another toolc writes to `{folder}`") from None
        yield


def begin(folder: str, run: Mapping[str, Any], *, fresh: bool = False) -> None:
    """Writes what the run is of, or makes sure that the run in the folder is of the same, if it has
    episodes; `fresh` takes away what an earlier one left. Raises `RunError`."""
    place = os.path.join(folder, RUN)
    try:
        _no_other(folder, place)
        if fresh:
            for name in (RUN, EPISODES, SUMMARY):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, name))
        if os.path.lexists(place) and _size(os.path.join(folder, EPISODES)):
            _same(folder, _read(place), run)
        elif _size(os.path.join(folder, EPISODES)):
            raise RunError(f"`{folder}` holds episodes without the `{RUN}` that they belong to")
        else:
            write_file(place, _text(run))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, SUMMARY))
    except OSError as error:
        raise RunError(f"cannot write `{folder}`: {why(error)}") from None


def _no_other(folder: str, place: str) -> None:
    """Refuses the folder of a run of `toolc train`, which has a `run.json` of its own."""
    try:
        known = _read(place)
    except (FileNotFoundError, RunError):
        return
    if isinstance(known, dict) and "config" in known and "policy" not in known:
        raise RunError(f"`{folder}` holds a run of `toolc train`: -o takes another folder")


def _size(place: str) -> int:
    try:
        return os.stat(place).st_size
    except FileNotFoundError:
        return 0


def _read(place: str) -> Any:
    try:
        with open(place, encoding="utf-8") as file:
            return json.load(file)
    except (ValueError, RecursionError):
        raise RunError(f"`{place}` is damaged") from None


def _same(folder: str, known: Any, run: Mapping[str, Any]) -> None:
    known, run = _deciding(known if isinstance(known, dict) else {}), _deciding(run)
    for name in dict.fromkeys([*run, *known]):
        if known.get(name) != run.get(name):
            other, own = difference(name, known.get(name), run.get(name))
            raise RunError(
                f"the run in `{folder}` has {other}, not {own}: --fresh begins again, "
                "-o takes another folder"
            )


def _deciding(run: Mapping[str, Any]) -> dict[str, Any]:
    """What decides what episodes of a run are like."""
    policy = run.get("policy")
    kept = {**policy, "access": None} if isinstance(policy, dict) else policy
    return {**{name: run[name] for name in run if name not in ABOUT}, "policy": kept}


def difference(name: str, known: Any, wanted: Any) -> tuple[str, str]:
    """The first place in which two values differ, and what is there in either."""
    if isinstance(known, dict) and isinstance(wanted, dict):
        for key in dict.fromkeys([*wanted, *known]):
            if known.get(key) != wanted.get(key):
                return difference(f"{name}.{key}", known.get(key), wanted.get(key))
    return f"`{name}` {_short(known)}", _short(wanted)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def line_of(episode: Mapping[str, Any]) -> bytes:
    """An episode as a line of UTF-8; where a model wrote what that has not, escaped."""
    try:
        text = json.dumps(episode, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        text = json.dumps(episode, separators=(",", ":")).encode()
    return text + b"\n"


def rows_of(folder: str) -> Iterator[Row]:
    """The rows of the episodes in a run's folder, in the order in which they ended; a torn last
    line is none. Raises `RunError`."""
    for _, row in _lines(os.path.join(folder, EPISODES)):
        yield row


def _lines(place: str) -> Iterator[tuple[bytes, Row]]:
    try:
        with open(place, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield line, _row(place, number, line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"cannot read `{place}`: {why(error)}") from None


def _row(place: str, number: int, line: bytes) -> Row:
    try:
        return row_of(json.loads(line))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise RunError(f"`{place}` is damaged: line {number} is no episode") from None


def resume(folder: str) -> list[Row]:
    """The rows of the episodes that need not be played again, each once. A torn last line, and
    episodes that are not scored, are taken out of the file. Raises `RunError`."""
    place = os.path.join(folder, EPISODES)
    if not os.path.lexists(place):
        return []
    kept: dict[tuple[str, str, int], Row] = {}
    try:
        handle, temporary = tempfile.mkstemp(prefix=".toolc-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                for line, row in _lines(place):
                    if row.values is not None and row.episode not in kept:
                        file.write(line)
                        kept[row.episode] = row
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, place)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise RunError(f"cannot write `{place}`: {why(error)}") from None
    return list(kept.values())


class Episodes:
    """`episodes.jsonl`, to be added to. Raises `RunError` where the disk refuses."""

    def __init__(self, folder: str) -> None:
        self._place = os.path.join(folder, EPISODES)
        self._synced = time.monotonic()

    def __enter__(self) -> Episodes:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(self._place, flags, 0o666)
        except OSError as error:
            raise RunError(f"cannot write `{self._place}`: {why(error)}") from None
        return self

    def __exit__(self, *raised: object) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)

    def add(self, line: bytes) -> None:
        """Adds an episode."""
        try:
            left = memoryview(line)
            while left:
                left = left[os.write(self._file, left) :]
            if time.monotonic() - self._synced >= SYNC:
                os.fsync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            raise RunError(f"cannot write `{self._place}`: {why(error)}") from None


def conclude(folder: str, summary: Mapping[str, Any]) -> None:
    """Writes the summary. Raises `RunError`."""
    place = os.path.join(folder, SUMMARY)
    try:
        write_file(place, _text(summary))
    except OSError as error:
        raise RunError(f"cannot write `{place}`: {why(error)}") from None
