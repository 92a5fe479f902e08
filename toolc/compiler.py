"""Compiles the environments of a project, in several processes, and binds their data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from toolc.build import build
from toolc.data import FORMATS, Rows, read_rows
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.files import START, DataError, inside, read_bytes, why
from toolc.output import Artifacts, sha256
from toolc.project import Project, ProjectError, Unit, check_unit, failed, finding, in_order

if TYPE_CHECKING:
    from toolc.analysis.core import EnvironmentDef

MAX_BYTES = 256 * 1024 * 1024
"""Largest data file that is read, in bytes."""


class Compiled(NamedTuple):
    """One unit, compiled; `artifacts` is None where its diagnostics hold an error, or where it
    declares no environment."""

    path: str
    artifacts: Artifacts | None
    diagnostics: tuple[Diagnostic, ...]
    texts: dict[str, str]


def compile_project(
    project: Project, *, data: str | None = None, jobs: int = 1, prove: bool = False
) -> Iterator[Compiled]:
    """Compiles the units of a project, several at once if `jobs` allows, and gives them in order.

    `data` is a folder in which data files are looked up instead of beside their spec.
    """
    tasks = [(unit, data, prove) for unit in project.units]
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(_compile, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(min(jobs, len(tasks)), initializer=_die_when_told) as pool:
        try:
            yield from pool.map(_compile, tasks)
        except BrokenProcessPool:
            raise ProjectError("a process that compiled was killed: out of memory?") from None
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


def _compile(task: tuple[Unit, str | None, bool]) -> Compiled:
    unit, data, prove = task
    return compile_unit(unit, data, prove)


def compile_unit(unit: Unit, data: str | None = None, prove: bool = False) -> Compiled:
    """Checks one environment, binds its data and builds it."""
    texts = {path: source.text for path, source in unit.sources.items()}
    checked = check_unit(unit)
    diagnostics = list(checked.diagnostics)
    environment = checked.environment
    if environment is None or failed(diagnostics):
        return Compiled(unit.entry, None, in_order(diagnostics), texts)
    bound = read_tables(environment, unit.entry, data)
    texts |= bound.texts
    diagnostics.extend(bound.diagnostics)
    if failed(diagnostics):
        return Compiled(unit.entry, None, in_order(diagnostics), texts)
    built = build(environment, bound.rows, texts)
    diagnostics.extend(built.diagnostics)
    if failed(diagnostics):
        return Compiled(unit.entry, None, in_order(diagnostics), texts)
    if prove:
        from toolc.emit.closed import prove as prove_closed

        prove_closed(built.files)
    folder = os.path.dirname(unit.entry) or "."
    sources = {
        os.path.relpath(path, folder): sha256(source.content)
        for path, source in unit.sources.items()
    }
    digests = sources | bound.digests
    artifacts = Artifacts(environment.name, built.files, digests, built.summary, built.entry)
    return Compiled(unit.entry, artifacts, in_order(diagnostics), texts)


# ---------------------------------------------------------------- data


class Bound(NamedTuple):
    """The rows of the tables that have a data file, by table; the texts by path; the hashes by
    the names that the spec gives the files."""

    rows: dict[str, Rows]
    texts: dict[str, str]
    digests: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]


def read_tables(environment: EnvironmentDef, entry: str, data: str | None) -> Bound:
    """Reads every data file that an environment's tables name."""
    folder = data if data is not None else os.path.dirname(entry) or "."
    rows: dict[str, Rows] = {}
    digests: dict[str, str] = {}
    texts: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    for table in environment.tables:
        if table.file is None:
            continue
        try:
            rows[table.name], digests[table.file] = _read_table(table.file, folder)
            texts[rows[table.name].path] = rows[table.name].text
        except DataError as error:
            if error.text:
                path = os.path.join(folder, table.file)
                texts[path] = error.text
                diagnostics.append(finding(error.code, path, error.span, **error.values))
            else:
                diagnostics.append(finding(error.code, entry, table.file_span, **error.values))
    return Bound(rows, texts, digests, tuple(diagnostics))


def _read_table(name: str, folder: str) -> tuple[Rows, str]:
    path = os.path.join(folder, name)
    outside = os.path.isabs(name) or ".." in name.split("/") or "\0" in name
    if outside or not inside(path, os.path.realpath(folder)):
        raise DataError("TC0402", START, "", file=name)
    format = FORMATS.get(os.path.splitext(name)[1])
    if format is None:
        raise DataError("TC0403", START, "", file=name)
    try:
        content = read_bytes(path, MAX_BYTES)
    except OSError as error:
        raise DataError("TC0401", START, "", file=name, reason=why(error)) from None
    return read_rows(path, content, format), sha256(content)
