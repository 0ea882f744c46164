"""Settings from the environment (PRIVACY_API_…). An unknown or impossible one refuses to start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PREFIX = "PRIVACY_API_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
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
    oidc_issuer: str = Field("", description="Issuer of the OpenID provider that people sign in with; empty: none.")
    oidc_client_id: str = Field("", description="What the provider knows this service as.")
    oidc_client_secret_file: Path | None = Field(None, description="File with the client's secret; none: a public one.")
    oidc_audience: str = Field("", description="Audience of access tokens for the API; empty: none are taken.")
    oidc_scopes: str = Field("openid profile email", pattern=r"^openid( [\w.:/\-]+)*$", description="Scopes asked for.")
    oidc_role_claim: str = Field("", description="Claim with people's roles, as roles or realm_access.roles.")
    oidc_roles: str = Field("", description="The provider's words for roles: WORD=ROLE, with commas between.")
    development_sign_in: bool = Field(False, description="Sign in as made-up people, without a password: demo only.")
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
    def role_words(self) -> Mapping[str, str]:
        """The provider's word → the role's name."""
        return dict(pair.strip().rsplit("=", 1) for pair in self.oidc_roles.split(",") if pair.strip())

    def check_sign_in(self) -> None:
        """What would let in whom it should not, or nobody, refuses to start."""
        problems = [f"{PREFIX}{name.upper()}: {why}" for name, why in sign_in_problems(self)]
        if problems:
            raise SettingsRefused("sign-in cannot be offered:\n  " + "\n  ".join(problems))

    @property
    def cuts(self) -> Path:
        return self.home / "cuts"

    @property
    def policies(self) -> Path:
        return self.home / "policies"

    @property
    def synthetic(self) -> Path:
        """Synthetic releases that anybody may read."""
        return self.home / "synthetic"

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
        if self.mode is ServiceMode.DEMO and self.host not in LOOPBACK and not secure:
            raise SettingsRefused("demo mode without TLS listens on 127.0.0.1 only")


def sign_in_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """(setting, what is wrong with it)."""
    if settings.development_sign_in and (settings.mode is not ServiceMode.DEMO or settings.host not in LOOPBACK):
        yield "development_sign_in", "is for demo mode on 127.0.0.1 only: it lets anybody in as anybody"
    named = [n for n in Settings.model_fields if n.startswith("oidc_") and getattr(settings, n) != _default(n)]
    if not settings.oidc_issuer:
        yield from ((name, f"wants {PREFIX}OIDC_ISSUER too") for name in named)
        return
    if not settings.oidc_issuer.startswith("https://") and settings.mode is not ServiceMode.DEMO:
        yield "oidc_issuer", "wants an address that begins with https://"
    if not settings.oidc_client_id:
        yield "oidc_client_id", "is wanted: what the provider knows this service as"
    if not settings.public_url:
        yield "public_url", "is wanted: the provider sends people back there"
    if settings.oidc_audience and settings.oidc_audience == settings.oidc_client_id:
        yield "oidc_audience", "must not be the client id: a token that was made for signing in would open the API"
    if settings.oidc_client_secret_file is not None and not settings.oidc_client_secret_file.is_file():
        yield "oidc_client_secret_file", "no such file"
    yield from _role_problems(settings)


def _role_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    if bool(settings.oidc_role_claim) != bool(settings.oidc_roles):
        yield "oidc_roles", "and the role claim are wanted together"
    if any("=" not in pair for pair in settings.oidc_roles.split(",") if pair.strip()):
        yield "oidc_roles", "wants WORD=ROLE, with commas between"


def _default(name: str) -> object:
    return Settings.model_fields[name].default


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
