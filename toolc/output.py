"""Writing files so that whoever reads them sees the old ones or the new ones, whole.

A file is written beside its place and moved there. A build folder likewise: a new folder is
filled beside it and takes its place in one step where the system can exchange two folders, and
else in two, of which an interrupted first one is undone by the next write. Files that stay are
linked into the new folder, not copied.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

MANIFEST = "manifest.json"
CACHE = ".cache.json"
"""What a build was made from, so that it need not be made again: see `incremental.py`."""


class OutputError(Exception):
    """A place where nothing can or may be written; the message says why."""


class Artifacts(NamedTuple):
    """What `build/<name>/` shall hold, and what its entry in the manifest says.

    `sources` maps the name of a file, relative to the spec's folder, to the SHA-256 of its bytes.
    `facts` are the environment's version, clock and seed, and what compiling was told.
    """

    name: str
    files: Mapping[str, bytes]
    sources: Mapping[str, str]
    counts: Mapping[str, Any]
    facts: Mapping[str, Any] = MappingProxyType({})


def sha256(content: bytes) -> str:
    """The hash by which manifests name a file's content."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: str, content: bytes) -> None:
    """Replaces a file in one step; its permissions stay, and a new one has those that `open` would
    give it. Raises OSError."""
    path = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(prefix=".toolc-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            shutil.copymode(path, temporary)
        except FileNotFoundError:
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_build(
    root: str,
    environments: Sequence[Artifacts],
    language: int,
    compiler: str,
    unchanged: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    cache: Callable[[Mapping[str, Any]], bytes] | None = None,
) -> dict[str, Any]:
    """Puts environments into a build folder and returns its manifest.

    Environments that the folder already holds under other names stay, and so does what else is in
    it, such as a run's folder; of those in `unchanged` the manifest must still say the same.
    `cache` gives the bytes of `CACHE` from the manifest's environments. Raises `OutputError`, with
    the folder as it was.
    """
    root = os.path.realpath(root)
    try:
        with replacing(root) as fresh:
            kept = _kept(root, {environment.name for environment in environments})
            for each, entry in unchanged.items():
                if kept.get(each) != entry:
                    raise OutputError(f"`{os.path.join(root, each)}` was changed meanwhile")
            others = _others(root, {environment.name for environment in environments})
            entries = kept | {each.name: entry_of(each) for each in environments}
            manifest = {
                "language": language,
                "compiler": compiler,
                "environments": dict(sorted(entries.items())),
            }
            audits = (read_manifest(root) or {}).get("audits")
            if isinstance(audits, dict):
                manifest["audits"] = {each: audits[each] for each in audits if each in kept}
            notes = {} if cache is None else {CACHE: cache(entries)}
            _fill(fresh, environments, manifest, notes)
            for each in kept:
                _copy(os.path.join(root, each), os.path.join(fresh, each))
            for each in others:
                _carry(os.path.join(root, each), os.path.join(fresh, each))
    except OSError as error:
        place = error.filename or root
        raise OutputError(f"cannot write `{place}`: {error.strerror or error}") from None
    return manifest


@contextlib.contextmanager
def replacing(root: str) -> Iterator[str]:
    """A new folder, which takes the place of `root` at the end, and goes where that is not reached.
    `root` is a real path, and another process that replaces it waits. Raises OSError."""
    parent, name = os.path.split(root)
    os.makedirs(parent, exist_ok=True)
    with _locked(parent):
        _recover(parent, name)
        fresh = os.path.join(parent, f".{name}.new")
        os.mkdir(fresh)
        try:
            yield fresh
            sync(fresh)
            _take_place(fresh, root, os.path.join(parent, f".{name}.old"))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        sync(parent)


def carry_over(root: str, fresh: str, own: Collection[str]) -> None:
    """Takes the files of a folder into the new one that are not its `own`, by their names relative
    to it, nor there already. Raises OSError."""
    for folder, _, names in os.walk(root):
        for name in names:
            place = os.path.join(folder, name)
            relative = os.path.relpath(place, root)
            target = os.path.join(fresh, relative)
            if relative not in own and not os.path.lexists(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                _carry(place, target)


def note_audits(root: str, audits: Mapping[str, Any]) -> None:
    """Writes what audits found of environments into the manifest of a build folder. Raises
    `OutputError`."""
    root = os.path.realpath(root)
    try:
        with _locked(os.path.dirname(root)):
            manifest = read_manifest(root)
            if manifest is None:
                raise OutputError(f"`{root}` holds no build")
            before = manifest.get("audits")
            known = before if isinstance(before, dict) else {}
            manifest["audits"] = dict(sorted({**known, **audits}.items()))
            write_file(os.path.join(root, MANIFEST), _text_of(manifest))
    except OSError as error:
        place = error.filename or root
        raise OutputError(f"cannot write `{place}`: {error.strerror or error}") from None


def _text_of(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def read_manifest(root: str) -> dict[str, Any] | None:
    """The manifest of a build folder; None where there is none that toolc wrote."""
    try:
        with open(os.path.join(root, MANIFEST), encoding="utf-8") as file:
            manifest = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("environments"), dict):
        return None
    return manifest


def artifacts_digest(folder: str) -> str:
    """The digest of an environment's artifacts as its build's manifest lists them; "" without."""
    root, name = os.path.split(os.path.realpath(folder))
    entry = (read_manifest(root) or {}).get("environments", {}).get(name)
    artifacts = entry.get("artifacts") if isinstance(entry, dict) else None
    return "" if artifacts is None else sha256(json.dumps(artifacts, sort_keys=True).encode())


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Waits until no other process holds the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _kept(root: str, replaced: set[str]) -> dict[str, Any]:
    if not os.path.lexists(root):
        return {}
    if not os.path.isdir(root):
        raise OutputError(f"`{root}` is not a folder")
    manifest = read_manifest(root)
    if manifest is None:
        if os.listdir(root):
            raise OutputError(f"`{root}` holds something else than a build: not replaced")
        return {}
    return {
        name: entry
        for name, entry in manifest["environments"].items()
        if name not in replaced and name.isidentifier() and os.path.isdir(os.path.join(root, name))
    }


def _others(root: str, replaced: set[str]) -> list[str]:
    """What a build folder holds that is no part of the build."""
    manifest = read_manifest(root)
    own = {MANIFEST, CACHE, *(manifest["environments"] if manifest else ())}
    others = [name for name in os.listdir(root) if name not in own] if manifest else []
    for name in others:
        if name in replaced:
            place = os.path.join(root, name)
            raise OutputError(f"`{place}` is no environment of the build: not replaced")
    return others


def entry_of(environment: Artifacts) -> dict[str, Any]:
    """What the manifest says of an environment."""
    return {
        **environment.facts,
        "sources": dict(sorted(environment.sources.items())),
        "artifacts": {name: sha256(environment.files[name]) for name in sorted(environment.files)},
        "counts": dict(environment.counts),
    }


def _fill(
    folder: str,
    environments: Sequence[Artifacts],
    manifest: dict[str, Any],
    notes: Mapping[str, bytes],
) -> None:
    for environment in environments:
        for name, content in environment.files.items():
            _write(os.path.join(folder, environment.name, name), content)
    for name, content in {**notes, MANIFEST: _text_of(manifest)}.items():
        _write(os.path.join(folder, name), content)


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(content)


def _copy(source: str, target: str) -> None:
    """Copies a folder, its files as links where the system allows it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, target, ignore=ignored, copy_function=_link)


def _carry(source: str, target: str) -> None:
    """Takes over what is no part of a build; links stay links, wherever they lead."""
    if os.path.isdir(source) and not os.path.islink(source):
        shutil.copytree(source, target, symlinks=True, copy_function=_link)
    elif os.path.islink(source):
        os.symlink(os.readlink(source), target)
    else:
        _link(source, target)


def _link(source: str, target: str) -> None:
    try:
        if os.path.islink(source):
            raise OSError(errno.EPERM, "a link is not linked to")
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def sync(folder: str) -> None:
    """Waits until the disk holds the files of a folder's file system (Linux's `syncfs`; else of
    all)."""
    flush = getattr(_libc(), "syncfs", None)
    handle = os.open(folder, os.O_RDONLY)
    try:
        if flush is None or flush(handle) != 0:
            os.sync()
    finally:
        os.close(handle)


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _recover(parent: str, name: str) -> None:
    """Clears what a killed write left; puts an old build back that nothing has replaced yet."""
    root, old = os.path.join(parent, name), os.path.join(parent, f".{name}.old")
    if os.path.isdir(old) and not os.path.lexists(root):
        os.rename(old, root)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(os.path.join(parent, f".{name}.new"), ignore_errors=True)


def _take_place(fresh: str, root: str, old: str) -> None:
    if not os.path.lexists(root):
        os.rename(fresh, root)
        return
    if _exchange(fresh, root):
        return
    os.rename(root, old)
    try:
        os.rename(fresh, root)
    except BaseException:
        os.rename(old, root)
        raise
    shutil.rmtree(old, ignore_errors=True)


_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def _exchange(first: str, second: str) -> bool:
    """Exchanges two folders in one step (Linux's `renameat2`); False where that is not offered."""
    import ctypes

    rename = getattr(_libc(), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(first), os.fsencode(second)
    if rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), second)
