"""Loading a build: the environment object that makes episodes.

A build folder, as the compiler writes it::

    build/manifest.json
        {"language": 1, "compiler": "0.1.0",
         "environments": {"shop": {
             "version": "1.0", "clock": "2024-05-15T15:00:00", "seed": 7,
             "sources": {"shop.toolc": "<sha256>", ...},
             "artifacts": {"tools.py": "<sha256>", ...},      # every file of build/shop/
             "counts": {...}}}}
    build/shop/tools.py
        the tools; `class State`, and at the end
        TOOLS: dict[str, Tool] = {"cancel_order": Tool(cancel_order, reads=(...), ...), ...}
    build/shop/schemas.json
        [{"type": "function", "function": {"name", "description", "parameters"}}, ...]
        properties in the order of the function's parameters; `$defs` inside `parameters`
    build/shop/state_schemas.json
        {"tables": {name: {"keys": [schema, ...], "row": schema}},
         "state": {name: schema}, "$defs": {...}}
    build/shop/data.json
        {"tables": {name: {"key": [fields] or null, "rows": {key text: row}}},
         "state": {name: value}}
    build/shop/scenarios.jsonl
        one task a line; may be missing
    build/shop/verifiers.py
        VERIFIERS = {scenario: function of (episode, task)}; may be missing
        GIVEN = {(scenario, turn): function of (episode, task)}: the `given` of later turns;
        may be missing
    build/shop/others.json
        {environment: {"version", "clock", "seed", "tools": [name, ...]}}: other environments, and
        the tools of theirs that some task offers; may be missing
    build/shop/others/retail/
        tools.py, schemas.json, state_schemas.json and data.json of one of them

Hashes are of the files' bytes, in hexadecimal. A key text is the key itself where it is text, else
its JSON text (`7`); the JSON text of a list for composite keys. Every table and scalar of
state_schemas.json must be in data.json.

A build whose files do not have the hashes of its manifest is refused, and none of its code runs.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from toolc_runtime.draws import Draws
from toolc_runtime.episode import MAX_CALLS, Episode, Opening, Prepared, Start
from toolc_runtime.errors import BuildError, Malformed, SchemaError
from toolc_runtime.names import near
from toolc_runtime.schema import Check, Problems, compile_parameters, compile_schema
from toolc_runtime.state import Base, Context, Source, State, Write, apply, derive, settle
from toolc_runtime.task import Task
from toolc_runtime.texts import Texts
from toolc_runtime.tool import Tool
from toolc_runtime.values import parse, parse_datetime, parse_duration, quote

_FILE = re.compile(r"(?:others/[A-Za-z0-9_]+/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LOADING = threading.RLock()  # a module is known by its name before it has run


def load(
    path: str | Path, data: Mapping[str, Any] | str | Path | None = None, *, trust: bool = False
) -> Environment:
    """The environment of a build folder.

    `data` replaces the tables and scalars that it names, in the shape of `Environment.with_state`,
    as a mapping or as the path of a JSON file; the environment then has no tasks. `trust` also
    loads a build that was edited.

    BuildError where files are missing, edited or of the wrong form, and where the data breaks the
    schemas.
    """
    environment = Environment(Build(Path(path), trust))
    if data is None:
        return environment
    initial = data if isinstance(data, Mapping) else _read_json(Path(data))
    return environment.with_state(initial)


class Build:
    """The files of one environment, as read and verified."""

    def __init__(self, path: Path, trust: bool = False) -> None:
        self.path = path
        self.trust = trust
        self.name = path.resolve().name
        manifest = _read_json(path.resolve().parent / "manifest.json")
        try:
            self.entry: Mapping[str, Any] = manifest["environments"][self.name]
            self.hashes: dict[str, str] = dict(self.entry["artifacts"])
            self.clock = parse_datetime(self.entry.get("clock") or "2000-01-01T00:00:00")
            self.seed = int(self.entry.get("seed") or 0)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BuildError(
                f"{path.parent / 'manifest.json'} does not describe `{self.name}`: {error!r}"
            ) from None
        for name in self.hashes:
            self.read(name)
        identity = json.dumps(sorted(self.hashes.items()))
        self.module_name = f"toolc_build_{self.name}_{sha256(identity.encode()).hexdigest()[:16]}"

    def read(self, name: str) -> bytes:
        """The bytes of an artifact, whose hash is that of the manifest."""
        if not _FILE.fullmatch(name):
            raise BuildError(f"{quote(name)} is not the name of an artifact")
        try:
            content = (self.path / name).read_bytes()
        except OSError as error:
            raise BuildError(f"{self.path / name} cannot be read: {error.strerror}") from None
        if not self.trust and sha256(content).hexdigest() != self.hashes.get(name):
            raise BuildError(
                f"{self.path / name} is not what the compiler wrote: "
                "edit the spec and compile it again"
            )
        return content

    def json(self, name: str) -> Any:
        """The JSON value of an artifact."""
        try:
            return json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise BuildError(f"{self.path / name} is not JSON: {error}") from None

    def lines(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The objects of an artifact of JSON lines; none where there is no such artifact."""
        if name not in self.hashes:
            return
        for number, line in enumerate(self.read(name).splitlines(), 1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BuildError(f"{self.path / name}:{number} is not JSON: {error}") from None
            if not isinstance(record, dict) or not isinstance(record.get("id"), str):
                raise BuildError(f"{self.path / name}:{number} is not a task")
            yield record

    def module(self, name: str) -> ModuleType:
        """An artifact of Python code, run as a module of a package of its own.

        The code that runs is the bytes that were hashed; nothing is written beside it.
        """
        with _LOADING:
            return self._module(name)

    def _module(self, name: str) -> ModuleType:
        package = self.module_name
        if package not in sys.modules:
            made = ModuleType(package)
            made.__path__ = []
            sys.modules[package] = made
        full = f"{package}.{name}"
        known = sys.modules.get(full)
        if known is not None and not self.trust:
            return known
        file = f"{name}.py"
        content = self.read(file)
        module = ModuleType(full)
        module.__package__ = package
        module.__file__ = str(self.path / file)
        sys.modules[full] = module
        try:
            exec(compile(content, str(self.path / file), "exec"), module.__dict__)
        except Exception as error:
            del sys.modules[full]
            raise BuildError(
                f"{self.path / file} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        return module


class _Other(Build):
    """The part of a build that is another environment."""

    def __init__(self, whole: Build, name: str, entry: Mapping[str, Any]) -> None:
        within = f"others/{name}/"
        self.path = whole.path / "others" / name
        self.trust = whole.trust
        self.name = name
        self.entry = entry
        self.hashes = {
            file.removeprefix(within): found
            for file, found in whole.hashes.items()
            if file.startswith(within)
        }
        self.clock = parse_datetime(entry["clock"])
        self.seed = int(entry["seed"])
        self.module_name = f"{whole.module_name}_{name}"
        self._whole = whole

    def read(self, name: str) -> bytes:
        return self._whole.read(f"others/{self.name}/{name}")


class Schemas:
    """The checks of tables, keys and scalars."""

    def __init__(self, text: Any) -> None:
        try:
            definitions = text.get("$defs", {})
            self.rows = {
                name: compile_schema(table["row"], definitions)
                for name, table in text["tables"].items()
            }
            self.keys: dict[str, list[Check]] = {
                name: [compile_schema(key, definitions) for key in table["keys"]]
                for name, table in text["tables"].items()
            }
            self.scalars = {
                name: compile_schema(schema, definitions) for name, schema in text["state"].items()
            }
        except (KeyError, TypeError, AttributeError, SchemaError) as error:
            raise BuildError(
                f"the schemas of the state are not of the expected form: {error}"
            ) from None

    def key(self, table: str, text: str) -> Any:
        """The key that a text stands for."""
        checks = self.keys[table]
        if len(checks) > 1:
            parts = _parsed(text)
            if not isinstance(parts, list) or len(parts) != len(checks):
                raise BuildError(f"{quote(text)} is not a key of `{table}`")
            return tuple(
                self._part(table, check, part) for check, part in zip(checks, parts, strict=True)
            )
        problems: Problems = []
        value = checks[0](text, (), problems)
        if not problems:
            return value
        try:
            part = parse(text)
        except Malformed:
            part = text
        return self._part(table, checks[0], part)

    def _part(self, table: str, check: Check, part: Any) -> Any:
        problems: Problems = []
        value = check(part, (), problems)
        if problems:
            raise BuildError(f"{quote(part)} is not a key of `{table}`: {problems[0].message}")
        return value

    def row(self, table: str, key: str, value: Any) -> Any:
        """A row, converted; BuildError where it breaks the schema."""
        return _conforming(self.rows[table], value, f"{table}[{quote(key)}]")

    def scalar(self, name: str, value: Any) -> Any:
        """A scalar, converted; BuildError where it breaks the schema."""
        return _conforming(self.scalars[name], value, name)

    def table(self, name: str, rows: Any) -> Source:
        """A table of `{key text: row}`."""
        if not isinstance(rows, Mapping):
            raise BuildError(f"the rows of `{name}` must be an object, found {quote(rows)}")
        key, row = self.key, self.row
        return Source({key(name, text): row(name, text, value) for text, value in rows.items()})

    def writes(self, changes: Mapping[str, Any]) -> tuple[Write, ...]:
        """Changes `{table: {key: row or None}, scalar: value}` as writes, `before` unset."""
        made = []
        for name, change in changes.items():
            if name in self.scalars:
                made.append(Write(name, None, None, self.scalar(name, change)))
            elif name in self.rows:
                for text, value in change.items():
                    row = None if value is None else self.row(name, text, value)
                    made.append(Write(name, self.key(name, text), None, row))
            else:
                raise BuildError(_no_state(name, [*self.rows, *self.scalars]))
        return tuple(made)


class Environment:
    """An environment: its tools, schemas and tasks, and the state that episodes start from.

    One object serves any number of episodes at a time, in any threads.
    """

    def __init__(self, build: Build, base: Base | None = None) -> None:
        self._build = build
        self._given_base = base
        self._texts = Texts()
        self.name = build.name
        self.version = str(build.entry.get("version", ""))
        self.seed = build.seed
        module = build.module("tools")
        self.tools: dict[str, Tool] = dict(getattr(module, "TOOLS", {}))
        self._state: Any = getattr(module, "State", State)
        self.schemas: list[dict[str, Any]] = build.json("schemas.json")
        self._prepared = self._prepare()

    def __repr__(self) -> str:
        return f"Environment({self.name!r}, {len(self.tools)} tools)"

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """The tasks by id, in order; none where the data was replaced."""
        if self._given_base is not None:
            return {}
        return {record["id"]: Task(record) for record in self._build.lines("scenarios.jsonl")}

    @cached_property
    def verifiers(self) -> Mapping[str, Any]:
        """The verifiers by scenario."""
        if "verifiers.py" not in self._build.hashes:
            return {}
        verifiers: Mapping[str, Any] = getattr(self._build.module("verifiers"), "VERIFIERS", {})
        return verifiers

    @cached_property
    def _given(self) -> Mapping[tuple[str, int], Any]:
        """By scenario and turn what changes the state as the turn begins."""
        if "verifiers.py" not in self._build.hashes:
            return {}
        given: Mapping[tuple[str, int], Any] = getattr(self._build.module("verifiers"), "GIVEN", {})
        return given

    def schemas_of(self, task: str | Task) -> list[dict[str, Any]]:
        """The schemas of the tools that a task offers, those of other environments last."""
        start = self._start_of(task)
        return [each for each in self.schemas if _function(each) in start.tools] + [
            each
            for name, other in start.guests.items()
            for each in other.schemas
            if _function(each) == name
        ]

    @cached_property
    def guests(self) -> Mapping[str, Environment]:
        """The tools of other environments that some task offers, each with its environment."""
        if "others.json" not in self._build.hashes:
            return {}
        found = {}
        try:
            for name, entry in self._build.json("others.json").items():
                other = Environment(_Other(self._build, name, entry))
                for tool in entry["tools"]:
                    other._prepared[tool]
                    found[tool] = other
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BuildError(
                f"{self._build.path / 'others.json'} is not of the expected form: {error!r}"
            ) from None
        return found

    @cached_property
    def base(self) -> Base:
        """The state that episodes start from, shared by all; read when it is first needed."""
        if self._given_base is not None:
            return self._given_base
        data = self._build.json("data.json")
        try:
            tables = {
                name: self._checks.table(name, data["tables"][name]["rows"])
                for name in self._checks.rows
            }
            scalars = {
                name: self._checks.scalar(name, data["state"][name])
                for name in self._checks.scalars
            }
        except (KeyError, TypeError) as error:
            raise BuildError(
                f"{self._build.path / 'data.json'} is not of the expected form: {error!r}"
            ) from None
        return Base(tables, scalars, self._build.clock)

    def with_state(
        self, initial: Mapping[str, Any], *, clock: datetime | None = None
    ) -> Environment:
        """The environment with other data, `{table: {key: row}, scalar: value}`; the rest stays.

        BuildError for unknown names and for rows that break the schemas. The result has no tasks.
        """
        checks = self._checks
        unknown = [
            name for name in initial if name not in checks.rows and name not in checks.scalars
        ]
        if unknown:
            raise BuildError(_no_state(unknown[0], [*checks.rows, *checks.scalars]))
        tables, scalars, start = self.base
        return Environment(
            self._build,
            Base(
                {
                    name: checks.table(name, initial[name]) if name in initial else tables[name]
                    for name in tables
                },
                {
                    name: checks.scalar(name, initial[name]) if name in initial else scalars[name]
                    for name in scalars
                },
                clock or start,
            ),
        )

    def episode(
        self,
        task: str | Task | None = None,
        *,
        seed: int | None = None,
        draws: Sequence[Any] | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> Episode:
        """A new episode of a task, or of none: then every tool is offered, and nothing is judged.

        `seed` replaces the task's for draws, unless the task keeps its own; `draws` is a recorded
        tape in place of them, `initial` is other data as in `with_state` (for an episode without a
        task).
        KeyError for an unknown task.
        """
        if initial is not None:
            if task is not None:
                raise ValueError("an episode of a task starts from the task's state")
            return self.with_state(initial).episode(seed=seed, draws=draws)
        start = self._free if task is None else self._start_of(task)
        fixed = start.task is not None and start.task.fixed_seed
        return Episode(start, Draws(start.seed if seed is None or fixed else seed, draws))

    # ------------------------------------------------------------ what is prepared once

    @cached_property
    def _checks(self) -> Schemas:
        return Schemas(self._build.json("state_schemas.json"))

    @cached_property
    def _free(self) -> Start:
        return Start(self._state, self.base, self._prepared, seed=self.seed, texts=self._texts)

    def _prepare(self) -> dict[str, Prepared]:
        scalars = self._checks.scalars
        prepared = {}
        try:
            if not isinstance(self.schemas, list):
                raise TypeError("expected a list")
            for schema in self.schemas:
                function = schema["function"]
                name = function["name"]
                tool = self.tools[name]
                names, check = compile_parameters(function["parameters"])
                writes = tuple(other for other in tool.writes if other in scalars)
                prepared[name] = Prepared(tool.function, names, check, writes, tool.keeps_effects)
        except (KeyError, TypeError, AttributeError, SchemaError) as error:
            where = self._build.path / "schemas.json"
            raise BuildError(
                f"{where} does not fit the tools: {type(error).__name__}: {error}"
            ) from None
        return prepared

    def _opening(self, task: Task, number: int, turn: Mapping[str, Any]) -> Opening:
        return Opening(
            self._given.get((task.scenario, number)),
            parse_duration(turn["advance"]) if turn.get("advance") else None,
            any(name in turn["user"] for name in task.fresh),
        )

    def _start_of(self, task: str | Task) -> Start:
        if not isinstance(task, Task):
            found = self.tasks.get(task)
            if found is None:
                similar = near(task, self.tasks)
                raise KeyError(
                    f"no task {task!r}" + (f", did you mean {similar[0]!r}?" if similar else "")
                )
            task = found
        if task.start is None:
            task.start = self._prepare_task(task)
        start: Start = task.start
        return start

    def _prepare_task(self, task: Task) -> Start:
        record = task.record
        try:
            base = (
                self.base._replace(clock=parse_datetime(record["clock"]))
                if "clock" in record
                else self.base
            )
            state = self._state(Context(base, Draws(0)))
            first = task.turns[0] if task.turns else {}
            apply(state, self._checks.writes(task.given))
            settle(state)
            if first.get("advance"):
                state._toolc.clock += parse_duration(first["advance"])
            for turn in task.turns:
                _require(turn, "user")
                for step in turn.get("steps", ()):
                    _require(step, "tool", "arguments")
            turns = tuple(
                self._opening(task, number, turn) for number, turn in enumerate(task.turns)
            )
            own, guests = self._prepared, {}
            if task.tools is not None:
                own = {name: own[name] for name in task.tools if name in own}
                guests = {name: self.guests[name] for name in task.tools if name not in own}
            return Start(
                self._state,
                derive(state),
                own,
                task,
                turns,
                self.verifiers.get(task.scenario),
                self.seed if task.seed is None else task.seed,
                task.limits.get("calls", MAX_CALLS),
                task.limits.get("turns", MAX_CALLS),
                self._texts,
                guests,
            )
        except (KeyError, TypeError, AttributeError, Malformed, OverflowError) as error:
            raise BuildError(
                f"the task {task.id!r} is not of the expected form: {error!r}"
            ) from None


def _function(schema: Mapping[str, Any]) -> Any:
    return schema["function"]["name"]


def _no_state(name: str, known: Sequence[str]) -> str:
    similar = near(name, known)
    return f"there is no table or state `{name}`" + (
        f"; did you mean `{similar[0]}`?" if similar else ""
    )


def _require(part: Mapping[str, Any], *names: str) -> None:
    """KeyError or TypeError where a part of a task lacks one of the names."""
    for name in names:
        part[name]


def _conforming(check: Check, value: Any, where: str) -> Any:
    problems: Problems = []
    converted = check(value, (), problems)
    if problems:
        path, message = problems[0]
        raise BuildError(f"{where}{path}: {message}")
    return converted


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except Malformed as error:
        raise BuildError(f"{quote(text)} is not a key: {error}") from None


def _read_json(path: Path) -> Any:
    try:
        value = parse(path.read_text(encoding="utf-8"), limit=2**40)
    except OSError as error:
        raise BuildError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BuildError(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BuildError(f"{path} must hold a JSON object")
    return value
