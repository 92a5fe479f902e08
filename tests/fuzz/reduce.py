"""`python -m tests.fuzz.reduce FILE`: the smallest text that fails in the same way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz.mutate import TOKEN
from tests.fuzz.oracle import DATA, examine, reveal_faults


def failure(text: str) -> str:
    """What kind of exception a text raises, and where; "" where it raises none."""
    for draws in range(3):
        try:
            examine(text, DATA, Random(draws), True)
        except Exception as error:
            place = error.__traceback__
            while place and place.tb_next:
                place = place.tb_next
            where = place.tb_frame.f_code.co_filename if place else ""
            return f"{type(error).__name__} {where} {str(error)[:20]}"
    return ""


def reduced(text: str, fails: Callable[[str], bool]) -> str:
    """The text without what it fails without, a run of tokens at a time."""
    tokens = TOKEN.findall(text)
    size = len(tokens) // 2
    while size:
        start = 0
        while start < len(tokens):
            shorter = tokens[:start] + tokens[start + size :]
            if fails("".join(shorter)):
                tokens = shorter
            else:
                start += size
        size //= 2
    return "".join(tokens)


def main() -> int:
    reveal_faults()
    text = Path(sys.argv[1]).read_bytes().decode("utf-8", "surrogatepass")
    kind = failure(text)
    if not kind:
        print("it does not fail", file=sys.stderr)
        return 1
    print(f"# {kind}", file=sys.stderr)
    print(reduced(text, lambda shorter: failure(shorter) == kind))
    return 0


if __name__ == "__main__":
    sys.exit(main())
