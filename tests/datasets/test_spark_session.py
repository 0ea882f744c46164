"""What Spark is started with. That it starts, and keeps to it, `tests/spark` shows."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from datasets.engines.spark import SparkEngine
from datasets.engines.spark_session import SparkOptions, _environment, _set, find_java, properties
from datasets.plan import EngineRefused

FOLDER = Path("/private")


def test_by_itself_it_is_on_this_machine_and_talks_to_nobody() -> None:
    found = properties(SparkOptions(), FOLDER)
    assert found["spark.master"] == "local[*]"
    assert (found["spark.driver.host"], found["spark.driver.bindAddress"]) == ("127.0.0.1", "127.0.0.1")
    assert (found["spark.ui.enabled"], found["spark.authenticate"]) == ("false", "true")


def test_what_it_writes_is_private_and_encrypted() -> None:
    found = properties(SparkOptions("spark://host:7077"), FOLDER)
    assert found["spark.io.encryption.enabled"] == "true"
    assert all(found[name].startswith("/private") for name in ("spark.local.dir", "spark.sql.warehouse.dir"))


def test_on_a_cluster_the_network_is_the_clusters() -> None:
    found = properties(SparkOptions("yarn"), FOLDER)
    assert not {"spark.driver.host", "spark.driver.bindAddress", "spark.authenticate"} & set(found)


@pytest.mark.parametrize(("memory", "whole", "result"), [("2GB", "2048m", "512m"), ("512MB", "512m", "128m")])
def test_memory_bounds_the_driver_and_what_it_may_be_sent(memory: str, whole: str, result: str) -> None:
    found = properties(SparkOptions(memory=memory), FOLDER)
    assert (found["spark.driver.memory"], found["spark.driver.maxResultSize"]) == (whole, result)


def test_further_properties_stand_over_ours() -> None:
    assert properties(SparkOptions(more=(("spark.ui.enabled", "x"),)), FOLDER)["spark.ui.enabled"] == "x"


def java_in(folder: Path) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch(0o700)
    return java


def test_java_is_that_of_java_home_or_of_the_path(tmp_path: Path) -> None:
    one, other = java_in(tmp_path / "one"), java_in(tmp_path / "other")
    both = {"JAVA_HOME": str(tmp_path / "one"), "PATH": str(other.parent)}
    assert find_java(both) == one
    assert find_java({"PATH": both["PATH"]}) == other
    with pytest.raises(EngineRefused, match=r"JAVA_HOME: wants the directory of a Java .* 17 or later"):
        find_java(both | {"JAVA_HOME": str(tmp_path / "none")})


def test_without_any_java_it_says_how_to_have_one(tmp_path: Path) -> None:
    with pytest.raises(EngineRefused, match=r"Spark wants Java 17 or later.*pip install .*requirements/spark\.txt"):
        find_java({"PATH": str(tmp_path)})


def test_without_the_extra_it_says_how_to_have_it(tmp_path: Path) -> None:
    with pytest.raises(EngineRefused, match=r"Spark, which is not installed; .*pip install .*requirements/spark\.txt"):
        SparkEngine(tmp_path)


def test_java_is_asked_for_no_module_that_it_may_not_have(tmp_path: Path) -> None:
    """Run as Spark runs it: the other arguments come through as they are, and in their order."""
    echo = tmp_path / "it's java"
    echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$OUT"\n')
    echo.chmod(0o700)
    home = _environment(echo, tmp_path, local=True)["JAVA_HOME"]
    with _set({"OUT": str(tmp_path / "out")}):
        arguments = ["-cp", "a b", "--add-modules=jdk.incubator.vector", "", "-Dx='y'"]
        subprocess.run([f"{home}/bin/java", *arguments], check=True)
    assert (tmp_path / "out").read_text() == "-cp\na b\n\n-Dx='y'\n"


def test_the_environment_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "before")
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    with _set({"JAVA_HOME": "while", "SPARK_LOCAL_IP": "127.0.0.1"}):
        assert os.environ["JAVA_HOME"] == "while"
    assert os.environ["JAVA_HOME"] == "before" and "SPARK_LOCAL_IP" not in os.environ
