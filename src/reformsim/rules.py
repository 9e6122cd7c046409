"""The levers: the rules in force, each with its pre-reform level. Only measures move them.

A new behaviour is a neutral lever here, one reader in one room, and one measure that sets it.
"""

import numpy as np

from reformsim.declared import Lever

# name, unit, low, pre-reform level, high, meaning, Chinese, source, combine
LEVERS: tuple[Lever, ...] = (
    # what offices pursue
    Lever("investment_duty", "share of net hours", 0, 0.15, 0.4,
          "hours that offices must spend on attracting investment", "招商引资任务占净工时比例",
          "assumed (design §5)", "remainder"),
    Lever("weight_investment", "weight a1", 0, 0.7, 1.5,
          "weight of investment in an office's assessment", "考核中招商引资的权重 a1",
          "assumed; corner cases are not the baseline", "remainder"),
    Lever("weight_satisfaction", "weight a2", 0, 0.4, 1.5,
          "weight of residents' satisfaction in an office's assessment", "考核中居民满意度的权重 a2",
          "assumed", "sum"),
    Lever("publish_results", "share of units", 0, 0.0, 1,
          "assessment results are published", "考核结果公开的比例"),
    Lever("assessment_pressure", "index", 0, 0.3, 1,
          "pressure that assessment puts on offices", "考核压力", "assumed", "sum"),
    # investment
    Lever("district_team_size", "heads per 100,000 residents", 0, 0.5, 10,
          "professional investment team of the district", "区级招商团队人数(每十万人)",
          "assumed", "sum"),
    # dispatch
    Lever("dispatch_clarity", "share", 0, 0.0, 1,
          "share of wrong dispatches that a list of powers prevents", "权责清单避免误派的比例"),
    Lever("list_rigidity", "share", 0, 0.0, 1,
          "share of new kinds of case that fall outside every list", "新事项落在清单之外的比例"),
    # burden
    Lever("admission_gate", "share of devolved tasks", 0, 0.0, 1,
          "devolved tasks stopped at the gate", "事权下放准入拦截的比例"),
    Lever("gate_delay", "days", 0, 0.0, 30,
          "wait of cases that rest on a newly devolved power", "准入审核带来的等待", "assumed", "sum"),
    Lever("admin_hours", "share of paid hours", 0, 0.14, 0.5,
          "devolved administrative tasks", "下沉行政事务占工时比例",
          "assumed; about 1,850 tasks a year (Hubei 2003)", "remainder"),
    Lever("inspection_hours", "share of paid hours", 0, 0.20, 0.5,
          "inspections and reports", "迎检与报表占工时比例",
          "up to 0.5 before burden reduction (Hebei); 0.20 assumed", "remainder"),
    Lever("oversight", "share", 0, 1.0, 1,
          "what higher levels still see of the work below", "上级可见度", "assumed", "remainder"),
    # residents' self-governance
    Lever("council_strength", "index", 0, 0.1, 1,
          "deliberation councils with a say", "议事会作用强度"),
    Lever("supervision", "share", 0, 0.1, 1,
          "share of closings that a supervision committee looks at", "监督委员会监督的比例"),
    Lever("decision_delay", "days", 0, 0.0, 30,
          "days that deliberation adds to public matters", "议事增加的天数", "assumed", "sum"),
    Lever("meeting_hours", "share of paid hours", 0, 0.12, 0.5,
          "meetings", "会议占工时比例", "0.15 (Hebei, before burden reduction); 0.12 assumed", "sum"),
    # the committee and the conference
    Lever("joint_dispatch", "share of cross-department cases", 0, 0.0, 1,
          "cases that the committee assembles once and sends out in parallel", "社治委统筹派单的比例"),
    Lever("hub_capacity", "times expected need", 0, 0.0, 2,
          "staff of the committee's hub against expected need", "社治委中枢人员与需求之比"),
    Lever("budget_pooling", "share of staff money", 0, 0.0, 1,
          "departmental earmarks that move to where the load is", "部门经费统筹的比例"),
    Lever("follow_up", "share of overdue parts", 0, 0.0, 1,
          "overdue parts that are chased", "督办逾期事项的比例"),
    Lever("conference", "share of disputed cases", 0, 0.0, 1,
          "disputed cases that go to the joint conference", "提交联席会议的争议事项比例"),
    Lever("meeting_period", "days", 3, 30.0, 90,
          "days between two conferences", "联席会议间隔"),
    Lever("meeting_agenda", "cases per 100,000 residents", 1, 5.0, 1000,
          "cases that one conference decides", "每次会议可议事项(每十万人)"),
    # offices and windows
    Lever("merged_desks", "share of desks", 0, 0.0, 1,
          "territorial desks merged into the five offices", "并入五个综合办公室的科室比例"),
    Lever("single_window", "share of communities", 0, 0.0, 1,
          "communities served by the subdistrict's convenience centre", "由综合便民服务中心服务的社区比例"),
    Lever("station_change", "share of communities", 0, 0.0, 1,
          "communities served by the new station layout", "按新布局设站的社区比例"),
    # grids
    Lever("grid_merge", "share of grids", 0, 0.0, 1,
          "grids whose workers answer for the community's grids together", "网格整合的比例"),
    Lever("patrol_hours", "share of net hours of grid workers", 0, 0.10, 0.6,
          "patrols", "巡查占网格员净工时比例", "assumed", "sum"),
    Lever("linkage", "share of small public problems", 0, 0.2, 1,
          "found problems that are fixed on the spot", "即时处置的小问题比例"),
    # social organisations
    Lever("service_purchasing", "yuan per resident-year", 0, 1.0, 200,
          "money for services bought from social organisations", "政府购买服务(元/人·年)",
          "assumed", "sum"),
    Lever("incubation", "index", 0, 0.1, 1,
          "help for young social organisations", "社会组织孵化强度"),
)  # fmt: skip

BY_NAME: dict[str, Lever] = {lever.name: lever for lever in LEVERS}

#: One row of rules per subdistrict: a structured array with one float per lever.
RULES = np.dtype([(lever.name, "f8") for lever in LEVERS])


def pre_reform(units: int) -> np.ndarray:
    """Return the pre-reform rules of ``units`` subdistricts, shape (units,), dtype ``RULES``."""
    rules = np.zeros(units, RULES)
    for lever in LEVERS:
        rules[lever.name] = lever.default
    return rules


def combine(lever: Lever, moves: np.ndarray) -> np.ndarray:
    """Combine the moves of several measures on one lever; their order does not matter.

    ``moves`` has shape (measures, units): realised intensity × (value at full intensity −
    pre-reform level). Returns the level in force, shape (units,), inside the lever's bounds.
    """
    moves = np.sort(moves, axis=0)  # a sum in floating point depends on order: fix the order
    if lever.combine == "sum":
        level = lever.default + moves.sum(axis=0)
    elif lever.combine == "max":
        up = np.maximum(moves.max(axis=0), 0.0)
        down = np.minimum(moves.min(axis=0), 0.0)
        level = lever.default + up + down
    else:
        kept = 1.0 + moves / lever.default if lever.default else np.ones_like(moves)
        level = lever.default * kept.prod(axis=0)
    return np.clip(level, lever.low, lever.high)
