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
    Lever("promise_raised", "index", 0, 0.0, 0.5,
          "what officials promise residents beyond what is published", "对居民承诺的提高", "assumed", "sum"),
    Lever("uniform_assessment", "share", 0, 0.0, 1,
          "one standard for all units, whatever their difficulty", "全市统一考核标准的程度"),
    Lever("recognition", "index", 0, 0.0, 1, "awards for the best workers", "评优表彰力度"),
    # how the city's units work
    Lever("uniformity", "share", 0, 0.0, 1,
          "of a unit's way of working that follows the citywide policy", "做法全市统一的程度"),
    Lever("local_search", "share", 0, 0.0, 1,
          "of a district's units that try out ways of working of their own", "因地制宜探索的程度"),
    Lever("function_focus", "share", 0, 0.0, 1,
          "of an office's functions that are cut down to the five", "职能聚焦五大职能的程度"),
    # investment
    Lever("district_team_size", "heads per 100,000 residents", 0, 0.5, 10,
          "professional investment team of the district", "区级招商团队人数（每十万人）",
          "assumed", "sum"),
    Lever("firm_request_priority", "share", 0, 0.0, 1,
          "of office staff's flexible time reserved for firms' requests", "企业诉求优先的程度"),
    # dispatch
    Lever("dispatch_clarity", "share", 0, 0.0, 1,
          "share of wrong dispatches that a list of powers prevents", "权责清单避免误派的比例"),
    Lever("list_rigidity", "share", 0, 0.0, 1,
          "share of new kinds of case that fall outside every list", "新事项落在清单之外的比例"),
    Lever("escalation_authority", "share of stuck cases", 0, 0.0, 1,
          "disputed and orphaned cases that a higher of the four levels decides", "四级联动中上级可决定的滞留事项比例"),
    Lever("local_competence", "share", 0, 0.0, 0.5,
          "of dispatched cases that delegated powers let the intake settle", "放权后可就近办结的比例"),
    Lever("skill_gap", "share", 0, 0.0, 1,
          "more poor fixes where powers are new", "新下放权限的能力缺口"),
    Lever("procedure_hours", "hours per part", 0, 0.0, 3,
          "procedure on every part of a dispatched case", "每件的法定程序工时", "assumed", "sum"),
    Lever("treatment_variance", "factor", 0, 1.0, 1,
          "spread of treatment between residents with like cases", "同类事项待遇差异", "assumed", "remainder"),
    Lever("sham_closing_audit", "share of closings", 0, 0.0, 1,
          "closings that are audited by law", "依法核查的办结比例"),
    Lever("mediation", "share of disputed cases", 0, 0.0, 1,
          "disputes that a consultation platform takes up before they escalate", "协商平台受理的争议比例"),
    Lever("venues", "platforms per community", 1, 1.0, 6,
          "consultation platforms side by side", "每个社区的协商平台数"),
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
    Lever("linkage_hours", "share of paid hours", 0, 0.0, 0.2,
          "reports and meetings between the four levels", "四级联动的会议报送占工时比例", "assumed", "sum"),
    Lever("enforcement_hours", "share of paid hours of offices", 0, 0.0, 0.1,
          "enforcement against illegal building", "拆违执法占工时比例", "assumed", "sum"),
    Lever("community_duties", "factor", 0, 1.0, 1,
          "standing duties of community workers", "社区常设职责", "assumed", "remainder"),
    # residents' self-governance
    Lever("council_strength", "index", 0, 0.1, 1,
          "deliberation councils with a say", "议事会作用强度"),
    Lever("supervision", "share", 0, 0.1, 1,
          "share of closings that a supervision committee looks at", "监督委员会监督的比例"),
    Lever("decision_delay", "days", 0, 0.0, 30,
          "days that deliberation adds to public matters", "议事增加的天数", "assumed", "sum"),
    Lever("meeting_hours", "share of paid hours", 0, 0.12, 0.5,
          "meetings", "会议占工时比例", "0.15 (Hebei, before burden reduction); 0.12 assumed", "sum"),
    Lever("participation_cost", "factor", 0, 1.0, 1,
          "what taking part costs a resident", "居民参与的代价", "assumed", "remainder"),
    Lever("self_solving", "index", 0, 0.0, 1,
          "courtyards and owners that govern themselves", "院落自治与业主自治的力度"),
    Lever("partner_links", "partners per subdistrict", 0, 2.0, 30,
          "firms, property companies and bodies that join casework", "共建伙伴数（每街道）"),
    Lever("partner_capacity", "hours a month per partner", 0, 20.0, 500,
          "what one partner contributes", "单个伙伴每月贡献工时"),
    Lever("party_mobilisation", "share of residents", 0, 0.01, 0.2,
          "residents whom party organisations bring out as volunteers", "党组织动员的志愿者比例"),
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
          "cases that one conference decides", "每次会议可议事项（每十万人）"),
    # offices and windows
    Lever("merged_desks", "share of desks", 0, 0.0, 1,
          "territorial desks merged into the five offices", "并入五个综合办公室的科室比例"),
    Lever("single_window", "share of communities", 0, 0.0, 1,
          "communities served by the subdistrict's convenience centre", "由综合便民服务中心服务的社区比例"),
    Lever("station_change", "share of communities", 0, 0.0, 1,
          "communities served by the new station layout", "按新布局设站的社区比例"),
    Lever("extra_offices", "offices per large subdistrict", 0, 0.0, 2,
          "offices added in subdistricts above the threshold of residents", "大街道增设机构数"),
    Lever("boundary_balance", "share of excess load", 0, 0.0, 1,
          "of a subdistrict's excess that boundary changes move to its neighbours", "区划调整均衡负荷的程度"),
    Lever("coverage_target", "share of residents", 0, 0.0, 1,
          "residents who must live within 15 minutes of a station", "15分钟圈覆盖目标"),
    Lever("premises_space", "share", 0, 0.0, 1,
          "space added to community premises", "社区用房增加的比例"),
    Lever("opening_days", "days a week", 5, 5.0, 7,
          "days on which stations are open", "服务站每周开放天数"),
    Lever("online_channel", "share of contacts", 0, 0.0, 1,
          "services of the hotline that can be had online", "可在线办理的比例"),
    Lever("market_services", "index", 0, 0.0, 1,
          "help for life services of the market", "社区生活性服务业扶持力度"),
    # places and the capital fund
    Lever("facility_plan_share", "share of the capital fund", 0, 0.15, 0.6,
          "facilities planned where demand is", "按需求规划设施的资金比例"),
    Lever("renewal_budget", "share of the capital fund", 0, 0.05, 0.4,
          "renewal of old courtyards and urban villages", "棚户区城中村老旧院落改造资金比例"),
    Lever("street_budget", "share of the capital fund", 0, 0.05, 0.4,
          "improvement of back streets", "背街小巷整治资金比例"),
    Lever("town_investment", "share of the capital fund", 0, 0.0, 0.3,
          "money for designated towns and blocks", "特色镇（街区）资金比例"),
    Lever("town_sites", "share of communities", 0, 0.0, 0.5,
          "communities that are designated", "特色镇（街区）所占社区比例"),
    Lever("plan_fit", "share", 0, 0.5, 1,
          "of what is built that residents can use", "建设项目贴合需求的比例"),
    Lever("service_floor", "share of the standard", 0, 0.0, 1,
          "level of facilities below which no community may fall", "设施配置标准的最低水平"),
    Lever("new_estate_facilities", "share of new estates", 0, 0.0, 1,
          "new estates whose facilities are built with them", "同步建设设施的新小区比例"),
    # public order
    Lever("police_posts", "share of communities", 0, 0.0, 1,
          "communities with an officer in post", "有民警驻守的社区比例"),
    # the people who work for communities
    Lever("pay_grade", "standard deviations of pay", 0, 0.0, 2,
          "pay of community workers above what they had", "社区工作者薪酬提高（标准差）", "assumed", "sum"),
    Lever("headcount_quota", "times pre-reform posts", 0.8, 1.2, 1.5,
          "most heads that a subdistrict may employ", "员额上限（改革前编制的倍数）"),
    Lever("career_slots", "share of workers a year", 0, 0.01, 0.2,
          "promotions open to community workers", "社区工作者晋升名额比例"),
    Lever("training_hours", "share of paid hours", 0, 0.02, 0.2,
          "training", "培训占工时比例"),
    # grids
    Lever("grid_merge", "share of grids", 0, 0.0, 1,
          "grids whose workers answer for the community's grids together", "网格整合的比例"),
    Lever("patrol_hours", "share of net hours of grid workers", 0, 0.10, 0.6,
          "patrols", "巡查占网格员净工时比例", "assumed", "sum"),
    Lever("linkage", "share of small public problems", 0, 0.2, 1,
          "found problems that are fixed on the spot", "即时处置的小问题比例"),
    # social organisations
    Lever("service_purchasing", "yuan per resident-year", 0, 1.0, 200,
          "money for services bought from social organisations", "政府购买服务（元/人·年）",
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
