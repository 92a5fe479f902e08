"""Errors of the machine, whoever reports them: those who write weights have errors of their own."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
_NUMBERED = re.compile(r"\(os error (\d+)\)")
"""As safetensors tells them."""
_UNTOLD = ("PytorchStreamWriter failed", "unexpected pos")
"""What torch says where a file was not written whole, for whatever reason."""


def of_the_disk(error: BaseException) -> str | None:
    """The system's reason where an error, or one that it came from, is that of a disk which is full
    or cannot be written; else None."""
    for each in _chain(error):
        told = _NUMBERED.search(str(each))
        number = each.errno if isinstance(each, OSError) else int(told[1]) if told else None
        if number in _DISK:
            return os.strerror(number).lower()
    if any(text in str(each) for each in _chain(error) for text in _UNTOLD):
        return "the disk did not take a file to its end"
    return None


def of_the_memory(error: BaseException) -> bool:
    """Whether an error is that of an accelerator whose memory is full."""
    import torch

    return any(isinstance(each, torch.OutOfMemoryError) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__
