"""MST of dpmm, in an environment of its own. Parameters as JSON on stdin, costs as JSON on stdout.

Its own binning is off: the codes are given with their public domain."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from dpmm.pipelines import MSTPipeline

from benchmarks.synthetic.clock import peak_mb, timed
from benchmarks.synthetic.table import load


def main() -> None:
    given = json.load(sys.stdin)
    table = load(Path(given["table"]))
    frame = pd.DataFrame(table.codes.astype(np.int64), columns=table.names)
    pipeline = MSTPipeline(epsilon=given["epsilon"], delta=given["delta"], disable_processing=True, n_jobs=1)
    domain = {c.name: c.size for c in table.columns}
    _, fitting = timed(lambda: pipeline.fit(frame, domain=domain, random_state=given["seed"]))
    drawn, sampling = timed(lambda: pipeline.generate(n_records=len(frame), random_state=given["seed"]))
    np.save(given["sample"], drawn[table.names].to_numpy().astype(np.uint8))
    found = {"fit": fitting, "sample": sampling, "peak_mb": peak_mb(), "rows": len(drawn), "kept": len(drawn)}
    found["versions"] = {package: version(package) for package in ("dpmm", "opendp", "numpy", "pandas")}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
