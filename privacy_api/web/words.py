"""Numbers, dates, years and privacy in plain words, for people who read pages; templates have them as filters."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

from markupsafe import Markup, escape

from datasets.npd.pages import numbers_words, years
from disclosure.accounting import epsilon, guess_accuracy, rho
from privacy_api.governance.dates import in_words, told

SYMBOLS = {
    "c": "confidential: hidden to protect pupils",
    "x": "not available",
    "z": "not applicable",
    "low": "rounds to 0 but is not 0",
    "u": "low reliability",
}
"""GSS symbols, as tables of official statistics use them."""
SENSITIVITIES = {
    "B": "Highly sensitive",
    "C": "Sensitive",
    "D": "Special category, or of that kind",
    "E": "Other",
}
IDENTIFIABILITIES = {
    1: "An identifier, such as a name",
    2: "An identifier with a meaning, such as a UPN",
    3: "An identifier without a meaning",
    4: "No identifier, but a high risk of telling who somebody is",
    5: "No identifier",
}


def number(value: float | int | str | None) -> str:
    """Thousands with commas; what is not there is a dash."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int | float) else value


def many(amount: int, what: str, several: str = "") -> str:
    """ "1 pupil", "2,000 pupils"."""
    return f"{amount:,} {what if amount == 1 else several or what + 's'}"


def size(amount: int) -> str:
    """ "12 KB", "3.4 MB": bytes of a file, a kilobyte being a thousand."""
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if amount >= least:
            return f"{amount / least:.{1 if amount < 10 * least else 0}f} {unit}"
    return many(amount, "byte")


def tenths(value: float) -> str:
    """Rounded up, so that what was within it still is: "0.1" of 0.03."""
    return f"{math.ceil(round(10 * value, 6)) / 10:,.1f}"


def rho_words(nano: int) -> str:
    """An amount of budget: "0.005 ρ"."""
    return f"{rho(nano).normalize():f} ρ"


def epsilon_words(nano: int, delta: float) -> str:
    """ "ε 0.62 at δ 1e-10"."""
    return f"ε {epsilon(nano, delta):.2g} at δ {delta:g}" if delta else ""


def promise(nano: int) -> str:
    """What an amount of ρ means for one pupil, as a bet that anybody can judge."""
    right = 100 * guess_accuracy(nano)
    shown = f"{right:.1f}" if right < 99.95 else "nearly 100"
    return (
        "Somebody who tosses a coin to guess one fact about one pupil is right 50 times in 100. "
        f"Having read every answer that this pays for, they are right at most {shown} times in 100."
    )


def date(instant: str) -> str:
    """ "30 November 2026", of an ISO instant in UTC."""
    return in_words(_parsed(instant))


def date_and_time(instant: str) -> str:
    """ "30 November 2026 at 7:52pm (UTC)"."""
    at = _parsed(instant)
    hour, half = at.hour % 12 or 12, "am" if at.hour < 12 else "pm"
    return f"{date(instant)} at {hour}:{at:%M}{half} (UTC)"


def _parsed(instant: str) -> datetime:
    at = datetime.fromisoformat(instant)
    return at if at.tzinfo is None else at.astimezone(UTC)


def subject_words(subject: str) -> str:
    """What something on the record is about: "project:demo" is "Project demo"."""
    kind, _, name = subject.partition(":")
    return f"{kind.capitalize()} {name}".strip()


def coded(text: str) -> Markup:
    """What stands between backticks, as code; everything is escaped."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 and i < len(parts) - 1 else escape(part)
        for i, part in enumerate(parts)
    )


def as_code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def pretty(value: object) -> str:
    """JSON that people read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


FILTERS = {
    f.__name__: f
    for f in (
        number,
        many,
        tenths,
        size,
        rho_words,
        epsilon_words,
        promise,
        date,
        date_and_time,
        told,
        subject_words,
        years,
        numbers_words,
        coded,
        pretty,
        as_code,
    )
}
