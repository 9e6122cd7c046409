"""Who gains and who loses: the change by type of community, by age, by subdistrict."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from reformsim.experiment import analysis
from reformsim.experiment.analysis import Trait
from reformsim.report import style
from reformsim.report.edition import Edition

#: Levels whose places are few enough to be named.
_NAMED = ("community_type", "age")
#: Panels at most: headlines that exist at these levels.
_PANELS = 6


def distribution(edition: Edition) -> SubFigure:
    """Draw the paired change of headlines by type of community and age, and over subdistricts.

    A panel for each headline that is counted at these levels; below it are counted the
    subdistricts in which the change is clearly for the better or the worse.
    """
    study = edition.study
    found = {t.outcome: changes(edition, t) for t in study.traits.values()}
    named = {name for name, table in found.items() if table["level"].isin(_NAMED).any()}
    shown = [t for t in study.traits.values() if t.outcome in named][:_PANELS]
    if not shown:
        raise style.Undrawable(edition.kept_little())
    groups = [
        (level, place) for level in _NAMED for place in _places(found[shown[0].outcome], level)
    ]
    lines, columns = style.grid(len(shown))
    figure = style.canvas(
        edition,
        3.4 + 2.9 * columns,
        1.7 + lines * (0.9 + 0.26 * len(groups)),
        "谁受益，谁受损：与基准的成对差异，95% 区间",
        "who gains, who loses: paired difference from the reference, 95 % intervals",
    )
    axes = style.panels(figure, lines, columns, len(shown), sharey=True)
    scenarios = list(study.references)
    for ax, trait in zip(axes, shown, strict=True):
        _groups(ax, edition, found[trait.outcome], groups, scenarios)
        ax.set_title(edition.marked(trait), loc="left")
        counted = [_count(edition, trait, found[trait.outcome], s) for s in scenarios]
        words = [edition.unit(trait.unit), *filter(None, counted)]
        ax.set_xlabel("\n".join(words), linespacing=1.5)
    axes[0].set_yticks(range(len(groups)), [edition.name(place) for _, place in groups])
    axes[0].set_ylim(len(groups) - 0.5, -0.5)
    style.scenario_legend(edition, figure, scenarios)
    return figure


def changes(edition: Edition, trait: Trait) -> pd.DataFrame:
    """Return level, place, scenario, n, value, low, high of the paired change of one outcome.

    Rows exist for types of communities, ages and subdistricts that have the outcome.
    """
    study = edition.study
    rows = study.results.kind("outcome")
    rows = rows[(rows["outcome"] == trait.outcome) & (rows["period"] == "after")]
    rows = rows[rows["level"].isin([*_NAMED, "subdistrict"])].astype(
        {"level": str, "place": str, "scenario": str}
    )
    wide = rows.pivot_table(
        index=["level", "place"], columns=["scenario", "replication"], values="value", sort=False
    )
    there = set(wide.columns.get_level_values(0)) if len(wide) else set()
    found = []
    for scenario, reference in study.references.items():
        if {scenario, reference} <= there:
            apart = wide[scenario].sub(wide[reference])
            n, value, low, high = analysis.interval(apart.to_numpy().T)
            table = wide.index.to_frame(index=False)
            found.append(table.assign(scenario=scenario, n=n, value=value, low=low, high=high))
    whole = pd.concat(found) if found else pd.DataFrame(columns=["level", "place", "n"])
    return whole[whole["n"] > 0]


def _places(table: pd.DataFrame, level: str) -> list[str]:
    return list(dict.fromkeys(table.loc[table["level"] == level, "place"]))


def _groups(
    ax: Axes,
    edition: Edition,
    table: pd.DataFrame,
    groups: list[tuple[str, str]],
    scenarios: list[str],
) -> None:
    offsets = np.linspace(-0.25, 0.25, len(scenarios)) if len(scenarios) > 1 else [0.0]
    fields = ["level", "place", "scenario", "value", "low", "high"]
    for level, place, scenario, value, low, high in table[fields].to_numpy().tolist():
        if (level, place) not in groups:
            continue
        y = groups.index((level, place)) + offsets[scenarios.index(scenario)]
        colour, _, marker = style.of(edition, scenario)
        clear = low > 0 or high < 0
        ax.plot([low, high], [y, y], color=colour, linewidth=1.4)
        ax.plot(value, y, marker, color=colour, markersize=5,
                markerfacecolor=colour if clear else "white")  # fmt: skip
    split = sum(level == "community_type" for level, _ in groups)
    ax.axhline(split - 0.5, color=style.GREY, linewidth=0.8, linestyle=":")
    ax.axvline(0, color=style.BLACK, linewidth=0.8)
    ax.grid(axis="y", visible=False)
    style.few_ticks(ax)


def _count(edition: Edition, trait: Trait, table: pd.DataFrame, scenario: str) -> str:
    """Count the subdistricts of clear change, in words; empty where there are none."""
    rows = table[(table["level"] == "subdistrict") & (table["scenario"] == scenario)]
    if not len(rows) or (rows["n"] < 2).all():
        return ""
    up, down = int((rows["low"] > 0).sum()), int((rows["high"] < 0).sum())
    rest, name = len(rows) - up - down, edition.scenario(scenario)
    if trait.better == "neither":
        return edition.say(
            f"{name}：街道（乡镇）{up} 升 {down} 降 {rest} 不明",
            f"{name}: subdistricts {up} up, {down} down, {rest} unclear",
        )
    good, bad = (up, down) if trait.better == "higher" else (down, up)
    return edition.say(
        f"{name}：街道（乡镇）{good} 好 {bad} 差 {rest} 不明",
        f"{name}: subdistricts {good} better, {bad} worse, {rest} unclear",
    )
