"""A brief as one HTML file: what the sections hold, the font they need, nothing from elsewhere."""

import base64
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

import reformsim
from reformsim.report import data, fonts, style
from reformsim.report.brief import answer, assumptions, charts, futures
from reformsim.report.brief.names import Names
from reformsim.report.opened import Opened
from reformsim.report.sentences import Both
from reformsim.report.study import CAVEAT, CAVEAT_ZH, VERDICTS_ZH, Study

#: Bytes of a brief at most, and those of its text and font; tables for which the rest is too
#: small are named, not held.
LARGEST, TEXT = 3_000_000, 700_000

#: Shapes beside the words of a verdict.
MARKS = {
    "better": "▲", "worse": "▼", "higher": "▶", "lower": "◀", "unclear": "●", "same": "■",
    "one run": "×",
}  # fmt: skip

VERDICTS = {en: Both(zh, en) for en, zh in VERDICTS_ZH.items()}
CAVEAT_BOTH = Both(CAVEAT_ZH, CAVEAT)

#: matplotlib's names of dashes, as SVG writes them.
_DASHES = {"-": "none", "--": "7 4", "-.": "8 3 2 3", ":": "2 3"}

_WORDS = {
    "nothing": Both(
        "此选择没有可比较的内容，请选两个不同的方案。",
        "Nothing to compare here: choose two different scenarios.",
    ),
    "years": Both("运行开始后的年数（首年为改革前）", "years since the start of the run"),
    "year": Both("年数", "Year"),
}

_ABOUT = {
    "runs": Both("每次运行：种子、状态、抽样值", "each run: seed, status, sampled values"),
    "means": Both("各方案均值与区间", "means with intervals"),
    "contrasts": Both("成对差异，全部主要结果", "paired differences, all headline outcomes"),
    "effects": Both("因素的作用与交互", "effects of factors, and interactions"),
    "shares": Both("各部分的份额", "shares of the parts"),
    "leads": Both("各处的首位与次位", "first and second in each place"),
    "robustness": Both("在多大比例的未来中更好", "shares of futures"),
    "drivers": Both("由什么决定", "what decides it"),
    "regrets": Both("遗憾", "regrets"),
    "rules": Both("在何处更差", "where it does worse"),
    "indices": Both("敏感性指数", "sensitivity indices"),
    "convergence": Both("指数随样本量的变化", "indices from parts of the sample"),
    "losses": Both("缺失运行的影响", "what missing runs cost"),
    "points": Both("抽取的情景点", "the sampled points"),
    "experiment": Both("可直接重新运行的实验文件", "the experiment file, ready to be run again"),
}


class File(NamedTuple):
    """A file that lies within the page."""

    name: str
    link: str
    size: str
    about: Both


class Shown(NamedTuple):
    """What a study shows: the answer in cards, how sure it is, figures, and their data."""

    cards: list[answer.Card]
    sure: Both
    forests: list[charts.Forest]
    curves: charts.Curves | None
    data: dict[str, Any]


def shown(study: Study, names: Names) -> Shown:
    """Return the answer and the figures of a study, with all that the script draws them from."""
    worlds = study.worlds
    forests = [*charts.forests(study, names)]
    if worlds is not None:
        cards, sure = futures.cards(study, worlds, names), futures.sure(worlds)
        forests += futures.forests(study, worlds, names)
    else:
        cards, sure = answer.cards(study, names), answer.sure(study)
    curves = charts.curves(study, names)
    return Shown(cards, sure, forests, curves, figures(title(study), forests, curves))


def figures(
    title: Both, forests: Sequence[charts.Forest] = (), curves: charts.Curves | None = None
) -> dict[str, Any]:
    """Return what the script of a page needs: its title, its figures, the look of both."""
    return {
        "title": title,
        "colours": {verdict: colour for verdict, (colour, _) in style.VERDICT_MARKS.items()},
        "lines": [_line(look.colour, look.dashes) for look in style.LOOKS],
        "words": _WORDS,
        "forests": [{"id": forest.id, **forest.data()} for forest in forests],
        "curves": curves.data() if curves else None,
    }


def embedded(data: dict[str, Any]) -> Markup:
    """Return data as JSON that may stand within a page."""
    return Markup(json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"))


def write(opened: Opened, advice: list[tuple[Both, Both]]) -> str:
    """Return the brief of a results directory as HTML."""
    study, names = opened.study, Names(opened.study)
    told = shown(study, names)
    drawn = embedded(told.data)
    held, left_out = _files(opened, LARGEST - TEXT - len(drawn.encode()))
    page = (
        templates("reformsim.report.brief")
        .get_template("brief.html")
        .render(
            version=reformsim.__version__,
            config_hash=study.config_hash,
            title=title(study),
            caveat=CAVEAT_BOTH,
            question=Both(study.question(zh=True), study.question(zh=False)),
            warnings=list(opened.warnings()),
            cards=told.cards,
            sure=told.sure,
            marks=MARKS,
            verdicts=VERDICTS,
            advice=advice,
            forests=told.forests,
            curves=told.curves,
            assumptions=list(assumptions.parts(study, names)),
            files=held,
            left_out=left_out,
            commands=_commands(study),
            facts=_facts(opened),
            css=Markup(text("brief.css")),
            script=Markup(text("brief.js")),
            data=drawn,
            font=FONT_HERE,
        )
    )
    return page.replace(FONT_HERE, fonts.face(page))


#: Where the font goes, once it is known which letters the page has.
FONT_HERE = "/* font */"


def title(study: Study) -> Both:
    """Return the title of a study's experiment."""
    return Both(study.experiment.title_zh, study.experiment.title)


def _line(colour: str, dashes: style.Dashes) -> tuple[str, str]:
    text = _DASHES[dashes] if isinstance(dashes, str) else " ".join(str(2 * d) for d in dashes[1])
    return colour, text


def _files(opened: Opened, room: int) -> tuple[list[File], list[str]]:
    """Return the data as links of ``room`` bytes at most, and the names of tables left out."""
    name = opened.study.experiment.name
    held = [
        _file(
            f"{name}.yaml",
            data.yaml(opened.manifest["experiment"]),
            "application/yaml",
            _ABOUT["experiment"],
        )
    ]
    left_out, room = [], room - len(held[0].link)
    tables = {name: data.csv(table) for name, table in data.tables(opened.study).items()}
    for name, table in sorted(tables.items(), key=lambda item: len(item[1])):
        file = _file(f"{name}.csv", table, "text/csv", _ABOUT[name])
        if len(file.link) > room:
            left_out.append(file.name)
            continue
        room -= len(file.link)
        held.append(file)
    return held, left_out


def _file(name: str, text: str, kind: str, about: Both) -> File:
    raw = text.encode()
    link = f"data:{kind};charset=utf-8;base64,{base64.b64encode(raw).decode()}"
    return File(name, link, f"{max(len(raw) / 1000, 0.1):,.1f} kB", about)


def _commands(study: Study) -> str:
    name = study.experiment.name
    return f"reformsim run {name}.yaml -o results/{name}\nreformsim report results/{name}"


def _facts(opened: Opened) -> list[tuple[Both, str]]:
    manifest = opened.manifest
    codes = list(manifest["codes"].values())
    versions = codes[-1]["versions"] if codes else {}
    return [
        (Both("实验", "Experiment"), opened.study.experiment.name),
        (Both("配置指纹（SHA-256）", "Config fingerprint (SHA-256)"), opened.study.config_hash),
        (Both("reformsim 版本", "reformsim version"), ", ".join(opened.study.versions)),
        (Both("源代码提交", "Commit of the source"), manifest.get("commit") or "–"),
        (Both("依赖版本", "Packages"), " · ".join(f"{k} {v}" for k, v in versions.items())),
        (Both("起止时间", "Begun and finished"),
         f"{manifest.get('started')} – {manifest.get('finished') or '?'}"),
        (Both("种子", "Seed"), str(opened.study.experiment.seed)),
    ]  # fmt: skip


def text(name: str) -> str:
    """Return a file of this room, such as its style or its script."""
    return files("reformsim.report.brief").joinpath(name).read_text("utf-8")


def templates(*packages: str) -> jinja2.Environment:
    """Return the templates of packages; a name that several have is that of the first."""
    loaders = [jinja2.PackageLoader(package, ".") for package in packages]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
