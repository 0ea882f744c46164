"""`python -m benchmarks.synthetic`: our model and peers on the same rows at the same (ε, δ), and a page of it.

Peers take minutes to hours, so what they gave is kept in the cache by the digest of the rows. Ours is fitted each time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.ours import budget
from benchmarks.accuracy.peers import environment
from benchmarks.synthetic import page
from benchmarks.synthetic.sets import ROOT, SETS, Set, of_file, prepared
from benchmarks.synthetic.table import Table
from disclosure.accounting import NANO
from synthetic.fidelity.margins import Rows, Variable
from synthetic.fidelity.variation import variation

PEERS = {
    "opendp.mbi AIM": ("mbi", "peer_mbi", "AIM"),
    "opendp.mbi MST": ("mbi", "peer_mbi", "MST"),
    "dpmm MST": ("dpmm", "peer_dpmm", "MST"),
}
OURS = "ours"
SEED, TABLES = 1, 400
Found = dict[str, Any]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--delta", type=float, default=1e-9)
    parser.add_argument("--set", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--file", type=Path, help="a CSV or Parquet file of your own in place of the sets")
    parser.add_argument("--foretell", help="with --file: the column that is foretold from all others")
    parser.add_argument("--peer", nargs="*", choices=PEERS, default=list(PEERS), help="none: ours alone")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the real files")
    parser.add_argument("--cache", type=Path, default=ROOT / ".bench" / "synthetic")
    parser.add_argument("--out", type=Path, help="default: benchmarks/synthetic.md, or what is printed for --file")
    given = parser.parse_args()
    if bool(given.file) != bool(given.foretell):
        parser.error("--file and --foretell go together")
    return given


def run(python: Path, module: str, parameters: Mapping[str, Any]) -> Found:
    """One thread, so that seconds of CPU can be compared."""
    alone = {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    done = subprocess.run(
        [python, "-W", "ignore", "-m", f"benchmarks.synthetic.{module}"],
        input=json.dumps(parameters),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **alone, "PYTHONPATH": str(ROOT)},
    )
    found: Found = json.loads(done.stdout)
    return found


def peer(name: str, stem: Path, digest: str, parameters: Mapping[str, Any]) -> Found | None:
    """None where it failed, which is told and kept too."""
    env, module, method = PEERS[name]
    kept = stem.with_name(f"{env}-{method}-{stem.name}-{digest}.json")
    if not kept.is_file():
        print(f"{stem.name}: {name}", file=sys.stderr, flush=True)
        try:
            given = {**parameters, "method": method, "sample": str(kept.with_suffix(".npy"))}
            kept.write_text(json.dumps(run(environment(ROOT, env), module, given)), encoding="utf-8")
        except subprocess.CalledProcessError as failed:
            print(f"{name} failed: {failed}", file=sys.stderr)
            return None
    found: Found = json.loads(kept.read_text(encoding="utf-8"))
    return found | {"file": str(kept.with_suffix(".npy"))}


def ours(stem: Path, parameters: Mapping[str, Any]) -> Found:
    print(f"{stem.name}: ours", file=sys.stderr, flush=True)
    file = stem.with_name(f"ours-{stem.name}.npy")
    return run(Path(sys.executable), "ours", {**parameters, "sample": str(file)}) | {"file": str(file)}


def floors(stem: Path, table: Table) -> Iterator[tuple[str, Found]]:
    """What no method can be expected to be better than, and what any should be."""
    rng = np.random.default_rng(SEED)
    half = table.codes[rng.permutation(len(table.codes))[: len(table.codes) // 2]]
    apart = np.column_stack([rng.permutation(table.codes[:, i]) for i in range(len(table.columns))])
    for name, codes in (("half of the rows", half), ("independent columns", apart)):
        file = stem.with_name(f"{name.split()[0]}-{stem.name}.npy")
        np.save(file, codes)
        yield name, {"file": str(file)}


def rows(table: Table, codes: Any) -> Rows:
    variables = [Variable(c.name, c.name, tuple(map(str, range(c.size)))) for c in table.columns]
    return Rows(variables, codes)


def apart(table: Table, file: str) -> list[tuple[float, float]]:
    """Mean and largest total variation of tables of one, two and three columns; of half of the rows, from the rest."""
    whole, codes = rows(table, table.codes), np.load(file)
    if Path(file).name.startswith("half"):
        order = np.random.default_rng(SEED).permutation(len(table.codes))
        whole = rows(table, table.codes[order[len(order) // 2 :]])
    each = [variation(rows(table, codes), whole, ways, TABLES) for ways in (1, 2, 3)]
    return [(v.mean, v.largest) for v in each if v]


def measure(name: str, of: Set, given: argparse.Namespace, rho: float) -> Found:
    stem, table, test = prepared(name, of, given.shared, given.cache)
    about = {"table": str(stem), "epsilon": given.epsilon, "delta": given.delta, "rho": rho, "seed": SEED}
    found: dict[str, Found] = dict(floors(stem, table))
    for other in given.peer if of.peers else []:
        if (result := peer(other, stem, table.digest(), about)) is not None:
            found[other] = result
    found[OURS] = ours(stem, about)
    files = [one["file"] for one in found.values()] + [str(stem.with_suffix(".npy"))]
    task = {"test": str(test), "train": files, "target": of.target, "least": of.least}
    auc = run(environment(ROOT, "tstr"), "tstr", task)
    for one in found.values():
        one["apart"], one["auc"] = apart(table, one["file"]), auc[one["file"]]
    return {"methods": found, "rows": len(table.codes), "digest": table.digest(), "auc": auc[files[-1]]}


def main() -> None:
    given = arguments()
    rho = budget(given.epsilon, given.delta).nano_rho / NANO
    if given.file:
        name, of = f"own-{given.file.stem}", of_file(given.file, given.foretell)
        text = page.written({name: of}, {name: measure(name, of, given, rho)}, given.epsilon, given.delta, rho)
        print(text) if given.out is None else given.out.write_text(text, encoding="utf-8")
        return
    kept = given.cache / "found.json"
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    for name in given.set:
        found[name] = measure(name, SETS[name], given, rho)
        kept.write_text(json.dumps(found), encoding="utf-8")
        text = page.written(SETS, found, given.epsilon, given.delta, rho)
        (given.out or ROOT / "benchmarks" / "synthetic.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
