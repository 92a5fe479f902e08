"""What supervised training goes through, in order: tokens, and which of them are learnt."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from toolc.train.config import Sft
from toolc.train.generation import readable
from toolc.train.renaming import Renamer
from toolc.train.rows import Row
from toolc.train.splits import balanced

Example = dict[str, list[int]]
Encode = Callable[[Row], tuple[list[int], list[int]]]
"""From a row its tokens, and 1 for each that the model is to say."""

IGNORED = -100
"""The label of a token that is not learnt."""

_WINDOW = 8
"""Batches among which rows are sorted by length, so that little is padded."""

Some = TypeVar("Some")


def encoder(tokenizer: Any, shown: Mapping[str, Any]) -> Encode:
    """The tokens of conversations; `shown` is what the chat template is told beside them."""

    def encode(row: Row) -> tuple[list[int], list[int]]:
        made = tokenizer.apply_chat_template(
            list(map(readable, row["messages"])),
            tools=json.loads(row["tools"]) or None,
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
            **shown,
        )
        return list(made["input_ids"]), list(made["assistant_masks"])

    return encode


def examples(
    rows: Sequence[Row],
    encode: Encode,
    options: Sft,
    seed: int,
    texts: Mapping[str, Sequence[str]],
) -> Iterator[Example]:
    """As many examples as the steps take, in the order in which they are learnt.

    Rows come round again and again, each time balanced anew over kinds and numbers of steps.
    `texts` are names by environment for those to be exchanged.
    """
    chance = random.Random(f"{seed}:examples")
    renamer = Renamer(rows, texts) if options.renamed else None
    window = options.batch * _WINDOW
    wanted = options.batch * options.steps
    forever = _rounds(rows, chance)
    while wanted > 0:
        encoded = []
        for _ in range(min(window, wanted)):
            row = next(forever)
            if renamer and chance.random() < options.renamed:
                row = renamer.rename(row, chance)
            encoded.append(encode(row))
        encoded.sort(key=lambda each: len(each[0]))
        batches = [encoded[at : at + options.batch] for at in range(0, len(encoded), options.batch)]
        chance.shuffle(batches)
        for batch in batches:
            for ids, said in batch:
                yield {"input_ids": ids, "labels": _labels(ids, said, options, chance)}
        wanted -= window


def _rounds(rows: Sequence[Row], chance: random.Random) -> Iterator[Row]:
    while True:
        yield from balanced(rows, lambda row: (row["kind"], row["steps"]), chance)


def _labels(
    ids: Sequence[int], said: Sequence[int], options: Sft, chance: random.Random
) -> list[int]:
    share = options.context_share
    return [
        id if mine or (share and chance.random() < share) else IGNORED
        for id, mine in zip(ids, said, strict=True)
    ]


def schedule(rows: Sequence[Row], wanted: int, curriculum: str, seed: int) -> list[Row]:
    """The rows that reinforcement learning goes through, in order: round after round, each
    balanced; under the curriculum `difficulty` the first half of the run draws from a growing
    share of the rows, the easiest first."""
    chance = random.Random(f"{seed}:schedule")
    if curriculum == "none":
        forever = _rounds(rows, chance)
        return [next(forever) for _ in range(wanted)]
    by_difficulty = sorted(rows, key=lambda row: (row["steps"], row["depth"], row["offered"]))
    made = []
    for at in range(wanted):
        share = min(1.0, 0.25 + 1.5 * at / wanted)
        made.append(chance.choice(by_difficulty[: max(1, round(share * len(rows)))]))
    return made


def renamed(rows: Sequence[Row], renamer: Renamer, share: float, seed: int) -> list[Row]:
    """Messages to be judged, so many of them after a prompt with other names."""
    chance = random.Random(f"{seed}:renamed")
    return [
        renamer.item(row, row["reference"], chance) if chance.random() < share else row
        for row in rows
    ]
