"""A results directory opened to be reported on: what it holds, and what must be said of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import reformsim
from reformsim.experiment import plan
from reformsim.experiment.files import digest
from reformsim.experiment.store import Store
from reformsim.report.sentences import Both
from reformsim.report.study import Study


@dataclass(frozen=True)
class Opened:
    """A study with the manifest of its directory."""

    study: Study
    manifest: dict[str, Any]

    @cached_property
    def as_planned(self) -> bool:
        """Whether the experiment still resolves to the design that was run."""
        written = plan.written(plan.of(self.study.experiment))
        return digest(written) == self.study.config_hash

    def warnings(self) -> Iterator[Both]:
        """Yield what a reader must know before the numbers: failed, missing, damaged, old."""
        study, here = self.study, reformsim.__version__
        planned, failed = study.planned, len(study.results.failed())
        missing = planned - len(study.results.runs)
        if failed:
            yield Both(
                f"{planned} 次运行中有 {failed} 次失败；失败的运行不计入任何数字。",
                f"{failed} of {planned} runs failed; they are part of no figure.",
            )
        if missing > 0:
            yield Both(
                f"结果不完整：计划 {planned} 次运行，缺 {missing} 次。",
                f"The results are incomplete: {missing} of {planned} runs are missing.",
            )
        for text in study.notes:
            yield Both(f"文件受损：{text}", f"Damaged: {text}")
        if others := [version for version in study.versions if version != here]:
            told = ", ".join(others)
            yield Both(
                f"结果由 reformsim {told} 得出，本简报由 {here} 编写；不同版本的结果不可互比。",
                f"The results are of reformsim {told}, this brief is written by {here}; results of "
                "different versions must not be compared.",
            )
        if len(self.manifest["codes"]) > 1:
            n = len(self.manifest["codes"])
            yield Both(
                f"这些运行出自程序的 {n} 种状态，彼此未必可比。",
                f"The runs were made by {n} states of the program and may not go together.",
            )
        if not self.as_planned:
            yield Both(
                "当前程序对该实验的解读与运行时的设计不一致：方案的含义可能已变。",
                "The program at hand no longer resolves the experiment to the design that was run: "
                "what a scenario means may have changed.",
            )


def open_results(directory: Path) -> Opened:
    """Read a results directory without changing it. Raises StoreError where nothing can be told."""
    return Opened(Study.load(directory), Store(directory).manifest())
