"""Figures of a calibration: profiles, pairs of uncertainties, and the targets beside the model."""

from pathlib import Path

import numpy as np
from matplotlib.figure import SubFigure

from reformsim.report import provenance, style
from reformsim.report.calibration import Calibrated, target, uncertainty
from reformsim.report.edition import Telling

#: Uncertainties whose pairs are drawn: those narrowed most.
PAIRED = 4


class Edition(Telling[Calibrated]):
    """One calibration, in English or in Chinese."""

    def counted(self) -> str:
        """Say how many runs each world had."""
        n = self.told.experiment.replications
        return self.say(f"每个情景 n = {n} 次运行", f"n = {n} run{'s' * (n > 1)} of each world")

    def uncertainty(self, name: str) -> str:
        """Name an uncertainty, or what stands for one."""
        return uncertainty(name, self.zh)


def draw(told: Calibrated, directory: Path, zh: bool) -> list[Path]:
    """Draw all figures in one language; return the files, PNG and SVG of each."""
    figures = {"profiles": profiles, "predictions": predictions}
    if not told.empty and len(told.parameters) > 1:
        figures["pairs"] = pairs
    edition = Edition(told, zh)
    paths: list[Path] = []
    with style.look():
        for name, figure in figures.items():
            paths += provenance.save(edition, figure(edition), name, directory)
    return paths


def profiles(edition: Edition) -> SubFigure:
    """Draw the least implausibility along each uncertainty: flat below the cut-off is unknown."""
    told, say = edition.told, edition.say
    names = list(told.calibration.task.bounds)
    rows, columns = style.grid(len(names))
    upper = style.canvas(
        edition,
        3.2 * columns,
        2.3 * rows,
        "各参数的最小不可信度",
        "least implausibility along each uncertainty",
    )
    cutoff = told.calibration.matched.cutoff
    for ax, name in zip(style.panels(upper, rows, columns, len(names)), names, strict=True):
        rows_of = [p for p in told.profiles if p.uncertainty == name]
        values, least = [p.value for p in rows_of], [p.least for p in rows_of]
        ax.plot(values, np.minimum(least, 4 * cutoff), color=style.BLACK, linewidth=1.4)
        ax.axhline(cutoff, color=style.VERMILLION, linestyle="--", linewidth=1)
        fine = np.array(least) <= cutoff
        ax.fill_between(
            values, 0, cutoff, where=fine.tolist(), step="mid", color=style.SKY, alpha=0.35
        )
        ax.set_ylim(bottom=0)
        ax.set_title(style.wrapped(edition, edition.uncertainty(name), 3.2), loc="left")
    upper.supylabel(say("不可信度", "implausibility"))
    upper.legend(
        handles=[
            style.line(style.BLACK, "-", say("最小不可信度", "least implausibility")),
            style.line(style.VERMILLION, "--", say("界限", "cut-off")),
            style.mark(style.SKY, "s", say("未被排除", "not ruled out")),
        ],
        loc="outside lower center",
        ncols=3,
    )
    return upper


def pairs(edition: Edition) -> SubFigure:
    """Draw the region by pairs of the uncertainties narrowed most; dots are worlds left."""
    told = edition.told
    order = sorted(told.parameters, key=lambda p: p.width)[:PAIRED]
    names = [p.uncertainty for p in told.parameters if p in order]
    worlds = told.worlds(told.calibration.matched.region)
    chosen = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    rows, columns = style.grid(len(chosen))
    upper = style.canvas(
        edition, 3.2 * columns, 2.6 * rows, "未被排除的情景", "worlds that are not ruled out"
    )
    for ax, (a, b) in zip(style.panels(upper, rows, columns, len(chosen)), chosen, strict=True):
        ax.plot(worlds[a], worlds[b], ".", color=style.BLUE, markersize=2, alpha=0.6)
        ax.set(xlim=told.calibration.task.bounds[a], ylim=told.calibration.task.bounds[b])
        ax.set_xlabel(style.wrapped(edition, edition.uncertainty(a), 3.2))
        ax.set_ylabel(style.wrapped(edition, edition.uncertainty(b), 2.6))
    return upper


def predictions(edition: Edition) -> SubFigure:
    """Draw each target beside the model, in standard deviations of what is known of it."""
    told, say = edition.told, edition.say
    rows = told.predictions[::-1]
    upper = style.canvas(
        edition, 8.5, 0.45 * len(rows) + 1, "目标与校准后的模型", "targets and the calibrated model"
    )
    ax = upper.subplots()
    for y, p in enumerate(rows):
        sd = p.error / p.error_sd if p.error_sd else 1.0
        held = p.use == "held out"
        colour, marker = (style.VERMILLION, "s") if held else (style.BLUE, "o")
        low, mean, high, usual, left, right = (
            (x - p.value) / sd for x in (p.q05, p.mean, p.q95, p.usual, p.low, p.high)
        )
        ax.barh(y, right - left, left=left, height=0.6, color="#E5E5E5")
        ax.plot(np.clip([low, high], -9, 9), [y, y], color=colour, linewidth=1.6)
        ax.plot(np.clip(mean, -9, 9), y, marker, color=colour, markersize=5)
        ax.plot(np.clip(usual, -9, 9), y, "x", color=style.BLACK, markersize=5)
    ax.axvline(0, color=style.GREY, linewidth=0.8)
    ax.set_xlim(-9.5, 9.5)
    labels = [target(told, p.target, edition.zh) for p in rows]
    ax.set_yticks(range(len(rows)), labels, fontsize=7)
    ax.set_xlabel(say("与已知值之差（标准差）", "difference from what is known (sd)"))
    upper.legend(
        handles=[
            style.mark(style.BLUE, "o", say("用于校准", "calibrated")),
            style.mark(style.VERMILLION, "s", say("留出", "held out")),
            style.mark(style.BLACK, "x", say("默认值", "defaults")),
            style.mark(style.PALE, "s", say("已知范围", "known range")),
        ],
        loc="outside lower center",
        ncols=4,
    )
    return upper
