"""A run as a page: its figures, what they are made of, and every episode.

The page holds a row for each episode, and the bodies of as many as its size allows: those that did
not succeed first. A body is JSON in a script element of its own, read when it is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from toolc.eval.resample import Estimate
from toolc.pages import Data, asset, document, embedded
from toolc.reporting.bodies import body
from toolc.reporting.figures import (
    FIGURES,
    GROUPINGS,
    MOST_CALLS,
    call_bins,
    failing,
    groups,
    json_of,
    means,
    reward_bins,
    scored_tasks,
)
from toolc.reporting.run import Episode, Run

MAX_ROWS = 50_000
"""Episodes that are listed."""
MAX_BODIES = 64 * 2**20
"""Characters of all bodies together."""
MAX_BODY = 2**20
"""Characters of one body."""
MAX_GROUPS = 40
"""Groups of a plot."""
MAX_CHECKS = 20
"""Checks of the plot of those that fail."""
MAX_NAMES = 20
"""Checks, and tools, that are listed of one episode."""
MAX_NAME = 300
"""Characters of an id or a name in lists."""


class Page(NamedTuple):
    """The HTML, and how many episodes are not listed, or listed without their bodies."""

    html: str
    unlisted: int
    without_body: int


def page(run: Run, most: int = MAX_BODIES) -> Page:
    """The page of a run, with bodies of at most so many characters. Raises `RunError`."""
    listed = run.episodes[:MAX_ROWS]
    bodies = _bodies(run, listed, most)
    ids, names = _Ids(), _Names()
    rows = [_row(ids(each.id), each, names) for each in listed]
    unlisted = len(run.episodes) - len(listed)
    missing = len(listed) - len(bodies)
    head = {
        **_about(run),
        **_plots(run),
        "rows": rows,
        "names": names.known,
        "unlisted": unlisted,
        "missing": missing,
    }
    data = [Data("run", embedded(head)), *bodies]
    title = f"{run.head.policy[:MAX_NAME]}: evaluation"
    html = document(title, asset("report.html"), asset("report.css"), asset("report.js"), data)
    return Page(html, unlisted, missing)


def _bodies(run: Run, listed: Sequence[Episode], most: int) -> list[Data]:
    """The bodies that fit, by the numbers of their rows: first of episodes without success."""
    order = sorted(range(len(listed)), key=lambda number: listed[number].success)
    made: list[Data] = []
    for number, record in zip(order, run.bodies(listed[each] for each in order), strict=True):
        text = body(record, min(MAX_BODY, most), embedded)
        if text is not None:
            most -= len(text)
            made.append(Data(f"e{number}", text))
        if most <= 0:
            break
    return made


# ---------------------------------------------------------------- rows


class _Ids:
    """Ids of rows: such as became the same when they were cut are told apart."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, id: str) -> str:
        name = _cut(id)
        self._counts[name] += 1
        return name if self._counts[name] == 1 else f"{name} ({self._counts[name]})"


class _Names:
    """Names that many rows share, by number."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        name = _cut(name)
        number = self._numbers.setdefault(name, len(self.known))
        if number == len(self.known):
            self.known.append(name)
        return number


def _row(id: str, episode: Episode, names: _Names) -> list[Any]:
    """What the list shows and searches of an episode; the page's script knows the order."""
    values = episode.values
    return [
        id,
        names(episode.environment),
        names(episode.kind),
        episode.steps,
        None if values is None else _round(values["reward"]),
        None if values is None else _round(values["solve_f1"]),
        int(episode.success),
        None if values is None else values.get("calls"),
        None if episode.not_scored is None else _cut(episode.not_scored),
        [names(name) for name in episode.failing[:MAX_NAMES]],
        [names(name) for name in episode.tools[:MAX_NAMES]],
        episode.prompt,
        episode.answer,
    ]


def _round(value: float) -> float:
    return round(value, 6)


def _cut(text: str) -> str:
    """A name as an address and a list can hold it: short, and without lone surrogates."""
    short = text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}…"
    return short.encode("utf-8", "replace").decode()


# ---------------------------------------------------------------- the whole


def _about(run: Run) -> dict[str, Any]:
    head, episodes = run.head, run.episodes
    settings = ", ".join(f"{name} {_cut(str(value))}" for name, value in head.settings.items())
    return {
        "policy": _cut(head.policy),
        "about": {
            "settings": settings[: 10 * MAX_NAME],
            "build": _cut(head.build),
            "samples": head.samples,
            "seed": head.seed,
            "toolc": _cut(head.toolc),
        },
        "tasks": len({(each.environment, each.task) for each in episodes}),
        "episodes": len(episodes),
        "not_scored": sum(each.values is None for each in episodes),
        "torn": run.torn,
    }


def _plots(run: Run) -> dict[str, Any]:
    episodes, seed = run.episodes, run.head.seed
    tasks = scored_tasks(episodes)
    checks, left = failing(episodes, MAX_CHECKS)
    return {
        "figures": [
            {"label": FIGURES.get(name, name), "share": name not in AMOUNTS, **_rounded(found)}
            for name, found in means(tasks, seed).items()
        ],
        "groups": [
            {
                "by": by,
                "left": left_out,
                "rows": [{**json_of(each), "name": _cut(each.name)} for each in found],
            }
            for by, (found, left_out) in (
                (by, groups(tasks, by, seed, MAX_GROUPS)) for by in GROUPINGS
            )
        ],
        "rewards": reward_bins(episodes),
        "calls": call_bins(episodes),
        "most_calls": MOST_CALLS,
        "checks": {"left": left, "rows": [[_cut(name), number] for name, number in checks]},
    }


AMOUNTS = frozenset(("calls", "turns", "invalid_calls"))
"""Figures that are no shares of 1."""


def _rounded(found: Estimate) -> dict[str, float | None]:
    return {
        name: None if value is None else _round(value) for name, value in found.to_json().items()
    }
