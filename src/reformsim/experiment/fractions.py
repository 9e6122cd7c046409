"""Two-level fractional factorial designs 2^(k − p): Box, Hunter & Hunter (2005), chapter 6.

A factor is 0 at its first label and 1 at its second. A generated factor is the parity of others,
so that the run with every factor at its first label is always part of the fraction.
"""

import itertools
from collections.abc import Mapping, Sequence

#: A word of the defining relation: the factors, as a set, whose parity is 0 in every run.
Word = frozenset[str]


def words(generators: Mapping[str, Sequence[str]]) -> list[Word]:
    """Return all words of the defining relation: the generators and all their products."""
    found = [frozenset[str]()]
    for factor, parents in generators.items():
        found += [word ^ {factor} ^ frozenset(parents) for word in found]
    return found[1:]


def resolution(generators: Mapping[str, Sequence[str]]) -> int:
    """Return the length of the shortest word: at V, two-way interactions are free of each other."""
    return min(map(len, words(generators)))


def of_resolution(factors: Sequence[str], wanted: int) -> dict[str, tuple[str, ...]]:
    """Return generators of the smallest fraction of at least the resolution wanted.

    Empty where only the full design has it. The later factors are generated, from as many of the
    earlier ones as possible first.
    """
    for basic in range(1, len(factors)):
        found = _extend(factors[:basic], factors[basic:], wanted, [frozenset()])
        if found is not None:
            return found
    return {}


def _extend(
    basic: Sequence[str], rest: Sequence[str], wanted: int, group: list[Word]
) -> dict[str, tuple[str, ...]] | None:
    if not rest:
        return {}
    for size in range(len(basic), wanted - 2, -1):
        for parents in itertools.combinations(basic, size):
            more = [word ^ {rest[0]} ^ frozenset(parents) for word in group]
            if min(map(len, more)) >= wanted:
                others = _extend(basic, rest[1:], wanted, group + more)
                if others is not None:
                    return {rest[0]: parents, **others}
    return None


def rows(factors: Sequence[str], generators: Mapping[str, Sequence[str]]) -> list[tuple[int, ...]]:
    """Return the runs of a fraction, one 0 or 1 for each factor; all combinations without any."""
    basic = [factor for factor in factors if factor not in generators]
    found = []
    for values in itertools.product((0, 1), repeat=len(basic)):
        levels = dict(zip(basic, values, strict=True))
        for factor, parents in generators.items():
            levels[factor] = sum(levels[parent] for parent in parents) % 2
        found.append(tuple(levels[factor] for factor in factors))
    return found


def aliases(
    term: tuple[str, ...], factors: Sequence[str], generators: Mapping[str, Sequence[str]]
) -> list[tuple[str, ...]]:
    """Return the effects of one or two factors that a fraction cannot tell from ``term``."""
    found = (word ^ frozenset(term) for word in words(generators))
    return [tuple(f for f in factors if f in other) for other in found if 1 <= len(other) <= 2]
