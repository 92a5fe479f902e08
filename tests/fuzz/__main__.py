"""`python -m tests.fuzz --cases N --seed S`: fuzzes the compiler in this process, alone.

A case follows from the seed and its number. What fails is written to `--keep`, and the exit status
is 1; memory is bounded, and a case that takes too long is a defect that ends it.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import NoReturn

from tests.fuzz.mutate import mutant, mutated
from tests.fuzz.oracle import DATA, examine, reveal_faults
from tests.fuzz.sentences import module
from tests.programs import Program

MEMORY = 2 << 30
"""Bytes of address space of the process."""
PATIENCE = 20
"""Seconds of one case."""
SCENARIO = """
scenario one "A task." { user "Run it." plan {
  step "Run." let found = run(key: "a", n: 1, xs: [3, 1, 2]) } answer found }
"""


def case(seed: int, number: int) -> tuple[str, str, Random]:
    """The kind and the text of a case, and the draws that it goes on with."""
    random = Random(f"{seed}:{number}")
    kind = number % 20
    if kind < 4:
        text = module(random)
        return ("sentence", text if kind else mutated(random, text), random)
    if kind == 4:
        text = Program(random).text + SCENARIO
        return ("program", mutated(random, text) if random.random() < 0.8 else text, random)
    return ("mutant", mutant(random), random)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--build", type=int, default=4, help="build one in so many clean cases")
    parser.add_argument("--keep", type=Path, help="a folder for the texts that fail")
    parser.add_argument("--show", action="store_true", help="print the first case, and end")
    args = parser.parse_args()
    if args.show:
        print(case(args.seed, args.first)[1])
        return 0
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    reveal_faults()
    reached: Counter[tuple[str, str]] = Counter()
    defects = 0
    slowest = (0.0, 0)
    for number in range(args.first, args.first + args.cases):
        kind, text, random = case(args.seed, number)
        signal.alarm(PATIENCE)
        faulthandler.dump_traceback_later(3 * PATIENCE, exit=True)
        started = time.perf_counter()
        try:
            reached[kind, examine(text, DATA, random, random.randrange(args.build) == 0)] += 1
        except Exception:
            defects += 1
            print(f"case {number} of seed {args.seed} ({kind}):\n{traceback.format_exc(-8)}")
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                kept = args.keep / f"{args.seed}-{number}.toolc"
                kept.write_bytes(text.encode("utf-8", "surrogatepass"))
        finally:
            signal.alarm(0)
        if (number + 1 - args.first) % 10_000 == 0:
            print(f"… {number + 1 - args.first:,} cases, {defects} defects", flush=True)
        slowest = max(slowest, (time.perf_counter() - started, number))
    faulthandler.cancel_dump_traceback_later()
    for (kind, outcome), count in sorted(reached.items()):
        print(f"{count:>8,} {kind}: {outcome}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    used = sum(os.times()[:2])
    print(
        f"{args.cases:,} cases, {defects} defects, {used:.0f} s of processor, {peak} MiB; "
        f"slowest: case {slowest[1]}, {slowest[0]:.2f} s"
    )
    return 1 if defects else 0


def _too_long(*_: object) -> NoReturn:
    raise TimeoutError(f"a case took more than {PATIENCE} seconds")


if __name__ == "__main__":
    sys.exit(main())
