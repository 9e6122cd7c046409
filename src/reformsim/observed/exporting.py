"""A simulated city's cases as a 12345 hotline would export them."""

import numpy as np
import pandas as pd

from reformsim import categories
from reformsim.known import CHANNELS, HOTLINE
from reformsim.observed.mapping import Columns, Mapping

#: Day 0 of a run is a Monday.
START = np.datetime64("2018-01-01")
ZH = dict(zip(categories.NAMES, (c.name_zh for c in categories.CATEGORIES), strict=True))
CLOSED = ("solved", "sham", "unsolved")
#: How `city learn` reads what is written here.
MAPPING = Mapping(
    name="own", name_zh="本模型",
    columns=Columns(
        id=("工单编号",), created=("受理时间",), closed=("办结时间",), due=("办理期限",),
        category=("诉求类别",), departments=("承办单位数",), transfers=("退回次数",),
        reopened=("重办次数",), status=("工单状态",),
    ),
    no_department="intake",
    ended=("已办结",),
    categories={name: (zh,) for name, zh in ZH.items()},
)  # fmt: skip


def hotline_table(
    cases: pd.DataFrame,
    world: np.record,
    since: float = 0.0,
    until: float = np.inf,
    channels: tuple[str, ...] = HOTLINE,
) -> pd.DataFrame:
    """Return cases voiced from day ``since`` to before day ``until`` by some ``channels``.

    ``cases`` are those of `CityModel.cases`; the heads are those of a hotline's export.

    An export knows less than the model: a case closed on paper looks like any other, one that
    nobody is responsible for has no department. 0 departments means settled at intake.
    """
    here = (cases.voiced >= since) & (cases.voiced < until) & cases.channel.isin(channels)
    cases = cases[here].reset_index(drop=True)
    ended, over = cases.finished.notna(), cases.state.isin(CLOSED)
    at_intake = over & ~cases.dispatched
    sent = cases.dispatched & (cases.state != "orphaned")
    departments = cases.departments.where(sent, 0).where(sent | at_intake)
    promise = np.where(at_intake, world["promise_local"], world["promise"])
    return pd.DataFrame(
        {
            "工单编号": np.arange(1, len(cases) + 1),
            "受理时间": _written(cases.voiced),
            "办结时间": _written(cases.finished.where(ended)),
            "办理期限": _written((cases.voiced + promise).where(sent | at_intake)),
            "诉求类别": cases.category.map(ZH),
            "承办单位数": departments.astype("Int64"),
            "退回次数": cases.transfers.where(sent).astype("Int64"),
            "重办次数": cases.reopened.astype(int),
            "工单状态": np.where(ended, "已办结", "办理中"),
            "来源": cases.channel.map(CHANNELS),
        }
    )


def _written(days: pd.Series) -> pd.Series:
    """Return days of a run as dates and times to the second."""
    moments = START + (days * 86_400).round().astype("Int64").astype("timedelta64[s]")
    return moments.dt.strftime("%Y-%m-%d %H:%M:%S")
