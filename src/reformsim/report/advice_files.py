"""Advice as files: one JSON object, tables as CSV, a figure of the front."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import SubFigure

from reformsim import outcomes
from reformsim.experiment import aftermath, files
from reformsim.experiment.advice import Full, Rival
from reformsim.experiment.analysis import frame
from reformsim.experiment.bundles import NOTHING
from reformsim.report import provenance, style
from reformsim.report.advice import Report
from reformsim.report.advice_words import words
from reformsim.report.chinese import chinese
from reformsim.report.edition import Telling
from reformsim.report.study import CAVEAT, CAVEAT_ZH, arrow

#: The form of ``advice.json``, to be raised where a field changes its meaning.
FORM = 2


class Edition(Telling[Report]):
    """One advice, in English or in Chinese."""

    def counted(self) -> str:
        """Say how many worlds there are."""
        n = self.told.found.told.worlds
        if self.told.found.full:
            return self.say(f"n = {n} 个校准区域内的情景", f"n = {n} worlds of the region")
        return self.say(f"n = {n} 个情景", f"n = {n} worlds")


def write(report: Report, directory: Path, zh: bool) -> list[Path]:
    """Write all files of an advice, ``advice.json`` first; return their paths.

    The figure is in one language, all else in both.
    """
    texts = {"advice.json": json.dumps(summary(report), ensure_ascii=False, indent=1) + "\n"}
    texts |= {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n")
        for name, table in tables(report).items()
        if len(table)
    }
    for name, text in texts.items():
        files.replace(directory / name, text.encode())
    edition = Edition(report, zh)
    with style.look():
        drawn = provenance.save(edition, front(edition), "front", directory)
    return [*(directory / name for name in texts), *drawn]


def summary(report: Report) -> dict[str, Any]:
    """Return the advice as one JSON-able object; docs/advice.md documents the fields."""
    found, even = report.found, report.break_even
    searched, choice, told = found.searched, found.choice, found.told
    return _plain(
        {
            "form": FORM,
            "experiment": report.experiment.name,
            "question": report.experiment.question,
            "budget": found.question.budget,
            "at_most": found.question.at_most,
            "config_hash": report.config_hash,
            "outcomes": [
                {**asdict(outcomes.BY_NAME[name]), "chosen_by": name == found.headline}
                for name in found.outcomes
            ],
            "advised": _named(report, choice.advised.name),
            "best": _named(report, choice.best.name),
            "runner_up": choice.runner_up and _named(report, choice.runner_up.name),
            "words": words(report, zh=False),
            "words_zh": words(report, zh=True),
            "worlds": told.worlds,
            "replications": report.experiment.replications,
            "search": {
                "bundles": searched.space,
                "all": searched.all,
                "run": len(searched.costs) - 1,
                "rejected": len(searched.rejected),
            },
            "candidates": [
                {**asdict(c), **_named(report, c.bundle), "mark": report.marks[c.bundle]}
                for c in found.candidates
            ],
            "confirmed": {"worlds": found.worlds, "contrasts": _rows(choice.contrasts)},
            "contrasts": _rows(told.contrasts),
            "failed": told.failed,
            "over": told.over,
            "regrets": _rows(found.regrets),
            "optimism": _rows(found.optimism),
            "rivals": _rivals(told.rivals),
            "full": found.full and _full(report, found.full),
            "order": _rows(found.order),
            "groups": _rows(found.groups),
            "losers": _rows(aftermath.losers(found.groups)),
            "years": _rows(found.years),
            "break_even": even and asdict(even),
            "caveat": CAVEAT,
            "caveat_zh": CAVEAT_ZH,
        }
    )


def _rivals(rivals: Sequence[Rival]) -> list[dict[str, Any]]:
    return [
        {
            **asdict(rival),
            "rule": rival.rule and rival.rule.words(),
            "rule_zh": rival.rule and rival.rule.words(zh=True),
        }
        for rival in rivals
    ]


def _full(report: Report, full: Full) -> dict[str, Any]:
    return {
        "advised": _named(report, full.choice.advised.name),
        "best": _named(report, full.choice.best.name),
        "regrets": _rows(full.regrets),
        "contrasts": _rows(full.told.contrasts),
        "rivals": _rivals(full.told.rivals),
    }


def tables(report: Report) -> dict[str, pd.DataFrame]:
    """Return the tables that are written as CSV, empty ones too."""
    found = report.found
    searched = [
        {"bundle": bundle.name, "cost": cost}
        | {name: values[bundle].mean() for name, values in found.searched.values.items()}
        for bundle, cost in found.searched.costs.items()
    ]
    contrasts, regrets = frame(found.told.contrasts), frame(found.regrets)
    if found.full:
        beside = (frame(found.full.told.contrasts), frame(found.full.regrets))
        contrasts, regrets = (
            pd.concat([full.assign(within="full"), inside.assign(within="calibrated")])
            for full, inside in zip(beside, (contrasts, regrets), strict=True)
        )
    return {
        "candidates": frame(found.candidates).drop(columns="levels"),
        "confirmed": frame(found.choice.contrasts),
        "contrasts": contrasts,
        "regrets": regrets,
        "optimism": frame(found.optimism),
        "order": pd.json_normalize(_rows(found.order)),
        "groups": frame(found.groups),
        "years": frame(found.years),
        "searched": pd.DataFrame(searched),
        "rejected": frame(found.searched.rejected),
    }


def front(edition: Edition) -> SubFigure:
    """Draw the gain of each bundle against its cost, a panel for each outcome.

    Coloured marks are the front; a hollow one is what the search had promised. The choice and its
    runner-up stand where the third look has them.
    """
    report, say = edition.told, edition.say
    found = report.found
    names = list(found.outcomes)
    lines, columns = style.grid(len(names))
    bundles = [c for c in found.candidates if c.bundle != NOTHING.name]
    figure = style.canvas(
        edition,
        2.4 + 3.0 * columns,
        1.0 + 2.6 * lines + 0.2 * len(bundles),
        "各组合的成本与效果（与不采取措施之差，95% 区间），空心为搜索时的估计",
        "cost and effect against doing nothing, 95 % intervals; hollow: promised by the search",
    )
    looks = {c.bundle: style.LOOKS[i % len(style.LOOKS)] for i, c in enumerate(bundles)}
    promised = {(o.bundle, o.outcome): o.searched for o in found.optimism}
    for ax, name in zip(style.panels(figure, lines, columns, len(names)), names, strict=True):
        trait = found.outcomes[name]
        sign = -1.0 if trait.better == "lower" else 1.0
        for candidate in bundles:
            c = report.effects.get((candidate.bundle, name))
            if c is None:
                continue
            colour, _, marker = looks[candidate.bundle]
            x, colour = 100 * candidate.cost, colour if candidate.front else style.GREY
            ax.plot([x, x], [c.low, c.high], color=colour, linewidth=1.5)
            ax.plot(x, c.value, marker, color=colour, markersize=6)
            early = sign * promised[candidate.bundle, name]
            ax.plot(x, early, marker, color=colour, markersize=5, fillstyle="none", alpha=0.6)
            label = report.marks[candidate.bundle]
            label += "*" if candidate.bundle == found.choice.best.name else ""
            ax.annotate(label, (x, c.value), (4, 3), textcoords="offset points", fontsize=7)
        ax.axhline(0, color=style.BLACK, linewidth=0.8)
        ax.axvline(100 * found.question.budget, color=style.GREY, linewidth=0.8, linestyle=":")
        ax.set_title(report.outcome(name, edition.zh) + arrow(trait.better), loc="left")
        ax.set_ylabel(say(chinese(trait.unit), trait.unit))
        ax.set_xlabel(say("成本，占转移支付 (%)", "cost, % of the transfer"))
    handles = [
        style.mark(
            looks[c.bundle].colour,
            looks[c.bundle].marker,
            f"{report.marks[c.bundle]} {report.bundle(c.bundle, edition.zh)}",
        )
        for c in bundles
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower left", fontsize=7)
    return figure


def _named(report: Report, name: str) -> dict[str, Any]:
    """Return a bundle with its names."""
    return {
        "bundle": name,
        "name": report.bundle(name, zh=False),
        "name_zh": report.bundle(name, zh=True),
    }


def _rows(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _plain(value: Any) -> Any:
    """Return nested values as JSON can write them: numbers that are none become None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
