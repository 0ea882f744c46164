"""Settings from the environment (PRIVACY_API_…). An unknown or impossible one refuses to start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PREFIX = "PRIVACY_API_"
CLIENTS = {f"{PREFIX}KEY", f"{PREFIX}SERVER", f"{PREFIX}TEST_POSTGRES"}
"""Variables of `privacy-api query` and of the tests, which may be set in the same shell."""


class ServiceMode(StrEnum):
    """demo: synthetic cuts only, plain HTTP on loopback allowed. live: real cuts, TLS needed."""

    DEMO = "demo"
    LIVE = "live"


class Brand(StrEnum):
    """Whose the pages look like. govuk: of services on gov.uk, and of nobody else."""

    NEUTRAL = "neutral"
    GOVUK = "govuk"


class SettingsRefused(ValueError):
    """The service does not start; the message names each setting and what it would accept."""


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(description="Directory of cuts, policies, the service database and the anchor.")
    mode: ServiceMode = Field(ServiceMode.LIVE, description="demo (synthetic cuts only) or live.")
    database_url: str = Field("", description="Service database; without it SQLite in the home directory.")
    anchor: Path | None = Field(None, description="File outside the database that holds the head of the ledger.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Server processes.")
    tls_certificate: Path | None = Field(None, description="PEM certificate; with tls_key the server speaks HTTPS.")
    tls_key: Path | None = Field(None, description="PEM key of the certificate.")
    behind_tls_proxy: bool = Field(False, description="A reverse proxy in front speaks HTTPS.")
    public_url: str = Field(
        "",
        pattern=r"^(https://[A-Za-z0-9.\-]+(:[0-9]+)?|http://(127\.0\.0\.1|localhost)(:[0-9]+)?)?$",
        description="Where browsers find the service: scheme, host and port, as in https://npd.example.org.",
    )
    session_idle_minutes: int = Field(30, ge=1, le=1440, description="Minutes after which an unused session ends.")
    session_hours: float = Field(8, gt=0, le=24, description="Hours after which any session ends.")
    query_seconds: float = Field(10.0, ge=0.01, le=600, description="Most time the engine may take for one query.")
    query_memory: str = Field("2GB", pattern=r"^[0-9]+(MB|GB)$", description="Most memory the engine may take.")
    engine_threads: int = Field(1, ge=1, le=64, description="Threads of the engine per query.")
    spark_master: str = Field(
        "local[*]",
        pattern=r"^(local(\[([1-9][0-9]*|\*)\])?|spark://\S+|k8s://\S+|yarn)$",
        description="Where Spark runs, for cuts that were published for it: local[*], local[n], spark://…, yarn, k8s://….",
    )
    concurrent_queries: int = Field(2, ge=1, le=256, description="Queries computed at a time, per process.")
    waiting_queries: int = Field(64, ge=0, le=10_000, description="Queries that may wait for a place, per process.")
    latency_slot_ms: int = Field(10, ge=0, le=10_000, description="Answers leave at multiples of this; 0 is off.")
    brand: Brand = Field(
        Brand.NEUTRAL, description="neutral, or govuk for a service on gov.uk: crown, fonts and crest."
    )
    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")

    @field_validator("home")
    @classmethod
    def _is_directory(cls, home: Path) -> Path:
        if not home.is_dir():
            raise ValueError("wants an existing directory")
        return home.resolve()

    @property
    def cuts(self) -> Path:
        return self.home / "cuts"

    @property
    def policies(self) -> Path:
        return self.home / "policies"

    @property
    def brand_files(self) -> Path:
        """Fonts and crest, where a service on gov.uk has put them."""
        return self.home / "brand"

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'service.db'}"

    @property
    def anchor_file(self) -> Path:
        return self.anchor or self.home / "anchor.json"

    @property
    def audit_anchor_file(self) -> Path:
        """Beside the ledger's: each chain has a file of its own, so that neither waits for the other's lock."""
        return self.anchor_file.with_name(f"audit-{self.anchor_file.name}")

    @property
    def environment(self) -> str:
        """The word in every API key, so that a key shows where it belongs."""
        return "test" if self.mode is ServiceMode.DEMO else "live"

    def check_transport(self) -> None:
        """Outside demo mode nothing is served in the clear."""
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise SettingsRefused("tls_certificate and tls_key are wanted together")
        for name, path in (("tls_certificate", self.tls_certificate), ("tls_key", self.tls_key)):
            if path is not None and not path.is_file():
                raise SettingsRefused(f"{PREFIX}{name.upper()}: no such file")
        secure = self.tls_certificate or self.behind_tls_proxy
        if self.mode is ServiceMode.LIVE and not secure:
            raise SettingsRefused(
                f"live mode wants TLS: set {PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY, "
                f"or {PREFIX}BEHIND_TLS_PROXY=true where a proxy in front speaks HTTPS"
            )
        if self.mode is ServiceMode.DEMO and self.host not in ("127.0.0.1", "::1", "localhost") and not secure:
            raise SettingsRefused("demo mode without TLS listens on 127.0.0.1 only")


def load_settings(environ: Mapping[str, str] | None = None, /, **given: object) -> Settings:
    """Settings from the environment, overridden by what is given; all problems at once."""
    environ = os.environ if environ is None else environ
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(n for n in environ if n.upper().startswith(PREFIX) and n.upper() not in known | CLIENTS)
    problems = [f"{name}: no such setting" for name in unknown]
    from_environment = {
        n: environ[f"{PREFIX}{n.upper()}"] for n in Settings.model_fields if f"{PREFIX}{n.upper()}" in environ
    }
    try:
        settings = Settings.model_validate(from_environment | {k: v for k, v in given.items() if v is not None})
    except ValidationError as invalid:
        problems += [f"{PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in invalid.errors()]
    if problems:
        accepted = ", ".join(sorted(known))
        raise SettingsRefused("the settings are refused:\n  " + "\n  ".join(problems) + f"\naccepted are: {accepted}")
    return settings
