"""The uncertainties: facts of the world that nobody sets, the same in all scenarios compared.

Each has a default, a stated range and a source; ranges marked §9 are those of the design
document over which every headline is swept.
"""

import numpy as np

from reformsim.declared import Uncertainty as X

UNCERTAINTIES: tuple[X, ...] = (
    # --- needs
    X("needs", "needs per resident-year", 0.5, 5, 12, "needs that arise", "居民每年产生的需求数",
      "design §4; 5 assumed"),
    X("staffing_needs", "needs per resident-year", 0.5, 5, 12,
      "needs for which the pre-reform staff was sized", "编制所依据的需求数", "assumed"),
    X("silent_lifetime", "days", 30, 180, 720, "mean life of a need nobody voices",
      "未表达需求的平均存续", "assumed (design §4)"),
    X("novelty", "share", 0, 0.01, 0.2, "cases of a kind that no list foresaw", "新类型事项比例"),
    # --- voice
    X("voice_grid", "utility", -8, -3.3, 2, "asking the grid worker", "找网格员的效用", "calibrated"),
    X("voice_station", "utility", -8, -0.9, 2, "going to the station", "去服务站的效用", "calibrated"),
    X("voice_hotline", "utility", -8, -1.5, 2, "calling the hotline", "拨打热线的效用", "calibrated"),
    X("voice_neighbours", "utility", -8, 0.8, 2, "settling it among neighbours", "邻里自行解决的效用",
      "calibrated"),
    X("voice_market", "utility", -8, -0.7, 2, "paying a market service, price included",
      "购买市场服务的效用(含价格)", "calibrated"),
    X("voice_trust", "utility per unit of trust", 0, 2.0, 6, "weight of trust in a channel",
      "渠道信任的权重"),
    X("voice_participation", "utility per share", 0, 1.5, 5,
      "how far a participating community settles things itself", "参与度对自我解决的影响"),
    X("voice_old_hotline", "utility", -3, -0.6, 0, "hotline and online for older residents",
      "老年人使用热线的效用差", "assumed (digital divide)"),
    X("known_before", "share", 0, 0.7, 1, "residents who once had a success with a public channel", "曾成功诉求的居民比例"),
    X("voice_errand", "utility", -6, -1.5, 0, "paperwork by grid worker or hotline rather than in person",
      "非现场办理证照事务的效用差"),
    X("report_again", "log odds ratio", 0, 0.451, 1, "voicing again after a first success",
      "首次成功后再次诉求", "ln 1.57, Sjoberg, Mellon & Peixoto 2017"),
    X("distance_urban", "km", 0.3, 1.0, 3, "distance scale of a walk in town", "城区步行尺度",
      "design §4"),
    X("distance_rural", "km", 1, 3.0, 8, "distance scale of a trip in the country", "乡村出行尺度",
      "design §4"),
    X("distance_old", "factor", 0.3, 0.7, 1, "the scale of older residents against others",
      "老年人距离尺度系数", "design §4"),
    # --- intake and dispatch
    X("competence", "factor", 0.5, 1.0, 1.3, "local competence against the table of categories",
      "基层就地办理能力系数", "calibrated to 59–79 % answered at intake"),
    X("territorial_share", "share", 0.3, 0.645, 0.9, "dispatched parts that stay with territorial units",
      "派往属地的比例", "Panjin 2023"),
    X("p_mis", "probability", 0.05, 0.18, 0.38, "a dispatch goes to a wrong desk", "误派概率", "design §9"),
    X("cross_share", "probability", 0.05, 0.216, 0.42, "a case needs two departments or more",
      "跨部门事项比例", "message board (design §8a), design §9"),
    X("serial_share", "share", 0, 0.05, 1, "further parts that wait for the one before",
      "串行办理比例", "calibrated to days by departments, design §9"),
    X("dispute_share", "share", 0, 0.10, 0.5, "cross-department cases that every desk disclaims",
      "推诿争议事项比例"),
    X("dispute_rounds", "rounds", 1, 2.0, 6, "times a disputed case is passed on without a conference",
      "无联席会议时的推诿次数"),
    X("orphan_rate", "probability", 0, 0.01, 0.1, "a case that nobody is responsible for",
      "无人负责的事项比例"),
    X("orphan_days", "days", 10, 60, 365, "until an orphaned case is given up", "无主事项被放弃前的天数"),
    X("transfer_delay", "days", 0.2, 0.7, 10, "return of a wrongly sent case", "退回重派的天数"),
    X("reentry_hours", "hours", 0, 0.5, 3, "work of taking in and returning a wrong case", "误派的退件工时"),
    # --- the committee and the conference
    X("hub_hours", "hours", 0.1, 0.5, 2, "assembling one case at the hub", "中枢统筹一件的工时"),
    X("hub_staffing", "times expected need", 0.5, 1.25, 2, "hub capacity that the measure buys",
      "中枢配置与需求之比", "design §9"),
    X("coordination_hours", "hours", 0, 0.5, 3, "coordination per further department, per part",
      "每增一部门的协调工时"),
    X("conference_period", "days", 3, 14, 30, "days between conferences that the measure sets",
      "联席会议间隔", "design §9"),
    X("conference_hours", "hours", 0, 1.0, 8, "conference work per case and department",
      "每件每部门会议工时"),
    X("trivial_share", "share", 0, 0.05, 0.5, "undisputed cross cases that reach the table anyway",
      "上会的琐碎事项比例"),
    X("chase_effect", "share", 0, 0.3, 0.8, "overdue time that a reminder removes", "督办缩短逾期的比例"),
    X("chase_hours", "hours", 0, 0.2, 2, "work of chasing one overdue part", "督办一件的工时"),
    # --- work, delay, desks
    X("intake_hours_grid", "hours", 0.2, 2.2, 8, "a grid worker's work on one case", "网格员每件工时"),
    X("intake_hours_station", "hours", 0.1, 0.5, 3, "station work on one case", "服务站每件工时"),
    X("intake_hours_hotline", "hours", 0.05, 0.25, 2, "hotline work on one contact", "热线每件工时"),
    X("work_hours", "factor", 0.3, 1.0, 3, "work per part against the table of categories",
      "每件工时系数"),
    X("work_cv", "CV", 0, 0.8, 3, "spread of work between visits", "工时离散系数"),
    X("specialist_gain", "factor", 1, 1.1, 1.5, "specialist speed on technical cases", "专业人员办理技术件的速度"),
    X("specialist_loss", "share", 0, 0.12, 0.3, "extra work of generalists on technical cases",
      "通用岗办理技术件的损失", "design §9"),
    X("merge_dip_days", "days", 1, 60, 365, "time in which a merged office finds its feet",
      "机构合并磨合期"),
    X("merge_dip", "share of speed", 0, 0.15, 0.5, "speed lost at the start of a merger", "合并初期效率损失"),
    X("delay_local", "days", 0, 1.0, 10, "median elapsed days of a case settled at intake", "就地办结中位天数"),
    X("delay_common", "days", 0, 3.1, 30, "median elapsed days common to a dispatched case",
      "派单事项共同耗时中位数", "calibrated to median 11.2 days, sigma 1.29"),
    X("delay_common_sigma", "log sd", 0, 2.0, 3, "spread of the common delay", "共同耗时离散度", "calibrated"),
    X("delay_part", "days", 0, 0.2, 20, "median elapsed days of one part", "单部门耗时中位数", "calibrated"),
    X("delay_part_sigma", "log sd", 0, 1.0, 3, "spread of a part's delay", "单部门耗时离散度", "calibrated"),
    X("patience", "days", 30, 180, 720, "wait at a desk after which a case lapses", "积压失效天数"),
    X("promise", "days", 1, 15, 60, "promised time of a dispatched case", "承诺办理天数"),
    X("promise_local", "days", 0.5, 3, 15, "promised time of a case settled at intake", "就地办理承诺天数"),
    # --- closing
    X("reopen", "probability", 0, 0.6, 1, "a poor fix is brought up again", "质量差的事项被重新提出的概率"),
    X("poor_fix", "probability", 0, 0.15, 0.5, "a fix does not hold, at the mean skill before the reform", "办理质量差的概率"),
    X("sham", "probability", 0, 0.10, 0.5, "sham closing at the baseline pressure and load", "虚假办结概率"),
    X("sham_pressure", "log odds per unit", 0, 1.5, 5, "sham closing rises with pressure", "压力对虚假办结的影响"),
    X("audit_effect", "share", 0, 0.8, 1, "sham closings that supervision undoes where it looks",
      "监督纠正虚假办结的比例"),
    # --- residents
    X("b0", "index", 0, 0.25, 0.6, "satisfaction with a performance of nothing", "满意度截距"),
    X("bP", "index", 0.4, 0.5, 0.6, "weight of performance in satisfaction", "绩效权重", "design §4"),
    X("bD", "index", 0, 0.2, 0.5, "weight of disconfirmation", "期望落差权重", "design §4; evidence mixed"),
    X("loss_aversion", "ratio", 1, 1.75, 2.5, "a loss weighs more than a gain (L)", "损失厌恶系数", "design §9"),
    X("kappa", "share", 0.01, 0.1, 0.2, "expectation moves toward performance (kappa)", "期望调整速度", "design §9"),
    X("satisfaction_rate", "share", 0, 0.3, 1, "move of satisfaction at one experience", "单次经历的满意度调整"),
    X("satisfaction_memory", "days", 60, 365, 2000, "return of satisfaction to its baseline", "满意度回归时间"),
    X("baseline", "index", 0.2, 0.6, 0.9, "satisfaction of a resident without contact", "无接触居民的满意度基线"),
    X("baseline_spread", "index", 0, 0.3, 0.6, "range of that baseline between residents", "基线的个体差异"),
    X("burden_weight", "index", 0, 0.03, 0.3, "satisfaction lost to one silent need", "一件未表达需求的满意度损失"),
    X("trust_rate", "share", 0, 0.1, 1, "move of trust in a channel at one experience", "单次经历的信任调整"),
    X("published_shift", "index", 0, 0.05, 0.3, "published results raise what people expect", "公开结果抬高期望"),
    X("content", "index", 0, 0.5, 1, "performance at which a caller is content", "满意所需绩效"),
    # --- offices
    X("utilisation", "share", 0.7, 0.85, 0.95, "workload-weighted use of staff before the reform",
      "改革前工作量加权利用率", "design §8a"),
    X("eta", "exponent", 0.5, 0.9, 1, "staff grow with population to this power", "编制随人口的弹性", "design §9"),
    X("floor", "share", 0.5, 0.7, 0.9, "statutory share of net hours for cases", "法定办件工时下限", "design §9"),
    X("gamma", "substitution", 0, 0.2, 0.8, "two tasks compete for effort", "两类任务的替代性", "design §9"),
    X("intrinsic", "weight", 0, 0.1, 0.5, "intrinsic motivation to serve residents", "内在服务动机", "assumed"),
    X("weight_cv", "CV", 0, 0.3, 1, "spread of the weights between offices", "机构间权重差异", "assumed"),
    X("a2_reform", "weight", 0.1, 0.8, 1, "weight on satisfaction that the reform sets", "改革后的满意度权重", "design §9"),
    X("a1_left", "weight", 0, 0.1, 0.7, "weight on investment that stays after its abolition",
      "取消考核后残余的招商权重"),
    X("effort_rate", "share per quarter", 0.1, 0.5, 1, "offices move toward their best effort", "努力调整速度"),
    X("imitation", "share per quarter", 0, 0.1, 0.5, "offices copy better-ranked peers", "向先进看齐的速度"),
    X("implementation", "mean share", 0.4, 0.8, 1, "what units realise of a measure", "落实程度", "design §9"),
    X("leave", "share of paid hours", 0.05, 0.1, 0.2, "leave and illness", "休假比例"),
    X("training", "share of paid hours", 0, 0.02, 0.2, "training before the reform", "培训比例"),
    X("office_burden", "factor", 0, 0.6, 1.5, "burden of offices against that of communities",
      "街道负担与社区之比"),
    X("task_return", "share", 0, 0.4, 1, "cut tasks that return under other names", "任务变相回流比例", "design §9"),
    X("gate_bypass", "share", 0, 0.3, 1, "the gate is bypassed under full pressure", "压力下绕开准入的比例"),
    X("devolved_share", "share", 0, 0.2, 0.6, "local settlements that rest on devolved powers", "依赖下放权限的就地办理比例"),
    X("pressure_inspection", "share of paid hours", 0, 0.08, 0.3, "inspection hours per unit of pressure",
      "压力带来的迎检工时"),
    X("survey_size", "residents per unit", 30, 200, 2000, "sample of one assessment survey", "测评样本量"),
    # --- workers
    X("routine", "share of paid hours", 0, 0.2, 0.5, "a grid worker's standing duties", "网格员日常事务工时"),
    X("turnover", "share per year", 0.05, 0.15, 0.4, "grid workers who leave, at mean burnout and pay",
      "网格员年流失率", "assumed (design §5)"),
    X("vacancy_months", "months", 1, 3, 12, "until a post is filled", "补岗时间"),
    X("newcomer_skill", "share", 0.3, 0.7, 1, "speed of a newcomer", "新人效率"),
    X("learning_months", "months", 3, 12, 48, "learning time", "学习时间"),
    X("cover", "share", 0.05, 0.3, 0.8, "of a vacant grid's work that colleagues cover", "空岗由同事分担的比例"),
    # --- participation and social organisations
    X("threshold_mean", "share", 0.05, 0.25, 0.6, "mean threshold of taking part", "参与门槛均值",
      "Granovetter 1978; assumed"),
    X("threshold_sd", "share", 0.05, 0.16, 0.5, "spread of thresholds", "参与门槛离散度", "assumed"),
    X("never", "share", 0.4, 0.6, 0.8, "residents who never take part", "从不参与的比例", "design §5"),
    X("dropout", "share per month", 0, 0.05, 0.3, "participants who draw anew", "每月退出比例"),
    X("council_shift", "share", 0, 0.12, 0.4, "threshold that a strong council removes", "议事会降低的门槛"),
    X("self_gain", "share", 0, 0.5, 1, "self-solving gained at full participation", "参与带来的自我解决"),
    X("council_gain", "share", 0, 0.3, 1, "self-solving gained by a council that residents stand behind",
      "有群众基础的议事会带来的自我解决"),
    X("capture", "share", 0, 0.3, 1, "loss where a narrow group holds the council", "议事会被把持的损失"),
    X("dependence_peak", "share", 0.3, 0.5, 0.7, "best share of government money in an organisation",
      "政府资金依赖度最优点", "design §9"),
    X("organisation_cost", "yuan per hour", 10, 50, 200, "one hour of a social organisation's service",
      "社会组织服务每小时成本"),
    # --- patrols
    X("patrol_yield", "finds per patrol hour", 0, 0.002, 0.1,
      "chance that one patrol hour in a grid finds a given open public problem", "每巡查小时发现率"),
    X("over_report", "share", 0, 0.2, 1, "finds that are no problem, at full linkage", "过度上报比例"),
    # --- investment
    X("projects", "projects per 100,000 residents and year", 0.5, 10, 20, "investment projects on offer",
      "年度招商项目数", "assumed"),
    X("own_revenue", "share of staff money", 0.01, 0.08, 0.3,
      "public revenue from projects before the reform, against what all staff costs",
      "改革前项目财政收入与人员经费之比", "assumed"),
    X("project_life", "years", 1, 5, 20, "years that a project pays", "项目贡献年限", "assumed"),
    X("discrimination", "m", 0.2, 0.8, 1, "how sharply bids decide (Tullock m)", "竞标敏感度"),
    X("effort_elasticity", "elasticity", 0, 0.2, 1, "projects on offer rise with total effort", "项目数对努力的弹性"),
    X("local_knowledge", "factor", 0.5, 1.0, 2, "a local team knows its place", "本地团队知识"),
    X("team_scale_return", "exponent", 0, 0.4, 1, "a district team gains from size", "专业团队规模收益"),
    X("revenue_compensation", "share", 0, 0.5, 1, "of what goes to the district pool, the share that comes back", "财政补偿比例", "design §9"),
    X("retained", "share", 0, 0.6, 1, "own revenue that a subdistrict keeps", "属地留成比例"),
    # --- money
    X("wage", "10,000 yuan per head and year", 4, 10, 30, "cost of one head", "人均用工成本", "assumed"),
    X("station_cost", "10,000 yuan per station and year", 1, 12, 60, "overhead of one station", "单个服务站固定成本",
      "assumed"),
    X("cost_factor", "factor", 0, 1, 3, "costs of measures against their declared costs", "措施成本系数"),
    X("max_cost_share", "share", 0.05, 0.35, 0.6, "recurrent budget that measures may use", "措施成本占比上限"),
)  # fmt: skip

BY_NAME: dict[str, X] = {x.name: x for x in UNCERTAINTIES}

#: The whole world as one record, one float per uncertainty.
WORLD = np.dtype([(x.name, "f8") for x in UNCERTAINTIES])


def world(**values: float) -> np.record:
    """Return the uncertainties at their defaults, with ``values`` in their place.

    Raises KeyError for a name that is not declared; ranges are the schema's business.
    """
    record = np.zeros(1, WORLD)
    for x in UNCERTAINTIES:
        record[x.name] = x.default
    for name, value in values.items():
        if name not in BY_NAME:
            raise KeyError(f"unknown uncertainty {name!r}")
        record[name] = value
    return record[0]
