"""The sections of the reference of parameters: title, what it is, a table; in either language."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel

from reformsim.categories import CATEGORIES, MIX, MULTI
from reformsim.city import COMMUNITY_TYPES, COMMUNITY_TYPES_ZH, CityConfig
from reformsim.measures import MEASURES, Measure
from reformsim.outcomes import GOALS, OUTCOMES
from reformsim.report.chinese import chinese
from reformsim.rules import LEVERS
from reformsim.uncertainties import BY_NAME as FACTS
from reformsim.uncertainties import UNCERTAINTIES

#: Title, text and table of one section.
Section = tuple[str, str, str]

#: What a section is, in English and in Chinese, by its title.
ABOUT: dict[str, tuple[str, str]] = {
    "Uncertainties": (
        "Facts of the world that nobody sets, the same in all scenarios compared. §9 marks the "
        "ranges of the design over which headlines are swept. Code: `uncertainties.py`.",
        "无人设定的世界事实，所比较的各情景中相同。§9 指设计文件中用于扫描主要结果的取值范围。代码"
        "：`uncertainties.py`。",
    ),
    "Levers": (
        "The rules in force. The default is the level before the reform, not zero; only "
        "measures move levers. How several measures combine on one: *sum* adds their moves and "
        "clips to the bounds, *max* takes the largest move up and the largest move down, "
        "*remainder* multiplies what each of them leaves of the default. Code: `rules.py`.",
        "现行规则。默认值为改革前水平，并非零；只有措施能移动杠杆。多项措施作用于同一杠杆时：“求和”"
        "将各自的移动相加并截于上下限，“取最大”取最大的上移与最大的下移，“余量相乘”将各自留下的部"
        "分相乘。代码：`rules.py`。",
    ),
    "Measures": (
        "What each measure sets at full intensity, and what it costs a year at full intensity "
        "whatever its implementation, × `cost_factor`. Staff that a lever itself pays for (hub, "
        "investment team, stations, purchased services) is not among these costs. All strengths "
        "and costs are assumed. Code: `measures/`.",
        "每项措施在全强度下的设定，以及全强度下每年的成本（与落实程度无关，再乘以 `cost_fac"
        "tor`）。杠杆自身支付的部分（中枢、招商团队、站点、购买服务）不在其内。所有强度与成本均为"
        "假设。代码：`measures/`。",
    ),
    "Categories of need": (
        "All rows are assumed. Self-solving and competence are probabilities, cross a weight on "
        "`cross_share`, work the mean hours of one part, delay and lifetime factors, stakes a "
        "utility. Offices: 0 general, 1 party, 2 development, 3 governance, 4 welfare. Code: "
        "`categories.py`.",
        "各行均为假设。自行解决与就地办理为概率，跨部门为 `cross_share` 的权重，工作量"
        "为单部门平均工时，耗时与存续为系数，利害为效用。办公室：0 综合，1 党群，2 发展，3 治"
        "理，4 民生。代码：`categories.py`。",
    ),
    "Needs by type of community": (
        "How much more often a category arises in a community of each type; assumed.",
        "各类社区中每类需求的相对频率；假设。",
    ),
    "Number of departments": (
        "P(K departments), given that a case needs at least two: replies of one city's message "
        "board (model.md §8a of the design).",
        "至少涉及两个部门的事项中涉及 K 个部门的概率：某市留言板的回复（设计文件 model.md §8a）。",
    ),
    "Outcomes": (
        "Better *neither* marks what is read with care, such as a measured rate. Headlines are "
        "those that Mesa's DataCollector takes. Code: `outcomes.py`.",
        "优劣方向为“无”的结果须谨慎解读，例如台账解决率。主要结果由 Mesa 的 DataColl"
        "ector 采集。代码：`outcomes.py`。",
    ),
    "Goals": (
        "The five goals of the source as indices: the plain mean of their components, each an "
        "outcome scaled by clip((x − at 0) / (at 1 − at 0)). Components, weights and bounds are "
        "declared, not estimated. Code: `outcomes.py`.",
        "原文的五个目标作为指数：各分项的简单平均，"
        "分项为按 clip((x − 零点) / (一点 − 零点)) 缩放的结果。"
        "分项、权重与上下限为声明，不是估计。代码：`outcomes.py`。",
    ),
    "The city": (
        "Fields of a city file with their defaults, Chengdu at the census of 2020; the smaller "
        "cities of `configs/cities/` replace some of them. Code: `city/config.py`, "
        "`city/profile.py`.",
        "城市文件的字段及默认值（2020 年人口普查的成都）；`configs/cities/` "
        "中较小的城市替换其中一部分。代码：`city/config.py`、`city/profile.py`。",
    ),
    "Constants": (
        "Numbers of single modules, assumed unless a source is named.",
        "各模块中的数字，未注明来源者为假设。",
    ),
    "Numbers written in place": (
        "Assumed numbers that stand inside an equation of the code.",
        "写在代码算式之中的假设数字。",
    ),
}


class Page:
    """Writes sections in English (with Chinese meanings beside) or in Chinese."""

    def __init__(self, zh: bool) -> None:
        """Choose the language."""
        self.zh = zh

    def say(self, text: str) -> str:
        """Return English words in the language of the page; what has no Chinese stays as it is."""
        return chinese(text) if self.zh else text

    def declared(self) -> Iterator[Section]:
        """Yield what is declared: uncertainties, levers, measures, categories, outcomes, city."""
        yield self.section("Uncertainties", self._uncertainties())
        yield self.section("Levers", self._levers())
        yield self.section("Measures", self._measures())
        yield self.section("Categories of need", self._categories())
        yield self.section("Needs by type of community", self._mix())
        yield self.section("Number of departments", self._departments())
        yield self.section("Outcomes", self._outcomes())
        yield self.section("Goals", self._goals())
        city = self.table(("field", "default", "meaning and source"), self._fields(CityConfig()))
        yield self.section("The city", city)

    def numbers(
        self, constants: Iterable[tuple[str, Any, str]], in_place: Iterable[tuple[str, str, str]]
    ) -> Iterator[Section]:
        """Yield the numbers of single modules: where, value, meaning."""
        for title, rows in (("Constants", constants), ("Numbers written in place", in_place)):
            cells = ((code(at), plain(value), self.say(meaning)) for at, value, meaning in rows)
            yield self.section(title, self.table(("where", "value", "meaning"), cells))

    def section(self, title: str, table: str) -> Section:
        """Return a section in the language of the page."""
        return self.say(title), ABOUT[title][self.zh], table

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """Return a Markdown table; heads are put into the language of the page."""
        lines = [[self.say(head) for head in heads], ["---"] * len(heads), *rows]
        return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)

    def _meaning(self, item: Any) -> tuple[str, ...]:
        return (item.meaning_zh,) if self.zh else (item.meaning, item.meaning_zh)

    @property
    def _meanings(self) -> tuple[str, ...]:
        return ("meaning",) if self.zh else ("meaning", "含义")

    def _label(self, item: Any) -> tuple[str, ...]:
        """Return what people read in English; in Chinese that is the meaning."""
        return () if self.zh else (item.label,)

    @property
    def _labels(self) -> tuple[str, ...]:
        return () if self.zh else ("label",)

    def _uncertainties(self) -> str:
        return self.table(
            ("name", *self._labels, "unit", "low", "default", "high", *self._meanings, "source"),
            (
                (
                    code(x.name), *self._label(x), self.say(x.unit), f"{x.low:g}", f"{x.default:g}",
                    f"{x.high:g}",
                    *self._meaning(x), self.say(x.source),
                )
                for x in UNCERTAINTIES
            ),
        )  # fmt: skip

    def _levers(self) -> str:
        set_by: dict[str, list[str]] = {lever.name: [] for lever in LEVERS}
        for measure in MEASURES:
            for name, full in measure.sets.items():
                set_by[name].append(f"{code(measure.name)} {in_full(full)}")
        heads = ("name", "unit", "low", "before", "high", "combine", *self._meanings, "source")
        return self.table(
            (*heads, "set by"),
            (
                (
                    code(x.name), self.say(x.unit), f"{x.low:g}", f"{x.default:g}", f"{x.high:g}",
                    self.say(x.combine), *self._meaning(x), self.say(x.source),
                    "; ".join(set_by[x.name]),
                )
                for x in LEVERS
            ),
        )  # fmt: skip

    def _measures(self) -> str:
        def words(x: Measure) -> tuple[str, ...]:
            if self.zh:
                return x.helps_zh, x.costs_zh, x.backfires_zh
            return x.helps, x.costs, x.backfires

        return self.table(
            ("id", "name", "measure" if self.zh else "措施", "sets", "cost a year", "helps",
             "costs", "backfires when"),
            (
                (
                    str(x.id), code(x.name), x.zh,
                    "; ".join(f"{code(name)} {in_full(full)}" for name, full in x.sets.items()),
                    cost(x, self.zh), *words(x),
                )
                for x in MEASURES
            ),
        )  # fmt: skip

    def _categories(self) -> str:
        fields = [name for name in CATEGORIES[0].__slots__ if name not in ("name", "name_zh")]
        return self.table(
            ("name", "category" if self.zh else "类别", *(words(field) for field in fields)),
            (
                (code(x.name), x.name_zh, *(self.say(plain(getattr(x, f))) for f in fields))
                for x in CATEGORIES
            ),
        )

    def _mix(self) -> str:
        kinds = COMMUNITY_TYPES_ZH if self.zh else [words(kind) for kind in COMMUNITY_TYPES]
        return self.table(
            ("type", *(x.name_zh if self.zh else x.name for x in CATEGORIES)),
            (
                (kind, *(f"{value:g}" for value in row))
                for kind, row in zip(kinds, MIX, strict=True)
            ),
        )

    def _departments(self) -> str:
        row = [("P", *(f"{p:.4f}" for p in MULTI[1:]))]
        return self.table(("K", "2", "3", "4", "5", "6 or more"), row)

    def _outcomes(self) -> str:
        return self.table(
            ("name", *self._labels, "unit", "better", "headline", *self._meanings),
            (
                (
                    code(x.name), *self._label(x), self.say(x.unit), self.say(x.better),
                    self.say(plain(x.headline)), *self._meaning(x),
                )
                for x in OUTCOMES
            ),
        )  # fmt: skip

    def _goals(self) -> str:
        return self.table(
            ("goal", "components (at 0, at 1)"),
            (
                (
                    f"{code(goal.name)} {goal.zh}",
                    "; ".join(f"{code(x)} ({low:g}, {high:g})" for x, low, high in goal.components),
                )
                for goal in GOALS
            ),
        )

    def _fields(self, block: BaseModel, place: str = "") -> Iterator[tuple[str, str, str]]:
        """Yield the fields of a block of a city file, those of its inner blocks in their place."""
        for name, field in type(block).model_fields.items():
            value = getattr(block, name)
            if isinstance(value, BaseModel):
                about = field.description or (inspect.getdoc(type(value)) or "").split("\n")[0]
                yield code(place + name), "", self.say(about)
                yield from self._fields(value, f"{place}{name}.")
            else:
                yield code(place + name), plain(value), self.say(field.description or "")


_PER_ZH = {
    "subdistrict": "每个街道", "community": "每个社区", "grid": "每个网格",
    "100k residents": "每十万居民", "resident": "每位居民",
}  # fmt: skip


def cost(measure: Measure, zh: bool = False) -> str:
    """Write what a measure costs a year."""
    if measure.cost is None:
        return "–"
    if zh:
        return f"{_PER_ZH[measure.cost.per]} {measure.cost.amount:g} 万元"
    return f"{measure.cost.amount:g} × 10,000 yuan per {measure.cost.per}"


def in_full(value: float | str) -> str:
    """Write a lever's value at full intensity; an uncertainty with its default."""
    if isinstance(value, str):
        return f"→ {code(value)} ({FACTS[value].default:g})"
    return f"→ {value:g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: str) -> str:
    """Mark a name of the code."""
    return f"`{text}`"


def words(name: str) -> str:
    """Turn an identifier into words."""
    return name.replace("_", " ")


def plain(value: Any) -> str:
    """Write a value: yes or –, a number, words, an array or a dict by its parts."""
    if isinstance(value, bool):
        return "yes" if value else "–"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, np.ndarray):
        rows = value if value.ndim > 1 else value[None, :]
        return "; ".join(", ".join(f"{item:g}" for item in row) for row in rows)
    return "–" if value is None else str(value)
