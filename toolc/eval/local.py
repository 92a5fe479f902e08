"""A policy that plays with a model of the transformers library in this process.

What the model says is read by the formats of `toolc_runtime.chat`. Which of them it is, is seen
from what the model's own template makes of a call. Where it is none of them, the tokenizer may
bring a parser of its own (`parse_response`), or TRL knows one for the template.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import UsageError
from toolc.eval import sampling
from toolc.eval.policy import Unavailable, Unusable
from toolc.eval.sampling import AUTO, Sampling
from toolc.models.local import Failed, Generated, LocalError, LocalModel
from toolc_runtime.chat import thinking
from toolc_runtime.chat.families.openai import from_message
from toolc_runtime.chat.formats import FORMATS
from toolc_runtime.chat.history import acceptable, calls_made
from toolc_runtime.chat.message import Message, Reply, ToolCall
from toolc_runtime.chat.prompted import embed
from toolc_runtime.chat.written import assemble, malformed

if TYPE_CHECKING:
    from toolc_runtime.episode import Episode
    from toolc_runtime.task import Task

Tools = Sequence[Mapping[str, Any]]
Read = Callable[[Generated, Tools, int], Reply]
"""What was generated, the tools on offer, and how many calls the model made before."""

_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look_up_word",
        "description": "Looks up a word.",
        "parameters": {
            "type": "object",
            "properties": {"word": {"type": "string", "description": "The word."}},
            "required": ["word"],
        },
    },
}
_CALL = ToolCall("call00000", "look_up_word", '{"word": "green"}')
_ASKED: list[Message] = [{"role": "user", "content": "What is green?"}]


class LocalPolicy:
    """Plays episodes with a model. Unusable where its calls cannot be read."""

    name = "local"

    def __init__(self, model: LocalModel, sampling: Sampling = Sampling()) -> None:  # noqa: B008
        self.model = model
        self.sampling = sampling
        try:
            self.told = sampling.format != AUTO and not _shows_tools(model)
            """Whether the prompt tells of the tools, as the template does not."""
            self.format, self.read = _reader(model, sampling.format)
        except LocalError as error:
            raise Unusable(str(error)) from None

    def open(self, episode: Episode, task: Task, seed: int) -> _Player:
        return _Player(self, seed)


class _Player:
    def __init__(self, policy: LocalPolicy, seed: int) -> None:
        self._policy = policy
        self._seed = seed

    def respond(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Reply:
        """The model's next message. Raises `Unavailable`."""
        policy = self._policy
        chosen = policy.sampling
        said = sum(message["role"] == "assistant" for message in messages)
        try:
            made = policy.model.generate(
                self._prompt(messages, tools),
                seed=self._seed * 1_000 + said,
                temperature=chosen.temperature,
                top_p=chosen.top_p,
                max_tokens=chosen.max_tokens,
            )
        except (Failed, LocalError) as error:
            raise Unavailable(str(error)) from None
        reply = policy.read(made, tools, calls_made(messages))
        return reply._replace(
            prompt_tokens=made.prompt_tokens, completion_tokens=made.completion_tokens
        )

    def _prompt(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> str:
        policy = self._policy
        if policy.told:
            return policy.model.prompt(embed(messages, tools, FORMATS[policy.format]))
        asked = acceptable(messages, objects=True, reasoning=True)
        try:
            return policy.model.prompt(asked, tools)
        except LocalError:
            # Some templates take one call a message.
            return policy.model.prompt(_one_by_one(asked), tools)


def _one_by_one(messages: Sequence[Message]) -> list[Message]:
    """The messages, each with one call, and its result after it."""
    results = {
        message["tool_call_id"]: message for message in messages if message["role"] == "tool"
    }
    made: list[Message] = []
    for message in messages:
        calls = message.get("tool_calls") or ()
        if len(calls) < 2:
            if message["role"] != "tool" or message["tool_call_id"] in results:
                made.append(message)
            continue
        for place, call in enumerate(calls):
            content = message["content"] if place == 0 else ""
            made.append({"role": "assistant", "content": content, "tool_calls": [call]})
            if call["id"] in results:
                made.append(results.pop(call["id"]))
    return made


# ---------------------------------------------------------------- how a model writes calls


def _shows_tools(model: LocalModel) -> bool:
    """Whether the template tells the model of tools."""
    return _CALL.name in model.prompt(_ASKED, [_TOOL])


def _reader(model: LocalModel, format: str) -> tuple[str, Read]:
    """The name of the format that a model writes, and what reads it. LocalError where it is none
    that is known."""
    if format != AUTO:
        return format, _by_format(format)
    if not _shows_tools(model):
        raise LocalError(
            "the chat template tells the model of no tools; with --chat-format, such as hermes, "
            "the prompt does"
        )
    written = _written(model)
    for name in FORMATS:
        if _is_call(_by_format(name)(written, [_TOOL], 0)):
            return name, _by_format(name)
    own = _by_template(model)
    if own is not None and _is_call(own(written, [_TOOL], 0)):
        return "template", own
    raise LocalError(
        f"the chat template writes calls in a format that is not known: {written.text[:200]!r}"
    )


def _written(model: LocalModel) -> Generated:
    """What the model would have generated to make a call, by its template."""
    message = Reply("", (_CALL,)).to_message()
    asked = model.prompt(_ASKED, [_TOOL])
    whole = model.prompt([*_ASKED, *acceptable([message], objects=True)], [_TOOL], reply=False)
    pairs = enumerate(zip(asked, whole, strict=False))
    common = next((at for at, (left, right) in pairs if left != right), len(asked))
    text = whole[common:]
    end = model.tokenizer.eos_token or ""
    return Generated(text.rstrip().removesuffix(end), end, asked)


def _is_call(reply: Reply) -> bool:
    """Whether a reply is the call that it was made of."""
    try:
        return [(call.name, json.loads(call.arguments)) for call in reply.calls] == [
            (_CALL.name, json.loads(_CALL.arguments))
        ]
    except ValueError:
        return False


def _by_format(name: str) -> Read:
    parse = FORMATS[name].parse

    def read(made: Generated, tools: Tools, first: int) -> Reply:
        # The prompt may have begun the reasoning.
        opened = made.prompt.rstrip().endswith(thinking.OPEN)
        return parse(thinking.OPEN + made.text if opened else made.text, tools, first)

    return read


def _by_template(model: LocalModel) -> Read | None:
    """What reads replies as the tokenizer says, or TRL where it knows the template."""
    tokenizer = model.tokenizer
    if getattr(tokenizer, "response_template", None) is None:
        try:
            from toolc.train.trl_adapter import with_parser

            tokenizer = with_parser(tokenizer)
        except (ImportError, ValueError):
            return None
    if getattr(tokenizer, "response_template", None) is None:
        return None

    def read(made: Generated, tools: Tools, first: int) -> Reply:
        try:
            text = made.text + made.end
            message = tokenizer.parse_response(text, prefix=made.prompt, tools=list(tools))
            reply = from_message(message, first)
            return reply._replace(content=reply.content.removesuffix(made.end).rstrip())
        except Exception:  # a call that it cannot read; it says no more of it
            return assemble("", [malformed(made.text)], first)

    return read


# ---------------------------------------------------------------- options


def add_options(parser: argparse.ArgumentParser, choice: Any = None) -> None:
    """The options of the policy. `choice`, a group of options that exclude each other, takes
    `--model-path`, which asks for it."""
    add_loading(parser, choice)
    sampling.add_options(parser)


def add_loading(parser: argparse.ArgumentParser, choice: Any = None) -> None:
    """Where the model is, and how it is loaded."""
    (choice or parser).add_argument(
        "--model-path", metavar="FOLDER", help="run a model of the transformers library here"
    )
    group = parser.add_argument_group("a local model")
    group.add_argument("--device", metavar="NAME", help="cpu, cuda, … (default: cuda if there)")
    group.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="of the weights (default: %(default)s, as they are stored)",
    )
    group.add_argument(
        "--template",
        type=_variables,
        default={},
        metavar="JSON",
        help="further variables of the chat template, as '{\"enable_thinking\": false}'",
    )


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """What a run keeps of the options, and `from_settings` makes the policy of."""
    return {
        "name": LocalPolicy.name,
        "model": args.model_path,
        **sampling.settings_of(args),
        "dtype": args.dtype,
        "template": args.template,
        "access": {"device": args.device},
    }


def from_settings(settings: Mapping[str, Any]) -> LocalPolicy:
    """The policy of settings. UsageError where the model cannot be loaded or read."""
    try:
        return LocalPolicy(model_of(settings), sampling.from_settings(settings))
    except (LocalError, Unusable) as error:
        raise UsageError(str(error)) from None


def model_of(settings: Mapping[str, Any]) -> LocalModel:
    """The model of settings. Raises `LocalError`."""
    return LocalModel.load(
        settings["model"], settings["access"]["device"], settings["dtype"], settings["template"]
    )


def from_args(args: argparse.Namespace) -> LocalPolicy:
    """The policy that the options ask for."""
    return from_settings(settings_of(args))


def _variables(text: str) -> dict[str, Any]:
    try:
        variables = json.loads(text)
    except (ValueError, RecursionError):
        variables = None
    if not isinstance(variables, dict):
        raise argparse.ArgumentTypeError("variables of a template are a JSON object")
    return variables
