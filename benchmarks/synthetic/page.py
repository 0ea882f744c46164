"""The page of results, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.synthetic.sets import Set

HEAD = """# Synthetic data against peers

Written by `python -m benchmarks.synthetic` (`make bench-synthetic`), which runs all of it: each library in an
environment of its own from hash-pinned requirements, on one thread, on the same rows and public domain, at
ε = {epsilon:g} and δ = {delta:g} (ρ = {rho:.6f}), one fit each. Seconds are of CPU;
rows/s are rows drawn in one.

* *apart*: mean (and largest) total variation of all tables of one, two and three columns between the drawn rows and the
  real ones; of more than 400 tables a sample of 400.
* *AUC*: one classifier (scikit-learn's gradient boosting on histograms, as it comes) trained on the drawn rows and
  tested on real rows that no method was given. "The rows themselves" is the same classifier trained on them.
* AIM is given all pairs and 20 rounds; opendp.mbi draws by `method="sample"`, and its rows with a null category are
  left out. opendp.mbi MST is given up to a millionth less of the budget, without which it refuses itself.
* "Half of the rows" is one half against the other, so what chance alone makes; "independent columns" has each column
  exactly, and nothing of what goes together.
* The made-up pupils are from our own generator (`benchmarks/synthetic/pupils.py`). Of the absence file no cell is
  shown; its region follows from the authority, which no method is told.
* Peers take minutes to hours, and what they gave is kept by the digest of the rows; ours is fitted afresh each time.
"""
TABLE = """
| method | fit, s | rows/s | peak MB | apart: 1 | 2 (largest) | 3 (largest) | AUC |
|---|---|---|---|---|---|---|---|"""
OURS, AIM = "ours", "opendp.mbi AIM"
Found = Mapping[str, Any]


def written(sets: Mapping[str, Set], found: Mapping[str, Found], epsilon: float, delta: float, rho: float) -> str:
    parts = [HEAD.format(epsilon=epsilon, delta=delta, rho=rho)]
    for name, of in sets.items():
        if name in found:
            parts += [_section(of, found[name])]
    return "\n".join(parts) + "\n"


def _section(of: Set, one: Found) -> str:
    lines = [f"## {of.title}", "", f"Rows {one['digest']}; {of.target} from code {of.least} on is foretold.", TABLE]
    lines += [_row(method, each) for method, each in one["methods"].items()]
    lines += [f"| the rows themselves | | | | | | | {one['auc']:.3f} |", "", *_verdict(one["methods"])]
    versions = {m: each["versions"] for m, each in one["methods"].items() if "versions" in each}
    said = "; ".join(f"{m}: {', '.join(f'{k} {v}' for k, v in which.items())}" for m, which in versions.items())
    return "\n".join([*lines, "", f"Versions: {said}.", ""])


def _row(method: str, one: Found) -> str:
    (one_way, _), (two, two_most), (three, three_most) = one["apart"]
    costs = ["", "", ""]
    if "fit" in one:
        rate = one["rows"] / max(one["sample"]["cpu"], 1e-3)
        costs = [f"{one['fit']['cpu']:.1f}", f"{rate:,.0f}", f"{one['peak_mb']:,.0f}"]
    shown = [f"{one_way:.4f}", f"{two:.4f} ({two_most:.3f})", f"{three:.4f} ({three_most:.3f})", f"{one['auc']:.3f}"]
    return f"| {' | '.join([f'**{method}**' if method == OURS else method, *costs, *shown])} |"


def _verdict(methods: Mapping[str, Found]) -> Iterator[str]:
    """Where ours is ahead of every peer, and by how much it is behind the best of them where it is not."""
    peers = {name: one for name, one in methods.items() if "fit" in one and name != OURS}
    if not peers or OURS not in methods:
        return
    mine = methods[OURS]
    for label, of, better in (
        ("Tables of 2", lambda one: one["apart"][1][0], min),
        ("Tables of 3", lambda one: one["apart"][2][0], min),
        ("AUC", lambda one: one["auc"], max),
    ):
        best = better(peers, key=lambda name: of(peers[name]))
        ours, theirs = of(mine), of(peers[best])
        ahead = better(ours, theirs) == ours
        apart = f"{abs(ours - theirs) / theirs:.1%}"
        yield f"* {label}: ours is {apart} {'ahead of' if ahead else '**behind**'} the best peer, {best}."
    if AIM in peers:
        fit = peers[AIM]["fit"]["cpu"] / max(mine["fit"]["cpu"], 1e-3)
        rates = [one["rows"] / max(one["sample"]["cpu"], 1e-3) for one in (mine, peers[AIM])]
        yield f"* Against AIM: 1/{fit:.0f} of its fit time, {rates[0] / rates[1]:.1f} × its rows a second."
