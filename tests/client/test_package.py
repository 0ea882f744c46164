"""The package stands alone, and its README is true."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import httpx2
import privacy_api_client
import pytest

from datasets.catalogue_toml.bundle import bundle
from synthetic.npd.twin import as_twin

from .conftest import Demo, Demos

IMPORT = """
import sys
FORBIDDEN = {"privacy_api", "datasets", "disclosure", "synthetic", "pandas"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise AssertionError(f"{name} is wanted")

sys.meta_path.insert(0, Refuse())
sys.path[:0] = sys.argv[1:]
import privacy_api_client
with privacy_api_client.Client("http://localhost", "npd_test_x") as client:
    assert client
print(sorted(FORBIDDEN & {name.partition(".")[0] for name in sys.modules}))
"""


def test_nothing_of_the_service_is_imported(root: Path, environment: Mapping[str, str]) -> None:
    """-I -S: neither this directory nor what is installed beside it, but for the paths given."""
    assert httpx2.__file__ is not None
    paths = [str(root / "clients/python"), str(Path(httpx2.__file__).parent.parent)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT, *paths], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


def test_it_depends_on_httpx2_alone(root: Path) -> None:
    project = tomllib.loads((root / "clients/python/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [re.split(r"[<>=]", d)[0] for d in project["dependencies"]] == ["httpx2"]
    assert list(project["optional-dependencies"]) == ["pandas"]


def test_what_is_exported_is_there() -> None:
    assert sorted(privacy_api_client.__all__) == privacy_api_client.__all__
    assert all(hasattr(privacy_api_client, name) for name in privacy_api_client.__all__)


def test_every_error_is_in_the_tree_that_is_drawn() -> None:
    drawn = privacy_api_client.errors.__doc__ or ""
    branches = [privacy_api_client.PrivacyApiError]
    for branch in branches:
        branches += branch.__subclasses__()
    assert len(branches) == 10
    for branch in branches:
        assert branch.__name__ in drawn and branch.__name__ in privacy_api_client.__all__


def test_the_readme_runs(
    root: Path, demos: Demos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its Python, from top to bottom, as one session in an empty directory, of the data sets of a demonstration."""
    with demos(catalogue=as_twin(bundle(root / "datasets" / "npd"))) as demo:
        _run_readme(root, demo, tmp_path, monkeypatch, capsys)


def _run_readme(
    root: Path, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (root / "clients/python/README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) > 4
    answering = httpx2.MockTransport(demo.pass_on)
    monkeypatch.setattr(privacy_api_client, "Client", partial(privacy_api_client.Client, transport=answering))
    monkeypatch.setenv("PRIVACY_API_KEY", demo.key)
    monkeypatch.chdir(tmp_path)
    session: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), session)  # noqa: S102 - our own
    assert {request.url.host for request in demo.asked} == {"127.0.0.1"}
    assert "SYNTHETIC" in capsys.readouterr().out
    assert (tmp_path / "absence.csv").is_file()
