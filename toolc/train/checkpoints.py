"""Folders of models that are there whole or not at all.

A trainer writes its checkpoints file by file; one counts only once a mark was put into it, after
the last. Models that end a stage are written beside their place and moved there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable

from toolc.output import write_file

MARK = "complete"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def mark(folder: str, step: int) -> None:
    """Notes that a trainer has written its checkpoint of a step to the end."""
    write_file(os.path.join(folder, f"checkpoint-{step}", MARK), b"")


def latest(folder: str) -> tuple[str, int] | None:
    """The last whole checkpoint of a stage and its step; those that are not whole are removed."""
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        numbered = _CHECKPOINT.fullmatch(name)
        if not numbered:
            continue
        path = os.path.join(folder, name)
        if os.path.exists(os.path.join(path, MARK)):
            found[int(numbered[1])] = path
        else:
            shutil.rmtree(path)
    return (found[max(found)], max(found)) if found else None


def put(folder: str, save: Callable[[str], object]) -> None:
    """Fills a folder with what `save` writes into the folder that it is given."""
    fresh = f"{folder}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh)
    try:
        save(fresh)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
