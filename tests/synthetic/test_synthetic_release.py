"""The report of a made-up cut, and the four checks: each fault closes its gate, and only whole releases are signed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacy_api.bootstrap import open_stores
from privacy_api.cli import app
from privacy_api.settings import load_settings
from synthetic import Plan, make
from synthetic.fidelity.files import report_of, write
from synthetic.fidelity.page import to_html
from synthetic.release import Check, digest, gates
from synthetic.tiers import SIGNATURES, Tier

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TABLES = {"census": (), "schools": (), "absence_year": (), "ks2": (), "ks4": (), "ks4_entries": ()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "made"
    make(Plan(3_000, range(2019, 2025), 1, tables=TABLES), folder, ROOT / "datasets" / "npd")
    write(report_of(folder), folder)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def closed(folder: Path) -> set[Check]:
    return {gate.check for gate in gates(folder) if gate.wrong}


def changed(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_whole_release_passes(made: Path) -> None:
    assert closed(made) == set()


def test_the_report_is_of_the_published_figures(made: Path) -> None:
    found = json.loads((made / "report.json").read_text(encoding="utf-8"))
    assert found["reference"] == "published tables"
    variables = {one["variable"] for one in found["margins"]}
    assert variables >= {"sex", "ethnicity", "fsm_eligible", "sen", "band", "ks4_maths"}
    assert "phase" not in variables, "how large a phase is nobody claims"
    claimed = [m["variation"] for m in found["margins"] if m["variable"] in ("sex", "fsm_eligible", "sen", "band")]
    assert max(claimed) == 0, "claims are met exactly"
    assert [t["rows"] for t in found["transitions"]] == ["ks2", "ks2"]
    assert len(found["trends"]) == 1


def test_of_tables_without_pupils_nothing_is_said(tmp_path: Path) -> None:
    """A release of one year has no key stage 2 of those who finish key stage 4."""
    make(Plan(1_000, range(2024, 2025), 1, tables=TABLES), tmp_path / "made", ROOT / "datasets" / "npd")
    found = report_of(tmp_path / "made")
    assert {m.variable.name for m in found.margins}.isdisjoint({"ks2", "ks4_maths", "ks4_english"})
    assert found.transitions == ()
    assert [v.largest for v in found.variations] == [0, 0, 0]
    assert not re.search(r"\bnan\b", to_html(found), re.IGNORECASE)


def fault(name: str) -> Callable[[Path], object]:
    faults: dict[str, Callable[[Path], object]] = {
        "unlabelled": lambda f: changed(f / "manifest.json", lambda m: m.update(is_synthetic=False)),
        "a file that nobody named": lambda f: (f / "census" / "real.csv").write_text("1"),
        "an unpublished claim": lambda f: changed(f / "manifest.json", lambda m: m.update(claims=["the hosted cut"])),
        "another catalogue": lambda f: (f / "catalogue" / "cut.toml").write_text(
            (f / "catalogue" / "cut.toml").read_text(encoding="utf-8").replace("National", "Whole"), encoding="utf-8"
        ),
        "compared with real rows": lambda f: changed(f / "report.json", lambda r: r.update(reference="the hosted cut")),
        "no report": lambda f: (f / "report.html").unlink(),
        "a report of other files": lambda f: changed(f / "report.json", lambda r: r["about"].update(digest="0" * 64)),
        "a page that fetches": lambda f: (f / "report.html").write_text(
            (f / "report.html").read_text(encoding="utf-8") + '<script src="x"></script>', encoding="utf-8"
        ),
    }
    return faults[name]


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("unlabelled", Check.LABELLING),
        ("a file that nobody named", Check.DISCLOSURE),
        ("an unpublished claim", Check.DISCLOSURE),
        ("another catalogue", Check.DISCLOSURE),
        ("compared with real rows", Check.DISCLOSURE),
        ("no report", Check.DOCUMENTATION),
        ("a report of other files", Check.DOCUMENTATION),
        ("a page that fetches", Check.DOCUMENTATION),
    ],
)
def test_each_fault_closes_its_gate(copy: Path, name: str, check: Check) -> None:
    fault(name)(copy)
    assert check in closed(copy)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"manifest\.json: wants the manifest"):
        gates(tmp_path)


def test_signatures_stand_on_the_audit_chain(made: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()

    def sign(officer: str) -> tuple[int, str]:
        asked = ["synthetic", "release", str(made), "--officer", officer, "--reason", "Looked at", "--home"]
        found = CliRunner().invoke(app, [*asked, str(tmp_path / "home")])
        return found.exit_code, found.output

    code, text = sign("ada")
    assert (code, "released: signed by ada" in text) == (0, True), text
    open_stores(load_settings({}, home=tmp_path / "home")).close()  # of the mode that all commands take without any
    (put,) = [p for p in (tmp_path / "home" / "synthetic").iterdir() if not p.name.startswith(".")]
    assert put.name == digest(made)[:16]
    assert digest(put / "signed") == digest(made)
    assert {p.stem for p in (put / "tables").iterdir()} == {*TABLES, "rolls"}
    code, text = sign("ada")
    assert code != 0
    assert "signed this release already" in text


def test_two_people_sign_what_has_anything_of_real_pupils() -> None:
    assert {tier: SIGNATURES[tier] for tier in Tier} == {
        Tier.STRUCTURAL: 1, Tier.CALIBRATED: 1, Tier.COARSENED: 2, Tier.PRIVATE: 2,
    }  # fmt: skip


def test_a_cut_that_nothing_is_published_of_is_said_to_be_one(tmp_path: Path, root: Path) -> None:
    make(
        Plan(1_000, range(2024, 2025), 5, tables={"schools": ("school", "la"), "ks2": ("year", "school")}),
        tmp_path / "made",
        root / "datasets/npd",
    )
    with pytest.raises(ValueError, match="has nothing that figures are published of"):
        report_of(tmp_path / "made")
