"""The policy of a cut: what protection its answers get. A TOML file that a disclosure officer can read.

Every rule carries `plain` (a sentence for people), `source`, `verified` and `owner`. Loading reports all problems
at once and fails closed: an unknown rule, a missing rule, a value out of range or two that contradict each other refuse
the whole file. No number has a default.
"""

from __future__ import annotations

from disclosure.fields import Change as Change
from disclosure.fields import Mode as Mode
from disclosure.policy.compare import Difference as Difference
from disclosure.policy.compare import compare as compare
from disclosure.policy.load import load_policy as load_policy
from disclosure.policy.model import CellKey as CellKey
from disclosure.policy.model import Differencing as Differencing
from disclosure.policy.model import ListedGroups as ListedGroups
from disclosure.policy.model import Policy as Policy
from disclosure.policy.model import Rule as Rule
from disclosure.policy.model import Secondary as Secondary
from disclosure.policy.model import Sparsity as Sparsity
from disclosure.policy.read import PolicyRefused as PolicyRefused
from disclosure.policy.tables import TABLES as TABLES
from disclosure.policy.tighten import Tightening as Tightening
from disclosure.policy.tighten import tighten as tighten
from disclosure.policy.tighten import tightening_problems as tightening_problems
