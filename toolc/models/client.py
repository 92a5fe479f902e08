"""A client of servers that speak OpenAI's chat completions, hosted or on one's own machine.

Used by any number of threads. Requests run on one event loop of the client's own, so that the
whole of a request has one deadline, however slowly its parts drip in.

Whatever fails for a while is tried again: timeouts, broken connections, statuses 408, 409, 425,
429 and 5xx, replies that are not what they should be. `Unanswered` says that it stayed so.
`Refused` says that it is of no use to go on: the server refuses what it is asked, or has never
answered at all.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.models.endpoint import Endpoint
from toolc.models.limits import Pace, delays, retry_after

if TYPE_CHECKING:
    from httpx2 import AsyncClient

MAX_REPLY = 4 << 20
"""Bytes of a server's reply that are read."""
MAX_WAIT = 300.0
"""Seconds that a server may ask to wait; one that asks for more has no answer."""
CONNECT = 30.0
"""Seconds for a connection."""
UNREACHED = 3
"""Tries, after which a server that nothing was ever heard of counts as not there."""
CLOSED = "the client is closed"
SHOWN = 300
"""Characters of a server's words in a message."""
TRANSIENT = frozenset({408, 409, 425, 429})
"""Statuses below 500 that pass."""
OF_ONE_CONVERSATION = frozenset({400, 413, 422})
"""Statuses with which a server that has answered others refuses one conversation: it is too long,
or has something in it that the server does not take."""


class Unanswered(Exception):
    """The server had no answer, however often it was asked."""


class Refused(Exception):
    """The server cannot be asked, or does not take what it is asked: the request has to change."""


class Completion(NamedTuple):
    """What a model answers."""

    message: Mapping[str, Any]
    """The assistant's message as the server sent it: any JSON object."""
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def text(self) -> str:
        """What it says, "" where that is no text."""
        content = self.message.get("content")
        return content if isinstance(content, str) else ""

    @property
    def truncated(self) -> bool:
        """Whether the limit of tokens ended it."""
        return self.finish_reason == "length"


class Client:
    """Asks one model."""

    def __init__(
        self, endpoint: Endpoint, key: str | None = None, *, first_wait: float = 1.0
    ) -> None:
        """`first_wait`: seconds before the first further try; those before others double."""
        self.endpoint = endpoint
        self._key = key
        self._first_wait = first_wait
        self._random = Random()
        self._pace = Pace(endpoint.rate)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: AsyncClient | None = None
        self._heard = False  # whether there was ever a reply, of whatever kind
        self._served = False  # whether there was ever a completion

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        seed: int | None = None,
    ) -> Completion:
        """The model's answer to a conversation. Raises Unanswered and Refused."""
        content = self._request(messages, tools, seed)
        waits = delays(self.endpoint.retries, self._random, self._first_wait)
        for tries in count(1):
            self._wait(self._pace.take())
            try:
                completion = self._run(self._ask(content))
            except _Failed as failed:
                wait = next(waits, None)
                asked = failed.wait or 0.0
                unreached = failed.unreached and not self._heard and tries >= UNREACHED
                if wait is None or asked > MAX_WAIT or unreached:
                    raise self._given_up(failed, asked, tries) from None
                if asked:
                    self._pace.hold(asked)
                self._wait(max(wait, asked))
            else:
                self._served = True
                return completion
        raise AssertionError("counting has no end")

    def close(self) -> None:
        """Ends what is waiting or under way, with Unanswered, and the connections."""
        with self._lock:
            if self._loop is not None and not self._closed.is_set():
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._closed.set()

    # ------------------------------------------------------------ one request

    def _request(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        seed: int | None,
    ) -> bytes:
        endpoint = self.endpoint
        body = {
            "model": endpoint.model,
            "messages": list(messages),
            "tools": list(tools) or None,
            "temperature": endpoint.temperature,
            "top_p": endpoint.top_p,
            "max_tokens": endpoint.max_tokens,
            "seed": seed,
            **endpoint.body,
        }
        kept = {name: value for name, value in body.items() if value is not None}
        return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace")

    async def _ask(self, content: bytes) -> Completion:
        import httpx2

        try:
            async with asyncio.timeout(self.endpoint.timeout):
                status, headers, body = await self._exchange(content)
        except TimeoutError:
            raise _Failed(f"no reply within {self.endpoint.timeout:g} s") from None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as error:
            raise Refused(self._shown(f"the request cannot be sent: {error}")) from None
        except httpx2.TransportError as error:
            unreached = isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout))
            what = "no connection" if unreached else "the connection broke"
            why = f"{what}: {error}" if str(error) else what
            raise _Failed(why, unreached=unreached) from None
        self._heard = True
        if status == 200:
            return _completion(body)
        self._judge(status, headers, body)
        raise _Failed(
            f"status {status}{self._words(body)}", retry_after(headers.get("retry-after"))
        )

    async def _exchange(self, content: bytes) -> tuple[int, Mapping[str, str], bytes | None]:
        """Status, headers and body of a reply; None for a body that is too long or encoded."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        http = self._connections()
        async with http.stream(
            "POST", self.endpoint.address, content=content, headers=headers
        ) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                return response.status_code, response.headers, None
            read = bytearray()
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) > MAX_REPLY:
                    return response.status_code, response.headers, None
            return response.status_code, response.headers, bytes(read)

    def _judge(self, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
        """Raises Refused, or Unanswered, for a status that trying again does not change."""
        if status in TRANSIENT or not 300 <= status < 500:
            return
        words = self._words(body)
        if status < 400:
            where = self._shown(headers.get("location", "elsewhere"))
            raise Refused(f"{self.endpoint.address} redirects to {where}; give that address")
        if status in OF_ONE_CONVERSATION and self._served:
            raise Unanswered(f"the server does not take the conversation: status {status}{words}")
        hint = _HINTS.get(status, "")
        raise Refused(f"{self.endpoint.address} answers with status {status}{hint}{words}")

    def _given_up(self, failed: _Failed, asked: float, tries: int) -> Exception:
        if asked > MAX_WAIT:
            return Unanswered(f"the server asks to wait for {asked:,.0f} s ({failed})")
        said = self._shown(str(failed))
        if not self._heard:
            return Refused(f"nothing answers at {self.endpoint.address}: {said}")
        return Unanswered(f"no answer after {tries} tries: {said}" if tries > 1 else said)

    def _words(self, body: bytes | None) -> str:
        """What a server says of an error, as the end of a message."""
        text = (body or b"").decode("utf-8", "replace")
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            read = text
        for name in ("error", "message"):
            if isinstance(read, dict):
                read = read.get(name, read)
        said = self._shown(read if isinstance(read, str) else text)
        return f": {said}" if said else ""

    def _shown(self, text: str) -> str:
        """A server's words on one line, cut, and without the key."""
        kept = text.replace(self._key, "…") if self._key else text
        cut = (c if c.isprintable() else " " for c in kept[: 4 * SHOWN])
        line = " ".join("".join(cut).split())
        return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"

    # ------------------------------------------------------------ waiting

    def _wait(self, seconds: float) -> None:
        if self._closed.wait(seconds) if seconds > 0 else self._closed.is_set():
            raise Unanswered(CLOSED)

    def _run(self, work: Coroutine[Any, Any, Completion]) -> Completion:
        """What a coroutine gives that runs on the client's loop."""
        future = self._begun(work)
        try:
            return future.result()
        except CancelledError:
            raise Unanswered(CLOSED) from None
        except BaseException:
            future.cancel()  # of no effect where it is the coroutine that raised
            raise

    def _begun(self, work: Coroutine[Any, Any, Completion]) -> Future[Completion]:
        with self._lock:  # what is begun before the client is closed is cancelled by it
            if self._closed.is_set():
                work.close()
                raise Unanswered(CLOSED)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._serve, args=(self._loop,), daemon=True).start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Runs the loop until it is stopped; what is under way is then cancelled."""
        asyncio.set_event_loop(loop)
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        if self._http is not None:
            loop.run_until_complete(self._http.aclose())
        loop.close()

    def _connections(self) -> AsyncClient:
        import httpx2

        if self._http is None:
            try:
                self._http = httpx2.AsyncClient(
                    follow_redirects=False,
                    timeout=httpx2.Timeout(None, connect=min(CONNECT, self.endpoint.timeout)),
                    limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
                )
            except (ValueError, ImportError) as error:  # of a proxy that the environment names
                raise Refused(self._shown(f"no connections can be made: {error}")) from None
        return self._http


_HINTS = {
    401: " (the key is missing or wrong)",
    403: " (the key does not give access)",
    404: " (no such model, or not the address of the interface, which mostly ends with /v1)",
}


class _Failed(Exception):
    """One request that failed and may not the next time: how long the server asks to wait, and
    whether it was not even reached."""

    def __init__(self, why: str, wait: float | None = None, *, unreached: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.unreached = unreached


def _completion(body: bytes | None) -> Completion:
    """The completion that a body is. Raises _Failed."""
    if body is None:
        raise _Failed(f"the reply is encoded, or has more than {MAX_REPLY:,} bytes")
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise _Failed("the reply is not JSON") from None
    choices = reply.get("choices") if isinstance(reply, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise _Failed("the reply has no message")
    usage = reply.get("usage")
    reason = choice.get("finish_reason")
    return Completion(
        message,
        reason if isinstance(reason, str) else "",
        _tokens(usage, "prompt_tokens"),
        _tokens(usage, "completion_tokens"),
    )


def _tokens(usage: Any, name: str) -> int:
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) and 0 <= found < 1 << 40 else 0
