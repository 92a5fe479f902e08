"""From paths to checked specs: finds the files, groups them into environments, checks them.

An environment is a file that declares one and the files that it uses, by their stems, from its own
folder. What starts for `toolc check` is here, and imports little; compiling is in `compiler.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.diagnostics.diagnostic import Diagnostic, Reporter
from toolc.files import START, DataError, decode, inside, read_bytes, why
from toolc.node import Span
from toolc.syntax.tree import (
    Alias,
    Const,
    Enum,
    Environment,
    Function,
    Module,
    Record,
    Union,
    Use,
)

if TYPE_CHECKING:
    from toolc.analysis.check import Checked

SUFFIX = ".toolc"
LANGUAGE = 1
"""The version of the language, as in `toolc 1`."""

MAX_SPEC_BYTES = 4 * 1024 * 1024
"""Largest spec that is read, in bytes."""


class ProjectError(Exception):
    """Paths that name nothing to work on; the message says which."""


class Source(NamedTuple):
    """A spec as read: `path` as the user named it, its bytes, and their text without a byte
    order mark."""

    path: str
    content: bytes
    text: str


class Unit(NamedTuple):
    """What is checked together: the entry first, then what it uses. Where the entry declares no
    environment, it is a file for others to use."""

    modules: dict[str, Module]
    sources: dict[str, Source]

    @property
    def entry(self) -> str:
        return next(iter(self.modules))


class Project(NamedTuple):
    """The specs found below some paths, parsed and grouped.

    `texts` are the sources that diagnostics point into, by path.
    """

    units: tuple[Unit, ...]
    diagnostics: tuple[Diagnostic, ...]
    texts: dict[str, str]


def failed(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether an error is among them."""
    return any(found.severity == "error" for found in diagnostics)


# ---------------------------------------------------------------- finding


def find_specs(paths: Iterable[str]) -> tuple[list[str], list[Diagnostic]]:
    """The `.toolc` files that are named or lie below a named folder, each once, in order of name.

    Hidden folders and links to folders are passed over; a link to a file outside the folder is an
    error. Raises `ProjectError` where a path names nothing.
    """
    found: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    for path in paths:
        path = os.path.normpath(path)
        if os.path.isdir(path):
            below = list(_walk(path, diagnostics))
            if not below and not failed(diagnostics):
                raise ProjectError(f"`{path}` holds no {SUFFIX} file")
        elif os.path.lexists(path):
            below = [path]
        else:
            raise ProjectError(f"`{path}` does not exist")
        for each in below:
            found.setdefault(os.path.realpath(each), each)
    return sorted(found.values()), diagnostics


def _walk(folder: str, diagnostics: list[Diagnostic]) -> Iterator[str]:
    root = os.path.realpath(folder)

    def refuse(error: OSError) -> None:
        place = str(error.filename)
        diagnostics.append(_unreadable(place, why(error)))

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.normpath(os.path.join(place, name))
            if not name.endswith(SUFFIX) or name.startswith("."):
                continue
            if inside(path, root):
                yield path
            else:
                diagnostics.append(finding("TC0402", path, file=path))


def finding(code: str, path: str, span: Span = START, **values: Any) -> Diagnostic:
    """A diagnostic of a file as a whole, or of a place in it."""
    reporter = Reporter(path)
    reporter.report(code, span, **values)
    return reporter.diagnostics[0]


def _unreadable(path: str, reason: str) -> Diagnostic:
    return finding("TC0401", path, file=path, reason=reason)


# ---------------------------------------------------------------- reading


def read_source(path: str) -> Source | Diagnostic:
    """A spec, or why it cannot be read."""
    if not path.isprintable() and any("\ud800" <= char <= "\udfff" for char in path):
        return _unreadable(path, "its name is not UTF-8 text")
    try:
        content = read_bytes(path, MAX_SPEC_BYTES)
        return Source(path, content, decode(path, content))
    except OSError as error:
        return _unreadable(path, why(error))
    except DataError as error:
        return finding(error.code, path, **error.values)


class Loaded(NamedTuple):
    """A spec with what it uses: the paths, itself first; what reading and parsing them found; and
    the unit, None where one of them can't be checked."""

    paths: tuple[str, ...]
    sources: dict[str, Source]
    environment: Environment | None
    diagnostics: tuple[Diagnostic, ...]
    unit: Unit | None


class Loader:
    """Reads and parses each spec once, however many environments use it."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self.texts = texts or {}
        self.sources: dict[str, Source] = {}
        self.modules: dict[str, Module | None] = {}
        self.diagnostics: dict[str, tuple[Diagnostic, ...]] = {}
        self.broken: set[str] = set()

    def load(self, path: str) -> Loaded:
        """The spec at a path, with every file that it uses, in order of name."""
        paths = self._closure(path)
        unit = None
        sources = {each: self.sources[each] for each in paths if each in self.sources}
        if not self.broken.intersection(paths):
            modules = {each: module for each in paths if (module := self.modules[each])}
            unit = Unit(modules, sources)
        found = tuple(each for name in paths for each in self.diagnostics[name])
        environment = environment_of(self.modules[path])
        return Loaded(tuple(paths), sources, environment, found, unit)

    def _closure(self, entry: str) -> list[str]:
        reached: set[str] = {entry}
        waiting = [entry]
        while waiting:
            path = waiting.pop()
            module = self._module(path)
            for item in module.items if module else ():
                if not isinstance(item, Use):
                    continue
                beside = os.path.join(os.path.dirname(path), item.module.text + SUFFIX)
                if beside not in reached and os.path.isfile(beside):
                    reached.add(beside)
                    waiting.append(beside)
        return [entry, *sorted(reached - {entry})]

    def _module(self, path: str) -> Module | None:
        from toolc.syntax.parser import parse

        if path not in self.modules:
            text = self.texts.get(path)
            source = read_source(path) if text is None else Source(path, text.encode(), text)
            self.modules[path] = None
            if isinstance(source, Diagnostic):
                self.diagnostics[path] = (source,)
                self.broken.add(path)
            else:
                self.sources[path] = source
                parsed = parse(source.text, path)
                self.modules[path] = parsed.module
                self.diagnostics[path] = parsed.diagnostics
                if parsed.module is None or not all(map(mended, parsed.diagnostics)):
                    self.broken.add(path)
        return self.modules[path]


def mended(found: Diagnostic) -> bool:
    """Whether what was parsed is what the author meant, so that checking it makes sense."""
    safe = found.fix is not None and found.fix.applicability == "safe"
    return found.severity == "warning" or safe


def load_project(paths: Iterable[str], texts: Mapping[str, str] | None = None) -> Project:
    """Reads and parses the specs below the paths, with what they use, and groups them.

    `texts` has what is taken to stand in a file instead of what does.
    """
    found, diagnostics = find_specs(paths)
    loader = Loader(texts)
    loaded = {path: loader.load(path) for path in found}
    entries = entries_of({path: (each.environment, each.paths) for path, each in loaded.items()})
    units = tuple(unit for path in entries if (unit := loaded[path].unit) is not None)
    names = [
        (unit.entry, environment.name.text, environment.name.span)
        for unit in units
        if (environment := loaded[unit.entry].environment)
    ]
    texts = {path: source.text for path, source in loader.sources.items()}
    found_in = [each for diagnostics in loader.diagnostics.values() for each in diagnostics]
    return Project(units, (*diagnostics, *found_in, *twins(names)), texts)


def entries_of(loaded: Mapping[str, tuple[object | None, Sequence[str]]]) -> list[str]:
    """The specs to check each on its own, in order: those that declare an environment, and those
    that no environment uses. Takes each spec's environment, None for none, and its paths."""
    with_one = [path for path, (environment, _) in loaded.items() if environment is not None]
    used = {path for entry in with_one for path in loaded[entry][1][1:]}
    return sorted({*with_one, *(path for path in loaded if path not in used)})


def environment_of(module: Module | None) -> Environment | None:
    """The environment that a file declares, if it declares one."""
    items = module.items if module else ()
    return next((item for item in items if isinstance(item, Environment)), None)


def declares(unit: Unit) -> bool:
    """Whether a unit is an environment, not only files for others to use."""
    return environment_of(unit.modules[unit.entry]) is not None


def twins(names: Iterable[tuple[str, str, Span]]) -> Iterator[Diagnostic]:
    """Reports environments of one name, given as path, name and the name's place, in order."""
    first: dict[str, str] = {}
    for path, name, span in names:
        if name in first:
            yield finding("TC0407", path, span, name=name, other=first[name])
        first.setdefault(name, path)


# ---------------------------------------------------------------- checking


def check_project(project: Project) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with the specs, in order of file and place; no data is read."""
    diagnostics = list(project.diagnostics)
    for unit in project.units:
        diagnostics.extend(check_unit(unit).diagnostics)
    return in_order(diagnostics)


def check_unit(unit: Unit) -> Checked:
    """Checks what belongs together. A file with nothing but types, constants and functions needs
    no environment: it is there to be used."""
    from toolc.analysis.check import check

    checked = check(unit.modules)
    if not all(isinstance(item, _SHARED) for item in unit.modules[unit.entry].items):
        return checked
    found = tuple(each for each in checked.diagnostics if each.code != _NO_ENVIRONMENT)
    return checked._replace(diagnostics=found)


_SHARED = (Alias, Const, Enum, Function, Record, Union, Use)
_NO_ENVIRONMENT = "TC0225"


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each finding once, in order of file and place."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda found: (found.path, found.span, found.code)))
