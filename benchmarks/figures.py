"""Each figure of the README, as a function that measures it and what it is compared with.

| figure | baseline in the same run |
| --- | --- |
| check_startup | the same interpreter's `-c pass` |
| check_500 | Lark parsing the same text with the same grammar |
| compile_1000_cold | Black checking the emitted Python of a tenth of them, times ten |
| compile_1000_warm | `python -m compileall` of the emitted Python, a second time |
| reset_retail | a deep copy of retail's database |
| reset_1m | reset_retail |
| call_overhead | `json.loads`, the emitted function called directly, `json.dumps` |
| call_overhead_small | the same, for a tool whose result is a number |
| retail_call | `json.loads` and `json.dumps` of the same texts alone |
| call_vs_exec | the source executed at every call, in a thread with a time-out |
| verdict | a hash of the whole database, before and after which are compared |
| verdict_full | verdict, of steps and state alone |
| episodes_per_second | the same with a deep copy of the database in place of a reset |
| audit_task | the task's plan, played and judged once |

The environment is warm, as it is after the first episodes of a training run: `call_overhead`,
`call_vs_exec` and `retail_call` meet rows whose JSON text is remembered, `call_overhead_small` does
not. The episodes that `verdict` judges are new, and each is judged once. Times of work inside one
process are without the garbage collector.
"""

from __future__ import annotations

import copy
import gc
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import generate, worlds
from benchmarks.measure import Figure, no_collection, paired, process_seconds, seconds
from toolc_runtime import Environment, load
from toolc_runtime.verify import judge
from toolc_runtime.verify.rewards import Verifier


def check_startup() -> dict[str, Figure]:
    """`toolc check` of one 200-line spec, as a whole process, against a bare interpreter."""
    source = (worlds.ROOT / "specs/geography/geography.toolc").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.toolc"
        spec.write_text(_first_lines(source, 200), encoding="utf-8")
        toolc = str(Path(sys.executable).with_name("toolc"))
        value = process_seconds([toolc, "check", str(spec)])
        bare = process_seconds([sys.executable, "-c", "pass"])
    return {
        "check_startup": Figure(value * 1e3, "ms", "ratio 25 or less", bare * 1e3, value / bare)
    }


def _first_lines(source: str, count: int) -> str:
    """Whole declarations from the start, up to about that many lines."""
    lines = source.splitlines(keepends=True)
    ends = [at for at, line in enumerate(lines, 1) if line.startswith("}") and at <= count]
    return "".join(lines[: ends[-1]])


def check_500() -> dict[str, Figure]:
    """The check of a spec of about 500 lines, in a process that runs already."""
    from toolc.project import check_project, load_project
    from toolc.syntax.tables import lark

    spec = worlds.ROOT / "specs/suites/vehicle/vehicle.toolc"
    text = spec.read_text(encoding="utf-8")
    parser = lark()
    whole, parse = paired(
        lambda: check_project(load_project([str(spec)])), lambda: parser.parse(text, "start")
    )
    return {"check_500": Figure(whole * 1e3, "ms", "150 ms", parse * 1e3, parse / whole)}


def compile_1000() -> dict[str, Figure]:
    """`toolc compile` of 1,000 environments of about 100 lines, as a whole process: into no
    folder, and with nothing changed."""
    with tempfile.TemporaryDirectory() as folder:
        specs, out = Path(folder) / "specs", Path(folder) / "out"
        generate.write(specs, 1000)
        toolc = str(Path(sys.executable).with_name("toolc"))
        command = [toolc, "compile", str(specs), "--output", str(out), "--quiet"]
        cold = process_seconds(command, rounds=1)
        warm = process_seconds(command, rounds=5)
        tenth = Path(folder) / "tenth"
        for environment in sorted(out.iterdir())[::10]:
            if environment.is_dir():
                shutil.copytree(environment, tenth / environment.name)
        black = [sys.executable, "-m", "black", "--check", "--quiet", str(tenth)]
        formatted = process_seconds(black, rounds=1) * 10
        compileall = [sys.executable, "-m", "compileall", "-q", str(out)]
        current = process_seconds(compileall, rounds=4)
    return {
        "compile_1000_cold": Figure(cold, "s", "60 s on two cores", formatted, formatted / cold),
        "compile_1000_warm": Figure(warm, "s", "2 s", current, current / warm),
    }


def reset() -> dict[str, Figure]:
    """A new episode: over retail's tables, and over a table of a million rows."""
    retail = worlds.retail()
    million = _million_rows()
    database = worlds.recorded_state()
    copied = seconds(lambda: copy.deepcopy(database), budget=1.0, samples=5)
    small, large = paired(retail.episode, million.episode)
    return {
        "reset_retail": Figure(
            small * 1e6, "µs", "3 µs; ratio 5,000 or more", copied * 1e6, copied / small
        ),
        "reset_1m": Figure(large * 1e6, "µs", "3 µs; ratio 2 or less", small * 1e6, large / small),
    }


def _million_rows() -> Environment:
    rows = {
        f"city {number}": {
            "name": f"city {number}",
            "country": "Japan",
            "population": number + 1,
            "latitude": 0.0,
            "longitude": 0.0,
        }
        for number in range(1_000_000)
    }
    return load(worlds.ROOT / "build/geography", {"cities": rows})


def calls() -> dict[str, Figure]:
    """The full call path: JSON text in, checked, executed, traced, JSON text out."""
    environment = worlds.retail()
    recorded = worlds.retail_episodes()
    function = environment.tools["get_order_details"].function
    arguments = json.dumps({"order_id": next(iter(worlds.recorded_state()["orders"]))})
    episode = environment.episode()

    def full() -> None:
        episode._trace.clear()
        episode.call("get_order_details", arguments)

    def direct() -> None:
        json.dumps(function(episode.state, **json.loads(arguments)))

    whole, parts = paired(full, direct)

    def all_recorded() -> None:
        for sequence in recorded:
            made = environment.episode()
            for name, text in sequence:
                made.call(name, text)

    texts = [
        (text, json.loads(environment_text))
        for sequence in recorded
        for text, environment_text in played(environment, sequence)
    ]

    def json_alone() -> None:
        for text, result in texts:
            json.loads(text)
            json.dumps(result)

    count = sum(map(len, recorded))
    each = seconds(all_recorded, budget=2.0, samples=5) / count
    bare = seconds(json_alone, budget=1.0, samples=5) / count
    return {
        "call_overhead": Figure(whole * 1e6, "µs", "ratio 2 or less", parts * 1e6, whole / parts),
        "call_overhead_small": _small_call(),
        "retail_call": Figure(each * 1e6, "µs", "20 µs", bare * 1e6, each / bare),
        **_against_exec(environment, full, arguments),
    }


def _small_call() -> Figure:
    """The same for a number as result, which nothing remembers the text of."""
    environment = load(worlds.ROOT / "build/geography")
    function = environment.tools["get_population"].function
    arguments = json.dumps({"place": "Japan", "unit": "millions"})
    episode = environment.episode()

    def full() -> None:
        episode._trace.clear()
        episode.call("get_population", arguments)

    def direct() -> None:
        json.dumps(function(episode.state, **json.loads(arguments)))

    whole, parts = paired(full, direct)
    return Figure(whole * 1e6, "µs", "ratio 2 or less", parts * 1e6, whole / parts)


def played(environment: Environment, sequence: worlds.Calls) -> list[tuple[str, str]]:
    """The JSON texts that go into each call of an episode, and those that come out."""
    episode = environment.episode()
    return [(arguments, episode.call(name, arguments)) for name, arguments in sequence]


def _against_exec(
    environment: Environment, full: Callable[[], None], arguments: str
) -> dict[str, Figure]:
    """As the published method runs a tool: its source executed at every call, in a thread with a
    time-out. The source is a plain function with the row that it looks up in a literal."""
    row = environment.episode().call("get_order_details", arguments)
    source = (
        "import json\n\n"
        f"ORDERS = {{{json.loads(arguments)['order_id']!r}: json.loads({row!r})}}\n\n"
        "def get_order_details(order_id):\n"
        "    if order_id in ORDERS:\n"
        "        return json.dumps(ORDERS[order_id])\n"
        "    return 'Error: order not found'\n"
    )

    def executed() -> None:
        found: list[Any] = []

        def run() -> None:
            names: dict[str, Any] = {}
            exec(source, names)  # the peer's way, on our own text
            found.append(names["get_order_details"](**json.loads(arguments)))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(timeout=10)
        assert found

    ours, theirs = paired(full, executed)
    return {
        "call_vs_exec": Figure(ours * 1e6, "µs", "ratio 50 or more", theirs * 1e6, theirs / ours)
    }


def verdicts() -> dict[str, Figure]:
    """A verdict on retail's recorded reference episodes, and whole verified episodes."""
    environment = worlds.retail()
    recorded = worlds.retail_episodes()
    tasks = [
        worlds.reference_task(environment, number, sequence)
        for number, sequence in enumerate(recorded)
    ]

    def finished() -> list[Any]:
        made = []
        for task, sequence in zip(tasks, recorded, strict=True):
            episode = environment.episode(task)
            for name, text in sequence:
                episode.call(name, text)
            episode.finish("Answer: 2024")
            made.append(episode)
        return made

    def judge_once(verifier: Verifier = worlds.verifier) -> float:
        """Seconds a verdict, over episodes that nothing has judged before: matching remembers
        objects by identity, so that judging one episode again would cost next to nothing."""
        episodes = finished()
        with no_collection():
            began = time.process_time()
            for episode, task in zip(episodes, tasks, strict=True):
                judge(verifier, episode, task)
            return (time.process_time() - began) / len(tasks)

    for episode, task in zip(finished(), tasks, strict=True):
        for verifier in (worlds.verifier, worlds.full_verifier):
            assert judge(verifier, episode, task).reward == 1.0

    database = worlds.recorded_state()

    def hashed() -> None:
        hashlib.sha256(json.dumps(database, sort_keys=True).encode()).hexdigest()

    def all_played() -> None:
        for task, sequence in zip(tasks, recorded, strict=True):
            episode = environment.episode(task)
            for name, text in sequence:
                episode.call(name, text)
            judge(worlds.verifier, episode, task)

    verdict = statistics.median(judge_once() for _ in range(25))
    full = statistics.median(judge_once(worlds.full_verifier) for _ in range(25))
    whole = seconds(all_played, budget=3.0, samples=5) / len(tasks)
    hash_of_all = seconds(hashed, budget=1.0, samples=5)
    copied = seconds(lambda: copy.deepcopy(database), budget=1.0, samples=5)
    with_copy = 1 / (whole + copied)
    return {
        "verdict": Figure(verdict * 1e6, "µs", "40 µs", hash_of_all * 1e6, hash_of_all / verdict),
        "verdict_full": Figure(full * 1e6, "µs", "80 µs", verdict * 1e6, verdict / full),
        "episodes_per_second": Figure(1 / whole, "1/s", "4,000", with_copy, 1 / whole / with_copy),
    }


def audits() -> dict[str, Figure]:
    """`toolc audit`: all gates of a task, the mean over a tenth of the tasks of specs/."""
    from toolc.audit import audit_task
    from toolc.audit.subject import Shared, Subject
    from toolc.scenarios.player import replay

    audited = played = 0.0
    tasks = 0
    for folder in sorted((worlds.ROOT / "build").glob("*/scenarios.jsonl")):
        environment = load(folder.parent)
        shared = Shared(environment)
        for task in list(environment.tasks.values())[::10]:
            replay(environment.episode(task), task)
            began = time.process_time()
            replay(environment.episode(task), task)
            between = time.process_time()
            audit_task(Subject(shared, task))
            audited += time.process_time() - between
            played += between - began
            tasks += 1
    value, once = audited / tasks, played / tasks
    return {"audit_task": Figure(value * 1e3, "ms", "100 ms", once * 1e3, once / value)}


def memory() -> dict[str, Figure]:
    """Bytes that a live episode holds over a table of about 100 MB: fresh, and after six calls."""
    environment = _million_rows()
    names = [json.dumps({"place": f"city {number}"}) for number in range(6)]
    environment.episode().call("get_population", names[0])

    def live(prepare: Callable[[Any], None]) -> float:
        kept: list[Any] = []
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            episode = environment.episode()
            prepare(episode)
            kept.append(episode)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return (after - before) / len(kept)

    def six_calls(episode: Any) -> None:
        for arguments in names:
            episode.call("get_population", arguments)

    fresh = statistics.median(live(lambda episode: None) for _ in range(3))
    used = statistics.median(live(six_calls) for _ in range(3))
    return {
        "episode_bytes": Figure(fresh, "bytes", "1,024 bytes"),
        "episode_bytes_after_six_calls": Figure(used, "bytes", "5,120 bytes"),
    }


FIGURES: tuple[Callable[[], dict[str, Figure]], ...] = (
    check_startup,
    check_500,
    compile_1000,
    reset,
    calls,
    verdicts,
    audits,
    memory,
)
