"""The small spec that examples of rules complete: a library with one book."""

from __future__ import annotations

HEAD = 'toolc 1\nenvironment library "A small library."\n'
SAMPLE = (
    HEAD
    + """\
record Book { title: str, pages: int, isbn?: str, rating: float? }
table books[title]: Book = [{title: "Emma", pages: 474, rating: null}]
state lent: int = 0
invariant stock: lent <= len(books)
"""
)


def spec(*lines: str) -> str:
    """The sample and further declarations."""
    return SAMPLE + "".join(f"{line}\n" for line in lines)


def tool(*body: str, result: str = "int") -> str:
    """The sample and a tool with a parameter `title`."""
    inner = "".join(f"  {line}\n" for line in body)
    return spec(f"tool look_up(title: str) -> {result} {{\n{inner}}}")


def value(expression: str, result: str = "int") -> str:
    """The sample and a tool that gives an expression's value."""
    return tool(f"return {expression}", result=result)


def scenario(*clauses: str) -> str:
    """The sample, two tools and a scenario of these clauses."""
    inner = "".join(f"  {clause}\n" for clause in clauses)
    return spec(
        "tool get_pages(title: str) -> int { return books[title].pages }",
        "tool get_rating(title: str) -> float?",
        f"scenario length {{\n{inner}}}",
    )


def files(main: str, **others: str) -> str:
    """A spec and the files beside it, by their stems, in comments at its end."""
    return main + "".join(
        f"# file: {stem}.toolc\n" + "".join(f"# {line}\n" for line in text.splitlines())
        for stem, text in others.items()
    )
