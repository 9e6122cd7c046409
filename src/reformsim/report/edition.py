"""What is told, in one language: what a table or a figure calls things."""

from abc import ABC, abstractmethod
from typing import Final, Protocol

from reformsim.city import COMMUNITY_TYPES, COMMUNITY_TYPES_ZH
from reformsim.declared import plain
from reformsim.experiment import design
from reformsim.experiment.analysis import Estimate, Trait
from reformsim.experiment.robustness import Robustness
from reformsim.experiment.sampling import CHANCE
from reformsim.experiment.schema import Experiment
from reformsim.report import study
from reformsim.report.chinese import chinese
from reformsim.report.study import CAVEAT, CAVEAT_ZH, VERDICTS_ZH, Study, arrow, english
from reformsim.report.worlds import Worlds

#: Chinese for what is named nowhere else: chance as an input, cells of a design, groups.
_NAMES_ZH = {
    CHANCE: "随机性",
    design.NONE: "无",
    design.ALL: "全部",
    "young": "35 岁以下",
    "middle": "35–59 岁",
    "older": "60 岁及以上",
    **dict(zip(COMMUNITY_TYPES, COMMUNITY_TYPES_ZH, strict=True)),
}


class Told(Protocol):
    """What can be told: where it comes from. A study, a calibration and an advice are such."""

    @property
    def experiment(self) -> Experiment:
        """The experiment, with its titles."""

    @property
    def config_hash(self) -> str:
        """The hash that ties a figure to what was asked."""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of the program that made the runs."""


class Telling[T: Told](ABC):
    """One thing, in English or in Chinese, with what is said under every figure of it."""

    def __init__(self, told: T, zh: bool) -> None:
        """Keep what is told and the language."""
        self.told: Final = told
        self.zh = zh

    @abstractmethod
    def counted(self) -> str:
        """Say how much the intervals rest on."""

    def say(self, zh: str, en: str) -> str:
        """Choose between two texts."""
        return zh if self.zh else en

    @property
    def title(self) -> str:
        """The title of the experiment."""
        return self.say(self.told.experiment.title_zh, self.told.experiment.title)

    @property
    def caveat(self) -> str:
        """What is said under every table and figure."""
        return self.say(CAVEAT_ZH, CAVEAT)


class Edition(Telling[Study]):
    """One study, in English or in Chinese; of several ``worlds`` those that it tells of."""

    def __init__(self, told: Study, zh: bool, worlds: Worlds | None = None) -> None:
        """Tell of ``worlds``, of those of the full ranges if None."""
        super().__init__(told, zh)
        self._worlds = worlds

    @property
    def study(self) -> Study:
        """The study."""
        return self.told

    @property
    def worlds(self) -> Worlds:
        """The worlds that are told of; raises ValueError where the design has none."""
        worlds = self._worlds or self.study.worlds
        if worlds is None:
            raise ValueError("not a design over uncertainties")
        return worlds

    def name(self, name: str) -> str:
        """Name a scenario, factor, label, measure or uncertainty."""
        if not self.zh:
            return english(name)
        told = self.study.zh(name)
        return _NAMES_ZH.get(name, told) if told == plain(name) else told

    def scenario(self, name: str) -> str:
        """Name a scenario; a cell of a factorial design by its labels, a staged one by its reform.

        Where places are compared, the place comes with it.
        """
        levels = next((c.levels for c in self.study.cells if c.name == name), {})
        if levels and " ".join(f"{f}={label}" for f, label in levels.items()) == name:
            return " · ".join(map(self.name, levels.values()))
        whole = name.removesuffix(f" {design.STAGED}")
        return self.name(whole) + ("" if whole == name else self.say("（分批）", " staged"))

    def contrast(self, scenario: str) -> str:
        """Name a scenario and its reference, where it has one."""
        reference = self.study.references.get(scenario)
        name = self.scenario(scenario)
        return f"{name} − {self.scenario(reference)}" if reference else name

    def outcome(self, name: str) -> str:
        """Name an outcome."""
        return study.outcome(name, self.zh)

    def marked(self, outcome: Trait | Estimate | Robustness) -> str:
        """Name an outcome and mark which way is better."""
        return self.outcome(outcome.outcome) + arrow(outcome.better)

    def unit(self, unit: str) -> str:
        """Name a unit."""
        return chinese(unit) if self.zh else unit

    def verdict(self, verdict: str) -> str:
        """Name a verdict."""
        return VERDICTS_ZH[verdict] if self.zh else verdict

    def counted(self) -> str:
        """Say how many replications or points there are, and which runs failed or are missing."""
        study = self.study
        n = study.n
        if study.worlds is not None:
            points = len(self.worlds.sample.values)
            text = self.say(f"n = {points} 个情景点", f"n = {points} points")
            if study.calibrated is not None:
                text += (
                    self.say("（校准后的区域）", " of the calibrated region")
                    if self.worlds.within == "calibrated"
                    else self.say("（原范围，未校准）", " of the full ranges, not calibrated")
                )
        elif n > 1:
            text = self.say(f"n = {n} 次重复", f"n = {n} replications")
        else:
            text = self.say(f"n = {n} 次运行，无区间", f"n = {n} run, no interval")
        made, failed = len(study.results.runs), len(study.results.failed())
        if failed:
            text += self.say(
                f" · {study.planned} 次运行中 {failed} 次失败",
                f" · {failed} of {study.planned} runs failed",
            )
        if missing := study.planned - made:
            text += self.say(
                f" · {study.planned} 次运行中 {missing} 次尚未完成",
                f" · {missing} of {study.planned} runs not made yet",
            )
        return text

    def kept_little(self) -> str:
        """Say that runs kept too little for a figure."""
        return self.say(
            "各次运行只保留了全市结果；在实验文件中写 `keep: all`",
            "runs kept the outcomes of the city only; write `keep: all` in the experiment",
        )

    def nothing_compared(self) -> str:
        """Say that no scenario has a finished run beside its reference."""
        return self.say(
            "没有方案与其基准都已完成运行", "no scenario has finished runs beside its reference"
        )
