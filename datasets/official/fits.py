"""Whether a cut has what its policy goes by."""

from __future__ import annotations

from datasets.catalogue import Catalogue
from datasets.official.exact import needs_keys
from disclosure.policy import Policy
from disclosure.rules import MinimumSchools


def misfits(policy: Policy, catalogue: Catalogue) -> list[str]:
    """Why the policy cannot be that of the cut; empty where it can."""
    found = []
    rule = policy.rule(MinimumSchools)
    variables = {v.name for data_set in catalogue.data_sets for v in data_set.domain}
    if rule is not None and rule.variable not in variables:
        found.append(f"minimum_schools.variable: no data set has a variable {rule.variable} with codes")
    if needs_keys(policy) and not all(data_set.record_keys for data_set in catalogue.data_sets):
        found.append("random rounding and cell_key go by record keys: publish the cut with record_keys = true")
    return found
