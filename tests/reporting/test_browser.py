"""The page in a real browser: filters, episodes, keys, sizes, and no error whatever it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reporting.browser import Browser
from tests.reporting.runs import Json, unscored, write_run
from tests.reporting.test_page import HOSTILE, hostile
from toolc.reporting.page import page
from toolc.reporting.run import Run, read_run

TEXTS = "[...document.querySelectorAll('{}')].map((each) => each.textContent)"
ROWS = TEXTS.format("#list tbody a")
FOUND = "document.getElementById('found').textContent"
EPISODE = "document.getElementById('episode').innerText"
HIDDEN = "document.getElementById('episode').hidden"


class Opened:
    """A run's page in a browser."""

    def __init__(self, browser: Browser, run: Run, place: Path) -> None:
        self.browser = browser
        self.run = run
        self.place = place

    def show(self, fragment: str = "") -> None:
        self.browser.open(self.place, fragment)
        assert self.browser.evaluate("document.getElementById('failure').hidden") is True
        assert self.browser.complaints() == []

    def choose(self, name: str, value: str) -> None:
        """Picks an option of the filter of a label."""
        self.browser.evaluate(
            f"""(() => {{
              const label = [...document.querySelectorAll('#filters label')]
                .find((each) => each.textContent.startsWith({name!r}));
              const select = label.querySelector('select');
              select.value = {value!r};
              select.dispatchEvent(new Event('change'));
            }})()"""
        )


def opened(browser: Browser, lines: list[Json], folder: Path, most: int = 2**26) -> Opened:
    run = read_run(str(write_run(folder, lines, policy="a model", samples=3)))
    place = folder / "report.html"
    place.write_text(page(run, most).html, encoding="utf-8")
    browser.resize(1400)
    return Opened(browser, run, place)


@pytest.fixture
def view(chromium: Browser, careless: list[Json], folder: Path) -> Opened:
    lines = [*careless[:-1], unscored(careless[-1])]
    return opened(chromium, lines, folder)


def ids(run: Run, **wanted: object) -> list[str]:
    return [
        each.id
        for each in run.episodes
        if all(getattr(each, name) == value for name, value in wanted.items())
    ]


def test_figures_and_plots_are_drawn(view: Opened) -> None:
    view.show()
    evaluate = view.browser.evaluate
    assert evaluate("document.querySelector('h1').textContent") == "a model"
    assert evaluate("document.querySelector('#notes').textContent").startswith(
        "1 episode not scored"
    )
    labels = evaluate(
        "[...document.querySelectorAll('#figures th[scope=row]')].map((e) => e.textContent)"
    )
    assert labels[:3] == ["Solve-F1", "success", "reward"] and "pass^3" in labels
    titles = evaluate(TEXTS.format("#overview h3"))
    assert len(titles) == 6
    assert evaluate("document.querySelectorAll('.strip .interval').length") > 20
    heights = (
        "[...document.querySelectorAll('.histogram .value')].map((e) => +e.getAttribute('height'))"
    )
    assert max(evaluate(heights)) == 60


@pytest.mark.parametrize("name", ["environment", "kind"])
def test_filters_choose_episodes(view: Opened, name: str) -> None:
    view.show()
    value = getattr(view.run.episodes[0], name)
    expected = ids(view.run, **{name: value})
    view.choose(name, value)
    assert view.browser.evaluate(FOUND).startswith(f"{len(expected)} of ")
    assert view.browser.evaluate(ROWS) == expected[:50]
    assert view.browser.evaluate("location.hash") == f"#{name}={value}"
    view.show(f"#{name}={value}")
    assert view.browser.evaluate(ROWS) == expected[:50]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("success", lambda each: each.success),
        ("failed", lambda each: each.values is not None and not each.success),
        ("zero", lambda each: each.values is not None and each.values["reward"] == 0),
        ("unscored", lambda each: each.values is None),
    ],
)
def test_outcomes_and_checks_narrow_it_down(view: Opened, outcome: str, expected: object) -> None:
    assert callable(expected)
    chosen = [each for each in view.run.episodes if expected(each)]
    view.show(f"#outcome={outcome}")
    assert view.browser.evaluate(ROWS) == [each.id for each in chosen][:50]
    view.choose("failing check", "answer")
    with_check = [each.id for each in chosen if "answer" in each.failing]
    assert view.browser.evaluate(FOUND).startswith(f"{len(with_check)} of ")


def test_typing_searches_and_sorting_sorts(view: Opened) -> None:
    view.show()
    view.browser.press("/", "Slash")
    word = view.run.episodes[0].prompt.split()[-1].lower()
    view.browser.type(word)
    found = view.browser.evaluate(ROWS)
    assert found and view.run.episodes[0].id in found
    assert view.browser.evaluate("location.hash").startswith("#q=")
    view.show("#sort=-reward")
    scored = [each for each in view.run.episodes if each.values is not None]
    best = sorted(scored, key=lambda each: -(each.values or {})["reward"])
    assert view.browser.evaluate(ROWS)[: len(best)] == [each.id for each in best][:50]
    view.browser.evaluate("document.querySelector('th[aria-sort] button').click()")
    assert view.browser.evaluate("location.hash") == "#sort=reward"


def test_an_episode_opens_by_address_by_click_and_by_key(view: Opened) -> None:
    first, second = view.run.episodes[:2]
    view.show(f"#episode={first.id.replace('#', '%23')}")
    text = view.browser.evaluate(EPISODE)
    assert first.id in text and first.prompt in text
    assert "Verdict: reward" in text and "Conversation" in text and "Changes of the state" in text
    view.browser.press("j")
    assert second.id in view.browser.evaluate(EPISODE)
    view.browser.press("Escape")
    assert view.browser.evaluate(HIDDEN) is True
    assert view.browser.evaluate("document.activeElement.textContent") == second.id
    view.browser.press("ArrowUp")
    assert view.browser.evaluate("document.activeElement.textContent") == first.id
    view.browser.press("Enter", text="\r")
    view.browser.evaluate("document.activeElement.click?.()")
    assert first.id in view.browser.evaluate(EPISODE)
    view.show("#episode=nobody")
    assert "lists no episode nobody" in view.browser.evaluate(EPISODE)
    assert view.browser.complaints() == []


def test_every_episode_can_be_shown(view: Opened) -> None:
    view.show()
    for episode in view.run.episodes:
        view.browser.evaluate(
            f"location.hash = '#' + new URLSearchParams({{episode: {episode.id!r}}})"
        )
        view.browser.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
        assert episode.id in view.browser.evaluate(EPISODE)
    assert view.browser.complaints() == []
    assert view.browser.evaluate("document.getElementById('failure').hidden") is True


@pytest.mark.parametrize("width", [400, 1024, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window(view: Opened, width: int, scheme: str) -> None:
    view.browser.resize(width)
    view.browser.scheme(scheme)
    for fragment in ("", f"#episode={view.run.episodes[0].id.replace('#', '%23')}"):
        view.show(fragment)
        assert view.browser.evaluate("document.documentElement.scrollWidth") <= width
    ground = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]"
    assert (int(view.browser.evaluate(ground)) < 128) == (scheme == "dark")
    assert view.browser.screenshot().startswith(b"\x89PNG")


def plain(text: str) -> str:
    """A text that can be reported: lone surrogates, which a browser may replace, as one sign."""
    return re.sub("[\ud800-\udfff\ufffd?]", "~", text)


def test_hostile_episodes_are_text(chromium: Browser, careless: list[Json], folder: Path) -> None:
    lines = [hostile(careless[number], text, number) for number, text in enumerate(HOSTILE)] + [
        {**careless[0], "id": "huge", "messages": [{"role": "user", "content": "é" * 2_000_000}]}
    ]
    view = opened(chromium, lines, folder)
    view.show()
    for number, text in enumerate(HOSTILE):
        view.browser.evaluate(f"document.querySelectorAll('#list tbody a')[{number}].click()")
        view.browser.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
        shown = view.browser.evaluate(TEXTS.format("#episode .text"))
        assert plain(shown[0]) == plain(text)
        assert view.browser.evaluate("document.querySelectorAll('#episode img').length") == 0
        view.choose("environment", text.encode("utf-8", "replace").decode())
        view.choose("environment", "")
    view.show("#environment=constructor&sort=constructor&outcome=constructor&check=__proto__")
    assert view.browser.evaluate("window.hacked") is None
    assert view.browser.complaints() == []


def test_markup_cannot_be_made_from_text(view: Opened) -> None:
    view.show()
    tried = "(() => { try { document.body.innerHTML = '<b>'; return 1 } catch { return 0 } })()"
    assert view.browser.evaluate(tried) == 0


def test_a_large_run_is_paged_and_says_what_it_leaves_out(
    chromium: Browser, careless: list[Json], folder: Path
) -> None:
    short = [{**line, "messages": line["messages"][:1], "calls": []} for line in careless]
    lines = [
        {**short[number % len(short)], "id": f"{number}", "task": f"{number // 4}"}
        for number in range(20_000)
    ]
    view = opened(chromium, lines, folder, most=2**22)
    view.show()
    assert view.browser.evaluate(FOUND).startswith("20,000 of 20,000 episodes")
    assert len(view.browser.evaluate(ROWS)) == 50
    assert "have no conversation in this page" in view.browser.evaluate(
        "document.getElementById('notes').textContent"
    )
    view.browser.evaluate("document.querySelector('[aria-label=\"Last page\"]').click()")
    assert view.browser.evaluate(ROWS)[-1] == lines[-1]["id"]
    assert (
        view.browser.evaluate("document.querySelector('.pager span').textContent")
        == "page 400 of 400"
    )
    view.show("#q=777&sort=-id")
    assert view.browser.complaints() == []
