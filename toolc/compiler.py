"""Compiles specs, in several processes, and binds their data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.data import FORMATS, Rows, read_rows
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.files import START, DataError, inside, read_bytes, why
from toolc.node import Span
from toolc.output import Artifacts, entry_of, sha256
from toolc.project import (
    Loaded,
    Loader,
    ProjectError,
    Source,
    Unit,
    check_unit,
    entries_of,
    failed,
    finding,
    in_order,
    twins,
)
from toolc.workers import WorkerError, mapped

if TYPE_CHECKING:
    from toolc.analysis.core import EnvironmentDef
    from toolc.scenarios.others import Missing, Other, Others

MAX_BYTES = 256 * 1024 * 1024
"""Largest data file that is read, in bytes."""


class Options(NamedTuple):
    """What a compilation depends on besides its files. `data` is a folder in which data files are
    looked up instead of beside their spec; `sample` the members that families with a `sample`
    take in place of what they say."""

    data: str | None = None
    prove: bool = False
    sample: int | None = None


class DataFile(NamedTuple):
    """A data file as its spec names it, below a folder; `digest` is of its bytes."""

    folder: str
    name: str
    digest: str


class Inputs(NamedTuple):
    """All that a spec was compiled from: the digests of the specs by path, its own first, and the
    data files. `others` are the specs of the environments that distractors are drawn from, by
    name, "" where there is none; their files are among the rest."""

    sources: dict[str, str]
    data: tuple[DataFile, ...] = ()
    others: Mapping[str, str] = {}


class Compiled(NamedTuple):
    """One spec, compiled or found to be so already.

    `environment` is the name of what it declares, with its place. `entry` is what the manifest
    says of it, None where the diagnostics hold an error, or where it declares none; `artifacts`
    is None also where they need no writing. `texts` are of the files that diagnostics point into.
    `needs` names other environments without whose specs it was not compiled.
    """

    path: str
    inputs: Inputs
    environment: tuple[str, Span] | None
    diagnostics: tuple[Diagnostic, ...]
    texts: dict[str, str]
    entry: dict[str, Any] | None = None
    artifacts: Artifacts | None = None
    needs: tuple[str, ...] = ()


class _Task(NamedTuple):
    """`specs` are all environments by name, None where they are not yet known."""

    path: str
    options: Options
    specs: Mapping[str, str] | None = None


def compile_specs(
    paths: Sequence[str], options: Options, jobs: int = 1, known: Sequence[Compiled] = ()
) -> Iterator[Compiled]:
    """Compiles each spec on its own, several at once if `jobs` allows.

    They come in order, but for those that draw distractors from other environments, which come
    last. `known` are specs that need no compiling; those of them that draw from an environment
    that is now elsewhere come with them, compiled. What several specs find in a file that they
    all use comes with each of them.
    """
    places = {each.path: each.environment for each in known}
    waiting: list[str] = []
    for compiled in _run([_Task(path, options) for path in paths], jobs):
        places[compiled.path] = compiled.environment
        if compiled.needs:
            waiting.append(compiled.path)
        else:
            yield compiled
    specs: dict[str, str] = {}
    for path, environment in sorted(places.items()):
        if environment is not None:
            specs.setdefault(environment[0], path)
    for each in known:
        if any(specs.get(name, "") != path for name, path in each.inputs.others.items()):
            waiting.append(each.path)
    yield from _run([_Task(path, options, specs) for path in waiting], jobs)


def _run(tasks: Sequence[_Task], jobs: int) -> Iterator[Compiled]:
    if jobs > 1 and len(tasks) > 1:
        import toolc.build  # noqa: F401 - once, here, and not in every process
    try:
        yield from mapped(_compile, tasks, jobs)
    except WorkerError as error:
        raise ProjectError(str(error)) from None


def _compile(task: _Task) -> Compiled:
    path, options, specs = task
    loaded = Loader().load(path)
    if loaded.unit is not None:
        compiled = compile_unit(loaded.unit, options, specs)
    else:
        texts = {each: source.text for each, source in loaded.sources.items()}
        compiled = Compiled(path, Inputs(_digests(loaded.sources)), None, (), texts)
    found = in_order((*loaded.diagnostics, *compiled.diagnostics))
    return compiled._replace(
        environment=_declared(loaded),
        diagnostics=found,
        texts={
            each.path: compiled.texts[each.path] for each in found if each.path in compiled.texts
        },
    )


def _declared(loaded: Loaded) -> tuple[str, Span] | None:
    if loaded.environment is None:
        return None
    name = loaded.environment.name
    return name.text, name.span


def _digests(sources: Mapping[str, Source]) -> dict[str, str]:
    return {path: sha256(source.content) for path, source in sources.items()}


def together(compiled: Sequence[Compiled]) -> tuple[list[Compiled], list[Diagnostic]]:
    """What specs that were compiled on their own are together: without the files that are there
    for others to use, and the findings, with those that are about more than one of them."""
    by_path = {each.path: each for each in compiled}
    loaded = {each.path: (each.environment, tuple(each.inputs.sources)) for each in compiled}
    entries = [by_path[path] for path in entries_of(loaded)]
    found = [diagnostic for each in entries for diagnostic in each.diagnostics]
    names = [(each.path, *each.environment) for each in entries if each.environment]
    return entries, [*found, *twins(names)]


def compile_unit(unit: Unit, options: Options, specs: Mapping[str, str] | None = None) -> Compiled:
    """Checks one environment, binds its data and builds it.

    `specs` are all environments by name; one that needs others is not built where it is None.
    """
    texts = {path: source.text for path, source in unit.sources.items()}
    digests = _digests(unit.sources)
    checked = check_unit(unit)
    diagnostics = list(checked.diagnostics)
    compiled = Compiled(unit.entry, Inputs(digests), None, in_order(diagnostics), texts)
    environment = checked.environment
    if environment is None or failed(diagnostics):
        return compiled
    from toolc.build import build
    from toolc.scenarios.family import drawing
    from toolc.scenarios.others import wanted

    needs = wanted(environment)
    if needs and specs is None:
        return compiled._replace(needs=needs)
    bound = read_tables(environment, unit.entry, options.data)
    diagnostics.extend(bound.diagnostics)
    texts |= bound.texts
    compiled = compiled._replace(
        inputs=Inputs(digests, bound.files), diagnostics=in_order(diagnostics), texts=texts
    )
    if failed(diagnostics):
        return compiled
    others = _others([name for name in needs if name != environment.name], specs or {}, options)
    built = build(drawing(environment, options.sample), bound.rows, texts, others.found)
    diagnostics.extend(built.diagnostics)
    compiled = compiled._replace(
        inputs=Inputs(
            digests | others.inputs.sources,
            tuple(dict.fromkeys((*bound.files, *others.inputs.data))),
            others.inputs.others,
        ),
        diagnostics=in_order(diagnostics),
    )
    if failed(diagnostics):
        return compiled
    if options.prove:
        from toolc.emit.closed import prove as prove_closed

        prove_closed(built.files)
    sources = _relative(compiled.inputs, os.path.dirname(unit.entry) or ".", options)
    facts = built.entry if options.sample is None else {**built.entry, "sample": options.sample}
    artifacts = Artifacts(environment.name, built.files, sources, built.summary, facts)
    return compiled._replace(entry=entry_of(artifacts), artifacts=artifacts)


def _relative(inputs: Inputs, folder: str, options: Options) -> dict[str, str]:
    """The digests of all inputs by their names, relative to the spec's folder; data files that
    were looked up elsewhere have the names that the spec gives them."""
    sources = {os.path.relpath(path, folder): digest for path, digest in inputs.sources.items()}
    for each in inputs.data:
        place = folder if options.data is not None else each.folder
        sources[os.path.relpath(os.path.join(place, each.name), folder)] = each.digest
    return sources


class _Others(NamedTuple):
    found: Others
    inputs: Inputs


def _others(names: Sequence[str], specs: Mapping[str, str], options: Options) -> _Others:
    """The environments of these names, with their tools and data."""
    from toolc.scenarios.others import Missing, unknown

    found: dict[str, Other | Missing] = {}
    sources: dict[str, str] = {}
    data: list[DataFile] = []
    for name in names:
        if name not in specs:
            found[name] = unknown(name, specs)
            continue
        loaded = Loader().load(specs[name])
        sources |= _digests(loaded.sources)
        other, files = _other(loaded.unit, options)
        found[name] = other or Missing("it has errors")
        data += files
    places = {name: specs.get(name, "") for name in names}
    return _Others(found, Inputs(sources, tuple(data), places))


def _other(unit: Unit | None, options: Options) -> tuple[Other | None, tuple[DataFile, ...]]:
    """What an environment's distractors need, None where it has an error."""
    from toolc.build import digest_of, ground
    from toolc.scenarios.others import Other

    checked = None if unit is None else check_unit(unit)
    if unit is None or checked is None or not checked.environment or failed(checked.diagnostics):
        return None, ()
    bound = read_tables(checked.environment, unit.entry, options.data)
    if failed(bound.diagnostics):
        return None, bound.files
    texts = {path: source.text for path, source in unit.sources.items()} | bound.texts
    made = ground(checked.environment, bound.rows, digest_of(texts))
    return Other(checked.environment, made.files) if made.base else None, bound.files


# ---------------------------------------------------------------- data


class Bound(NamedTuple):
    """The rows of the tables that have a data file, by table; the texts by path; the files."""

    rows: dict[str, Rows]
    texts: dict[str, str]
    files: tuple[DataFile, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_tables(environment: EnvironmentDef, entry: str, data: str | None) -> Bound:
    """Reads every data file that an environment's tables name."""
    folder = data if data is not None else os.path.dirname(entry) or "."
    rows: dict[str, Rows] = {}
    files: dict[str, DataFile] = {}
    texts: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    for table in environment.tables:
        if table.file is None:
            continue
        try:
            content = read_data(folder, table.file)
            files[table.file] = DataFile(folder, table.file, sha256(content))
            format = FORMATS[os.path.splitext(table.file)[1]]
            rows[table.name] = read_rows(os.path.join(folder, table.file), content, format)
            texts[rows[table.name].path] = rows[table.name].text
        except DataError as error:
            if error.text:
                path = os.path.join(folder, table.file)
                texts[path] = error.text
                diagnostics.append(finding(error.code, path, error.span, **error.values))
            else:
                diagnostics.append(finding(error.code, entry, table.file_span, **error.values))
    return Bound(rows, texts, tuple(files.values()), tuple(diagnostics))


def read_data(folder: str, name: str) -> bytes:
    """The bytes of a data file at or below a folder. Raises `DataError`."""
    path = os.path.join(folder, name)
    outside = os.path.isabs(name) or ".." in name.split("/") or "\0" in name
    if outside or not inside(path, os.path.realpath(folder)):
        raise DataError("TC0402", START, "", file=name)
    if os.path.splitext(name)[1] not in FORMATS:
        raise DataError("TC0403", START, "", file=name)
    try:
        return read_bytes(path, MAX_BYTES)
    except OSError as error:
        raise DataError("TC0401", START, "", file=name, reason=why(error)) from None
