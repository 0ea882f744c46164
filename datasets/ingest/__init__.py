"""From a custodian's files to a published cut: read, code, check, write, publish; or a refusal that shows no value.

These modules carry a boundary: what they raise, report and leave on disk must never hold a value of the source.
"""

from datasets.ingest.cubes import open_cubes
from datasets.ingest.database import IngestFailed
from datasets.ingest.diff import Change, changes
from datasets.ingest.manifest import DataSetFacts, Manifest, SourceFile
from datasets.ingest.progress import Progress
from datasets.ingest.prune import Pruned, prune
from datasets.ingest.published import (
    CutDamaged,
    CutNotFound,
    Published,
    list_cuts,
    list_versions,
    open_current,
    open_version,
)
from datasets.ingest.report import IngestRefused, Place, Problem, Report
from datasets.ingest.rules import RULES, Rule
from datasets.ingest.run import ingest

__all__ = [
    "RULES",
    "Change",
    "CutDamaged",
    "CutNotFound",
    "DataSetFacts",
    "IngestFailed",
    "IngestRefused",
    "Manifest",
    "Place",
    "Problem",
    "Progress",
    "Pruned",
    "Published",
    "Report",
    "Rule",
    "SourceFile",
    "changes",
    "ingest",
    "list_cuts",
    "list_versions",
    "open_cubes",
    "open_current",
    "open_version",
    "prune",
]
