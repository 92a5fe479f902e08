"""A small server of OpenAI's chat completions on 127.0.0.1, which answers as it is told to.

It runs in threads of the test's process, and stops with the `with` block that it is made for.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

CONTENT = "application/json"


class Request(NamedTuple):
    """What the server was asked."""

    path: str
    headers: Mapping[str, str]
    """By names in lower case."""
    body: Any


class Exchange:
    """One request under way; an answer does with it what it likes."""

    def __init__(self, handler: BaseHTTPRequestHandler, request: Request, over: threading.Event):
        self._handler = handler
        self.request = request
        self.over = over
        """Set when the server is to stop."""

    def send(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, length: int = -1
    ) -> None:
        """Sends a reply, which announces `length` bytes where that is given."""
        handler = self._handler
        handler.send_response(status)
        announced = {"Content-Type": CONTENT, "Content-Length": str(len(body))}
        if length >= 0:
            announced["Content-Length"] = str(length)
        for name, value in {**announced, **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        self.write(body)

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def hang_up(self) -> None:
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


Answer = Callable[[Exchange], None]


# ---------------------------------------------------------------- answers


def completion(message: Mapping[str, Any], **more: Any) -> bytes:
    """The body of a reply with a message of the assistant."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage, **more}
    ).encode()


def says(text: str) -> Answer:
    """A message of text."""
    return lambda exchange: exchange.send(200, completion({"content": text}))


def calls(*given: tuple[str, Any]) -> Answer:
    """A message that calls: (name, arguments, as a value or as text)."""
    made = [
        {
            "id": f"call_{index}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
            },
        }
        for index, (name, arguments) in enumerate(given)
    ]
    return lambda exchange: exchange.send(200, completion({"content": None, "tool_calls": made}))


def replies(message: Mapping[str, Any]) -> Answer:
    """A message as it is."""
    return lambda exchange: exchange.send(200, completion(message))


def fails(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A status, with headers (`retry_after="1"`)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.send(status, body, named)


def sends(body: bytes, **headers: str) -> Answer:
    """Any body, with status 200."""
    return fails(200, body, **headers)


def breaks_off(exchange: Exchange) -> None:
    """Hangs up in the middle of a body."""
    body = completion({"content": "never read to its end"})
    exchange.send(200, body[: len(body) // 2], length=len(body))
    exchange.hang_up()


def hangs_up(exchange: Exchange) -> None:
    """Hangs up without a word."""
    exchange.hang_up()


def stays_silent(exchange: Exchange) -> None:
    """Says nothing until the server stops."""
    exchange.over.wait()


def drips(exchange: Exchange) -> None:
    """Sends a header without end, a byte at a time, each well before anyone's patience ends."""
    exchange.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not exchange.over.wait(0.02):
        exchange.write(b"a")


def has_no_end(exchange: Exchange) -> None:
    """Sends a body without end."""
    exchange.send(200, b'{"choices": [', length=1 << 40)
    while not exchange.over.is_set():
        exchange.write(b" " * (1 << 16))


# ---------------------------------------------------------------- the server


class Server:
    """Answers requests by a script, one answer each; the last of them again for what comes after.
    Or by a function of the request.

        with Server(fails(500), says("Hello")) as server:
            ... server.url ... server.requests
    """

    def __init__(self, *script: Answer, by: Callable[[Request], Answer] | None = None) -> None:
        self.requests: list[Request] = []
        self._script = list(script)
        self.by = by
        self._lock = threading.Lock()
        self._over = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30  # of a connection on which nothing comes

            def do_POST(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.path, headers, json.loads(handler.rfile.read(length) or b"null"))
        with self._lock:
            self.requests.append(request)
            if self.by is not None:
                answer = self.by(request)
            else:
                answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        try:
            answer(Exchange(handler, request, self._over))
        except OSError:  # the client has had enough
            handler.close_connection = True


Plan = Sequence[Mapping[str, Any]]
"""The messages of the assistant, in order."""


def playing(plans: Mapping[str, Plan]) -> Callable[[Request], Answer]:
    """Plays plans, each of which belongs to the first message of a user. It keeps nothing in mind:
    how far a conversation is, its messages say, so that many may be played at once."""

    def answer(request: Request) -> Answer:
        messages = request.body["messages"]
        asked = next(message["content"] for message in messages if message["role"] == "user")
        said = sum(message["role"] == "assistant" for message in messages)
        plan = plans.get(asked, ())
        return replies(plan[said]) if said < len(plan) else says("I have nothing to say.")

    return answer


def in_turn(answers: Iterable[Answer], then: Callable[[Request], Answer]) -> Callable[..., Answer]:
    """Gives these answers first, whoever asks."""
    left = list(answers)
    return lambda request: left.pop(0) if left else then(request)
