"""Regressions from the rows themselves: what models of aggregates must come to when there is no noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import optimize

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Data:
    """numbers: NaN where missing. codes: "" where a row has none. levels: codes of a grouping, in their order."""

    numbers: Mapping[str, np.ndarray]
    codes: Mapping[str, np.ndarray]
    levels: Mapping[str, Sequence[str]]

    def where(self, here: np.ndarray) -> Data:
        return Data(
            {name: values[here] for name, values in self.numbers.items()},
            {name: values[here] for name, values in self.codes.items()},
            self.levels,
        )

    def complete(self, names: set[str]) -> np.ndarray:
        """Rows with a value or a code of each."""
        numbers = [~np.isnan(values) for name, values in self.numbers.items() if name in names]
        codes = [values != "" for name, values in self.codes.items() if name in names]
        return np.logical_and.reduce([*numbers, *codes])

    def design(self, terms: Sequence[str]) -> Columns:
        """Intercept, slopes, and each code of a grouping but the first that occurs; products for interactions."""
        rows = len(next(iter(self.numbers.values())))
        found = {"intercept": np.ones(rows)}
        for term in terms:
            parts = sorted(term.split(":"), key=lambda part: part not in self.numbers)
            for columns in product(*(self._factor(part).items() for part in parts)):
                found[":".join(name for name, _ in columns)] = np.prod([values for _, values in columns], axis=0)
        return found

    def _factor(self, name: str) -> Columns:
        if name in self.numbers:
            return {name: self.numbers[name]}
        occurring = [code for code in self.levels[name] if (self.codes[name] == code).any()]
        return {f"{name}={code}": (self.codes[name] == code).astype(float) for code in occurring[1:]}


def ols(data: Data, outcome: str, terms: Sequence[str]) -> dict[str, float]:
    """Least squares over complete cases: coefficients, classical standard errors, R² and the rows used."""
    used = data.where(data.complete({outcome, *(part for term in terms for part in term.split(":"))}))
    columns = used.design(terms)
    x, y = np.stack(list(columns.values()), axis=1), used.numbers[outcome]
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    left = ((y - x @ beta) ** 2).sum()
    errors = np.sqrt(left / (len(y) - x.shape[1]) * np.diag(np.linalg.inv(x.T @ x)))
    fit = {"r_squared": 1 - left / ((y - y.mean()) ** 2).sum(), "n": float(len(y))}
    return _reported(list(columns), beta, errors) | fit


def logistic(data: Data, yes: np.ndarray, terms: Sequence[str]) -> dict[str, float]:
    """Maximum likelihood over complete cases, by a general optimiser; errors from its information."""
    complete = data.complete({part for term in terms for part in term.split(":")})
    columns, y = data.where(complete).design(terms), yes[complete].astype(float)
    x = np.stack(list(columns.values()), axis=1)

    def loss(beta: np.ndarray) -> float:
        return float((np.logaddexp(0, x @ beta) - y * (x @ beta)).sum())

    def gradient(beta: np.ndarray) -> np.ndarray:
        return x.T @ (1 / (1 + np.exp(-x @ beta)) - y)

    def information(beta: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-x @ beta))
        return x.T @ (x * (p * (1 - p))[:, None])

    best = optimize.minimize(
        loss, np.zeros(x.shape[1]), jac=gradient, hess=information, method="trust-exact", options={"gtol": 1e-9}
    ).x
    errors = np.sqrt(np.diag(np.linalg.inv(information(best))))
    return _reported(list(columns), best, errors) | {"n": float(len(y))}


def _reported(names: list[str], beta: np.ndarray, errors: np.ndarray) -> dict[str, float]:
    """In the order in which answers have them; without noise, nothing is lost to noise."""
    return {
        **dict(zip(names, beta.tolist(), strict=True)),
        **{f"noise_se:{name}": 0.0 for name in names},
        **{f"se:{name}": error for name, error in zip(names, errors.tolist(), strict=True)},
    }
