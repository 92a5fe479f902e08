"""Specs that the tests of the syntax share: the examples of the language's design, and more."""

from pathlib import Path

FOLDER = Path(__file__).parent / "specs"
SPECS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toolc"))}
