"""The table of backfires: where each measure helps, where it harms, both with intervals."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from reformsim import outcomes
from reformsim.experiment.trials import Finding
from reformsim.measures import BY_NAME
from reformsim.report.chinese import say
from reformsim.report.study import CAVEAT, CAVEAT_ZH, arrow, estimated

#: The files that a results directory holds beside the runs of each measure.
CSV, MARKDOWN = "backfires.csv", "backfires.md"

_COLOURS = {"shown": "green", "reversed": "red", "failed": "red"}


def pairs(findings: Sequence[Finding]) -> list[tuple[Finding, Finding]]:
    """Return where each measure helps and where it harms, in the order of the measures."""
    helps = {found.measure: found for found in findings if found.side == "helps"}
    harms = {found.measure: found for found in findings if found.side == "harms"}
    return [(helps[name], harms[name]) for name in helps]


def effect(found: Finding) -> str:
    """Write an effect with its interval."""
    return estimated(found.effect, found.low, found.high)


def notes(findings: Sequence[Finding], zh: bool) -> list[str]:
    """Say what was counted, how, and how much of it chance alone would bring."""
    several = [found for found in findings if found.n > 1 and not found.failure]
    n = max((found.n for found in findings), default=0)
    chance = 0.05 * len(several)
    lines = []
    for side, words in (("helps", ("helps", "有益")), ("harms", ("harms", "有害"))):
        here = [found for found in findings if found.side == side]
        shown = sum(found.verdict == "shown" for found in here)
        back = sum(found.verdict == "reversed" for found in here)
        lines.append(
            f"{words[1]}:{len(here)} 项中 {shown} 项已显示，{back} 项方向相反。"
            if zh
            else f"{words[0]}: shown for {shown} of {len(here)}, reversed for {back}."
        )
    if zh:
        return [
            *lines,
            f"每侧 {n} 对相同种子；逐项 95% t 区间：若全无效应，{len(several)} 个区间中"
            f"约有 {chance:.1f} 个会因偶然不含零。“未显示”不等于没有。",
            CAVEAT_ZH,
        ]
    return [
        *lines,
        f"{n} pairs of like seeds a side; 95 % t intervals, one at a time: were there no effect at "
        f"all, about {chance:.1f} of {len(several)} would exclude zero by chance. "
        "Not shown does not mean absent.",
        CAVEAT,
    ]


def write(findings: Sequence[Finding], console: Console, zh: bool = False) -> None:
    """Write the table and its notes to a console."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for head in ("", "措施 measure", "有益之处", "有害之处") if zh else (
        "", "措施 measure", "where it helps", "where it harms",
    ):  # fmt: skip
        table.add_column(head, overflow="fold")
    for helps, harms in pairs(findings):
        name = f"{BY_NAME[helps.measure].zh}\n{BY_NAME[helps.measure].label}"
        table.add_row(str(helps.id), name, _cell(helps, zh), _cell(harms, zh))
    console.print(table, "")
    for found in findings:
        if found.failure:
            side = f"{found.measure}, {found.side}"
            console.print(f"[red]failed: {side}: {found.failure}[/]")
    for line in notes(findings, zh):
        console.print(line)


def _cell(found: Finding, zh: bool) -> str:
    outcome = outcomes.BY_NAME[found.outcome]
    name = (outcome.meaning_zh if zh else outcome.label) + arrow(found.better)
    colour = _COLOURS.get(found.verdict, "yellow")
    verdict = found.verdict_zh if zh else found.verdict
    return f"{name}\n{effect(found).replace('[', chr(92) + '[')}\n[{colour}]{verdict}[/]"


def markdown(findings: Sequence[Finding], zh: bool = False) -> str:
    """Return the table and its notes in Markdown, outcomes with their units."""

    def cell(found: Finding) -> str:
        outcome = outcomes.BY_NAME[found.outcome]
        name = outcome.meaning_zh if zh else outcome.label
        verdict = found.verdict_zh if zh else found.verdict
        return (
            f"{name}{arrow(found.better)} ({say(found.unit, zh)}): {effect(found)}<br>"
            f"**{verdict}**<br>{found.why_zh if zh else found.why}"
        ).replace("|", "\\|")

    heads = ("编号", "措施", "有益之处", "有害之处") if zh else (
        "id", "measure", "where it helps", "where it harms",
    )  # fmt: skip
    rows = [heads, ("---",) * 4]
    rows += [
        (str(a.id), f"{BY_NAME[a.measure].zh}<br>`{a.measure}`", cell(a), cell(b))
        for a, b in pairs(findings)
    ]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return table + "\n" + "\n\n".join(notes(findings, zh)) + "\n"


def save(findings: Sequence[Finding], directory: Path) -> list[Path]:
    """Write the findings as CSV and Markdown, in both languages; return the paths."""
    table = pd.DataFrame([asdict(found) for found in findings])
    texts = {
        CSV: table.to_csv(index=False, na_rep="nan", lineterminator="\n"),
        MARKDOWN: f"{markdown(findings)}\n{markdown(findings, zh=True)}",
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")
    return [directory / name for name in texts]


def read(path: Path) -> list[Finding]:
    """Read findings back from the CSV file; none where there is no such file.

    Raises Pydantic's ValidationError on another file.
    """
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return TypeAdapter(list[Finding]).validate_python(list(csv.DictReader(file)))
