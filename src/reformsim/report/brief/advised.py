"""What `reformsim advise` says, as a section of a brief: its choice, the next best, its words."""

import json
from pathlib import Path

from reformsim.experiment.files import StoreError
from reformsim.report.sentences import Both

#: The form of ``advice.json`` that this module reads.
FORM = 2


def read(path: Path) -> list[tuple[Both, Both]]:
    """Return heads and texts from an ``advice.json``. Raises StoreError where it does not read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["form"] != FORM:
            raise ValueError(f"form {told['form']}, this version reads {FORM}")
        chosen, second = told["advised"], told["runner_up"]
        found = [(Both("建议", "Advised"), Both(chosen["name_zh"], chosen["name"]))]
        if second:
            found.append((Both("其次", "Runner-up"), Both(second["name_zh"], second["name"])))
        words = zip(told["words_zh"], told["words"], strict=True)
        return [*found, *((Both("理由", "Why"), Both(zh, en)) for zh, en in words)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: no readable advice ({error!r})") from None
