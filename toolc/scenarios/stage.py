"""An environment made ready in memory, so that its scenarios can be played while it is compiled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from toolc.analysis.core import EnvironmentDef
from toolc.emit.closed import NotClosed, check_closed
from toolc.emit.tools import emit_pieces
from toolc.scenarios.pieces import Pieces
from toolc_runtime.budget import MAX_STEPS, METER, TOO_DEEP, check_weight
from toolc_runtime.draws import Draws
from toolc_runtime.environment import Build, Environment
from toolc_runtime.episode import Episode, Prepared
from toolc_runtime.errors import Fail
from toolc_runtime.state import Base, Context, State
from toolc_runtime.values import canonical, parse_datetime


class Failed(Exception):
    """An expression or a statement of a scenario that failed; `value` is what it failed with."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return f"`{self.value}`" if isinstance(self.value, str) else f"`{canonical(self.value)}`"


class Artifacts(Build):
    """The files of a build that is still in memory."""

    def __init__(self, environment: EnvironmentDef, files: Mapping[str, bytes]) -> None:
        self.path = Path(environment.name)
        self.trust = False
        self.name = environment.name
        self.entry = {"version": environment.version}
        self.hashes = dict.fromkeys(files, "")
        self.clock = parse_datetime(environment.clock)
        self.seed = environment.seed
        self.files = dict(files)
        self.module_name = f"toolc_stage_{environment.name}_{id(self):x}"

    def read(self, name: str) -> bytes:
        return self.files[name]

    def add(self, name: str, content: bytes) -> None:
        """One file more."""
        self.files[name] = content
        self.hashes[name] = ""

    def forget(self) -> None:
        """Takes the modules that were run out of `sys.modules`."""
        for name in [name for name in sys.modules if name.startswith(self.module_name)]:
            del sys.modules[name]


class Stage(NamedTuple):
    """What plans are played on. `pieces` are the scenarios' own expressions as functions, with
    all that they call; whoever runs tests adds `expect`."""

    definition: EnvironmentDef
    artifacts: Artifacts
    environment: Environment
    base: Base
    pieces: dict[str, Callable[..., Any]]
    constants: Mapping[str, Any]
    scalars: tuple[str, ...]

    def state(self, base: Base) -> State:
        """A fresh state."""
        made: State = self.environment._state(Context(base, Draws(0)))
        return made

    def episode(self, base: Base, tools: Mapping[str, Prepared] | None = None) -> Episode:
        """An episode without a task, with every tool and no limits."""
        start = self.environment._free._replace(base=base)
        return Episode(start if tools is None else start._replace(tools=tools), Draws(start.seed))

    def evaluate(self, name: str, state: State, *values: Any) -> Any:
        """Runs a piece. Raises `Failed`."""
        if name in self.constants:
            return self.constants[name]
        state._toolc.steps = MAX_STEPS
        token = METER.set(state._toolc)
        try:
            found = self.pieces[name](state, *values)
            check_weight(found)
            return found
        except Fail as failure:
            raise Failed(failure.value) from None
        except RecursionError:
            raise Failed(TOO_DEEP) from None
        finally:
            METER.reset(token)


@contextmanager
def stage(
    definition: EnvironmentDef, files: Mapping[str, bytes], base: Base, pieces: Pieces
) -> Iterator[Stage]:
    """Runs the emitted modules in memory for as long as the context lasts.

    Only code that `check_closed` has found to be nothing but what the emitter writes is run;
    raises `NotClosed` for other code.
    """
    tools = files["tools.py"].decode()
    source = emit_pieces(definition, pieces.functions)
    require_closed({"pieces.py": f"{tools}\n{source}"})  # pieces use the names of tools.py
    artifacts = Artifacts(definition, files)
    try:
        environment = Environment(artifacts, base)
        functions = dict(vars(artifacts.module("tools")))
        exec(compile(source, f"<scenarios of {definition.name}>", "exec"), functions)
        scalars = tuple(scalar.name for scalar in definition.scalars)
        yield Stage(definition, artifacts, environment, base, functions, pieces.constants, scalars)
    finally:
        artifacts.forget()


def require_closed(sources: Mapping[str, str]) -> None:
    """Raises `NotClosed` where Python code holds what the emitter may not write."""
    problems = {name: found for name, text in sources.items() if (found := check_closed(text))}
    if problems:
        raise NotClosed(problems)
