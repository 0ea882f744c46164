"""What staff are shown: caps, forecasts, versions of policies, red flags, figures of the service."""

from __future__ import annotations

from typing import Any

from disclosure.accounting import rho
from disclosure.policy import Difference
from privacy_api.governance.forecast import Forecast
from privacy_api.governance.metrics import Metrics
from privacy_api.governance.watch import DETECTORS
from privacy_api.ports import PolicyVersion, Terms
from privacy_api.service.policy_effect import Effect, Shown
from privacy_api.service.policy_versions import Review
from privacy_api.service.watching import Standing

_DETECTORS = {each.name: each for each in DETECTORS}


def amount(nano: float) -> float:
    return float(rho(round(nano)))


def forecast_value(found: Forecast) -> dict[str, Any]:
    return {
        "leftRho": amount(found.left),
        "rhoPerDay": amount(found.per_day),
        "overDays": found.over,
        "daysLeft": found.days_left,
        "ends": None if found.ends is None else found.ends.isoformat(),
        "plain": found.plain,
    }


def terms_value(terms: Terms) -> dict[str, Any]:
    return {
        "number": terms.number,
        "cut": terms.cut,
        "policyVersion": terms.version,
        "policyHash": terms.policy,
        "capRho": None if terms.cap is None else amount(terms.cap),
        "frozen": terms.frozen,
        "by": terms.by,
        "at": terms.at,
        "reason": terms.reason,
    }


def version_value(version: PolicyVersion, text: bool = False) -> dict[str, Any]:
    value = {
        "cut": version.cut,
        "version": version.version,
        "hash": version.digest,
        "state": version.state.value,
        "reason": version.why,
        "by": version.by,
        "at": version.at,
        "closedBy": version.closed_by,
        "closed": version.closed,
    }
    return value | ({"policy": version.text} if text else {})


def review_value(review: Review) -> dict[str, Any]:
    return {
        **version_value(review.version, text=True),
        "comparedWith": review.in_force,
        "loosens": list(review.loosens),
        "tightens": list(review.tightens),
        "people": 2 if review.loosens else 1,
        "differences": [_difference(each) for each in review.differences],
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {"place": each.place, "words": each.words, "change": each.change.value, "plain": str(each)}


def effect_value(effect: Effect) -> dict[str, Any]:
    return {
        "on": effect.on,
        "questions": effect.questions,
        "before": _shown(effect.before),
        "after": _shown(effect.after),
        "plain": effect.plain,
    }


def _shown(shown: Shown) -> dict[str, Any]:
    return {
        "numbers": shown.numbers,
        "hidden": shown.hidden,
        "questionsRefused": shown.refused,
        "medianMargin": shown.margin,
    }


def flag_value(standing: Standing) -> dict[str, Any]:
    flag, looked = standing.flag, standing.acknowledged
    return {
        "id": flag.id,
        "detector": flag.detector,
        "looksFor": _DETECTORS[flag.detector].plain,
        "severity": flag.severity.value,
        "subject": flag.subject,
        "plain": flag.plain,
        "since": flag.since,
        "until": flag.until,
        "evidence": [str(place) for place in flag.evidence],
        "acknowledged": None if looked is None else {"by": looked.by, "at": looked.at, "reason": looked.reason},
    }


def metrics_value(found: Metrics) -> dict[str, Any]:
    return {
        "applications": dict(found.applications),
        "decided": len(found.days_to_decision),
        "daysToDecision": {"median": found.median_days, "ninetyPercent": found.ninety_days},
        "refusals": dict(found.refusals),
        "spentRho": {cut: amount(nano) for cut, nano in found.spent.items()},
        "charges": found.charges,
        "releases": found.releases,
        "failed": found.failed,
        "answerSeconds": {"median": found.median_answer_seconds},
    }
