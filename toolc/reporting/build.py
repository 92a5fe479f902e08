"""A build read as text, for comparing it: nothing of it runs, and nothing outside it is read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from toolc.files import inside, read_bytes, why
from toolc.output import MANIFEST, read_manifest, sha256
from toolc_runtime.errors import Malformed
from toolc_runtime.values import parse, quote

MAX_FILE = 512 * 2**20
"""Bytes of the largest artifact that is read."""

_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_ARTIFACT = re.compile(r"(?:others/[A-Za-z0-9_]+/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")


class UnreadableBuild(Exception):
    """A build that cannot be read; the message says why."""


class Texts(NamedTuple):
    """An environment's part of a build: its entry in the manifest, and where its files are."""

    folder: str
    facts: Mapping[str, Any]
    hashes: Mapping[str, str]

    def text(self, name: str) -> str:
        """An artifact's text, "" where there is no such artifact. Raises `UnreadableBuild`."""
        if name not in self.hashes:
            return ""
        place = os.path.join(self.folder, name)
        try:
            if not inside(place, os.path.realpath(self.folder)):
                raise UnreadableBuild(f"`{place}` leads out of the build")
            content = read_bytes(place, MAX_FILE)
        except OSError as error:
            raise UnreadableBuild(f"cannot read `{place}`: {why(error)}") from None
        if sha256(content) != self.hashes[name]:
            raise UnreadableBuild(
                f"`{place}` is not what the compiler wrote: edit the spec and compile it again"
            )
        return content.decode("utf-8", "replace")

    def json(self, name: str) -> Any:
        """An artifact's value, null where there is no such artifact. Raises `UnreadableBuild`."""
        return self._parsed(name, self.text(name)) if name in self.hashes else None

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The tasks by id. Raises `UnreadableBuild`."""
        made: dict[str, dict[str, Any]] = {}
        for number, line in enumerate(self.text("scenarios.jsonl").splitlines(), 1):
            task = self._parsed(f"scenarios.jsonl:{number}", line)
            if not isinstance(task, dict) or not isinstance(task.get("id"), str):
                raise UnreadableBuild(f"`{self.folder}/scenarios.jsonl:{number}` is not a task")
            made[task["id"]] = task
        return made

    def _parsed(self, name: str, text: str) -> Any:
        try:
            return parse(text, MAX_FILE)
        except Malformed as error:
            place = os.path.join(self.folder, name)
            raise UnreadableBuild(f"`{place}` is not JSON: {error}") from None


def read_build(path: str) -> dict[str, Texts]:
    """The environments of a build, or the one whose folder it is. Raises `UnreadableBuild`."""
    if os.path.isfile(os.path.join(path, MANIFEST)):
        return _environments(path)
    above, name = os.path.split(os.path.realpath(path))
    found = _environments(above) if os.path.isfile(os.path.join(above, MANIFEST)) else {}
    if name not in found:
        raise UnreadableBuild(f"`{path}` holds no build; `toolc compile` writes one")
    return {name: found[name]}


def _environments(root: str) -> dict[str, Texts]:
    manifest = read_manifest(root)
    if manifest is None:
        raise UnreadableBuild(f"`{os.path.join(root, MANIFEST)}` is no manifest of a build")
    return {
        name: _texts(root, name, entry) for name, entry in sorted(manifest["environments"].items())
    }


def _texts(root: str, name: str, entry: Any) -> Texts:
    hashes = entry.get("artifacts") if isinstance(entry, dict) else None
    if not _ENVIRONMENT.fullmatch(name):
        raise UnreadableBuild(f"`{root}`: {quote(name)} is not the name of an environment")
    folder = os.path.join(root, name)
    if not isinstance(hashes, dict) or not all(isinstance(each, str) for each in hashes.values()):
        raise UnreadableBuild(f"`{os.path.join(root, MANIFEST)}` does not describe `{name}`")
    wrong = next((file for file in hashes if not _ARTIFACT.fullmatch(file)), None)
    if wrong is not None:
        raise UnreadableBuild(f"`{folder}`: {quote(wrong)} is not the name of an artifact")
    if not inside(folder, os.path.realpath(root)):
        raise UnreadableBuild(f"`{folder}` leads out of the build")
    facts = {fact: entry.get(fact) for fact in ("version", "clock", "seed")}
    return Texts(folder, facts, hashes)
