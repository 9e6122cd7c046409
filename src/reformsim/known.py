"""What is known of the time before the reform (design §8a): the facts a city is held to.

Declared once, as ranges with a source; ``reformsim.facts`` says what the model gives for each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Mark = Literal["input", "calibrated", "held out"]


@dataclass(frozen=True, slots=True)
class Known:
    """One fact about the time before the reform: a range, its mark, its source.

    *input* went into the model as it is, *calibrated* was aimed at, *held out* was not looked at
    in calibration: only a held-out row says something about the model. What sets a number of the
    model is an input too, and no target: the utilisations are one rule of the design, by which
    staff are sized (for grids, one worker each, nobody has observed another), and the shares with
    burnout place the thresholds from which burnout counts.
    """

    name: str
    zh: str
    unit: str
    low: float
    high: float
    mark: Mark
    source: str


#: What is held to how a city works, whatever its size.
KNOWN: tuple[Known, ...] = (
    Known("hotline contacts per resident-year", "人均年热线诉求量", "per resident-year", 0.22, 1.1,
          "calibrated", "Chengdu 2020 to Beijing 2025"),
    Known("grid events per resident-year", "人均年网格事件量", "per resident-year", 0.07, 0.13,
          "calibrated", "micro-grids 2022: about 0.1"),
    Known("answered at intake", "首接即办比例", "share", 0.59, 0.79,
          "calibrated", "Beijing 2020, Ningguo"),
    Known("visits to departments", "派往部门比例", "share", 0.335, 0.375,
          "input", "Panjin 2023: 0.355"),
    Known("P(two departments or more)", "涉及两个及以上部门的概率", "probability", 0.216, 0.333,
          "input", "message board; 0.333 without replies naming none"),
    Known("median days, dispatched", "派单事项办结中位天数", "days", 9.5, 13.0,
          "calibrated", "message board: 11.2"),
    Known("log sd of days, dispatched", "派单事项办结天数的对数标准差", "log sd", 1.15, 1.45,
          "calibrated", "message board: 1.29"),
    Known("days for 2 departments against 1", "2 个部门与 1 个部门的天数之比", "ratio", 1.0, 1.2,
          "calibrated", "message board: 1.10 (serial_share)"),
    Known("days for 3 departments against 1", "3 个部门与 1 个部门的天数之比", "ratio", 1.2, 1.5,
          "held out", "message board: 1.35"),
    Known("days for 4 departments against 1", "4 个部门与 1 个部门的天数之比", "ratio", 1.25, 1.6,
          "held out", "message board: 1.42"),
    Known("days for 5 departments against 1", "5 个部门与 1 个部门的天数之比", "ratio", 1.45, 1.95,
          "held out", "message board: 1.70"),
    Known("days for 6 departments or more against 1", "6 个及以上部门与 1 个部门的天数之比", "ratio",
          1.85, 2.6, "held out", "message board: 2.20"),
    Known("median days, all contacts", "全部诉求办结中位天数", "days", 2.0, 6.0,
          "held out", "Chengdu 2020: mean 4.24 working days"),
    Known("solved, as residents say, before swift response", "接诉即办之前居民认可的解决率", "share",
          0.30, 0.50, "held out", "Beijing: 0.40"),
    Known("callers satisfied before swift response", "接诉即办之前诉求人满意率", "share", 0.51, 0.71,
          "held out", "Beijing: 0.61"),
    Known("grid workers with heavy burnout", "重度职业倦怠的网格员比例", "share", 0.09, 0.17,
          "input", "0.13; sets the threshold"),
    Known("grid workers with some burnout", "有职业倦怠的网格员比例", "share", 0.37, 0.47,
          "input", "0.42; sets the threshold"),
    Known("utilisation, offices", "街道科室利用率", "share", 0.70, 0.95,
          "input", "design §8a; sizes staff"),
    Known("utilisation, stations", "服务站利用率", "share", 0.70, 0.95,
          "input", "design §8a; sizes staff"),
    Known("utilisation, grids", "网格利用率", "share", 0.70, 0.95,
          "input", "design §8a; not observed"),
    Known("utilisation, departments", "部门利用率", "share", 0.70, 0.95,
          "input", "design §8a; sizes staff"),
)  # fmt: skip

BY_NAME: dict[str, Known] = {known.name: known for known in KNOWN}

#: Before the name of a figure as an export of cases tells it: open cases censored, cases and not
#: visits counted. A run told by its own export is held to it by the same estimator.
EXPORT = "export: "
#: What an export of a run tells.
EXPORTED = (
    "answered at intake", "P(two departments or more)", "median days, dispatched",
    "log sd of days, dispatched", "days for 2 departments against 1",
    "days for 3 departments against 1", "days for 4 departments against 1",
    "days for 5 departments against 1", "days for 6 departments or more against 1",
    "median days, all contacts",
)  # fmt: skip

#: Channels by which cases come to the administration, and their Chinese names.
CHANNELS = {"grid": "网格", "station": "服务站", "hotline": "热线"}
#: What a list of cases holds where nothing is said: the export of a hotline.
HOTLINE = ("hotline",)


def channels(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of channels in the order of ``CHANNELS``.

    Raises ValueError, in English and Chinese, where there is none, one twice or an unknown one.
    """
    given = list(names)
    for name in given:
        if name not in CHANNELS:
            allowed = ", ".join(f"{known} {zh}" for known, zh in CHANNELS.items())
            raise ValueError(
                f"no channel {name!r} (allowed: {allowed}) / 没有渠道“{name}”（可用：{allowed}）"
            )
    if not given or len(set(given)) < len(given):
        raise ValueError("name one channel or more, each once / 请写明一个或多个渠道，每个一次")
    return tuple(name for name in CHANNELS if name in given)


class Listed(NamedTuple):
    """Which cases an export lists: of which channels, and how long they were followed.

    ``days`` from the first to the last on which cases were taken in, both counted (None: all that
    there are); ``follow_up`` days from then to the last on which anything happened.
    """

    channels: tuple[str, ...] = HOTLINE
    days: float | None = None
    follow_up: float = 0.0
