"""The prompts, a file each; `{name}` is where something is put in."""

from __future__ import annotations

import re
from importlib.resources import files


def prompt(package: str, name: str, **values: str) -> str:
    """The prompt of a package's file `NAME.md`, with the values in their places. What a value
    holds is not looked at again."""
    text = files(package).joinpath(f"{name}.md").read_text(encoding="utf-8").strip()
    return re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found[1], found[0]), text)
