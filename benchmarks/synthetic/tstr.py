"""Train on synthetic rows, test on real ones that no method has seen: area under the ROC curve of one classifier.

In an environment of its own. Parameters as JSON on stdin: a table to test on, files of codes to train on, and what is
foretold from all other columns (a column, and the least code that counts as yes). AUC by file as JSON on stdout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from benchmarks.synthetic.table import load

SEED = 1


def auc(train: Any, test: Any, place: int, least: int) -> float:
    others = [i for i in range(train.shape[1]) if i != place]
    model = HistGradientBoostingClassifier(random_state=SEED)
    model.fit(train[:, others], train[:, place] >= least)
    return float(roc_auc_score(test[:, place] >= least, model.predict_proba(test[:, others])[:, 1]))


def main() -> None:
    given = json.load(sys.stdin)
    test = load(Path(given["test"]))
    place = test.names.index(given["target"])
    json.dump({f: auc(np.load(f), test.codes, place, given["least"]) for f in given["train"]}, sys.stdout)


if __name__ == "__main__":
    main()
