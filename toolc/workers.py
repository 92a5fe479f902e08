"""Work in several processes, which end when they are told and when nobody waits for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
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

    with ProcessPoolExecutor(min(jobs, len(tasks)), initializer=_die_when_told) as pool:
        try:
            yield from pool.map(function, tasks)
        except BrokenProcessPool:
            raise WorkerError("a process was killed: out of memory?") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _die_when_told() -> None:
    """Lets a worker end on an interrupt, and when the process that it works for is killed."""
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()
