"""The client against a real server, which is as bad as servers are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.eval.server import (
    Answer,
    Server,
    breaks_off,
    calls,
    completion,
    drips,
    fails,
    hangs_up,
    has_no_end,
    in_turn,
    says,
    sends,
    stays_silent,
)
from toolc.models.client import (
    MAX_REPLY,
    Client,
    Refused,
    Unanswered,
)
from toolc.models.endpoint import Endpoint, check_url, key_in

KEY = "sk-not-to-be-shown"
ASKED = [{"role": "user", "content": "Hello?"}]


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's proxy is in between."""
    monkeypatch.setenv("NO_PROXY", "*")


@contextmanager
def asking(url: str, **settings: Any) -> Iterator[Client]:
    given = {"timeout": 20.0, "retries": 3, **settings}
    client = Client(Endpoint(url, "model-1", **given), KEY, first_wait=0.001)
    try:
        yield client
    finally:
        client.close()


def message_of(client: Client, kind: type[Exception]) -> str:
    """What the error says with which a question ends."""
    with pytest.raises(kind) as error:
        client.complete(ASKED)
    return str(error.value)


def text_of(*script: Answer, **settings: Any) -> tuple[str, int]:
    """What the model says, and how often it was asked."""
    with Server(*script) as server, asking(server.url, **settings) as client:
        return client.complete(ASKED).text, len(server.requests)


def test_a_request_says_what_is_asked_and_nothing_else() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    with Server(says("Hi.")) as server:
        body = {"max_completion_tokens": 9, "max_tokens": None}
        with asking(server.url, temperature=0.5, max_tokens=7, body=body) as client:
            client.complete(ASKED, [tool], seed=3)
        with asking(server.url + "/chat/completions/") as client:
            answer = client.complete(ASKED)
    asked, plain = server.requests
    assert asked.path == plain.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "model": "model-1",
        "messages": ASKED,
        "tools": [tool],
        "temperature": 0.5,
        "max_completion_tokens": 9,
        "seed": 3,
    }
    assert plain.body == {"model": "model-1", "messages": ASKED}
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("Hi.", 11, 3)
    assert answer.finish_reason == "stop" and not answer.truncated


def test_calls_come_as_they_were_sent() -> None:
    with Server(calls(("f", {"x": 1}))) as server, asking(server.url) as client:
        message = client.complete(ASKED).message
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"x": 1}'}


PASSING: dict[str, Answer] = {
    "a server's error": fails(500, b"oops"),
    "overload": fails(503, b'{"error": {"message": "busy"}}'),
    "too many requests": fails(429, b"{}", Retry_After="0.01"),
    "a timeout of the server's": fails(408),
    "no word": hangs_up,
    "a body that breaks off": breaks_off,
    "no JSON": sends(b"<html>"),
    "JSON that breaks off": sends(b'{"choices": ['),
    "deep JSON": sends(b"[" * 100_000),
    "a number without end": sends(b'{"choices": ' + b"9" * 5_000 + b"}"),
    "another value": sends(b"[1]"),
    "an error with status 200": sends(b'{"error": {"message": "busy"}}'),
    "no choices": sends(b'{"choices": []}'),
    "choices that are none": sends(b'{"choices": {"0": 1}}'),
    "no message": sends(b'{"choices": [{"message": "hello"}]}'),
    "nothing": sends(b""),
    "not UTF-8": sends(b"\xff\xfe\x00"),
    "encoded": sends(b"\x1f\x8b", Content_Encoding="gzip"),
    "another good status": fails(204),
}


@pytest.mark.parametrize("what", PASSING)
def test_what_may_pass_is_tried_again(what: str) -> None:
    bad = PASSING[what]
    assert text_of(bad, bad, says("At last.")) == ("At last.", 3)


@pytest.mark.parametrize("what", PASSING)
def test_what_stays_is_unanswered(what: str) -> None:
    """Whatever it is that happened once the server was heard of."""
    with Server(says("Hi."), PASSING[what]) as server, asking(server.url) as client:
        client.complete(ASKED)
        with pytest.raises(Unanswered, match="after 4 tries: "):
            client.complete(ASKED)
    assert len(server.requests) == 5


@pytest.mark.parametrize("answer", [stays_silent, drips])
def test_a_request_has_one_deadline(answer: Answer) -> None:
    with Server(says("Hi."), answer) as server, asking(server.url, retries=1) as client:
        client.complete(ASKED)
        client.endpoint = client.endpoint._replace(timeout=0.3)
        with pytest.raises(Unanswered, match=r"after 2 tries: no reply within 0\.3 s"):
            client.complete(ASKED)
    assert len(server.requests) == 3


def test_a_reply_without_end_is_read_no_further() -> None:
    with Server(has_no_end) as server, asking(server.url, retries=0) as client:
        said = message_of(client, Unanswered)
    assert f"more than {MAX_REPLY:,} bytes" in said


@pytest.mark.parametrize(
    ("status", "says_so"),
    [
        (400, "status 400: no such parameter"),
        (401, "status 401 (the key is missing or wrong): no such parameter"),
        (403, "does not give access"),
        (404, "no such model, or not the address"),
        (422, "status 422"),
    ],
)
def test_a_refusal_is_told_at_once(status: int, says_so: str) -> None:
    body = b'{"error": {"message": "no\\nsuch   parameter"}}'
    with Server(fails(status, body)) as server, asking(server.url) as client:
        said = message_of(client, Refused)
    assert says_so in said and server.url in said
    assert len(server.requests) == 1


def test_a_server_that_has_answered_others_may_refuse_one_conversation() -> None:
    too_long = fails(400, b'{"error": "the context is too long"}')
    with Server(says("Hi."), too_long) as server, asking(server.url) as client:
        client.complete(ASKED)
        with pytest.raises(Unanswered, match=r"does not take the conversation.*too long"):
            client.complete(ASKED)
    assert len(server.requests) == 2


def test_redirects_are_not_followed() -> None:
    with (
        Server(says("Wrong.")) as other,
        Server(fails(307, b"", Location=other.url)) as server,
        asking(server.url) as client,
    ):
        said = message_of(client, Refused)
    assert f"redirects to {other.url}" in said and not other.requests


def test_where_nothing_ever_answers_that_is_said_soon() -> None:
    with Server(says("Hi.")) as server:
        url = server.url
    with asking(url, retries=20) as client, pytest.raises(Refused, match="nothing answers at http"):
        client.complete(ASKED)


def test_no_message_shows_the_key() -> None:
    for status in (401, 500):
        words = f'{{"error": {{"message": "{"x" * 290}{KEY} {KEY}"}}}}'.encode()
        with Server(fails(status, words)) as server, asking(server.url, retries=0) as client:
            said = message_of(client, Refused if status == 401 else Unanswered)
        assert KEY[:8] not in said and "xxx" in said


def test_a_server_that_asks_for_a_pause_gets_it_from_all(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (fails(429, b"", Retry_After="60"), says("Hi."))
    waits: list[float] = []
    with Server(*script) as server, asking(server.url) as client:
        monkeypatch.setattr(client, "_wait", waits.append)
        client.complete(ASKED)
        client.complete(ASKED)
    # Before the first try, after it, before the second; before that of the other conversation.
    assert len(waits) == 4 and waits[:2] == [0.0, 60.0]
    assert all(wait > 30 for wait in waits[1:])


def test_a_pause_beyond_reason_is_no_answer() -> None:
    script = (fails(429, b"quota", Retry_After="86400"),)
    with Server(*script) as server, asking(server.url) as client:
        said = message_of(client, Unanswered)
    assert said == "the server asks to wait for 86,400 s (status 429: quota)"
    assert len(server.requests) == 1


def test_requests_keep_to_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    with Server(says("Hi.")) as server, asking(server.url, rate=0.001) as client:
        monkeypatch.setattr(client, "_wait", waits.append)
        for _ in range(3):
            client.complete(ASKED)
    assert waits == [0.0, pytest.approx(1_000, abs=200), pytest.approx(2_000, abs=200)]


def test_many_threads_share_a_client() -> None:
    def answer(request: Any) -> Answer:
        return says(request.body["messages"][0]["content"])

    with Server(by=in_turn([fails(500)] * 10, answer)) as server, asking(server.url) as client:

        def ask(number: int) -> str:
            return client.complete([{"role": "user", "content": str(number)}]).text

        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(ask, range(100))) == [str(number) for number in range(100)]
    assert len(server.requests) == 110


def test_who_waits_for_a_client_that_is_closed_is_told() -> None:
    with Server(stays_silent) as server, asking(server.url) as client:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.complete, ASKED)
            while not server.requests:
                threading.Event().wait(0.01)
            client.close()
            with pytest.raises(Unanswered, match="closed"):
                asked.result()
        with pytest.raises(Unanswered, match="closed"):
            client.complete(ASKED)


def test_usage_is_what_it_may_be() -> None:
    for usage in ([1], {"prompt_tokens": -1}, {"prompt_tokens": "9"}, {"prompt_tokens": 1e300}, 0):
        body = completion({"content": 5}, usage=usage)
        with Server(sends(body)) as server, asking(server.url) as client:
            answer = client.complete(ASKED)
        assert (answer.prompt_tokens, answer.completion_tokens, answer.text) == (0, 0, "")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "file:///etc/passwd",
        "http://user:secret@host/v1",
        "http://host/v1?key=secret",
        "http://host/v1#secret",
        "http://host:99999/v1",
        "http://[::1/v1",
        "",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError) as error:
        check_url(url)
    assert "secret" not in str(error.value)


def test_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert key_in("SOME_KEY", required=False) is None
    with pytest.raises(ValueError, match="SOME_KEY has no key"):
        key_in("SOME_KEY", required=True)
    monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
    assert key_in("SOME_KEY", required=True) == KEY
    monkeypatch.setenv("SOME_KEY", "secret\nHost: other")
    with pytest.raises(ValueError, match="that no key has") as error:
        key_in("SOME_KEY", required=True)
    assert "secret" not in str(error.value)


def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", "gopher://proxy")
    with asking("http://127.0.0.1:9/v1") as client, pytest.raises(Refused, match="no connections"):
        client.complete(ASKED)
