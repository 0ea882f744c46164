"""Expression → text: what `parse` reads back as the same."""

from __future__ import annotations

from typing import assert_never

from datasets.derive.expression import (
    Absent,
    Arithmetic,
    Case,
    Choose,
    Compare,
    Ever,
    Expression,
    Figure,
    In,
    Logic,
    Name,
    Not,
    Null,
    Text,
)


def text(of: Expression) -> str:
    """With brackets, so that no rule of precedence is needed. One that is nested deeply may be too deep to be read."""
    match of:
        case Name(name):
            return '"' + name.replace('"', '""') + '"'
        case Text(code):
            return "'" + code.replace("'", "''") + "'"
        case Figure(value):
            return f"{value:f}" if value >= 0 else f"(0 - {-value:f})"
        case Null():
            return "null"
        case Compare() | Logic() | Arithmetic():
            return f"({_chain(of)})"
        case Not(part):
            return f"(not {text(part)})"
        case In(part, options):
            return f"({text(part)} in ({_listed(options)}))"
        case Absent(part):
            return f"({text(part)} is null)"
        case Ever(condition, years):
            return f"ever({text(condition)}, {years})"
        case Case(branches, otherwise):
            whens = " ".join(f"when {text(when)} then {text(then)}" for when, then in branches)
            return f"case {whens} else {text(otherwise)} end"
        case Choose(op, several):
            return f"{op}({_listed(several)})"
        case _:
            assert_never(of)


def _chain(of: Compare | Logic | Arithmetic) -> str:
    """A run of one operator without brackets in between, as it is read from the left."""
    links: list[str] = []
    left: Expression = of
    while type(left) is type(of) and not isinstance(of, Compare) and left.op == of.op:
        links.append(f"{left.op} {text(left.right)}")
        left = left.left
    if not links:
        return f"{text(of.left)} {of.op} {text(of.right)}"
    return " ".join([text(left), *reversed(links)])


def _listed(several: tuple[Expression, ...]) -> str:
    return ", ".join(map(text, several))
