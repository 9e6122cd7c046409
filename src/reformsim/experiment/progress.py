"""Progress: a bar on a terminal, lines elsewhere, with an estimate from how fast it goes now."""

import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm


class Progress:
    """A bar with an estimate on a terminal; elsewhere a line at every tenth of the runs.

    The estimate is the pace of the last quarter of the runs made so far. The time before the
    first run ends, with its compilation and its building of cities, counts for nothing then.
    """

    def __init__(
        self,
        total: int,
        done: int,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start at ``done`` of ``total`` runs."""
        self.total, self.done, self.stream, self.clock = total, done, stream, clock
        self.first = done
        self.marks: deque[tuple[int, float]] = deque([(done, clock())], maxlen=4000)
        self.bar = (
            tqdm(total=total, initial=done, file=stream, unit="run", smoothing=0.1)
            if stream.isatty()
            else None
        )
        if self.bar is None and done:
            print(f"{done} of {total} runs are there already", file=stream, flush=True)

    def step(self, runs: int = 1) -> None:
        """Count runs that ended."""
        before, self.done = self.done, self.done + runs
        self.marks.append((self.done, self.clock()))
        if self.bar is not None:
            self.bar.update(runs)
        elif self.done * 10 // self.total > before * 10 // self.total:
            print(
                f"{100 * self.done // self.total:3d} %: {self.done} of {self.total} runs, "
                f"about {duration(self.left())} left",
                file=self.stream,
                flush=True,
            )

    def left(self) -> float:
        """Return the seconds left at the present pace."""
        made, now = self.marks[-1]
        marks = list(self.marks)[1:-1] or [self.marks[0]]
        since = made - max(1, (made - self.first) // 4)
        runs, then = max((mark for mark in marks if mark[0] <= since), default=marks[0])
        return (now - then) / max(made - runs, 1) * (self.total - made)

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self.bar is not None:
            self.bar.close()


def duration(seconds: float) -> str:
    """Write a time in the unit in which it is read."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
