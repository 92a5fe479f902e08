"""What was tried for each item, as lines of a file: nothing that a model said is asked for twice.

`attempts.jsonl` grows by whole lines, each written at once, by any number of threads and processes:
who is killed loses none that was written. A torn line is passed over.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from toolc.emission.judge import Json
from toolc.files import why


class JournalError(Exception):
    """The file cannot be read or written."""


class Attempt(NamedTuple):
    """One reply, and what became of it. `task` is the digest of what was asked for, so that an item
    that is changed begins anew."""

    item: str
    task: str
    round: int
    """0 is the first pass."""
    reply: str
    finish: str = ""
    """Why the model ended, as the server says."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    spec: str = ""
    """The text that was found in the reply, after the safe fixes; "" where there is none."""
    fixed: tuple[str, ...] = ()
    """The codes of what was fixed without asking."""
    problems: tuple[Json, ...] = ()
    hash: str = ""
    """Of an accepted spec."""

    @property
    def accepted(self) -> bool:
        return not self.problems

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the problems, each once."""
        return tuple(dict.fromkeys(str(each["code"]) for each in self.problems))


class Journal:
    """The attempts of a run, those of earlier runs included. Without a path they are kept nowhere.

    In another process that it is sent to, it is the one of its path there. Raises `JournalError`.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: defaultdict[str, list[Attempt]] = defaultdict(list)
        if path is None:
            return
        try:
            if os.path.lexists(path):
                with open(path, "rb") as file:
                    for line in file:
                        attempt = _read(line)
                        if attempt is not None:
                            self._known[attempt.item].append(attempt)
            with open(path, "ab") as file:
                if file.tell() and not _whole(path):
                    file.write(b"\n")  # so that a torn line does not spoil the next
        except OSError as error:
            raise JournalError(f"cannot read `{path}`: {why(error)}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return _at, (None if self._path is None else os.path.abspath(self._path),)

    def of(self, item: str, task: str) -> tuple[Attempt, ...]:
        """The attempts at an item as it now is, from the first round on."""
        by_round = {each.round: each for each in self._known.get(item, ()) if each.task == task}
        return tuple(by_round[n] for n in range(len(by_round)) if n in by_round)

    def add(self, attempt: Attempt) -> None:
        self._known[attempt.item].append(attempt)
        self._write(attempt._asdict())

    def note(self, item: str, what: Mapping[str, Any]) -> None:
        """A line about an item that is no attempt."""
        self._write({"item": item, **what})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        content = json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            with self._lock:
                file = os.open(self._path, flags, 0o666)
                try:
                    left = memoryview(content)
                    while left:
                        left = left[os.write(file, left) :]
                finally:
                    os.close(file)
        except OSError as error:
            raise JournalError(f"cannot write `{self._path}`: {why(error)}") from None


@lru_cache(maxsize=4)
def _at(path: str | None) -> Journal:
    """The one journal of a path in this process."""
    return Journal(path)


def _whole(path: str) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


_TYPES: Mapping[str, type] = {
    "item": str,
    "task": str,
    "round": int,
    "reply": str,
    "finish": str,
    "prompt_tokens": int,
    "completion_tokens": int,
    "spec": str,
    "fixed": list,
    "problems": list,
    "hash": str,
}


def _read(line: bytes) -> Attempt | None:
    """The attempt that a line holds; None where it holds none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(
        isinstance(value.get(name), kind) for name, kind in _TYPES.items()
    ):
        return None
    problems: Sequence[Any] = value["problems"]
    if not all(isinstance(each, dict) and isinstance(each.get("code"), str) for each in problems):
        return None
    known = {name: value[name] for name in _TYPES}
    known |= {"fixed": tuple(map(str, value["fixed"])), "problems": tuple(problems)}
    return Attempt(**known)
