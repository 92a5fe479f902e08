"""Work as tasks of a Ray cluster: what `toolc.workers` does in the processes of one machine.

What is sent is pickled: functions and values of modules, and closures over them. Workers must have
the same `toolc`, and see the run's folder under the same path. Ray is an extra, and imported only
where it is asked for.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

LOCAL = "local"
"""The address of a cluster that is started on this machine and ends with the work."""
RETRIES = 1
"""How often a task is begun again whose worker was killed."""
WAITING = 4
"""Tasks that are handed over at a time, for each core of the cluster."""


REACHED = 10.0
"""Seconds in which a cluster has to be reached."""


class ClusterError(Exception):
    """There is no Ray, or no cluster at the address."""


class Cluster(NamedTuple):
    """A cluster that takes tasks."""

    ray: Any

    def each(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        lost: Callable[[Task, str], Result],
        ends: tuple[type[Exception], ...] = (),
        cores: float = 1,
    ) -> Iterator[Result]:
        """What a function makes of each task, as it is made; `cores` is what one takes. Where a
        worker dies or the function raises, `lost` says what the task comes to, with the reason,
        and the others go on; errors of the types `ends` are raised."""
        remote = self.ray.remote(num_cpus=cores, max_retries=RETRIES)(_only(function))
        window = int(WAITING * max(1, self.ray.cluster_resources().get("CPU", 1)) / cores)
        waiting = iter(tasks)
        begun: dict[Any, Task] = {}
        try:
            while True:
                for task in waiting:
                    begun[remote.remote(task)] = task
                    if len(begun) >= window:
                        break
                if not begun:
                    return
                (ready,), _ = self.ray.wait(list(begun), num_returns=1)
                task = begun.pop(ready)
                try:
                    made: Result = self.ray.get(ready)
                except self.ray.exceptions.RayTaskError as error:
                    cause = error.cause
                    if isinstance(cause, ends):
                        raise cause from None
                    made = lost(task, f"{type(cause).__name__}: {cause}")
                except self.ray.exceptions.RayError:
                    made = lost(task, "its worker was killed: out of memory?")
                yield made
        finally:
            for ready in begun:
                self.ray.cancel(ready, force=True)


def _only(function: Callable[[Task], Result]) -> Callable[[Task], Result]:
    """A plain function, which is what Ray takes, in the folder of this process."""
    here = os.getcwd()

    def work(task: Task) -> Result:
        os.chdir(here)
        return function(task)

    return work


@contextmanager
def cluster(address: str, cores: int | None = None) -> Iterator[Cluster]:
    """The cluster at an address (`HOST:PORT`, `auto` for the one of this machine), or for `local`
    one of so many cores that ends with the context. Raises `ClusterError`."""
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"num_cpus": cores, "include_dashboard": False}
    if "ray" not in sys.modules:  # which reads these when it is imported, and in its processes
        for name, value in (_GUARDED if address == LOCAL else _USUAL).items():
            os.environ.setdefault(name, value)
    ray = _begun(address, options)
    try:
        yield Cluster(ray)
    finally:
        ray.shutdown()


_USUAL = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
_GUARDED = {**_USUAL, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""A cluster here listens on the machine's own address: whoever has no token is refused."""


def _begun(address: str, options: Mapping[str, Any]) -> Any:
    """Ray, with a cluster. Raises `ClusterError`."""
    try:
        import ray
    except ImportError:
        raise ClusterError("Ray is not installed: it comes with `toolc[ray]`") from None
    if address != LOCAL:
        _reach(address)
    try:
        ray.init(address=address, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise ClusterError(f"there is no Ray cluster at `{address}`: {reason}") from None
    return ray


def _reach(address: str) -> None:
    """Raises `ClusterError` where nobody listens at an address, which Ray would try for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHED).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"there is no Ray cluster at `{address}`: {error}") from None
