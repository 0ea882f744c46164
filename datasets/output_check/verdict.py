"""What an output check finds: reasons from a closed set, a verdict on each number, and the worst of them on the table.

What is said of a number names rules and what to do, never a value of the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from disclosure.policy import Policy


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict
    REVIEW = "review"
    FAIL = "fail"


_ORDER = tuple(Verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_ORDER.index, default=Verdict.PASS)


class Reason(Enum):
    """name → (verdict, what is wrong, what would mend it). Primary rules have reasons of their own (`of_rule`)."""

    NOT_THAT_OF_THE_QUERY = (
        Verdict.FAIL,
        "The table is not that of the query: this number is further from the data than rounding explains.",
        "Send the query that made the table, for the same version of the data.",
    )
    NOT_ROUNDED = (
        Verdict.FAIL,
        "The policy rounds counts, and this one is not rounded to its base.",
        "Round every count as the policy says.",
    )
    ROUNDED_DIFFERENTLY = (
        Verdict.REVIEW,
        "The number agrees with the data, but is not rounded as the policy says, or not computed from rounded numbers.",
        "Round counts as the policy says, and compute other numbers from the rounded ones.",
    )
    HIDDEN_BEFORE = (
        Verdict.FAIL,
        "An earlier release hides what this number shows.",
        "Hide it (c).",
    )
    TELLS_HIDDEN = (
        Verdict.FAIL,
        "The number is computed from, or adds up, a count that the table hides elsewhere.",
        "Hide it (c) too.",
    )
    CAN_BE_WORKED_OUT = (
        Verdict.FAIL,
        "What is shown here and in earlier releases tells this hidden number, or leaves it too few possible values.",
        "Hide a further number of its row and of its column, and the one where those meet, or leave totals out.",
    )
    TELLS_OTHERS = (
        Verdict.FAIL,
        "What is shown tells a number that is not in the table and may not be known, such as a row that was left out.",
        "Hide further numbers in the rows and columns of what was left out, or leave totals out.",
    )
    TOO_CLOSE = (
        Verdict.FAIL,
        "The population differs by a few pupils from that of a table that was released.",
        "Use the population of that table, or one that differs by more.",
    )
    ROWS_LEFT_OUT = (
        Verdict.REVIEW,
        "Rows of groups that nobody is in are left out: so the rows that are there tell who is not nobody.",
        "List every row of the query, hidden numbers as c.",
    )
    MIXED_SYMBOLS = (
        Verdict.REVIEW,
        "Hidden numbers have several symbols, which may tell small ones from others.",
        "Write c for every hidden number.",
    )
    SPARSE = (
        Verdict.FAIL,
        "Too many of the table's cells are small.",
        "Group by less, or coarser.",
    )
    EXTREME = (
        Verdict.FAIL,
        "A smallest or largest value is one pupil's.",
        "Give percentiles with enough pupils on each side.",
    )
    NOT_APPLICABLE = (
        Verdict.REVIEW,
        "z says that nobody can be here; the catalogue does not say so.",
        "Write c, or have the catalogue say that it cannot occur.",
    )
    BY_HAND = (
        Verdict.REVIEW,
        "No rule of the service judges numbers of this kind.",
        "Have it judged by a person who has its sample size and its model.",
    )
    OWN_POPULATION = (
        Verdict.REVIEW,
        "The criteria make a population of their own, which was compared with released tables only.",
        "Have a person look at it beside other outputs of the project.",
    )
    NOT_RECOMPUTED = (
        Verdict.REVIEW,
        "The table could not be recomputed, so nothing but its own numbers was judged.",
        "Ask for a table that can be protected whole; the detail says what stands in the way.",
    )
    NOT_AUDITED = (
        Verdict.REVIEW,
        "The pattern of hidden numbers is too large to be audited.",
        "Take out a smaller table.",
    )
    NO_QUERY = (
        Verdict.REVIEW,
        "Without its query only what can be seen in the table is judged.",
        "Send the query that made it.",
    )
    SMALL = (Verdict.FAIL, "If it is a count, it is below the policy's threshold.", "Hide it (c).")
    ZERO = (Verdict.FAIL, "If it is a count, it says that nobody is there, which the policy hides.", "Hide it (c).")
    FULL = (
        Verdict.FAIL,
        "If it is a count, everyone in a total is in this one part of it.",
        "Hide it (c), or merge the categories.",
    )
    DOES_NOT_ADD_UP = (
        Verdict.REVIEW,
        "Totals are not the sums of their parts, by more than rounding explains: the pattern could not be audited.",
        "Check the table, and send the query that made it.",
    )

    @property
    def verdict(self) -> Verdict:
        return self.value[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason. detail: what the message does not say, of public things only."""

    code: str
    verdict: Verdict
    message: str
    fix: str


def finding(reason: Reason, detail: str = "", mend: str = "") -> Finding:
    """mend: what would, in this table."""
    verdict, message, fix = reason.value
    code = "".join(word.capitalize() for word in reason.name.split("_"))
    return Finding(code, verdict, f"{message} {detail}".strip(), f"{fix} {mend}".strip())


def of_rule(name: str, policy: Policy, verdict: Verdict = Verdict.FAIL) -> Finding:
    """A primary rule of the policy, in the policy's own words."""
    said = policy.rules[name].plain if name in policy.rules else "The policy hides it."
    return Finding(name, verdict, said, "Hide it (c), or merge it with a neighbouring category.")


@dataclass(frozen=True, slots=True)
class CheckedCell:
    """A number of the table by the line of the file and the name of the column that it stands in."""

    line: int
    column: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        return worst(f.verdict for f in self.findings)


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """findings: of the table as a whole."""

    findings: tuple[Finding, ...]
    cells: tuple[CheckedCell, ...]

    @property
    def verdict(self) -> Verdict:
        return worst([*(f.verdict for f in self.findings), *(c.verdict for c in self.cells)])
