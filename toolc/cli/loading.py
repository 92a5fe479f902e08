"""Loads compiled environments and JSON files for commands, with clear messages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import UsageError

if TYPE_CHECKING:
    from toolc_runtime.environment import Environment


def load_environment(path: str, data: dict[str, Any] | None = None) -> Environment:
    """The environment of a build folder; UsageError where there is none that can be loaded."""
    import toolc_runtime
    from toolc_runtime.errors import BuildError

    try:
        return toolc_runtime.load(path, data=data)
    except BuildError as error:
        raise UsageError(f"cannot load `{path}`: {error}") from None


def read_json(path: str) -> Any:
    """The value of a JSON file, or for `-` of standard input, read strictly; UsageError where it is
    not one."""
    from toolc.data import parse_json
    from toolc.files import DataError, decode, why

    try:
        return parse_json(decode(path, _content(path)))
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {why(error)}") from None
    except DataError as error:
        line = error.text.count("\n", 0, error.span.start) + 1
        reason = error.values["reason"]
        raise UsageError(f"cannot read `{path}`, line {line}: {reason}") from None


def _content(path: str) -> bytes:
    from toolc.files import read_bytes

    if path != "-":
        return read_bytes(path, MAX_JSON)
    content = sys.stdin.buffer.read(MAX_JSON + 1)
    if len(content) > MAX_JSON:
        raise OSError(0, f"it is larger than {MAX_JSON // 2**20} MiB")
    return content


MAX_JSON = 256 * 1024 * 1024
"""Largest JSON file that is read, in bytes."""
