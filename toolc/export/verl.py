"""What verl needs to train on a build's tasks with tools, as one folder that stands alone.

::

    toolc_verl.py    the tool class and the reward function
    tools.yaml       every tool, for `multi_turn.tool_config_path`
    train.parquet, validation.parquet, test.parquet
    build/           the environments; toolc_runtime/ beside it is what they run on
    run.sh           starts verl on them; README.md says what it takes
    export.json      what is in it

Rows are turns of tasks, as in `toolc.train.rows`. `extra_info.tool_selection` narrows the tools to
those that the task offers.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import toolc_runtime
from toolc import __version__
from toolc.output import MANIFEST
from toolc.train.admitted import Admitted
from toolc.train.dataset import (
    SPLITS,
    DatasetError,
    Options,
    in_balance,
    placed,
    split_files,
    write_folder,
)
from toolc.train.rows import Row, Source, rl_rows
from toolc_runtime.values import canonical
from toolc_runtime.verl import KEY

CARD = "export.json"
VERSION = "0.9.1"
"""Of verl, that this was tried with."""

Schema = dict[str, Any]


class Tool(NamedTuple):
    """A tool of verl: the name under which it is offered, its name in the environment, and the
    schema that models are shown."""

    name: str
    tool: str
    schema: Schema


class Export(NamedTuple):
    """Rows by split, and the tools that they select."""

    rows: Mapping[str, list[Row]]
    tools: tuple[Tool, ...]


def make(admitted: Mapping[str, Admitted], options: Options) -> Export:
    """The turns of environments' admitted tasks as rows. Raises `DatasetError` as data sets do."""
    names = _Names()
    rows: dict[str, list[Row]] = {name: [] for name in SPLITS}
    sources: dict[str, Source] = {}
    for source, task, place in placed(admitted, options):
        environment = source.environment
        if environment.name not in sources:
            sources[environment.name] = source._replace(names=names.of(source))
        rows[place.split] += rl_rows(sources[environment.name], task, place.unseen)
    balanced = in_balance(rows, options.seed)
    return Export(
        {
            name: [_row(row, name, index) for index, row in enumerate(found)]
            for name, found in balanced.items()
        },
        names.tools,
    )


class _Names:
    """Gives tools names that are unique among all environments: its own, where no tool of another
    schema has it, else one with the environment's behind it."""

    def __init__(self) -> None:
        self._known: dict[str, Tool] = {}

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._known.values())

    def of(self, source: Source) -> dict[str, str]:
        environment = source.environment
        schemas = [(environment.name, schema) for schema in environment.schemas]
        for tool, other in environment.guests.items():
            schemas += [(other.name, each) for each in other.schemas if _name(each) == tool]
        return {_name(schema): self._name(of, schema) for of, schema in schemas}

    def _name(self, environment: str, schema: Schema) -> str:
        tool = _name(schema)
        for name in (tool, f"{tool}_{environment}"):
            shown = {**schema, "function": {**schema["function"], "name": name}}
            known = self._known.setdefault(name, Tool(name, tool, shown))
            if known.schema == shown:
                return name
        raise DatasetError(f"there are two tools `{tool}_{environment}`")


def _name(schema: Schema) -> str:
    return str(schema["function"]["name"])


def _row(row: Row, split: str, index: int) -> Row:
    """A row as verl reads it."""
    given = {"environment": row["of"], "task": row["task"], "prefix": row["prefix"]}
    return {
        "data_source": f"toolc/{row['of']}",
        "agent_name": "tool_agent",
        "prompt": row["prompt"],
        "ability": row["kind"],
        "reward_model": {
            "style": "rule",
            "ground_truth": canonical({**given, "rest": row["rest"]}),
        },
        "extra_info": {
            "index": index,
            "split": split,
            "id": row["id"],
            "need_tools_kwargs": True,
            "tools_kwargs": {KEY: {"create_kwargs": given}},
            "interaction_kwargs": {"name": KEY},
            "tool_selection": [_name(schema) for schema in json.loads(row["tools"])],
            "unseen": row["unseen"],
        },
        "kind": row["kind"],
        "steps": row["steps"],
    }


# ---------------------------------------------------------------- tools.yaml


def tool_config(tools: tuple[Tool, ...]) -> str:
    """The tools as verl's YAML has them (JSON is YAML). `tool_schema` is as much of a schema as
    verl's classes take, `config.schema` the whole."""
    entries = [
        {
            "class_name": "toolc_verl.EpisodeTool",
            "config": {
                "type": "native",
                "tool": each.tool,
                "schema": json.dumps(each.schema, ensure_ascii=False),
            },
            "tool_schema": _reduced(each.schema),
        }
        for each in tools
    ]
    text = json.dumps({"tools": entries}, indent=2, ensure_ascii=False)
    # OmegaConf reads `${…}` as a reference, unless there is a backslash before it.
    return text.replace("${", "\\\\${") + "\n"


def _reduced(schema: Schema) -> Schema:
    function = schema["function"]
    parameters = function["parameters"]
    defined = parameters.get("$defs", {})
    return {
        "type": "function",
        "function": {
            "name": function["name"],
            "description": function.get("description", ""),
            "parameters": {
                "type": "object",
                "properties": {
                    name: _property(each, defined)
                    for name, each in parameters.get("properties", {}).items()
                },
                "required": parameters.get("required", []),
            },
        },
    }


def _property(schema: Schema, defined: Mapping[str, Schema]) -> Schema:
    types = list(dict.fromkeys(_types(schema, defined)))
    made: Schema = {"type": types[0] if len(types) == 1 else types}
    for name in ("description", "enum"):
        if name in schema:
            made[name] = schema[name]
    return made


def _types(schema: Schema, defined: Mapping[str, Schema]) -> Iterator[str]:
    if "type" in schema:
        yield from [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    elif "$ref" in schema:
        yield from _types(defined[schema["$ref"].rpartition("/")[2]], defined)
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _types(each, defined)
    else:
        yield from ("string", "number", "boolean", "object", "array", "null")


# ---------------------------------------------------------------- on disk


def write(
    export: Export, admitted: Mapping[str, Admitted], options: Options, folder: str
) -> dict[str, Any]:
    """Writes the folder, and last `export.json`, which is returned. Raises `DatasetError`."""
    about = {
        "format": "verl",
        "verl": VERSION,
        "toolc": __version__,
        "seed": options.seed,
        "held_out": list(options.held_out),
        "shares": options.shares._asdict(),
        "tools": len(export.tools),
        "rows": {
            name: dict(sorted(Counter(row["data_source"] for row in rows).items()))
            for name, rows in export.rows.items()
        },
    }
    write_folder(_files(export, admitted), about, CARD, folder)
    return about


def _files(export: Export, admitted: Mapping[str, Admitted]) -> Iterator[tuple[str, bytes]]:
    yield from split_files("", export.rows)
    yield "tools.yaml", tool_config(export.tools).encode()
    here = Path(__file__).parent
    for name in ("toolc_verl.py", "templates/run.sh", "templates/README.md"):
        yield os.path.basename(name), (here / name).read_bytes()
    package = Path(toolc_runtime.__file__).parent
    for path in sorted(package.rglob("*.py")):
        yield f"{package.name}/{path.relative_to(package).as_posix()}", path.read_bytes()
    entries = {}
    for name, (_, environment, _) in admitted.items():
        build = environment._build
        entries[name] = build.entry
        for file in build.hashes:
            yield f"build/{name}/{file}", build.read(file)
    manifest = {"language": 1, "compiler": __version__, "environments": entries}
    yield f"build/{MANIFEST}", (json.dumps(manifest, indent=2) + "\n").encode()
