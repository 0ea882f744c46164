"""What the service says of itself: data sets, meta, budgets. Schema, policy and ledger only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets.catalogue import DataSet, Link
from datasets.measures import parts_of
from datasets.statistics import STATISTICS, Statistic
from datasets.variables import Code, Variable
from disclosure.accounting import coin_flip_accuracy, epsilon, rho
from disclosure.accounting import delta as delta_of
from disclosure.policy import Policy
from privacy_api.ports import Balance, Day
from privacy_api.service.cuts import HostedDataSet


def data_set(hosted: HostedDataSet, twin: HostedDataSet | None = None) -> dict[str, Any]:
    """twin: the same one with made-up pupils, or the real one; questions to the one are questions to the other."""
    return {
        "id": hosted.id,
        "title": hosted.data_set.title,
        "description": hosted.data_set.description,
        "source": hosted.data_set.source,
        "cut": hosted.cut.catalogue.cut,
        "version": hosted.cut.version,
        "synthetic": hosted.cut.catalogue.synthetic,
        "provenance": hosted.cut.catalogue.provenance,
        "twin": twin.id if twin else None,
        "unitOfPrivacy": hosted.cut.catalogue.unit,
        "mode": hosted.cut.policy.mode,
        "public": hosted.data_set.public,
        "variables": [v.name for v in hosted.data_set.variables],
        "links": {"meta": f"/v1/data-sets/{hosted.id}/meta", "query": f"/v1/data-sets/{hosted.id}/query"},
    }


def meta(hosted: HostedDataSet, twin: HostedDataSet | None = None) -> dict[str, Any]:
    """Everything a query can name, with codes and labels, so that nothing need be guessed."""
    chosen = hosted.data_set
    return {
        "dataSet": data_set(hosted, twin),
        "variables": [_variable(v) for v in chosen.variables],
        "geographicLevels": [{"code": level, "reference": name} for level, name in chosen.levels.items()],
        "timePeriods": [{"code": p.kind, "period": p.period, "value": p.code} for p in chosen.time_periods],
        "statistics": [_statistic(s) for s in STATISTICS.values()],
        "key": _key(chosen),
        "populated": _years(chosen.populated),
        "releases": [{"stage": stage, "month": month} for stage, month in chosen.releases],
        "linkedDataSets": [_link(link, hosted) for link in chosen.links],
        "policy": policy(hosted.cut.policy),
    }


def _statistic(s: Statistic) -> dict[str, Any]:
    return {"name": s.name, "summary": s.summary, "of": s.takes, "parts": list(parts_of(s)), "addsUp": s.adds_up}


def _link(link: Link, hosted: HostedDataSet) -> dict[str, Any]:
    return {
        "name": link.name,
        "dataSet": f"{hosted.cut.catalogue.cut}.{link.to}",
        "on": [{"variable": own, "theirs": theirs} for own, theirs in link.on],
        "where": [{"theirs": theirs, "code": code} for theirs, code in link.where],
        "yearsBefore": link.years_before,
        "variables": [here for _, here in link.take],
    }


def _years(populated: tuple[int, int | None] | None) -> dict[str, int | None] | None:
    """By the year in which an academic year ends; no last year while it goes on."""
    return None if populated is None else {"first": populated[0], "last": populated[1]}


def _key(chosen: DataSet) -> dict[str, Any]:
    key = chosen.key
    if chosen.public:
        return {"plain": f"public: one row per {', '.join(filter(None, [key.time, *key.also]))}"}
    if key.unit is None:
        return {"plain": "each row is one pupil"}
    per = f"pupil and {key.time}" if key.time else "pupil"
    rest = "; further rows were left out, chosen at random" if key.bounded else ""
    return {"plain": f"at most {key.rows_per_period} row(s) per {per}{rest}"}


def _codes(codes: tuple[Code, ...]) -> list[dict[str, str]]:
    """since and until: when the code is in use, where it is not always."""
    validity = ("since", "until")
    return [
        {"code": c.code, "label": c.label} | {when: getattr(c, when) for when in validity if getattr(c, when)}
        for c in codes
    ]


def _variable(v: Variable) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": v.name,
        "label": v.label,
        "description": v.description,
        "type": "number" if v.numbers else "time" if v.is_time else "category",
        "identifiability": v.identifiability,
        "sensitivity": v.sensitivity,
        "needsGrant": v.sensitivity.needs_grant,
        "needsJustification": v.needs_justification,
        "concept": v.concept,
        "populated": _years(v.populated),
        "npdNames": [{"pattern": a.pattern, "first": a.first, "last": a.last} for a in v.aliases],
        "linked": {"link": v.linked.link, "variable": f"{v.linked.data_set}.{v.linked.variable}"} if v.linked else None,
        "derived": v.derived is not None,
        "level": v.level,
        "codes": _codes(v.atoms),
        "bandings": [
            {"reference": f"{v.name}.{b.name}", "label": b.label, "level": b.level, "codes": _codes(b.codes)}
            for b in v.bandings
        ],
    }
    if v.numbers:
        low, high = (float(v.numbers.step * t) for t in v.numbers.clamp)
        out["number"] = {
            "unit": v.numbers.unit,
            "step": float(v.numbers.step),
            "clamp": [low, high],
            "optional": v.numbers.optional,
        }
    return out


def policy(p: Policy) -> dict[str, Any]:
    return {
        "name": p.name,
        "version": p.version,
        "mode": p.mode,
        "hash": p.digest,
        "minimumCount": p.minimum_count,
        "roundingBase": p.rounding_base,
        "minimumDenominator": p.minimum_denominator,
        "confidence": p.confidence,
        "limits": {"cells": p.max_cells, "groupBy": p.max_group_by},
        "defaultRho": float(rho(p.default_price)),
        "maximumQueryRho": float(rho(p.query_cap)),
        "delta": p.delta,
        "noise": p.noise,
        "listedGroups": _listed_groups(p),
        "maximumModelRho": float(rho(p.model_cap)),
        "rules": {name: {"plain": r.plain, "source": r.source, "verified": r.verified} for name, r in p.rules.items()},
    }


def _listed_groups(p: Policy) -> dict[str, Any] | None:
    """None where the policy lists no groups from the data."""
    if (rule := p.listed_groups) is None:
        return None
    amounts = {"delta": float(delta_of(rule.delta)), "deltaTotal": float(delta_of(rule.delta_total))}
    return amounts | {"mostGroups": rule.most_groups}


def cut_budget(balance: Balance, p: Policy) -> dict[str, Any]:
    """A cut's, with the δ of listed groups where there is any: its cap is in the δ that the cap's ε is said at."""
    most = p.listed_at_most(balance.delta)
    told = {"capDelta": float(delta_of(most)), "spentDelta": float(delta_of(balance.delta))}
    return budget(balance, p.delta, most) | ({"listedGroups": told} if most else {})


def budget(balance: Balance, delta: float, listed: int = 0) -> dict[str, Any]:
    """Amounts in ρ, and what the cap means at most for one pupil. listed: atto-δ that listed groups may cost."""
    eps = epsilon(balance.cap, delta) if delta else None
    return {
        "capRho": float(rho(balance.cap)),
        "spentRho": float(rho(balance.spent)),
        "leftRho": float(rho(balance.left)),
        "leftNanoRho": balance.left,
        "capEpsilon": None if eps is None else round(eps, 4),
        "delta": delta + float(delta_of(listed)),
        "coinFlipAccuracy": None if eps is None else round(coin_flip_accuracy(eps), 4),
    }


def odometer(cut: str, days: Sequence[Day], balance: Balance, p: Policy) -> dict[str, Any]:
    """What a cut's answers have cost: per day, and in all up to then. Facts of the ledger; no project, no query.

    balance: of the cut, with the δ that was spent on listed groups. Each ε of a day is at the policy's own δ; what
    those cost comes on top.
    """

    def amount(nano: int) -> dict[str, Any]:
        return {"rho": float(rho(nano)), "epsilon": round(epsilon(nano, p.delta), 4) if p.delta else None}

    return {
        "cut": cut,
        "delta": p.delta_with(balance.delta),
        "budget": cut_budget(Balance(balance.cap, days[-1].so_far if days else 0, balance.delta), p),
        "days": [
            {"date": d.date, "charges": d.charges, "chargedRho": float(rho(d.nano_rho)), **amount(d.so_far)}
            for d in days
        ],
    }
