"""A run in figures: what was accepted in which round, and what was wrong with the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from toolc.emission.loop import Settled


def summarise(
    settled: Sequence[Settled], rounds: int, unusable: int = 0, duplicates: Collection[str] = ()
) -> dict[str, Any]:
    """What `summary.json` holds. `accepted_by_round` and the lists of `by_code` have a number for
    the first pass and for each round of repair: the items accepted until then, and those with such
    a problem in that round."""
    tried = [each for each in settled if each.attempts]
    attempts = list(chain.from_iterable(each.attempts for each in tried))
    codes = Counter((code, each.round) for each in attempts for code in each.codes)
    numbers = range(rounds + 1)
    accepted = [each.attempts[-1].round for each in tried if each.spec is not None]
    by_round = [sum(done <= number for done in accepted) for number in numbers]
    fixed = Counter(chain.from_iterable(each.fixed for each in attempts))
    return {
        "items": len(settled) + unusable,
        "accepted": len(accepted),
        "duplicates": len(duplicates),
        "rejected": sum(each.spec is None and not each.open for each in settled),
        "unanswered": sum(each.open for each in settled),
        "unusable": unusable,
        "accepted_by_round": by_round,
        "accepted_share_by_round": [
            round(done / len(tried), 4) if tried else None for done in by_round
        ],
        "by_code": {
            code: [codes[code, number] for number in numbers]
            for code in sorted({code for code, _ in codes})
        },
        "fixed": dict(sorted(fixed.items())),
        "attempts": len(attempts),
        "prompt_tokens": sum(each.prompt_tokens for each in attempts),
        "completion_tokens": sum(each.completion_tokens for each in attempts),
    }
