"""Our own model, in a process of its own like the peers. Parameters as JSON on stdin, costs as JSON on stdout."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.synthetic.clock import peak_mb, timed
from benchmarks.synthetic.table import load
from synthetic.model import ArrayCounter, Domain, Model, fit, sample


def ready(model: Model) -> Model:
    """With all that drawing wants, so that the costs of a fit are not counted as those of drawing."""
    assert model.sampler is not None
    return model


def main() -> None:
    given = json.load(sys.stdin)
    table = load(Path(given["table"]))
    domain = Domain(tuple(table.names), tuple(table.sizes))
    counter = ArrayCounter(table.codes, domain)
    model, fitting = timed(lambda: ready(fit(counter, domain, given["rho"])))
    drawn, sampling = timed(lambda: sample(model, len(table.codes), given["seed"]))
    assert model.rho_spent <= given["rho"], "never more than was paid"
    np.save(given["sample"], np.asarray(drawn).astype(np.uint8))
    found = {"fit": fitting, "sample": sampling, "peak_mb": peak_mb(), "rows": len(drawn), "kept": len(drawn)}
    found["versions"] = {package: version(package) for package in ("opendp", "numpy")}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
