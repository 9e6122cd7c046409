"""What an export could not teach, and what none of its kind ever can."""

from collections.abc import Iterator

import numpy as np

from reformsim.observed import patterns
from reformsim.observed.cases import Cases
from reformsim.observed.cleaning import Reason
from reformsim.observed.durations import Days
from reformsim.observed.faults import Words
from reformsim.observed.tally import Sum

#: Distance between the fitted and the estimated curve from which a lognormal is a poor likeness.
POOR = 0.1

#: Uncertainties that a list of cases cannot tell, and why.
HIDDEN: dict[tuple[str, ...], Words] = {
    ("needs", "silent_lifetime", "staffing_needs"): Words(
        "needs that nobody voices leave no case", "无人表达的需求不会留下记录"
    ),
    ("voice_grid", "voice_station", "voice_hotline", "voice_neighbours", "voice_market"): Words(
        "cases show needs times the choice of a channel, not either of them",
        "记录只反映需求与渠道选择的乘积,无法分开",
    ),
    ("sham", "poor_fix", "reopen", "audit_effect"): Words(
        "a case brought up again shows their product; one closed on paper looks solved",
        "重新提出只反映这些概率的乘积;虚假办结与真正解决在记录中看不出差别",
    ),
    ("delay_local", "delay_common", "delay_common_sigma", "delay_part", "delay_part_sigma",
     "serial_share"): Words(
        "days to close hold both waiting at desks and delays that hold no desk: "
        "calibrate them to the days learned",
        "办理天数同时含排队等待与不占人员的延误:请以学得的天数校准",
    ),
    ("work_hours", "work_cv", "intake_hours_grid", "intake_hours_station", "intake_hours_hotline",
     "reentry_hours"): Words(
        "an export has dates, not hours of work", "导出数据只有日期,没有工时"
    ),
    ("dispute_share", "dispute_rounds", "orphan_rate", "orphan_days"): Words(
        "a case that desks disclaim is not marked as such", "推诿与无主事项在记录中没有标明"
    ),
    ("territorial_share",): Words(
        "the mapping does not say which units are territorial", "映射文件未区分条线与属地单位"
    ),
}  # fmt: skip


def not_learned(
    cases: Cases, days: list[Days], first: int, end: int, residents: int | None
) -> list[Words]:
    """Return what this export could not teach, one reason each, then what no export can."""
    hidden = (
        Words(f"{', '.join(names)}: {why.en}", f"{'、'.join(names)}:{why.zh}")
        for names, why in HIDDEN.items()
    )
    return [*_columns(cases, residents), *_times(cases, days, first, end), *hidden]


def _columns(cases: Cases, residents: int | None) -> Iterator[Words]:
    """Yield what columns that are not there, or say nothing, would have told."""
    sums, columns = cases.tally.sums.sum(axis=0), cases.columns
    if not cases.tally.arrivals[:, :-1].any():
        yield Words("the mix of categories: no category that the mapping names",
                    "类别构成:没有映射文件所列的类别")  # fmt: skip
    else:
        yield Words(
            "the mix of needs: the shares learned are of cases; in the model the mix of needs is "
            "fixed, so they are told and enter nowhere",
            "需求构成:学得的是事项占比;模型中需求构成为固定值,故仅供参考",
        )
    if not sums[Sum.DISPATCHED]:
        yield Words("cross_share, days by departments: no column that tells departments",
                    "跨部门比例与分部门天数:没有部门列")  # fmt: skip
    if not sums[Sum.DISPATCHED] or "transfers" not in columns:
        yield Words("p_mis: needs departments and a column that counts transfers",
                    "误派概率:需要部门列和退回次数列")  # fmt: skip
    if not sums[Sum.SETTLED]:
        yield Words("competence: no case is marked as settled at intake (0 departments)",
                    "就地办理能力:没有标为就地办结(0 个部门)的事项")  # fmt: skip
    for field, en, zh in (
        ("due", "promise: no due dates", "承诺天数:没有期限列"),
        ("reopened", "cases brought up again: no column tells", "重新提出:没有相应的列"),
        ("satisfaction", "satisfaction of callers: no column tells", "满意度:没有相应的列"),
        ("id", "cases told twice: without ids they cannot be found", "重复事项:没有编号,无法识别"),
    ):
        if field not in columns:
            yield Words(en, zh)
    if cases.only_yes():
        yield Words(
            "cases brought up again: all that are told say yes; if a blank means no, "
            'put "" under `not_reopened`',
            '重新提出:凡有记录的都为“是”;若空白表示“否”,请在 not_reopened 中写入 ""',
        )
    unknown = Words("more than 5 % of the words are not in the mapping",
                    "超过 5% 的用词映射文件未列")  # fmt: skip
    if cases.too_unknown(Reason.UNKNOWN_RETURN, Sum.TOLD):
        yield Words(f"cases brought up again: {unknown.en}", f"重新提出:{unknown.zh}")
    if cases.too_unknown(Reason.UNKNOWN_ANSWER, Sum.RATED):
        yield Words(f"satisfaction of callers: {unknown.en}", f"满意度:{unknown.zh}")
    if residents is None:
        yield Words(
            "cases per resident-year: say --residents", "人均事项数:请用 --residents 给出人口"
        )


def _times(cases: Cases, days: list[Days], first: int, end: int) -> Iterator[Words]:
    """Yield what the dates of the file leave open."""
    tally = cases.tally
    if patterns.is_sample(tally, first, end):
        yield Words("weekdays and seasons: most days have no case, the file looks like a sample",
                    "星期与季节规律:多数日期没有事项,似为抽样")  # fmt: skip
    elif end - first < patterns.WEEKS:
        yield Words(
            f"weekdays: {end - first} days are too few", f"星期规律:仅 {end - first} 天,太短"
        )
    else:
        yield Words("weekdays and seasons in the model: needs arise evenly there, the factors are "
                    "told and enter nowhere",
                    "模型中的星期与季节:模型的需求均匀产生,学得的系数仅供参考")  # fmt: skip
        if end - first < patterns.YEAR:
            yield Words("seasons: less than a year", "季节规律:不足一年")
        elif end - first < 2 * patterns.YEAR:
            yield Words("seasons apart from a trend: less than two years",
                        "季节与趋势的区分:不足两年")  # fmt: skip
    if not tally.closed.any():
        yield Words("days to close: no case has a date of closing that can be read",
                    "办理天数:没有一件有可读的办结日期")  # fmt: skip
    elif not tally.open.any():
        yield Words(
            "days to close of the last weeks: no case is open; if open ones were left out of the "
            "export, the days learned are too short",
            "最近几周的办理天数:没有未办结事项;若导出时略去了它们,学得的天数偏短",
        )
    if (
        2 * tally.closed[:, 1].sum() > tally.closed.sum()
        and days[0].median is not None
        and days[0].median.value < 3
    ):
        yield Words("days to close below about three days: dates have no hours",
                    "三天以内的办理天数:日期没有时刻")  # fmt: skip
    if cases.habits.with_offset and cases.zone is None:
        yield Words("days of the week by the local clock: times are UTC without `zone`",
                    "当地时间的星期:映射文件未写 zone,时间按 UTC")  # fmt: skip
    poor = [row.of for row in days if np.nan_to_num(row.misfit) > POOR]
    if poor:
        yield Words(
            f"a lognormal of days to close: a poor likeness for {', '.join(w.en for w in poor)}; "
            "the medians do not depend on it",
            f"办理天数的对数正态近似:对{'、'.join(w.zh for w in poor)}不贴切;中位数不受影响",
        )
