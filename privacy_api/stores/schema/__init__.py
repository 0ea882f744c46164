"""The tables of the service database, in a module for each area. Amounts are nano-ρ; instants are UTC in ISO 8601."""

from privacy_api.stores.schema.accounts import accounts as accounts
from privacy_api.stores.schema.accounts import memberships as memberships
from privacy_api.stores.schema.accounts import sessions as sessions
from privacy_api.stores.schema.audit import audit as audit
from privacy_api.stores.schema.base import BIG as BIG
from privacy_api.stores.schema.base import metadata as metadata
from privacy_api.stores.schema.governance import application_comments as application_comments
from privacy_api.stores.schema.governance import application_moves as application_moves
from privacy_api.stores.schema.governance import applications as applications
from privacy_api.stores.schema.governance import proposals as proposals
from privacy_api.stores.schema.governance import submissions as submissions
from privacy_api.stores.schema.questions import saved_queries as saved_queries
from privacy_api.stores.schema.service import api_keys as api_keys
from privacy_api.stores.schema.service import claims as claims
from privacy_api.stores.schema.service import ledger as ledger
from privacy_api.stores.schema.service import measurements as measurements
from privacy_api.stores.schema.service import official_tables as official_tables
from privacy_api.stores.schema.service import output_checks as output_checks
from privacy_api.stores.schema.service import people as people
from privacy_api.stores.schema.service import projects as projects
from privacy_api.stores.schema.service import registered_tables as registered_tables
from privacy_api.stores.schema.service import releases as releases
from privacy_api.stores.schema.service import service as service
from privacy_api.stores.schema.terms import cut_terms as cut_terms
from privacy_api.stores.schema.terms import policy_versions as policy_versions
