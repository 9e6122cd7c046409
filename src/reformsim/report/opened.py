"""A results directory opened to be reported on: what it holds, and what must be said of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import reformsim
from reformsim.experiment import design, plan
from reformsim.experiment.files import StoreError, digest
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store
from reformsim.report.sentences import Both
from reformsim.report.study import Study


@dataclass(frozen=True)
class Opened:
    """A study with its manifest, how many runs were planned, and which files are damaged."""

    study: Study
    manifest: dict[str, Any]
    planned: int
    damaged: list[str] = field(default_factory=list)

    @property
    def versions(self) -> list[str]:
        """The versions of reformsim that made the runs."""
        made = (code["versions"]["reformsim"] for code in self.manifest["codes"].values())
        return list(dict.fromkeys(made))

    @cached_property
    def as_planned(self) -> bool:
        """Whether the experiment still resolves to the design that was run."""
        written = plan.written(plan.of(self.study.experiment))
        return digest(written) == self.study.config_hash

    def warnings(self) -> Iterator[Both]:
        """Yield what a reader must know before the numbers: failed, missing, damaged, old."""
        runs, here = self.study.results.runs, reformsim.__version__
        failed, missing = len(self.study.results.failed()), self.planned - len(runs)
        if failed:
            yield Both(
                f"{self.planned} 次运行中有 {failed} 次失败；失败的运行不计入任何数字。",
                f"{failed} of {self.planned} runs failed; they are part of no figure.",
            )
        if missing > 0:
            yield Both(
                f"结果不完整：计划 {self.planned} 次运行，缺 {missing} 次。",
                f"The results are incomplete: {missing} of {self.planned} runs are missing.",
            )
        for text in self.damaged:
            yield Both(f"文件受损：{text}", f"Damaged: {text}")
        if others := [version for version in self.versions if version != here]:
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
    store = Store(directory)
    manifest = store.manifest()
    try:
        experiment = Experiment.model_validate(manifest["experiment"])
    except ValidationError as error:
        made = ", ".join(code["versions"]["reformsim"] for code in manifest["codes"].values())
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "experiment"
        raise StoreError(
            f"{store.manifest_path}: no experiment that reformsim {reformsim.__version__} reads "
            f"({place}: {first['msg']}); it was made with {made or 'an unknown version'}"
        ) from None
    damaged = list(store.ledger.open(mend=False))
    runs = design.runs(experiment)
    study = Study(experiment, store.results(runs), manifest["config_hash"])
    return Opened(study, manifest, len(runs), damaged)
