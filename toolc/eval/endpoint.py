"""A policy that asks a model at an endpoint of OpenAI's chat completions.

With the formats `auto` and `openai` the server is told of the tools and gives the calls; `auto`
also reads calls that it left in the text. With any other format the model is told of the tools in
its prompt, and its calls are read from what it says: for servers that know of no tools.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import UsageError
from toolc.eval import sampling
from toolc.eval.policy import Unavailable, Unusable
from toolc.eval.sampling import AUTO, seconds
from toolc.models.endpoint import Endpoint, check_url, key_in
from toolc.models.limits import rate_of
from toolc_runtime.chat.families.openai import from_message
from toolc_runtime.chat.formats import FORMATS, detect
from toolc_runtime.chat.history import acceptable, calls_made
from toolc_runtime.chat.message import Message, Reply
from toolc_runtime.chat.prompted import embed

if TYPE_CHECKING:
    from toolc.models.client import Client
    from toolc_runtime.episode import Episode
    from toolc_runtime.task import Task

KEY = "OPENAI_API_KEY"
"""The variable of the environment that has the key, unless another is named."""
NATIVE = (AUTO, "openai")
"""Formats with which the server is told of the tools."""
OWN = frozenset({"model", "messages", "tools", "stream", "n"})
"""Members of requests that are not the user's to set."""


class EndpointPolicy:
    """Plays episodes by asking a server."""

    name = "endpoint"

    def __init__(self, client: Client, format: str = AUTO, *, seeded: bool = True) -> None:
        self.client = client
        self.format = format
        self.seeded = seeded

    def open(self, episode: Episode, task: Task, seed: int) -> _Player:
        return _Player(self, seed if self.seeded else None)


class _Player:
    def __init__(self, policy: EndpointPolicy, seed: int | None) -> None:
        self._policy = policy
        self._seed = seed

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        """The model's next message. Raises `Unavailable` and `Unusable`."""
        from toolc.models.client import Refused, Unanswered

        policy = self._policy
        asked, offered = acceptable(messages), tools
        if policy.format not in NATIVE:
            asked, offered = embed(messages, tools, FORMATS[policy.format]), ()
        try:
            completion = policy.client.complete(asked, offered, seed=self._seed)
        except Unanswered as error:
            raise Unavailable(str(error)) from None
        except Refused as error:
            raise Unusable(str(error)) from None
        first = calls_made(messages)
        reply = from_message(completion.message, first)
        if not reply.calls:
            reply = self._written(reply, tools, first)
        return reply._replace(
            prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens
        )

    def _written(self, reply: Reply, tools: Sequence[dict[str, Any]], first: int) -> Reply:
        """The reply with the calls that are in its text."""
        chosen = self._policy.format
        if chosen == "openai":
            return reply
        format = detect(reply.content) if chosen == AUTO else FORMATS[chosen]
        if format is None:
            return reply
        read = format.parse(reply.content, tools, first)
        return read._replace(reasoning=reply.reasoning or read.reasoning)


# ---------------------------------------------------------------- options


def add_options(parser: argparse.ArgumentParser, choice: Any = None) -> None:
    """The options of the policy. `choice`, a group of options that exclude each other, takes
    `--endpoint`, which asks for it."""
    add_access(parser, choice)
    sampling.add_options(parser)


def add_access(parser: argparse.ArgumentParser, choice: Any = None) -> None:
    """Where the model is, and how it is asked."""
    (choice or parser).add_argument(
        "--endpoint", metavar="URL", help="ask a server of OpenAI's chat completions (…/v1)"
    )
    group = parser.add_argument_group("a model at a URL")
    group.add_argument("--model", metavar="NAME", help="as the server calls it")
    group.add_argument(
        "--key-env", metavar="NAME", help=f"the variable that has the key (default: {KEY})"
    )
    group.add_argument(
        "--rate", type=_rate, metavar="N/UNIT", help="requests at most, as 5/second, 60/minute"
    )
    group.add_argument(
        "--timeout", type=seconds, default=120.0, metavar="S", help="seconds (default: 120)"
    )
    group.add_argument(
        "--retries",
        type=int,
        choices=range(21),
        default=6,
        metavar="N",
        help="further tries of a request (default: 6)",
    )
    group.add_argument(
        "--body", type=_body, default={}, metavar="JSON", help="further members of requests"
    )
    group.add_argument(
        "--no-model-seed", action="store_true", help="send no seed: some servers know of none"
    )


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """What a run keeps of the options, and `from_settings` makes the policy of: no secrets.

    UsageError for an address that is none, and without a model.
    """
    try:
        check_url(args.endpoint)
    except ValueError as error:
        raise UsageError(f"--endpoint: {error}") from None
    if not args.model:
        raise UsageError("--endpoint needs --model, the model's name at the server")
    return {
        "name": EndpointPolicy.name,
        "url": args.endpoint,
        "model": args.model,
        **sampling.settings_of(args),
        "body": args.body,
        "seeded": not args.no_model_seed,
        "access": {
            "key_env": args.key_env,
            "rate": args.rate,
            "timeout": args.timeout,
            "retries": args.retries,
        },
    }


def from_settings(settings: Mapping[str, Any]) -> EndpointPolicy:
    """The policy of settings. UsageError where the variable that is named has no key."""
    return EndpointPolicy(client_of(settings), settings["format"], seeded=settings["seeded"])


def client_of(settings: Mapping[str, Any]) -> Client:
    """The client of settings. UsageError where the variable that is named has no key."""
    from toolc.models.client import Client

    access = settings["access"]
    named = access["key_env"]
    try:
        key = key_in(named or KEY, required=named is not None)
    except ValueError as error:
        raise UsageError(str(error)) from None
    endpoint = Endpoint(
        settings["url"],
        settings["model"],
        settings["temperature"],
        settings["top_p"],
        settings["max_tokens"],
        settings["body"],
        access["timeout"],
        access["retries"],
        rate_of(access["rate"]) if access["rate"] else None,
    )
    return Client(endpoint, key)


def from_args(args: argparse.Namespace) -> EndpointPolicy:
    """The policy that the options ask for."""
    return from_settings(settings_of(args))


def _rate(text: str) -> str:
    try:
        rate_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise argparse.ArgumentTypeError("further members of requests are a JSON object")
    own = sorted(OWN & body.keys())
    if own:
        raise argparse.ArgumentTypeError(f"`{own[0]}` is not a further member")
    return body
