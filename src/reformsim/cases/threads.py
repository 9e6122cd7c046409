"""Districts side by side in threads: none writes what another reads, so results stay the same."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reformsim.cases.state import District


def side_by_side[T](
    act: Callable[..., T], districts: Sequence[District], *arguments: Sequence[Any], threads: int
) -> list[T]:
    """Return ``act(district, ...)`` of every district, in their order; the largest go first.

    ``arguments`` have one entry a district each.
    """
    calls = list(zip(districts, *arguments, strict=True))
    if threads == 1 or len(calls) == 1:
        return [act(*call) for call in calls]
    order = sorted(range(len(calls)), key=lambda k: -len(districts[k].residents))
    with ThreadPoolExecutor(threads) as pool:
        futures = {k: pool.submit(act, *calls[k]) for k in order}
    return [futures[k].result() for k in range(len(calls))]
