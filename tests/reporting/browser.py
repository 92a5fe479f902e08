"""A headless browser, spoken to over pipes in the DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 90
"""Seconds to wait for an answer before a test fails instead of hanging."""
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

LAUNCHER = """
import os, sys
from fcntl import F_DUPFD, fcntl
for wanted, end in zip((3, 4), [fcntl(int(each), F_DUPFD, 10) for each in sys.argv[1:3]]):
    os.dup2(end, wanted)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Starts a browser with pipes as its descriptors 3 and 4, where it looks for them."""


def executable() -> str | None:
    """The browser: that of TOOLC_CHROMIUM, or one on the path."""
    given = os.environ.get("TOOLC_CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A running browser with one tab."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        """What the browser told unasked."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        made = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = made["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """The result of a command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], PATIENCE)
            assert ready, "the browser does not answer"
            part = os.read(self._reading, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def open(self, page: Path, fragment: str = "") -> None:
        """Opens a page anew and waits until its script has run."""
        self.send("Page.navigate", url="about:blank")
        self.events.clear()
        self.send("Page.navigate", url=f"{page.resolve().as_uri()}{fragment}")
        end = time.monotonic() + PATIENCE
        ready = "location.protocol === 'file:' && document.readyState === 'complete'"
        while not self.evaluate(ready):
            assert time.monotonic() < end, "the page does not load"

    def evaluate(self, expression: str) -> Any:
        """The JSON value of an expression in the page."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str, code: str = "", text: str = "") -> None:
        """Presses a key and lets it go."""
        what = {"key": key, "code": code or key}
        pressed = {"text": text or key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **what, **pressed)
        self.send("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text: str) -> None:
        """Types into what has the focus."""
        self.send("Input.insertText", text=text)

    def resize(self, width: int, height: int = 900) -> None:
        """Sets the size of the window, in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def scheme(self, name: str) -> None:
        """What the page is told that its reader prefers: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])

    def complaints(self) -> list[str]:
        """Errors and warnings that the page has led to, and what it asked of a network."""
        self.evaluate("0")
        found = []
        for event in self.events:
            method, given = event.get("method", ""), event.get("params", {})
            if method == "Runtime.exceptionThrown" or (
                method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning")
            ):
                found.append(json.dumps(given))
            elif method == "Runtime.consoleAPICalled":
                found.append(json.dumps(given["args"]))
            elif method == "Network.requestWillBeSent":
                url = given["request"]["url"]
                if not url.startswith(("file:", "about:")):
                    found.append(f"asked for {url}")
        return found


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """Starts a browser with a profile of its own, and ends it."""
    commands, answers = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ends = commands[0], answers[1]
        launcher = [sys.executable, "-c", LAUNCHER, *map(str, ends)]
        process = subprocess.Popen(
            [*launcher, path, *OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        try:
            yield Browser(answers[0], commands[1])
        finally:
            os.close(commands[1])
            process.kill()
            process.wait(PATIENCE)
            os.close(answers[0])
