"""`python -m synthetic.npd.tune`: finds what makes the generated pupils meet published means, and writes `tuned.toml`.

Works on pupils of one year group alone, and moves each group by what it is off, over and over. Nothing real is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.npd import absence
from synthetic.npd.attainment import TESTS, attain
from synthetic.npd.facts import TUNED, facts, of_area, tuning
from synthetic.npd.key_stages import ks4
from synthetic.npd.layout import PHASES, Layout
from synthetic.npd.lines import ETHNICITIES
from synthetic.npd.pupils import MAJOR
from synthetic.npd.streams import Bools, Floats
from synthetic.npd.subjects import attainment8
from synthetic.npd.targets import Targets
from synthetic.npd.world import Chunk, World

YEAR, ROUNDS = 2025, 14
GROUPS = {"none": "N", "support": "K", "plan": "E"}
MAJORS = {"white": "WHIT", "mixed": "MIXD", "asian": "ASIA", "black": "BLAC", "chinese": "CHIN"}


def pilot(world: World, pupils: int, group: tuple[int, int]) -> Chunk:
    return Chunk(world, Targets(Layout(world.schools, world.years, pupils, 2 * pupils, group)), 0)


def cells(chunk: Chunk, group: int, table: str) -> dict[tuple[str, str], tuple[Bools, float]]:
    """(table's name of a shift, its group) → who is in it, and the published figure."""
    p, schools = chunk.pupils, chunk.world.schools
    then = p.lines.in_group(group)
    region = np.array(schools.regions)[schools.la[then.school[p.line]]]
    fsm, sen = then.fsm[p.line], then.sen[p.line]
    major = np.array([MAJOR[e[0]] for e in ETHNICITIES])[p.ethnicity]
    found = {
        (name, r): ((region == r) & (fsm == (name == "fsm")), of_area(table, name, r))
        for name in ("fsm", "other")
        for r in dict.fromkeys(schools.regions)
    }
    found |= {("sen", k): (sen == "NKE".index(k), of_area(table, name, "ENG")) for name, k in GROUPS.items()}
    found |= {("major", m): (major == m, of_area(table, name, "ENG")) for name, m in MAJORS.items()}
    return found


def moved(shifts: dict[str, dict[str, float]], name: str, of: str, by: float) -> None:
    group = shifts.setdefault(name, {})
    group[of] = group.get(of, 0.0) + float(np.clip(by, -1, 1))


def centred(shifts: dict[str, dict[str, float]], cells: Mapping[tuple[str, str], tuple[Bools, float]]) -> None:
    """Shifts tell groups apart; how well all do is said by scales alone."""
    for family in (("fsm", "other"), ("sen",), ("major",), ("sex",)):
        of = {(name, who): int(inside.sum()) for (name, who), (inside, _) in cells.items() if name in family}
        mean = sum(n * shifts[name][who] for (name, who), n in of.items()) / max(1, sum(of.values()))
        for name, who in of:
            shifts[name][who] -= mean


def key_stage_2(chunk: Chunk) -> None:
    """Shifts until the share that met the expected standard in all three is as published; scales by subject."""
    scale, shifts = tuning().setdefault("scale", {}), tuning().setdefault("key_stage_2", {})
    for _ in range(ROUNDS):
        a = attain(chunk.world.seed, 0, chunk.pupils, settle=False)
        _scales(scale, a.ks2, a.writing)
        scores = (a.ks2[:, :2] >= 100).all(axis=1) & (a.writing >= scale["writing"]["EXS"])
        noise = scale.setdefault("noise", {}).get("all", 0.55)
        off = float(ndtri(of_area("ks2_rwm", "all", "ENG") / 100) - ndtri(scores.mean()))
        scale["noise"]["all"] = float(np.clip(noise - off, 0.1, 2))
        for (name, of), (who, per_cent) in cells(chunk, 6, "ks2_rwm").items():
            got = float(np.clip(scores[who].mean(), 0.001, 0.999))
            moved(shifts, name, of, 0.8 * float(ndtri(per_cent / 100) - ndtri(got) - off))
        centred(shifts, cells(chunk, 6, "ks2_rwm"))


def _scales(scale: dict[str, dict[str, float]], scores: Any, writing: Floats) -> None:
    """Two points of each distribution as published: 100 and 110."""
    for i, subject in enumerate(TESTS):
        mean, sd = (scale.setdefault(k, {}).get(subject, d) for k, d in (("mean", 105.0), ("sd", 7.0)))
        at = [_quantile(scores[:, i], 1 - of_area(t, subject, "ENG") / 100) for t in ("ks2_expected", "ks2_higher")]
        z = [(x - mean) / sd for x in at]
        scale["sd"][subject] = 10 / (z[1] - z[0])
        scale["mean"][subject] = 99.5 - z[0] * scale["sd"][subject]
    shares = {"EXS": of_area("ks2_expected", "writing", "ENG"), "GDS": of_area("ks2_higher", "writing", "ENG")}
    shares |= {"WTS": 96.0, "science": of_area("ks2_expected", "science", "ENG")}
    for name, share in shares.items():
        scale.setdefault("writing", {})[name] = float(np.quantile(writing, 1 - share / 100))


def _quantile(scores: Any, share: float) -> float:
    """Of whole scores as if they were spread evenly half a point around each."""
    values, counts = np.unique(scores, return_counts=True)
    return float(np.interp(share, np.cumsum(counts) / counts.sum(), values + 0.5))


def key_stage_4(chunk: Chunk) -> None:
    """Shifts until mean Attainment 8 is as published, and entries until all pupils' is."""
    scale, shifts = tuning().setdefault("scale", {}), tuning().setdefault("key_stage_4", {})
    sexes = {s: facts()["attainment8"]["by_sex"][s] + of_area("attainment8", "all", "ENG") for s in "FM"}
    for _ in range(ROUNDS):
        object.__setattr__(chunk, "attainment", attain(chunk.world.seed, 0, chunk.pupils, settle=False))
        ((_, rows),) = ks4(chunk, YEAR)
        points = attainment8({name: np.asarray(known) for name, known in rows.known.items()})
        who = rows.who
        found = cells(chunk, 11, "attainment8")
        male = chunk.pupils.male
        found |= {("sex", s): (male == (s == "M"), sexes[s]) for s in "FM"}
        off = of_area("attainment8", "all", "ENG") - float(points.mean())
        entries = scale.setdefault("entries", {})
        entries["all"] = float(np.clip(entries.get("all", 1.25) + 0.06 * off, 0.8, 2.5))
        for (name, of), (inside, published) in found.items():
            got = float(points[inside[who]].mean())
            moved(shifts, name, of, (published - got - off) / 14)
        centred(shifts, found)


def persistent(chunk: Chunk) -> None:
    """Shifts until regions differ from England in persistent absence as published; England's is met by counts."""
    shifts = tuning().setdefault("absence", {})
    for _ in range(ROUNDS):
        absence.missed.cache_clear()
        of = absence.missed(chunk, YEAR)
        often = of.rate >= 0.1
        school = chunk.school(of.of, YEAR)
        region = np.array(chunk.world.schools.regions)[chunk.world.schools.la[school]]
        phase = absence._phase(chunk, of.of, YEAR)
        for p, name in enumerate(PHASES):
            england = float(often[phase == p].mean()) / of_area("persistent", name, "ENG")
            for r in np.unique(region):
                got = float(often[(phase == p) & (region == r)].mean())
                moved(
                    shifts, name, str(r), 0.8 * float(ndtri(england * of_area("persistent", name, str(r))) - ndtri(got))
                )


def main(folder: Path, pupils: int) -> None:
    world = World(load_catalogue(bundle(folder)), folder, range(YEAR, YEAR + 1), 1)
    key_stage_2(pilot(world, pupils, (6, 6)))
    key_stage_4(pilot(world, pupils, (11, 11)))
    persistent(pilot(world, 3 * pupils, (0, 11)))
    lines = [
        "# Found by `python -m synthetic.npd.tune`, so that the generated pupils meet published figures. Do not edit."
    ]
    for table, groups in sorted(tuning().items()):
        for name, values in sorted(groups.items()):
            lines += ["", f"[{table}.{name}]", *(f"{of} = {value:.4f}" for of, value in sorted(values.items()))]
    Path(str(files("synthetic.npd").joinpath(TUNED))).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "datasets/npd"), int(sys.argv[2]) if len(sys.argv) > 2 else 300_000)
