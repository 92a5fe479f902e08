"""What a build folder already holds, so that a spec that has not changed is not compiled again.

Beside the manifest stands a record of every spec: the digests of all that its compilation read,
and what came of it. A spec is passed over where each of those files has its digest, the options
and the compiler are the same, the manifest says what it said, and the environment's folder holds
the artifacts with their digests and nothing else. Digests are of content, never of times, so the
same input gives the same bytes; and a record that is damaged or made up leads to a compilation, or
to nothing that its digests do not bear out.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import toolc_runtime
from toolc.compiler import Compiled, DataFile, Inputs, Options, read_data
from toolc.diagnostics.diagnostic import Diagnostic, Edit, Fix, Note
from toolc.files import DataError, decode, read_bytes
from toolc.node import Span
from toolc.output import CACHE, read_manifest, sha256
from toolc.project import MAX_SPEC_BYTES, failed

MAX_CACHE = 256 * 1024 * 1024
"""Largest file of records that is read, in bytes."""


@cache
def compiler_digest() -> str:
    """A digest of all that compiling rests on beside its inputs: this package, the runtime, the
    grammar's tables, and Python."""
    from toolc.syntax.tables import resource

    digest = hashlib.sha256(f"{sys.version}\n{resource('tables.json')}".encode())
    for package in (os.path.dirname(__file__), os.path.dirname(toolc_runtime.__file__)):
        for folder, folders, files in os.walk(package):
            folders.sort()
            for name in sorted(each for each in files if each.endswith(".py")):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
                digest.update(f"{os.path.relpath(path, package)} {content}\n".encode())
    return digest.hexdigest()


class Previous:
    """What a build folder holds of earlier compilations."""

    def __init__(self, root: str, options: Options) -> None:
        self.root = root
        self.options = options
        manifest = read_manifest(root)
        self.entries: dict[str, Any] = {} if manifest is None else manifest["environments"]
        self.records = _read_records(root)
        self._read: dict[str, bytes] = {}

    def find(self, path: str) -> Compiled | None:
        """The spec at that path as it was compiled, where compiling it would give the same."""
        value = self.records.get(path)
        try:
            return None if value is None else self._found(path, value)
        except (ValueError, TypeError, AttributeError, LookupError, DataError, OSError):
            return None  # the record is damaged, or a file is gone

    def _found(self, path: str, value: Mapping[str, Any]) -> Compiled | None:
        record = _decoded(path, value)
        sources, data, _ = record.inputs
        same = (
            value["options"] == list(self.options)
            and next(iter(sources)) == path
            and all(sha256(self._content(each)) == digest for each, digest in sources.items())
            and all(sha256(read_data(each.folder, each.name)) == each.digest for each in data)
        )
        if not same:
            return None
        if record.environment is not None:
            name = record.environment[0]
            entry = self.entries[name]
            if value["entry"] != _digest(entry) or not name.isidentifier():
                return None
            if not holds(os.path.join(self.root, name), entry["artifacts"]):
                return None
            record = record._replace(entry=entry)
        return record._replace(texts=self._texts(record))

    def _content(self, path: str) -> bytes:
        if path not in self._read:
            self._read[path] = read_bytes(path, MAX_SPEC_BYTES)
        return self._read[path]

    def _texts(self, record: Compiled) -> dict[str, str]:
        data = {os.path.join(each.folder, each.name): each for each in record.inputs.data}
        texts = {}
        for path in {found.path for found in record.diagnostics}:
            content = read_data(*data[path][:2]) if path in data else self._content(path)
            texts[path] = decode(path, content)
        return texts


def records(
    root: str, options: Options, compiled: Sequence[Compiled]
) -> Callable[[Mapping[str, Any]], bytes]:
    """Gives the bytes of the records for a manifest's environments: of what was compiled without
    an error, and of what else the build was made from before."""

    def made(entries: Mapping[str, Any]) -> bytes:
        held = {_digest(entry) for entry in entries.values()}
        specs = {
            path: value
            for path, value in _read_records(root).items()
            if isinstance(value, dict) and value.get("entry") in held
        }
        for each in compiled:
            if not failed(each.diagnostics):
                specs[each.path] = _encoded(each, options)
        value = {"compiler": compiler_digest(), "specs": dict(sorted(specs.items()))}
        return (json.dumps(value, separators=(",", ":")) + "\n").encode()

    return made


def _read_records(root: str) -> dict[str, Any]:
    try:
        value = json.loads(read_bytes(os.path.join(root, CACHE), MAX_CACHE))
        specs = value["specs"] if value["compiler"] == compiler_digest() else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}
    return specs if isinstance(specs, dict) else {}


def _digest(entry: Any) -> str:
    return sha256(json.dumps(entry, sort_keys=True).encode())


def holds(folder: str, artifacts: Mapping[str, str]) -> bool:
    """Whether a folder holds these files, by digest, and no others."""
    found = dict(_files(folder, ""))
    return found.keys() == artifacts.keys() and all(
        _file_digest(path) == artifacts[name] for name, path in found.items()
    )


def _files(folder: str, prefix: str) -> Iterator[tuple[str, str]]:
    """The files of a folder by their names within it; what Python caches is left out."""
    if os.path.islink(folder):
        raise OSError("a link")
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _files(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield f"{prefix}{entry.name}", entry.path
            else:
                raise OSError("neither a folder nor a plain file")


def _file_digest(path: str) -> str:
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---------------------------------------------------------------- records as JSON


def _encoded(compiled: Compiled, options: Options) -> dict[str, Any]:
    return {
        "options": options,
        "sources": compiled.inputs.sources,
        "data": compiled.inputs.data,
        "others": dict(compiled.inputs.others),
        "environment": compiled.environment,
        "entry": compiled.entry and _digest(compiled.entry),
        "diagnostics": compiled.diagnostics,
    }


def _decoded(path: str, value: Mapping[str, Any]) -> Compiled:
    """Raises an error of values, types or look-ups where a record is none."""
    sources = {_text(name): _text(digest) for name, digest in value["sources"].items()}
    data = tuple(DataFile(*map(_text, each)) for each in _list(value["data"]))
    environment = None
    if value["environment"] is not None:
        name, span = value["environment"]
        environment = (_text(name), _span(span))
    diagnostics = tuple(map(_diagnostic, _list(value["diagnostics"])))
    known = {*sources, *(os.path.join(each.folder, each.name) for each in data)}
    if any(found.path not in known for found in diagnostics):
        raise ValueError("a finding in another file")
    others = {_text(name): _text(place) for name, place in value["others"].items()}
    return Compiled(path, Inputs(sources, data, others), environment, diagnostics, {})


class _Fields(NamedTuple):
    """A diagnostic as JSON has it."""

    code: Any
    severity: Any
    message: Any
    path: Any
    span: Any
    help: Any
    notes: Any
    fix: Any


def _diagnostic(value: Any) -> Diagnostic:
    found = _Fields(*_list(value))
    if found.severity != "warning":
        raise ValueError("what compiles has no errors")
    return Diagnostic(
        _text(found.code),
        "warning",
        _text(found.message),
        _text(found.path),
        _span(found.span),
        tuple(map(_text, _list(found.help))),
        tuple(Note(_span(span), _text(message)) for span, message in _list(found.notes)),
        None if found.fix is None else _fix(*found.fix),
    )


def _fix(title: Any, edits: Any, applicability: Any) -> Fix:
    if applicability not in ("safe", "unsafe"):
        raise ValueError("a fix is safe or unsafe")
    made = tuple(Edit(_span(span), _text(text)) for span, text in _list(edits))
    return Fix(_text(title), made, applicability)


def _span(value: Any) -> Span:
    start, end = value
    if type(start) is not int or type(end) is not int or not 0 <= start <= end < 2**40:
        raise ValueError("no span")
    return Span(start, end)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value
