"""Folders of models that are there whole or not at all.

A trainer writes its checkpoints file by file; one counts only once a mark was put into it, after
the last. Models that end a stage are written beside their place and moved there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable

from toolc.output import sync, write_file

MARK = "complete"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def mark(folder: str, step: int) -> None:
    """Notes that a trainer has written its checkpoint of a step to the end; the disk has it."""
    place = os.path.join(folder, f"checkpoint-{step}")
    sync(place)
    write_file(os.path.join(place, MARK), b"")


def latest(folder: str) -> tuple[str, int] | None:
    """The last whole checkpoint of a stage and its step."""
    whole = [step for step, path in _checkpoints(folder).items() if _whole(path)]
    return (_checkpoints(folder)[max(whole)], max(whole)) if whole else None


def prune(folder: str) -> None:
    """Removes the checkpoints of a stage that are not whole."""
    for path in _checkpoints(folder).values():
        if not _whole(path):
            shutil.rmtree(path)


def _checkpoints(folder: str) -> dict[int, str]:
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    found = [(_CHECKPOINT.fullmatch(name), name) for name in names]
    return {int(match[1]): os.path.join(folder, name) for match, name in found if match}


def _whole(path: str) -> bool:
    return os.path.exists(os.path.join(path, MARK))


def put(folder: str, save: Callable[[str], object]) -> None:
    """Fills a folder with what `save` writes into the folder that it is given."""
    fresh = f"{folder}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh)
    try:
        save(fresh)
        sync(fresh)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
