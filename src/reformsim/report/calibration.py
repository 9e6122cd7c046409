"""What a calibration says: tables on the terminal, sentences, CSV files, one JSON object."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

import reformsim
from reformsim import uncertainties
from reformsim.experiment import analysis, calibration, matching
from reformsim.experiment.calibration import Calibration, Checked, Left, Prediction
from reformsim.experiment.matching import OPEN, PINNED
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store
from reformsim.report.data import records
from reformsim.report.study import CAVEAT, CAVEAT_ZH, english, number, outcome
from reformsim.scenario import YEAR

VERDICTS_ZH = {PINNED: "已确定", matching.NARROWED: "有所收窄", OPEN: "无法确定"}
USES_ZH = {"calibrated": "校准", "held out": "留出"}
_HEADS = {
    "wave": "轮次", "runs": "运行", "failed": "失败", "targets": "目标",
    "left of the ranges": "剩余比例",
    "uncertainty": "不确定性", "range": "原范围", "left": "剩余范围", "5 % to 95 %": "5 % 至 95 %",
    "width": "宽度", "verdict": "判断", "target": "目标", "known": "已知", "model": "模型",
    "error/sd": "误差/标准差", "defaults": "默认值", "use": "用途",
}  # fmt: skip

#: Correlations in the region that are told, and how many.
STRONG, TOLD = 0.5, 5
#: A warning is given where more runs than this share do not tell a target.
MANY = 0.2


@dataclass(frozen=True)
class Calibrated:
    """A calibration as the report reads it; each part is made once."""

    experiment: Experiment
    calibration: Calibration
    config_hash: str
    versions: tuple[str, ...] = (reformsim.__version__,)

    @cached_property
    def left(self) -> list[Left]:
        """What each wave left."""
        return calibration.left(self.calibration)

    @cached_property
    def checked(self) -> list[Checked]:
        """Every emulator, checked."""
        return calibration.checked(self.calibration)

    @cached_property
    def parameters(self) -> list[matching.Parameter]:
        """What is left of each uncertainty."""
        return matching.parameters(self.calibration.matched)

    @cached_property
    def pairs(self) -> list[matching.Pair]:
        """Every pair of uncertainties, the most correlated first."""
        return matching.pairs(self.calibration.matched)

    @cached_property
    def profiles(self) -> list[matching.Profile]:
        """The least implausibility along each uncertainty."""
        return matching.profiles(self.calibration.matched)

    @cached_property
    def powers(self) -> list[matching.Power]:
        """What each target rules out."""
        return matching.powers(self.calibration.matched)

    @cached_property
    def predictions(self) -> list[Prediction]:
        """All targets beside the checking runs."""
        return calibration.predictions(self.calibration)

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return not len(self.calibration.matched.region)

    def unused(self) -> list[str]:
        """Return the targets that no wave could use."""
        used = {power.target for power in self.powers}
        return [t.name for t in self.calibration.task.goals() if t.name not in used]

    def worlds(self, unit: np.ndarray) -> pd.DataFrame:
        """Return points of the unit cube as a table that a later experiment can take."""
        scaled = self.calibration.matched.scaled(unit)
        return pd.DataFrame(scaled, columns=list(self.calibration.task.bounds))


def tables(told: Calibrated) -> dict[str, pd.DataFrame]:
    """Return all tables by the name of their file."""
    matched = told.calibration.matched
    found = {
        "waves": analysis.frame(told.left),
        "emulators": analysis.frame(told.checked),
        "targets": analysis.frame(told.powers),
        "profiles": analysis.frame(told.profiles),
        "predictions": analysis.frame(told.predictions),
    }
    if not told.empty:
        chosen = np.random.default_rng([matched.seed, 9]).permutation(len(matched.region))
        found |= {
            "parameters": analysis.frame(told.parameters),
            "pairs": analysis.frame(told.pairs),
            "region": told.worlds(matched.region[chosen[: matching.KEPT]]),
            "posterior": told.worlds(matched.posterior(matching.KEPT)),
        }
    return {name: table for name, table in found.items() if len(table)}


def save(told: Calibrated, directory: Path) -> list[Path]:
    """Write all tables as CSV; region.csv and posterior.csv are for later experiments."""
    store = Store(directory)
    return [
        store.write_text(
            f"{name}.csv", table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
        )
        for name, table in tables(told).items()
    ]


def summary(told: Calibrated, files: list[Path]) -> dict[str, Any]:
    """Return what the tables say as JSON-able records."""
    apart = ("region", "posterior", "profiles")
    found = {name: records(t) for name, t in tables(told).items() if name not in apart}
    return {
        "experiment": told.experiment.name,
        "config_hash": told.config_hash,
        "caveat": CAVEAT,
        "nothing_left": told.empty,
        **found,
        "said": said(told, zh=False),
        "said_zh": said(told, zh=True),
        "files": [str(path) for path in files],
    }


def write(told: Calibrated, console: Console, zh: bool) -> None:
    """Write the tables, then what they come to in words."""
    experiment = told.experiment
    console.print(f"[bold]{experiment.title_zh if zh else experiment.title}[/]", "")
    _write(
        console, zh, ("wave", "runs", "failed", "targets", "left of the ranges"),
        ((str(w.wave), str(w.runs), str(w.failed), str(w.targets),
          f"{_share(w.left)} [{_share(w.low)}, {_share(w.high)}]") for w in told.left),
    )  # fmt: skip
    if told.parameters:
        _write(
            console, zh, ("uncertainty", "range", "left", "5 % to 95 %", "width", "verdict"),
            ((uncertainty(p.uncertainty, zh), _span(p.low, p.high), _span(p.left_low, p.left_high),
              _span(p.q05, p.q95), f"{p.width:.0%}", VERDICTS_ZH[p.verdict] if zh else p.verdict)
             for p in told.parameters),
        )  # fmt: skip
    _write(
        console, zh, ("target", "known", "model", "runs", "error/sd", "defaults", "use"),
        ((target(told, p.target, zh), _span(p.low, p.high),
          f"{number(p.mean)} [{_span(p.q05, p.q95)}]", f"{p.used}/{p.used + p.left_out}",
          "–" if math.isnan(p.error_sd) else f"{p.error_sd:+.1f}", number(p.usual),
          USES_ZH[p.use] if zh else p.use) for p in told.predictions),
    )  # fmt: skip
    for line in said(told, zh):
        console.print(line)


def _write(console: Console, zh: bool, heads: Sequence[str], rows: Any) -> None:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for head in heads:
        words = head in ("uncertainty", "verdict", "target", "use")
        table.add_column(
            _HEADS[head] if zh else head,
            justify="left" if words else "right",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    console.print(table, "")


def said(told: Calibrated, zh: bool) -> list[str]:
    """Return what came out as sentences."""
    lines = _nothing(told, zh) if told.empty else _something(told, zh)
    bad = sorted({c.target for c in told.checked if not c.good and c.wave == len(told.left)})
    if bad:
        listed = "; ".join(target(told, name, zh) for name in bad)
        lines.append(
            f"末轮仿真器未通过留一检验，因此未用于排除：{listed}。"
            if zh
            else f"Emulators of the last wave that fail when runs are left out, so that they rule "
            f"nothing out there: {listed}."
        )
    lines += _left_out(told, zh)
    if unused := "; ".join(target(told, name, zh) for name in told.unused()):
        lines.append(f"从未使用的目标：{unused}。" if zh else f"Targets never used: {unused}.")
    return [*lines, *_too_short(told, zh), *_held_out(told, zh), CAVEAT_ZH if zh else CAVEAT]


def _something(told: Calibrated, zh: bool) -> list[str]:
    lines = []
    for verdict in VERDICTS_ZH:
        listed = [_about(p.uncertainty, zh) for p in told.parameters if p.verdict == verdict]
        if not listed:
            continue
        if verdict == OPEN:
            text = "数据无法确定" if zh else "The data do not pin down"
        elif zh:
            text = VERDICTS_ZH[verdict]
        else:
            text = {PINNED: "Pinned down", matching.NARROWED: "Narrowed"}[verdict]
        names = "；".join(listed) if zh else "; ".join(listed)
        lines.append(f"{text}：{names}。" if zh else f"{text}: {names}.")
    strong = [pair for pair in told.pairs if abs(pair.correlation) >= STRONG][:TOLD]
    if strong:
        told_pairs = "; ".join(
            f"{uncertainty(p.first, zh)} ~ {uncertainty(p.second, zh)} ({p.correlation:+.2f})"
            for p in strong
        )
        lines.append(
            f"只能共同确定的组合（秩相关）：{told_pairs}。"
            if zh
            else f"Known better together than apart (rank correlation): {told_pairs}."
        )
    effective = told.calibration.matched.effective
    if effective < 50:
        lines.append(
            f"后验仅相当于 {effective:.0f} 个独立点，其分位数粗略。"
            if zh
            else f"The posterior is worth {effective:.0f} independent points: its quantiles are "
            "rough."
        )
    return lines


def _nothing(told: Calibrated, zh: bool) -> list[str]:
    """Say that no world meets the targets, and which target rules all out."""
    matched = told.calibration.matched
    found = matching.culprits(matched)
    alone = [power for power in found if power.least > matched.cutoff]
    lines = [
        "没有剩余：在这些范围内，模型无法同时达到全部目标。"
        if zh
        else "Nothing is left: within these ranges the model cannot reach these targets."
    ]
    for power in found:
        name = target(told, power.target, zh)
        if alone:
            lines.append(
                f"仅“{name}”一项即排除全部：最小不可信度 {power.least:.1f} > {matched.cutoff:g}。"
                if zh
                else f"{name} alone rules everything out: least implausibility {power.least:.1f}, "
                f"cut-off {matched.cutoff:g}."
            )
        else:
            lines.append(
                f"若不计“{name}”，剩余 {_share(power.without)}。"
                if zh
                else f"Without {name}, {_share(power.without)} would be left."
            )
    return lines


def _left_out(told: Calibrated, zh: bool) -> list[str]:
    """Warn of targets that many runs do not tell: their emulators know only the others."""
    last = [c for c in told.checked if c.wave == len(told.left)]
    rows: list[Checked | Prediction] = [*last, *told.predictions]
    rows.sort(key=lambda row: row.left_out / (row.used + row.left_out))  # the worst stays below
    counts = {row.target: (row.left_out, row.used + row.left_out) for row in rows}
    many = {name: (out, of) for name, (out, of) in counts.items() if out > MANY * of}
    listed = "; ".join(f"{target(told, name, zh)} ({out}/{of})" for name, (out, of) in many.items())
    if not listed:
        return []
    return [
        f"许多运行给不出下列目标（失败，或中位数始终未达到），仿真器只了解其余情景，那里的剩余区域"
        f"不可靠：{listed}。"
        if zh
        else "Many runs do not tell these (they failed, or a median was never reached); emulators "
        f"know only the other worlds, and what is left there is not to be relied on: {listed}."
    ]


def _too_short(told: Calibrated, zh: bool) -> list[str]:
    """Say so where runs do not last as long as the export that they are held to."""
    listed, years = told.calibration.task.design.listed(), told.experiment.years
    run, leap = YEAR * years, years
    if listed is None or listed.days is None or listed.days + listed.follow_up <= run + leap:
        return []
    span = f"{listed.days + listed.follow_up:g}"
    return [
        f"导出涵盖 {span} 天，各次运行只有 {run} 天：若要可比，请加大 years。"
        if zh
        else f"The export spans {span} days, that of a run {run}: raise `years` to compare like "
        "with like."
    ]


def _held_out(told: Calibrated, zh: bool) -> list[str]:
    held = [p for p in told.predictions if p.use == "held out" and not math.isnan(p.error_sd)]
    if not held:
        return []
    hits, usual = (
        sum(p.low <= figure(p) <= p.high for p in held)
        for figure in (lambda p: p.mean, lambda p: p.usual)
    )
    rms, before = (
        math.sqrt(np.mean([figure(p) ** 2 for p in held]))
        for figure in (lambda p: p.error_sd, lambda p: p.usual_sd)
    )
    of = len(held)
    known = not math.isnan(before)
    if zh:
        text = f"留出的 {of} 项中命中 {hits} 项，误差均方根 {rms:.1f} 个标准差"
        return [text + (f"；默认值下命中 {usual} 项，{before:.1f}。" if known else "。")]
    text = f"Held out, and hit: {hits} of {of}; root mean square error {rms:.1f} sd"
    return [text + (f" (at the defaults: {usual} of {of}, {before:.1f} sd)." if known else ".")]


def target(told: Calibrated, name: str, zh: bool) -> str:
    """Name a target: a fact, an outcome, or what stands for one."""
    names = {target.name: target.zh for target in told.calibration.task.targets}
    return names[name] if zh else outcome(name, zh)


def uncertainty(name: str, zh: bool) -> str:
    """Name an uncertainty, or what stands for one."""
    known = uncertainties.BY_NAME.get(name)
    return known.meaning_zh if known and zh else english(name)


def _about(name: str, zh: bool) -> str:
    known = uncertainties.BY_NAME.get(name)
    if known is None or zh:
        return uncertainty(name, zh)
    return f"{known.label} ({known.meaning})"


def _span(low: float, high: float) -> str:
    return f"{number(low)} … {number(high)}"


def _share(share: float) -> str:
    return f"{100 * share:.2g} %"
