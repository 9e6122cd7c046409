"""What was learned from an export, as files and on the terminal, in both languages."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from reformsim import uncertainties
from reformsim.experiment import files
from reformsim.experiment.targets import Target
from reformsim.known import CHANNELS, EXPORT, EXPORTED
from reformsim.observed.cases import Cases
from reformsim.observed.learning import Learned, Lesson
from reformsim.report.study import number

#: Lines shown on the terminal of each reason.
SHOWN = 5
SECTIONS = {
    "mix": ("Categories", "类别构成"),
    "days": ("Days to close, open cases as censored", "办理天数（未办结按删失处理）"),
    "departments": ("Departments and dispatch", "部门与派单"),
    "handling": ("Intake, promises, callers", "受理、承诺与回访"),
    "pattern": ("When cases come", "来件规律"),
}


def write(lesson: Lesson, cases: Cases, directory: Path) -> list[Path]:
    """Write all tables and the experiment into a directory; raises StoreError if it cannot be.

    Tables are CSV in UTF-8 with a mark, which Excel needs to read Chinese.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.StoreError(f"{directory}: cannot be written ({error.strerror})") from None
    paths = []
    for name, table in _tables(lesson, cases).items():
        paths.append(directory / f"{name}.csv")
        files.replace(paths[-1], table.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
    text, path = experiment(lesson), directory / "experiment.yaml"
    if text is None:
        path.unlink(missing_ok=True)  # one of an earlier file would pass for this one's
    else:
        paths.append(path)
        files.replace(path, text.encode())
    return paths


def summary(lesson: Lesson, cases: Cases, paths: Sequence[Path]) -> dict[str, Any]:
    """Return the same tables as records for JSON."""
    tables = {
        name: table.astype(object).where(table.notna(), None).to_dict(orient="records")
        for name, table in _tables(lesson, cases).items()
    }
    return {"source": lesson.source, "rows": cases.rows, **tables, "files": list(map(str, paths))}


def show(lesson: Lesson, cases: Cases, console: Console, zh: bool) -> None:
    """Print what was learned, what was tidied and what could not be learned."""
    console.print(cases.guessed.zh if zh else cases.guessed.en, soft_wrap=True, markup=False)
    console.print(lesson.source, soft_wrap=True, markup=False)
    console.print(_channels(lesson, zh), soft_wrap=True, markup=False)
    for section, titles in SECTIONS.items():
        rows = [row for row in lesson.learned if row.section == section]
        if not rows:
            continue
        table = Table(title=titles[zh], title_justify="left", box=None, padding=(0, 1, 0, 0))
        heads = (
            ("", "数值", "95 % 区间", "样本", "用于") if zh else ("", "value", "95 %", "n", "for")
        )
        for i, head in enumerate(heads):
            table.add_column(head, justify="left" if i in (0, 4) else "right", overflow="fold")
        for row in rows:
            value, low, high, n = row.estimate
            told = row.name.zh if zh else row.name.en
            span = f"{number(low)} … {number(high)}"
            table.add_row(told, number(value), span, f"{n:,}", _use(row, zh))
        console.print("", table)
    _tidied(cases, console, zh)
    console.print("", "未能学得：" if zh else "Not learned:")
    for words in lesson.not_learned:
        console.print(f"- {words.zh if zh else words.en}", soft_wrap=True, markup=False)


def _channels(lesson: Lesson, zh: bool) -> str:
    """Say as whose cases the file was taken."""
    names = lesson.listed.channels
    if zh:
        told = "、".join(CHANNELS[name] for name in names)
        return f"视为{told}工单；若不是，请在映射文件中写明 channels"
    told = ", ".join(names)
    return f"Taken as cases by way of: {told}; if they are not, say `channels` in the mapping"


def _use(row: Learned, zh: bool) -> str:
    if row.uncertainty is not None:
        outside = "（范围之外）" if zh else " (outside its range)"
        return row.uncertainty + ("" if row.within else outside)
    if row.target is not None:
        return (
            ("留出检验" if zh else "held out") if row.held_out else ("校准" if zh else "calibrate")
        )
    return ""


def _tidied(cases: Cases, console: Console, zh: bool) -> None:
    counts = cases.cleaning.counts
    console.print("", f"整理：共 {cases.rows:,} 行" if zh else f"Tidied, of {cases.rows:,} rows:")
    if not counts:
        console.print("- 无" if zh else "- nothing")
    for reason, times in counts.items():
        why, effect = reason.value
        text = (
            f"- {why.zh}:{times:,}({effect.zh})" if zh else f"- {why.en}: {times:,} ({effect.en})"
        )
        lines = cases.cleaning.lines.get(reason, [])
        if lines:
            some = ", ".join(map(str, lines[:SHOWN])) + ("" if times <= SHOWN else ", …")
            text += f":第 {some} 行" if zh else f": lines {some}"
        console.print(text, soft_wrap=True, markup=False)
    words = cases.often_unmapped()
    if words:
        told = ", ".join(f"{line} ({times:,})" for line, times in words)
        head = (
            "映射文件未列的类别，各以首次出现的行号表示（件数）："
            if zh
            else "Categories that the mapping does not name, each by its first line (cases): "
        )
        console.print(f"- {head}{told}", soft_wrap=True, markup=False)


def _tables(lesson: Lesson, cases: Cases) -> dict[str, pd.DataFrame]:
    learned = [
        {
            "name": row.name.en,
            "name_zh": row.name.zh,
            **row.estimate._asdict(),
            "unit": row.unit,
            "target": row.target or "",
            "uncertainty": row.uncertainty or "",
            "source": lesson.source,
        }
        for row in lesson.learned
    ]
    listed = lesson.listed._asdict() | {"channels": " ".join(lesson.listed.channels)}
    targets = [
        {
            "name": EXPORT + row.target if row.target in EXPORTED else row.target,
            "value": row.estimate.value,
            "low": row.estimate.low,
            "high": row.estimate.high,
            "unit": row.unit,
            "source": lesson.source,
            "use": "held out" if row.held_out else "calibrated",
            "n": row.estimate.n,
            **(listed if row.target in EXPORTED else {}),
        }
        for row in lesson.learned
        if row.target is not None and row.estimate.high < float("inf")
    ]
    cleaned = [
        {
            "reason": reason.value[0].en,
            "reason_zh": reason.value[0].zh,
            "effect": reason.value[1].en,
            "effect_zh": reason.value[1].zh,
            "count": times,
            "first_lines": " ".join(map(str, cases.cleaning.lines.get(reason, ()))),
        }
        for reason, times in cases.cleaning.counts.items()
    ]
    return {
        "learned": pd.DataFrame(learned),
        "targets": pd.DataFrame(targets, columns=list(Target.model_fields)),
        "days": pd.DataFrame(_days(lesson)),
        "cleaned": pd.DataFrame(
            cleaned,
            columns=["reason", "reason_zh", "effect", "effect_zh", "count", "first_lines"],
        ),
        "unmapped": pd.DataFrame(cases.often_unmapped(), columns=["first_line", "count"]),
        "not_learned": pd.DataFrame([words._asdict() for words in lesson.not_learned]),
    }


def _days(lesson: Lesson) -> list[dict[str, Any]]:
    rows = []
    for days in lesson.days:
        row: dict[str, Any] = {
            "of": days.of.en, "of_zh": days.of.zh, "closed": days.closed, "open": days.open,
            "p90": days.p90, "misfit": days.misfit,
        }  # fmt: skip
        for name in ("median", "mu", "sigma"):
            found = getattr(days, name)
            value, low, high = found[:3] if found else (None, None, None)
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return rows


def experiment(lesson: Lesson) -> str | None:
    """Return an experiment that varies what was learned between the ends of its intervals.

    None where no uncertainty was learned within its declared range.
    """
    ranges = {row.uncertainty: row for row in lesson.learned if row.within}
    if not ranges:
        return None
    out = io.StringIO()
    source = Quoted(lesson.source.replace("\n", " "))
    out.write(
        "# 由 `reformsim city learn` 从下列数据学得；每个范围是 95 % 区间。请换成贵处的城市文件。\n"
        "# Learned by `reformsim city learn` from the data below; each range is a 95 % interval.\n"
        f"# Put your own city in place of the default one.\n# {source}\n"
        "name: learned\n"
        "title: The reform's core in worlds like the data\n"
        "title_zh: 与数据相符的情形中的改革核心措施\n"
        "question: Does the core of the reform help where these facts are as learned?\n"
        "city: default\n"
        "years: 2\n"
        "scenarios:\n  block_separated: {}\n  systemic_core: {reform: systemic-core}\n"
        "baseline: block_separated\n"
        "outcomes: [satisfaction, case_satisfied, true_solution_rate, median_days, transfers]\n"
        "zh: {block_separated: 条块分治, systemic_core: 系统治理核心}\n"
        "design:\n  kind: latin_hypercube\n  points: 50\n"
        f"  uncertainties: [{', '.join(map(str, ranges))}]\n  ranges:\n"
    )
    for name, row in ranges.items():
        assert row.within is not None and name is not None
        low, high = row.within
        known = uncertainties.BY_NAME[name]
        out.write(
            f"    # {known.meaning_zh} / {known.meaning}: {row.estimate.value:.4g} "
            f"({known.unit}), n = {row.estimate.n:,}\n"
            f"    {name}: [{low:.6g}, {high:.6g}]\n"
        )
    return out.getvalue()
