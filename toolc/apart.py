"""Work on what nobody trusts, in a process of its own that may be ended at any time.

The processes are forked from a server that has imported what they need, so that one costs some
milliseconds. They end with the process that waits for them, whatever ends that.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from toolc.workers import die_with_parent

Given = TypeVar("Given")
Made = TypeVar("Made")

_FORKS = get_context("forkserver")
_STARTING = threading.Lock()
_PLACES = threading.BoundedSemaphore(os.cpu_count() or 1)


class Died(Exception):
    """The work came to nothing: it took too long or too much memory, or raised something."""


class Limits(NamedTuple):
    """`seconds` by the clock, `memory` in bytes of address space."""

    seconds: float = 60.0
    memory: int = 4 << 30


def prepare(modules: Sequence[str]) -> None:
    """Names modules that processes will need. Of effect before the first process."""
    _FORKS.set_forkserver_preload([*modules])


def apart(function: Callable[[Given], Made], given: Given, limits: Limits) -> Made:
    """What a function of a module makes of something that can be pickled. Raises `Died`. May be
    called by several threads: there are as many processes at a time as there are cores."""
    with _PLACES:
        made, error = _asked(function, given, limits)
    if error is not None:
        raise Died(error)
    result: Made = made
    return result


def _asked(function: Callable[[Any], Any], given: Any, limits: Limits) -> tuple[Any, str | None]:
    """What the function gives, or what it fails with."""
    ours, theirs = _FORKS.Pipe(duplex=False)
    with ours:
        with theirs, _STARTING:
            process = _FORKS.Process(
                target=_work, args=(theirs, function, given, limits), daemon=True
            )
            with _without_main():
                process.start()
        try:
            if not ours.poll(limits.seconds):
                raise Died(f"it took more than {limits.seconds:g} s")
            answer: tuple[Any, str | None] = ours.recv()
            return answer
        except (EOFError, OSError):
            raise Died("the process was ended: out of memory?") from None
        finally:
            process.kill()
            with _STARTING:
                process.join()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hides the program that runs: multiprocessing would run it once more in every process, and
    what is done there is in modules that have names."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _work(answers: Connection, function: Callable[[Any], Any], given: Any, limits: Limits) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who waits decides what an interrupt means
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    try:
        answers.send((function(given), None))
    except MemoryError:
        answers.send((None, "it took too much memory"))
    except Exception as error:
        answers.send((None, f"{type(error).__name__}: {error}"))
