"""Work in several processes, which end when they are told and when nobody waits for them, and in
threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerError(Exception):
    """A process was killed before it had done its work."""


def mapped(
    function: Callable[[Task], Result], tasks: Sequence[Task], jobs: int
) -> Iterator[Result]:
    """What a function of a module gives for each task, in order; `jobs` processes at most, and
    none but this one where that is 1 or there is one task. Raises `WorkerError`."""
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(function, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(min(jobs, len(tasks)), initializer=die_when_told) as pool:
        try:
            yield from pool.map(function, tasks)
        except BrokenProcessPool:
            raise WorkerError("a process was killed: out of memory?") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def in_threads(
    function: Callable[[Task], Result], given: Sequence[Task], workers: int
) -> Iterator[Result]:
    """What a function makes of each, as it is made, by several threads; the first error of one is
    raised. Nobody waits for the threads where the caller goes: what they do then is lost."""
    waiting = iter(given)
    lock = threading.Lock()
    made: SimpleQueue[tuple[Result | None, BaseException | None]] = SimpleQueue()
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            with lock:
                try:
                    each = next(waiting)
                except StopIteration:
                    return
            try:
                made.put((function(each), None))
            except BaseException as error:
                made.put((None, error))

    for _ in range(min(workers, len(given))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in given:
            result, error = made.get()
            if error is not None:
                raise error
            yield result  # type: ignore[misc]
    finally:
        ended.set()


def die_when_told() -> None:
    """Lets a worker end on an interrupt, and when the process that it works for is killed."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent()


def die_with_parent() -> None:
    """Ends this process as soon as the one that it works for has ended."""
    from multiprocessing import parent_process

    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
