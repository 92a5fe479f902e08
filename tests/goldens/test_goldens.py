"""What is emitted for a spec is what stands beside it; `make goldens` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolc.analysis import core
from toolc.analysis.check import check
from toolc.emit.closed import prove_source
from toolc.emit.schemas import state_schemas, tool_schemas
from toolc.emit.tools import emit_tools
from toolc.emit.trl import emit_trl
from toolc.syntax.parser import parse

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/spec.toolc"))


def environment_of(case: str) -> core.EnvironmentDef:
    """The checked spec of a case."""
    parsed = parse((HERE / case / "spec.toolc").read_text(), "spec.toolc")
    assert parsed.module is not None, parsed.diagnostics
    checked = check({"spec.toolc": parsed.module})
    assert checked.environment is not None, checked.diagnostics
    return checked.environment


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def artifacts(environment: core.EnvironmentDef) -> dict[str, str]:
    """Every file that a case holds beside its spec."""
    return {
        "tools.py": emit_tools(environment, "0" * 64),
        "trl_environment.py": emit_trl(environment, "0" * 64),
        "schemas.json": _json(tool_schemas(environment)),
        "state_schemas.json": _json(state_schemas(environment)),
    }


@pytest.mark.parametrize("case", CASES)
def test_emitted_files_are_the_expected_ones(case: str, request: pytest.FixtureRequest) -> None:
    made = artifacts(environment_of(case))
    if request.config.getoption("--update-goldens", default=False):
        for name, text in made.items():
            (HERE / case / name).write_text(text)
    for name, text in made.items():
        assert (HERE / case / name).read_text() == text, f"{name}: see `make goldens`"


@pytest.mark.parametrize("case", CASES)
def test_emitted_python_is_proved(case: str) -> None:
    made = artifacts(environment_of(case))
    for name in ("tools.py", "trl_environment.py"):
        assert prove_source(made[name]) == []
