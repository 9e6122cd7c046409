"""Mistakes in a user's files: where, what is wrong, what to do, in English and Chinese."""

from dataclasses import dataclass
from typing import NamedTuple

from reformsim.config.document import ConfigError, Fault, Spot

#: Mistakes kept in full; a file of ten million bad rows is told by the first ones and a count.
KEPT = 200


class Words(NamedTuple):
    """A text in English and in Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, order=True, slots=True)
class Mistake(Fault):
    """A fault of a table, with what to do; its place counts cells, not characters."""

    remedy: str
    message_zh: str
    remedy_zh: str

    def __str__(self) -> str:
        """Return the English and, below it, the Chinese; what does not print is escaped."""
        here = f"{self.spot.file}:{self.spot.line}:{self.spot.column}"
        head = f"{here}: {self.field}" if self.field else here
        lines = f"{head}: {self.message}: {self.remedy}", f"  {self.message_zh}:{self.remedy_zh}"
        return "\n".join(
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in lines
        )


class Mistakes:
    """The mistakes found so far, so that all can be told at once."""

    def __init__(self) -> None:
        """Begin without any."""
        self.found: list[Mistake] = []
        self.count = 0
        self.stopped: Mistake | None = None

    def add(self, spot: Spot, field: str, wrong: Words, remedy: Words) -> None:
        """Note what is wrong in the column ``field`` (may be empty) at ``spot``, what to do."""
        self.count += 1
        if len(self.found) < KEPT:
            self.found.append(Mistake(spot, field, wrong.en, remedy.en, wrong.zh, remedy.zh))

    def stop(self, spot: Spot, wrong: Words, remedy: Words) -> None:
        """Note where reading a file could not go on, however many mistakes there are."""
        self.count += 1
        self.stopped = Mistake(spot, "", wrong.en, remedy.en, wrong.zh, remedy.zh)
        self.found.append(self.stopped)

    def check(self) -> None:
        """Raise ConfigError with all mistakes, if there are any."""
        if self.found:
            raise TableError(self)


class TableError(ConfigError):
    """Tables that cannot be used; ``lines`` tells every mistake in both languages."""

    def __init__(self, mistakes: Mistakes) -> None:
        """Keep each mistake once, in order of place, and how many were left out."""
        super().__init__(*mistakes.found)
        self.left_out = mistakes.count - len(mistakes.found)

    @property
    def lines(self) -> tuple[str, ...]:
        """The mistakes, and a last line if there were more."""
        lines = tuple(str(fault) for fault in self.args)
        if not self.left_out:
            return lines
        return (*lines, f"and {self.left_out} mistakes more / 另有 {self.left_out} 处错误")
