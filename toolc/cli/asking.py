"""The options of commands that have a model write specs, and the model that they ask for."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.cli.terminal import UsageError, positive
from toolc.eval import endpoint, local
from toolc.eval.sampling import AUTO, add_drawing

if TYPE_CHECKING:
    from toolc.cluster import Cluster
    from toolc.emission.loop import Asker
    from toolc.models.client import Completion

IN_FLIGHT = 8
MAX_TOKENS = 16_384
"""Of one reply, unless more or fewer are asked for: no model goes on without end."""
ROUNDS = 3
MEMBERS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "structured_outputs": lambda grammar: {"structured_outputs": {"grammar": grammar}},
    "guided_grammar": lambda grammar: {"guided_grammar": grammar},
}
"""How servers are told of a grammar: further members of a request, by a name."""


def add_options(parser: argparse.ArgumentParser, choice: Any = None) -> None:
    """`--endpoint` and `--model-path` with all that goes with them, and the loop's own options."""
    endpoint.add_access(parser, choice)
    local.add_loading(parser, choice)
    group = add_drawing(parser, "what a model writes")
    group.add_argument(
        "--constrain",
        nargs="?",
        const="structured_outputs",
        choices=tuple(MEMBERS),
        help="have the grammar constrain what is written; a server is told of it in this member of "
        "requests (default: %(const)s)",
    )
    group.add_argument(
        "--rounds",
        type=int,
        choices=range(11),
        metavar="N",
        help=f"of repair after the first pass (default: {ROUNDS})",
    )
    parser.set_defaults(chat_format=AUTO)


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """What a run keeps of the options: no secrets. UsageError where a model is not told."""
    if args.endpoint is not None:
        settings = endpoint.settings_of(args)
    elif args.model_path is not None:
        if not os.path.isdir(args.model_path):
            raise UsageError(f"`{args.model_path}` is not a folder with a model")
        settings = local.settings_of(args)
    else:
        raise UsageError("say which model: --endpoint URL --model NAME, or --model-path FOLDER")
    settings["max_tokens"] = settings["max_tokens"] or MAX_TOKENS
    return {**settings, "constrain": args.constrain}


def asker_of(settings: Mapping[str, Any]) -> Asker:
    """Who answers, by settings. UsageError where there is no key, or no model can be loaded."""
    from toolc.emission.askers import Local, Remote
    from toolc.emission.constrain import Grammar
    from toolc.models.local import LocalError
    from toolc.syntax.export import decoder_grammar

    constrain = settings["constrain"]
    if settings["name"] == endpoint.EndpointPolicy.name:
        further = MEMBERS[constrain](decoder_grammar()) if constrain else {}
        client = endpoint.client_of({**settings, "body": {**further, **settings["body"]}})
        return Remote(client, settings["seeded"])
    drawing = (settings["temperature"], settings["top_p"], settings["max_tokens"])
    try:
        model = local.model_of(settings)
        grammar = Grammar(model.tokenizer, model.ends) if constrain else None
    except LocalError as error:
        raise UsageError(str(error)) from None
    return Local(model, *drawing, grammar)


class Everywhere(NamedTuple):
    """Who answers, in whichever process this is sent to: made there by the settings (JSON text), so
    that no secret is sent along."""

    settings: str

    def ask(self, messages: Sequence[Mapping[str, Any]], seed: int) -> Completion:
        return _answering(self.settings).ask(messages, seed)


def asker_for(args: argparse.Namespace, settings: Mapping[str, Any]) -> Asker:
    """Who answers where the work is done: here, or on a cluster. Raises `UsageError`."""
    if args.ray is None:
        return asker_of(settings)
    if settings["name"] == endpoint.EndpointPolicy.name:
        asker_of(settings)  # tells at once where there is no key
    return Everywhere(json.dumps(settings))


@lru_cache(maxsize=1)
def _answering(settings: str) -> Asker:
    return asker_of(json.loads(settings))


def add_ray(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="do the work as tasks of a Ray cluster: HOST:PORT, `auto` for the one of this "
        "machine, or `local` to start one here",
    )


@contextmanager
def cluster(args: argparse.Namespace) -> Iterator[Cluster | None]:
    """The cluster that was asked for, if one was. Raises `UsageError`."""
    if args.ray is None:
        yield None
        return
    from toolc.cluster import ClusterError
    from toolc.cluster import cluster as at

    try:
        with at(args.ray, args.jobs) as found:
            yield found
    except ClusterError as error:
        raise UsageError(str(error)) from None


def add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        "-j",
        type=positive,
        metavar="N",
        help=f"requests at a time (default: {IN_FLIGHT})",
    )
