"""One question, one fingerprint, however it is spelled; different questions, different fingerprints."""

from __future__ import annotations

import random
from itertools import product

import pytest

from datasets.engines.memory import MemoryEngine
from datasets.query import And, Codes, Criteria, Measure, Not, Operator, Or, Query
from datasets.validate import Limits, validate
from disclosure.policy import load_policy
from privacy_api.cli.cuts import preset
from privacy_api.service.cuts import HostedCut
from privacy_api.service.questions import priced, release_id
from tests.lib import school, strategies

CENSUS = school.census()
LIMITS = Limits(cells=9000, group_by=4)
CUT = HostedCut(school.catalogue(), "1", load_policy(preset("dp-default")), MemoryEngine({}))
DOMAIN = {v.name: [a.code for a in v.atoms] for v in CENSUS.domain}
WORLD = list(product(*(range(len(codes)) for codes in DOMAIN.values())))
EVERYONE = (1 << len(WORLD)) - 1
ATOM = {
    (name, code): sum(1 << i for i, row in enumerate(WORLD) if row[level] == at)
    for level, (name, codes) in enumerate(DOMAIN.items())
    for at, code in enumerate(codes)
}
SMALL = {name: codes for name, codes in DOMAIN.items() if name in ("la", "sex", "need", "year")}


def asked(criteria: Criteria | None, group_by: tuple[str, ...] = ("sex",)) -> tuple[str, ...]:
    """Fingerprints of the question's measurements, and the id of its release."""
    measures = (Measure("n", "count"), Measure("m", "mean", "score"))
    valid = validate(Query(CENSUS.id, measures, group_by, criteria), CENSUS, school.GRANTS, LIMITS)
    wanted = priced(valid, CUT).events
    return (*sorted(e.question for e in wanted.values()), release_id(valid, wanted, CUT))


def population(node: Criteria) -> int:
    """The rows that criteria admit, as a bit set over every row that could exist: independent of the diagram."""
    match node:
        case And(parts):
            found = EVERYONE
            for part in parts:
                found &= population(part)
            return found
        case Or(parts):
            found = 0
            for part in parts:
                found |= population(part)
            return found
        case Not(part):
            return EVERYONE & ~population(part)
        case Codes(name, operator, codes):
            found = 0
            for code in codes:
                found |= ATOM[name, code]
            return EVERYONE & ~found if operator.is_negative else found
    raise AssertionError(node)


def leaf(stream: random.Random) -> Criteria:
    name = stream.choice(list(SMALL))
    codes = stream.sample(SMALL[name], stream.randint(1, len(SMALL[name]) - 1))
    return Codes(name, stream.choice([Operator.IN, Operator.NOT_IN]), tuple(codes))


def tree(stream: random.Random, depth: int) -> Criteria:
    if depth == 0 or stream.random() < 0.3:
        return leaf(stream)
    kind = stream.choice([And, Or, Not])
    if kind is Not:
        return Not(tree(stream, depth - 1))
    return kind(tuple(tree(stream, depth - 1) for _ in range(stream.randint(1, 3))))


def rewrite(node: Criteria, stream: random.Random, depth: int = 3) -> Criteria:
    """The same population in other words."""
    how = stream.randrange(7) if depth else 0
    inner = _inside(node, stream, depth)
    match how:
        case 1:
            return Not(Not(inner))
        case 2:
            return And((inner, _always(stream)))
        case 3:
            return Or((inner, inner, Not(_always(stream))))
        case 4 if isinstance(inner, And | Or):
            flipped = tuple(Not(p) for p in inner.parts)
            return Not(Or(flipped) if isinstance(inner, And) else And(flipped))
        case 5:
            other = leaf(stream)
            return Or((And((inner, other)), And((inner, Not(other)))))
    return inner


def _always(stream: random.Random) -> Criteria:
    some = leaf(stream)
    return Or((some, Not(some)))


def _inside(node: Criteria, stream: random.Random, depth: int) -> Criteria:
    match node:
        case And(parts) | Or(parts):
            shuffled = [rewrite(p, stream, depth - 1) if depth else p for p in stream.sample(parts, len(parts))]
            return type(node)(tuple(shuffled + shuffled[: stream.randint(0, 1)]))
        case Not(part):
            return Not(rewrite(part, stream, depth - 1) if depth else part)
        case Codes():
            return _respelled(node, stream)
    raise AssertionError(node)


def _respelled(node: Codes, stream: random.Random) -> Criteria:
    """in ↔ not in of the others ↔ or of single codes, in any order and with repeats."""
    others = tuple(c for c in DOMAIN[node.reference] if c not in node.codes)
    flipped = Operator.IN if node.operator.is_negative else Operator.NOT_IN
    codes = tuple(stream.sample(node.codes, len(node.codes)) + stream.choices(node.codes, k=stream.randint(0, 2)))
    how = stream.randrange(3)
    if how == 1 and others:
        return Codes(node.reference, flipped, others)
    if how == 2:
        each = tuple(Codes(node.reference, Operator.EQ, (c,)) for c in codes)
        return Not(Or(each)) if node.operator.is_negative else Or(each)
    return Codes(node.reference, node.operator, codes)


def _rewrites(count: int, seed: int) -> None:
    stream = random.Random(seed)
    while True:
        question = tree(stream, 2)
        if 0 < population(question) < EVERYONE:
            break
    expected = asked(question)
    for _ in range(count):
        other = rewrite(question, stream)
        assert population(other) == population(question)
        assert asked(other) == expected


def _different(count: int) -> None:
    stream = random.Random(1)
    by_population: dict[int, tuple[str, ...]] = {}
    by_fingerprint: dict[str, int] = {}
    for _ in range(count):
        question = tree(stream, 3)
        rows = population(question)
        if rows == 0 or (rows & sum(ATOM["sex", c] for c in "F")) == 0:
            continue
        fingerprints = asked(question, ())
        assert by_population.setdefault(rows, fingerprints) == fingerprints
        for fingerprint in fingerprints:
            assert by_fingerprint.setdefault(fingerprint, rows) == rows
    assert len(by_fingerprint) == 4 * len(by_population) - _shared(by_population)


def _shared(by_population: dict[int, tuple[str, ...]]) -> int:
    """Count, count of present scores, centred sum and the release: all differ, so nothing is shared."""
    return len(by_population) * (4 - len(next(iter(by_population.values()))))


@pytest.mark.parametrize("seed", range(5))
def test_rewrites_of_one_question_are_one_question(seed: int) -> None:
    _rewrites(100, seed)


def test_different_questions_never_collide() -> None:
    _different(2_000)


@pytest.mark.slow
def test_ten_thousand_rewrites() -> None:
    for seed in range(10):
        _rewrites(1_000, seed)


@pytest.mark.slow
def test_a_hundred_thousand_questions() -> None:
    _different(100_000)


def test_group_by_measures_cut_and_version_tell_questions_apart() -> None:
    seen = {asked(None, by)[-1] for by in ((), ("sex",), ("la",), ("la.region",), ("sex", "la"), ("la", "sex"))}
    assert len(seen) == 6
    assert asked(None, ("sex", "la"))[:-1] == asked(None, ("la", "sex"))[:-1]
    valid = validate(Query(CENSUS.id, (Measure("n", "count"),)), CENSUS, school.GRANTS, LIMITS)
    other = HostedCut(CUT.catalogue, "2", CUT.policy, CUT.engine)
    assert {e.question for e in priced(valid, CUT).events.values()}.isdisjoint(
        e.question for e in priced(valid, other).events.values()
    )


def test_the_rewriter_is_worth_its_salt() -> None:
    """Positive control: a fingerprint of the text as written falls to the same rewrites."""
    stream = random.Random(3)
    question = tree(stream, 2)
    assert len({repr(rewrite(question, stream)) for _ in range(100)}) > 50
    assert strategies.references(CENSUS)


def test_cells_that_hold_everybody_are_no_split() -> None:
    """Of pupils in one area: no grouping, by area and by region are the same number, and one charge."""
    only = Codes("la", Operator.IN, ("A3",))
    one = asked(only, ())
    assert asked(only, ("la",))[:-1] == asked(only, ("la.region",))[:-1] == one[:-1]
    assert (
        asked(Codes("la", Operator.IN, ("A3", "A4")), ("la",))[:-1]
        != asked(Codes("la", Operator.IN, ("A3", "A4")), ())[:-1]
    )
    south = Codes("la.region", Operator.IN, ("S",))
    assert asked(south, ("la.region",))[:-1] == asked(south, ())[:-1] != asked(south, ("la",))[:-1]
