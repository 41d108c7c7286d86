"""Operators compared on what they were given to do. Rule: nobody is compared with strata in which only they worked.

An operator who gets the hard matters has a lower rate and may be the better one. So beside each rate stands the rate
that the others reach with the same mix (indirect standardisation): in each stratum the others' share of good, weighted
with how often this operator was rated there. Rows in strata where nobody else was rated are named and not compared.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from store.interval import Interval, wilson

SMALLEST = 30  # evaluations; under it a rate says more about luck than about a person


@dataclass(frozen=True, slots=True)
class Stratum:
    """Valid first evaluations of one operator in one kind of work (an item, a department, a channel)."""

    operator: str
    kind: Hashable
    good: int
    of: int


class Stands(StrEnum):
    """Where an operator's rate lies beside what the others reach with the same mix."""

    AS_EXPECTED = "as_expected"  # the expected rate lies inside the interval of their own
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Standing:
    """One operator. Every rate is None where fewer than `smallest` evaluations could be compared.

    `of` counts all valid first evaluations, `compared` those in strata where others were rated too; `rate`, `doubt`
    and `expected` are over the compared ones, so that the two rates speak of the same calls.
    """

    operator: str
    of: int
    compared: int
    rate: float | None
    doubt: Interval | None
    expected: float | None
    stands: Stands | None

    @property
    def difference(self) -> float | None:
        """How much the rate lies above the expected one."""
        return None if self.rate is None or self.expected is None else self.rate - self.expected


@dataclass(slots=True)
class _Sums:
    good: int = 0
    of: int = 0

    def add(self, stratum: Stratum) -> None:
        self.good += stratum.good
        self.of += stratum.of


def standings(strata: Iterable[Stratum], *, smallest: int = SMALLEST) -> list[Standing]:
    """Give each operator's standing, ordered by operator: a list by rate would be the ranking nobody should print."""
    everyone: dict[Hashable, _Sums] = {}
    own: dict[str, dict[Hashable, _Sums]] = {}
    for stratum in strata:
        everyone.setdefault(stratum.kind, _Sums()).add(stratum)
        own.setdefault(stratum.operator, {}).setdefault(stratum.kind, _Sums()).add(stratum)
    return [_standing(operator, own[operator], everyone, smallest) for operator in sorted(own)]


def _standing(
    operator: str, own: Mapping[Hashable, _Sums], everyone: Mapping[Hashable, _Sums], smallest: int
) -> Standing:
    of = sum(sums.of for sums in own.values())
    shared = {kind: sums for kind, sums in own.items() if everyone[kind].of > sums.of}
    compared = sum(sums.of for sums in shared.values())
    hits = sum(sums.good for sums in shared.values())
    expected = sum(sums.of * _others(everyone[kind], sums) for kind, sums in shared.items())
    return settled(operator, of, compared, hits, expected / compared if compared else None, smallest=smallest)


def settled(operator: str, of: int, compared: int, hits: int, expected: float | None, *, smallest: int) -> Standing:
    """Give a standing from its sums; silent where fewer than `smallest` evaluations could be compared."""
    if expected is None or compared < max(1, smallest):
        return Standing(operator, of, compared, None, None, None, None)
    doubt = wilson(hits, compared)
    assert doubt is not None, "compared is not 0"
    return Standing(operator, of, compared, hits / compared, doubt, expected, _stands(doubt, expected))


def _others(everyone: _Sums, own: _Sums) -> float:
    return (everyone.good - own.good) / (everyone.of - own.of)


def _stands(doubt: Interval, expected: float) -> Stands:
    if expected < doubt.low:
        return Stands.ABOVE
    return Stands.BELOW if expected > doubt.high else Stands.AS_EXPECTED
