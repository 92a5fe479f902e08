"""How far long work has come, on a terminal and elsewhere."""

from __future__ import annotations

import io

from toolc.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_that_is_drawn_anew() -> None:
    stream, clock = Terminal(), Clock()
    with Progress("specs", 1000, stream=stream, clock=clock) as progress:
        clock.now = 10
        progress.advance(250)
        assert progress.text() == "[######..................] 250/1,000 specs, 25/s, 30 s left"
        progress.advance()
        progress.say("one.toolc: fine")
        clock.now = 100
        progress.advance(500)
    drawn = stream.getvalue()
    assert drawn.count("250/1,000") == 1
    assert "251/1,000" not in drawn, "not drawn again so soon"
    assert "\rone.toolc: fine\n" in drawn
    assert drawn.endswith("\r")


def test_no_total() -> None:
    clock = Clock()
    progress = Progress("episodes", stream=Terminal(), clock=clock)
    clock.now = 2
    progress.advance(3)
    assert progress.text() == "3 episodes, 1.5/s"


def test_lines_elsewhere() -> None:
    stream = io.StringIO()
    with Progress("specs", 40, stream=stream) as progress:
        for _ in range(40):
            progress.advance()
    assert stream.getvalue().splitlines() == [f"{n} of 40 specs" for n in range(4, 41, 4)]


def test_little_work_and_hidden_work_are_silent() -> None:
    stream = io.StringIO()
    for total, shown in ((5, True), (40, False)):
        with Progress("specs", total, stream=stream, shown=shown) as progress:
            progress.advance(total)
    assert stream.getvalue() == ""
