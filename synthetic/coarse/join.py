"""Released tables → one distribution near all of them: of greatest entropy, over a junction tree (`synthetic.model`).

The estimate is that of T3, of margins that were released instead of measured: it costs nothing, as all that follows
from released numbers. Where all that is hidden is small, nobody is drawn there. Else a hidden number pulls at nothing:
its cell is what the rest makes it, and where a released sum would give it by subtraction, the tables are refused. So
nobody finds in the rows what was hidden in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.coarse.answers import Answers, CoarseRefused, Columns, Released
from synthetic.model.domain import Domain, Floats
from synthetic.model.estimate import Fitted, Target, estimate
from synthetic.model.junction import Graph, Places

STEPS = 1_000
LARGEST = 4_000_000
"""Cells of the junction tree."""
FREE, FORBIDDEN = 1e9, 1e-13
"""How much cells yield whose number is hidden, and those that nobody can be in."""


@dataclass(frozen=True, eq=False, slots=True)
class Joined:
    """rows: how many records the tables are of, nearly."""

    domain: Domain
    rows: int
    fitted: Fitted


def join(answers: Answers) -> Joined:
    """Raises CoarseRefused."""
    refuse_subtraction(answers.tables)
    domain = Domain(answers.codes, (len(codes) for codes in answers.codes.values()))
    number = total_of(answers.tables)
    several: dict[Columns, list[Released]] = {}
    for table in answers.tables:
        if table.columns:
            several.setdefault(table.columns, []).append(table)
    cliques = {domain.places_of(columns): columns for columns in several}
    if Graph(domain.sizes, cliques).cells > LARGEST:
        raise CoarseRefused("the tables join too many columns: leave out those with many codes, or large tables")
    ones = _ones(answers, number)
    targets = {places: _target(several[of], ones, number) for places, of in cliques.items()}
    return Joined(domain, round(number), estimate(domain.sizes, targets, _start(targets), STEPS, sweeps=0))


def total_of(tables: Sequence[Released]) -> float:
    """Of the best table that hides nothing, or else as many as are shown in any: hidden numbers are then what other
    tables leave of that."""
    whole = [t for t in tables if t.small or not t.hidden.any()]
    if whole:
        return max(1.0, float(min(whole, key=lambda t: float((t.sigma**2).sum())).shown.sum()))
    return max(1.0, *(float(np.nansum(t.values)) for t in tables))


def refuse_subtraction(tables: Sequence[Released]) -> None:
    """Raises CoarseRefused where a hidden number is what another table leaves of a shown sum."""
    for table in tables:
        for other in tables if not table.small else ():
            shared = tuple(c for c in table.columns if c in other.columns)
            alone = _onto(table.hidden * 1.0, table.columns, shared) == 1
            told = ~np.isnan(_onto(other.values, other.columns, shared))
            if (alone & told).any():
                raise CoarseRefused(
                    f"{table.release} hides a number that {other.release} would give by subtraction: leave one out, "
                    f"or the totals by {', '.join(shared) or 'nothing'}"
                )


def _onto(values: Floats, columns: Columns, kept: Columns) -> Floats:
    return np.asarray(values.sum(axis=tuple(i for i, c in enumerate(columns) if c not in kept)))


def _ones(answers: Answers, number: float) -> dict[str, Floats]:
    """Shares of each column where a table tells all of them; else even ones."""
    found = {name: np.full(len(codes), 1 / len(codes)) for name, codes in answers.codes.items()}
    for table in sorted(answers.tables, key=lambda t: -t.values.size):
        for name in table.columns:
            shares = _onto(table.shown, table.columns, (name,)) / number
            if not np.isnan(shares).any():
                found[name] = np.maximum(shares, 0.5 / number)
    return found


def _target(tables: Sequence[Released], ones: Mapping[str, Floats], number: float) -> Target:
    """Of the same table in several answers, the least uncertain number of each cell."""
    sigma = np.stack([np.where(t.hidden, 0.0 if t.small else np.inf, t.sigma) for t in tables])
    best = sigma.argmin(axis=0)[None]
    least = np.take_along_axis(sigma, best, 0)[0]
    values = np.take_along_axis(np.stack([t.shown for t in tables]), best, 0)[0]
    expected = _product([ones[c] for c in tables[0].columns])
    ridge = np.where(np.isinf(least), FREE, np.where(least == 0, FORBIDDEN, (least / number) ** 2 / expected))
    return Target(np.nan_to_num(values) / number, np.nan_to_num(ridge, posinf=FREE))


def _product(ones: Sequence[Floats]) -> Floats:
    found = np.ones(())
    for one in ones:
        found = np.multiply.outer(found, one)
    return found


def _start(targets: Mapping[Places, Target]) -> dict[Places, Floats]:
    """Nothing is known, but where nobody can be."""
    return {c: np.where(t.ridge == FORBIDDEN, -30.0, 0.0) for c, t in targets.items()}
