"""The composition root: settings → services → app. The only module that knows which adapters are real."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine as Database

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import CatalogueRefused, load_catalogue
from datasets.engines.cubes import CubeEngine
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import CutDamaged, CutNotFound, IngestFailed, Published, list_cuts, open_cubes, open_current
from datasets.official.fits import misfits
from datasets.plan import EngineRefused
from disclosure.listing import Lister, list_groups
from disclosure.noise import NoiseSource, add_noise
from disclosure.policy import Policy, PolicyRefused, load_policy
from privacy_api.ports import BareShelf, Engine, IdentityProvider, LedgerBroken, NotRecordable, Role, Shelf, Terms
from privacy_api.service.cuts import HostedCut, HostedDataSet
from privacy_api.service.hosting import Hosted
from privacy_api.service.services import Services, ignore_change, ignore_step
from privacy_api.service.tallies import Tallies
from privacy_api.service.terms import import_policy, policy_in_force
from privacy_api.settings import ServiceMode, Settings, SettingsRefused, load_settings
from privacy_api.stores.accounts import SqlAccounts
from privacy_api.stores.applications import SqlApplications
from privacy_api.stores.audit import SqlAudit
from privacy_api.stores.database import DatabaseRefused, open_database, together
from privacy_api.stores.facts import settle
from privacy_api.stores.ledger import SqlLedger
from privacy_api.stores.migrate import upgrade
from privacy_api.stores.output_checks import SqlOutputChecks
from privacy_api.stores.projects import SqlProjects
from privacy_api.stores.proposals import SqlProposals
from privacy_api.stores.saved_queries import SqlSavedQueries
from privacy_api.stores.sessions import IDLE, LIFE, SqlSessions
from privacy_api.stores.shelf import FolderShelf
from privacy_api.stores.tables import SqlTables
from privacy_api.stores.terms import SqlTerms

if TYPE_CHECKING:
    from fastapi import FastAPI


REFUSALS = (
    CatalogueRefused,
    CutDamaged,
    CutNotFound,
    IngestFailed,
    PolicyRefused,
    LedgerBroken,
    NotRecordable,
    SettingsRefused,
    DatabaseRefused,
)
"""What a person can mend; commands tell these in one message."""

GRACE = 5.0
"""Seconds beyond the engine's limit after which a charge without a sign of life is taken for dead."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Every store of one service database: the only list of them."""

    ledger: SqlLedger
    projects: SqlProjects
    tables: SqlTables
    output_checks: SqlOutputChecks
    audit: SqlAudit
    terms: SqlTerms
    accounts: SqlAccounts
    sessions: SqlSessions
    saved_queries: SqlSavedQueries
    proposals: SqlProposals
    applications: SqlApplications
    together: Callable[[], AbstractContextManager[None]]
    close: Callable[[], None]

    @classmethod
    def of(
        cls,
        database: Database,
        anchor: Path,
        audit_anchor: Path,
        claim_seconds: float = 60,
        idle: timedelta = IDLE,
        life: timedelta = LIFE,
    ) -> Stores:
        """idle, life: of sessions."""
        return cls(
            SqlLedger(database, anchor, claim_seconds),
            SqlProjects(database),
            SqlTables(database),
            SqlOutputChecks(database),
            SqlAudit(database, audit_anchor),
            SqlTerms(database),
            SqlAccounts(database),
            SqlSessions(database, idle, life),
            SqlSavedQueries(database),
            SqlProposals(database),
            SqlApplications(database),
            lambda: together(database),
            database.dispose,
        )

    def services(
        self,
        data_sets: Mapping[str, HostedDataSet],
        environment: str,
        now: Callable[[], str],
        noise: NoiseSource = add_noise,
        step: Callable[[str], None] = ignore_step,
        lister: Lister = list_groups,
        provider: IdentityProvider | None = None,
        outdated: Callable[[], None] = ignore_change,
        shelf: Shelf | None = None,
    ) -> Services:
        kept = {name: getattr(self, name) for name in Stores.__dataclass_fields__ if name != "close"}
        return Services(
            data_sets=data_sets,
            noise=noise,
            now=now,
            environment=environment,
            step=step,
            close_stores=self.close,
            lister=lister,
            provider=provider,
            outdated=outdated,
            shelf=shelf or BareShelf(),
            tallies=Tallies(self.audit, utc_seconds),
            **kept,
        )


def open_stores(settings: Settings) -> Stores:
    """The service database, brought up to date, and settled in one mode for good."""
    database = open_database(settings.url)
    try:
        upgrade(database)
        settled = settle(database, "mode", settings.mode)
        if settled != settings.mode:
            raise SettingsRefused(f"this service database belongs to {settled} mode; it never changes")
    except BaseException:
        database.dispose()
        raise
    idle, life = timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
    return Stores.of(
        database, settings.anchor_file, settings.audit_anchor_file, settings.query_seconds + GRACE, idle, life
    )


def open_services(
    settings: Settings, noise: NoiseSource = add_noise, step: Callable[[str], None] = ignore_step
) -> Services:
    """Everything is checked here, before the first request: ledger, cuts, policies. Any doubt refuses to start."""
    provider = open_provider(settings)
    stores = open_stores(settings)
    cuts: list[HostedCut] = []
    try:
        stores.ledger.verify()
        stores.audit.mend_fence()
        stores.audit.verify()
        stores.terms.verify()
        cuts.extend(_open_cut(settings, name, stores) for name in list_cuts(settings.cuts))
        _refuse_false_twins(cuts)
        data_sets = Hosted(tuple(cuts), stores.terms)
    except BaseException:
        for cut in cuts:
            cut.engine.close()
        stores.close()
        raise
    return stores.services(
        data_sets,
        settings.environment,
        utc_seconds,
        noise,
        step,
        provider=provider,
        outdated=data_sets.refresh,
        shelf=open_shelf(settings.synthetic),
    )


def open_shelf(folder: Path) -> Shelf:
    return FolderShelf(folder)


def _refuse_false_twins(cuts: Sequence[HostedCut]) -> None:
    """Who goes over to a twin expects that nobody is in it."""
    real = {cut.catalogue.cut for cut in cuts if not cut.catalogue.synthetic}
    for cut in cuts:
        if cut.catalogue.twin in real:
            raise SettingsRefused(f"cut {cut.catalogue.cut}: its twin, {cut.catalogue.twin}, is not synthetic")


def utc_seconds() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def open_provider(settings: Settings) -> IdentityProvider | None:
    """Asks it nothing yet: a provider that is away keeps nobody's key from working."""
    settings.check_sign_in()
    if not settings.oidc_issuer:
        return None
    from privacy_api.oidc.provider import OidcProvider, ProviderOptions

    secret = settings.oidc_client_secret_file
    try:
        roles = {word: Role(name) for word, name in settings.role_words.items()}
    except ValueError:
        raise SettingsRefused(f"PRIVACY_API_OIDC_ROLES: the roles are {', '.join(Role)}") from None
    return OidcProvider(
        ProviderOptions(
            settings.oidc_issuer,
            settings.oidc_client_id,
            secret.read_text(encoding="utf-8").strip() if secret else "",
            settings.oidc_audience,
            settings.oidc_scopes,
            settings.oidc_role_claim,
            roles,
        )
    )


def terms_of(settings: Settings, cut: str, stores: Stores) -> tuple[Terms, Policy]:
    """What is in force for a cut; before its first start, what its policy file says."""
    try:
        terms, text = stores.terms.of(cut), _policy_file(settings, cut)
        if terms is None:
            if text is None:
                raise SettingsRefused(f"cut {cut} has no policy; bind one with: privacy-api policy bind {cut} FILE")
            return Terms(cut=cut), load_policy(text)
        if text is not None and _digest(text) not in {each.digest for each in stores.terms.versions(cut)}:
            raise SettingsRefused(CHANGED_FILE.format(cut=cut))
        return terms, policy_in_force(terms, stores.terms)
    except PolicyRefused as refused:
        raise SettingsRefused(f"cut {cut}: {refused}") from None


CHANGED_FILE = (
    "cut {cut}: its policy file is none of the versions that were stored. After the first start a policy changes by "
    "`privacy-api policy draft`, and by two people where it loosens; put the file back as it was, or remove it"
)


def _policy_file(settings: Settings, cut: str) -> str | None:
    path = settings.policies / f"{cut}.toml"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _settled_terms(settings: Settings, cut: str, stores: Stores) -> tuple[Terms, Policy]:
    """The same; at the first start the policy file becomes version 1."""
    terms, policy = terms_of(settings, cut, stores)
    if terms.number:
        return terms, policy
    return import_policy(cut, _policy_file(settings, cut) or "", utc_seconds(), stores), policy


def _open_cut(settings: Settings, name: str, stores: Stores) -> HostedCut:
    published = open_current(settings.cuts, name)
    catalogue = load_catalogue(published.catalogue_text)
    _, policy = terms_of(settings, name, stores)
    if settings.mode is ServiceMode.DEMO and not catalogue.synthetic:
        raise SettingsRefused(f"cut {name} is not synthetic: demo mode never loads real data")
    if problems := misfits(policy, catalogue):
        raise SettingsRefused("\n".join(f"cut {name}: {problem}" for problem in problems))
    cubes = open_cubes(published, catalogue)
    try:
        engine = _open_engine(settings, published)
    except EngineRefused as refused:
        raise SettingsRefused(f"cut {name}: {refused}") from None
    # Imported last: a policy that cannot be served becomes no version.
    terms, policy = _settled_terms(settings, name, stores)
    latest = _latest(catalogue, published) if catalogue.synthetic else {}
    return HostedCut(catalogue, published.version, policy, CubeEngine(engine, cubes), terms=terms, latest=latest)


def _latest(catalogue: Catalogue, published: Published) -> dict[str, str]:
    periods = {name: facts.periods for name, facts in published.manifest.data_sets.items()}
    found = {d.id: [p.code for p in d.time_periods if p.code in periods.get(d.id, {})] for d in catalogue.data_sets}
    return {name: codes[-1] for name, codes in found.items() if codes}


def _open_engine(settings: Settings, published: Published) -> Engine:
    """The one that the cut was published for."""
    seconds, memory = settings.query_seconds, settings.query_memory
    if published.manifest.engine == "spark":
        from datasets.engines.spark import SparkEngine
        from datasets.engines.spark_session import SparkOptions

        return SparkEngine(published.parquet, seconds, SparkOptions(settings.spark_master, memory))
    return DuckDBEngine(published.databases, seconds, memory, settings.engine_threads)


def make_app(settings: Settings) -> FastAPI:
    from privacy_api.app import create_app
    from privacy_api.gate import Gate
    from privacy_api.logs import configure
    from privacy_api.web.assets import load_assets

    settings.check_transport()
    configure(settings.log_level)
    assets = load_assets(settings.brand, settings.brand_files)
    gate = Gate(settings.concurrent_queries, settings.waiting_queries, settings.query_seconds + 2 * GRACE)
    secure = settings.tls_certificate is not None or settings.behind_tls_proxy
    # An answer makes tens of thousands of short-lived rows: at the default a query pays for several collections.
    gc.set_threshold(100_000, 20, 20)
    services = open_services(settings)
    services.shelf.releases()  # hashed now, and not when somebody waits; commands at a console want none of it
    return create_app(
        services,
        gate,
        settings.latency_slot_ms,
        secure,
        assets,
        settings.public_url,
        settings.development_sign_in,
    )


def app_from_environment() -> FastAPI:
    """What each server process runs."""
    return make_app(load_settings())
