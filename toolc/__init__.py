"""A declarative language and compiler for the tool environments of language models."""

__version__ = "0.1.0"
