"""Where a model is, how it is asked, and with which key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Endpoint(NamedTuple):
    """Where a model is, and how it is asked. None leaves a choice to the server."""

    url: str
    """Of the interface, such as `http://localhost:8000/v1`."""
    model: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    body: Mapping[str, Any] = {}
    """Further members of requests, which come before all others; null leaves one out."""
    timeout: float = 120.0
    """Seconds for a request and its reply."""
    retries: int = 6
    rate: float | None = None
    """Requests a second."""

    @property
    def address(self) -> str:
        """Where requests are sent."""
        url = self.url.rstrip("/")
        return url if url.endswith("/chat/completions") else f"{url}/chat/completions"


def check_url(url: str) -> None:
    """ValueError for what is no address of a server, or may hold a secret: it is shown and kept."""
    parts = urlsplit(url)  # ValueError
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address of a server begins with http:// or https:// and its name")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("an address has no user, password or query: the key is in a variable")
    _ = parts.port  # ValueError


def key_in(variable: str, *, required: bool) -> str | None:
    """The key in a variable of the environment. ValueError, which does not show it, where it is
    missing but required, or is none."""
    key = os.environ.get(variable, "").strip()
    if not key:
        if required:
            raise ValueError(f"the variable {variable} has no key")
        return None
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError(f"the variable {variable} holds characters that no key has")
    return key
