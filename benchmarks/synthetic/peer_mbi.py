"""AIM and MST of opendp.mbi, in an environment of its own. Parameters as JSON on stdin, costs as JSON on stdout.

Every code of every column is a public key, so δ is 0 and the whole price is ρ. AIM is asked for all pairs. Samples are
drawn with method="sample": with "round", which is the default, columns of one parent are falsely correlated. Rows with
OpenDP's null category are left out of the sample; how many is told.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import opendp.prelude as dp
import polars as pl
from opendp.mod import OpenDPException

from benchmarks.synthetic.clock import peak_mb, timed
from benchmarks.synthetic.table import Table, load

dp.enable_features("contrib")
ROUNDS = 20
TRIES = 12


def algorithm(name: str) -> Any:
    return dp.mbi.AIM(queries=2, rounds=ROUNDS) if name == "AIM" else dp.mbi.MST()


def fit(table: Table, name: str, rho: float) -> tuple[Any, dict[str, float]]:
    """The model, and what the fit cost that came through.

    MST shares its budget in parts whose sum, rounded up as OpenDP must, is mostly an ulp more than the whole; then it
    refuses itself. So it is given a billionth less where that will come out, and again where it does not.
    """
    frame = pl.DataFrame({c: table.codes[:, i].astype(np.int64) for i, c in enumerate(table.names)}).lazy()
    less = (rho * (1 - k * 1e-9) for k in range(10_000))
    prices = islice((r for r in less if name == "AIM" or adds_up(r, len(table.names) - 1)), TRIES)
    for price in prices:
        try:
            return timed(lambda price=price: release(frame, table, name, price))
        except OpenDPException as refused:
            if "insufficient budget" not in str(refused):
                raise
            print(f"{name}: refused its own budget of {price}", file=sys.stderr, flush=True)
    raise SystemExit(f"{name}: no budget was enough")


def release(frame: pl.LazyFrame, table: Table, name: str, rho: float) -> Any:
    context = dp.Context.compositor(
        data=frame, privacy_unit=dp.unit_of(contributions=1), privacy_loss=dp.loss_of(rho=rho)
    )
    keys = {c.name: list(range(c.size)) for c in table.columns}
    query = context.query(rho=rho).select(*table.names)
    return query.contingency_table(keys=keys, algorithm=algorithm(name)).release()


def adds_up(rho: float, picks: int) -> bool:
    """Whether MST's selections, each given an equal part and summed upward, are within what is set aside for them."""
    multiway = _before(_before(rho - rho * 0.5))
    selection = _before(_before(multiway - multiway * dp.mbi.MST().measure_split))
    each, total = _before(selection / picks), 0.0
    for _ in range(picks):
        exact, total = Fraction(total) + Fraction(each), total + each
        total = total if Fraction(total) >= exact else float(np.nextafter(total, np.inf))
    return total <= selection


def _before(value: float) -> float:
    return float(np.nextafter(value, -np.inf))


def main() -> None:
    given = json.load(sys.stdin)
    table = load(Path(given["table"]))
    model, fitting = fit(table, given["method"], given["rho"])
    drawn, sampling = timed(lambda: model.synthesize(rows=len(table.codes), method="sample"))
    whole = drawn.drop_nulls()
    np.save(given["sample"], whole.select(table.names).to_numpy().astype(np.uint8))
    found = {"fit": fitting, "sample": sampling, "peak_mb": peak_mb(), "rows": len(drawn), "kept": len(whole)}
    found["cliques"] = [list(clique) for clique in model.model.cliques]
    found["versions"] = {package: version(package) for package in ("opendp", "mbi", "jax")}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
