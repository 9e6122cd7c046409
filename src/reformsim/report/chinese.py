"""Chinese for the words of the reference pages that are declared in English only.

Meanings of levers, uncertainties, outcomes and measures are declared in both languages and need
no entry here. What has none stays in English.
"""


def chinese(text: str) -> str:
    """Return the Chinese of words of the reference pages, the words themselves without one."""
    return WORDS.get(text, text)


def say(text: str, zh: bool) -> str:
    """Return words in the language that is asked for."""
    return chinese(text) if zh else text


WORDS: dict[str, str] = {
    # titles
    "Uncertainties": "不确定性",
    "Levers": "杠杆",
    "Measures": "措施",
    "Categories of need": "需求类别",
    "Needs by type of community": "各类社区的需求",
    "Number of departments": "涉及部门数",
    "Outcomes": "结果",
    "Goals": "目标",
    "goal": "目标",
    "components (at 0, at 1)": "分项（零点，一点）",
    "The city": "城市",
    "Constants": "常数",
    "Numbers written in place": "式中数字",
    "Levers (default: before the reform)": "杠杆（默认值：改革前）",
    # heads and short words
    "range": "范围", "to": "至", "fact": "事实", "model": "模型", "mark": "标记", "hit": "命中",
    "miss": "未中", "input": "输入", "held out": "留作检验",
    "name": "名称", "unit": "单位", "low": "下限", "default": "默认", "high": "上限",
    "meaning": "含义", "source": "来源", "before": "改革前", "combine": "合成",
    "set by": "由何设定",
    "id": "编号", "measure": "措施", "sets": "设定", "cost a year": "年度成本", "helps": "益处",
    "costs": "代价", "backfires when": "何时适得其反", "category": "类别", "type": "类型",
    "better": "优劣方向", "headline": "主要结果", "field": "字段", "where": "位置", "value": "数值",
    "meaning and source": "含义与来源", "6 or more": "6 及以上",
    "share": "占比", "public": "公共", "technical": "技术", "errand": "证照事务",
    "self solving": "自行解决", "market": "市场", "social": "社会组织", "competence": "就地办理",
    "cross": "跨部门", "work": "工作量", "delay": "耗时", "lifetime": "存续", "stakes": "利害",
    "office": "办公室", "yes": "是", "higher": "越高越好", "lower": "越低越好", "neither": "无",
    "sum": "求和", "max": "取最大", "remainder": "余量相乘",
    # units
    "10,000 yuan per head and year": "万元/人·年", "10,000 yuan per station and year": "万元/站·年",
    "CV": "变异系数", "cases per 100,000 residents": "件/十万居民", "days": "天",
    "days a week": "天/周", "days per resident-year": "天/人·年", "elasticity": "弹性",
    "exponent": "指数", "factor": "系数", "finds per patrol hour": "发现数/巡查小时",
    "heads per 100,000 residents": "人/十万居民", "hours": "小时",
    "hours a month per partner": "小时/月·伙伴", "hours per part": "小时/部门", "index": "指标",
    "km": "公里", "log odds per unit": "对数几率/单位", "log odds ratio": "对数几率比",
    "log sd": "对数标准差", "mean share": "平均比例", "months": "月",
    "needs per resident-year": "需求/人·年", "offices per large subdistrict": "机构/大街道",
    "partners per subdistrict": "伙伴/街道", "per 1,000 residents": "每千居民",
    "per dispatched case": "每派单事项", "per resident-year": "每人·年",
    "platforms per community": "平台/社区", "probability": "概率",
    "projects per 100,000 residents and year": "项目/十万居民·年", "ratio": "比值",
    "residents per unit": "居民/单位", "rounds": "轮", "share of closings": "占办结",
    "share of communities": "占社区", "share of contacts": "占诉求",
    "share of cross-department cases": "占跨部门事项", "share of desks": "占科室",
    "share of devolved tasks": "占下派任务", "share of disputed cases": "占争议事项",
    "share of eligible cases": "占可承接事项", "share of excess load": "占超额负荷",
    "share of grid workers": "占网格员", "share of grids": "占网格", "share of needs": "占需求",
    "share of net hours": "占净工时", "share of net hours of grid workers": "占网格员净工时",
    "share of new estates": "占新小区", "share of overdue parts": "占逾期事项",
    "share of paid hours": "占工时", "share of paid hours of offices": "占街道工时",
    "share of pre-reform posts": "占改革前编制", "share of residents": "占居民",
    "share of small public problems": "占小型公共问题", "share of speed": "占效率",
    "share of staff money": "占人员经费", "share of stuck cases": "占滞留事项",
    "share of the capital fund": "占资本基金", "share of the standard": "占标准",
    "share of the transfer": "占转移支付",
    "share of units": "占单位", "share of visits": "占办理次数",
    "share of workers a year": "占工作者/年", "share per month": "比例/月",
    "share per quarter": "比例/季", "share per year": "比例/年",
    "standard deviations of pay": "薪酬标准差", "substitution": "替代性",
    "times expected need": "预期需要的倍数", "times pre-reform posts": "改革前编制的倍数",
    "utility": "效用", "utility per share": "效用/比例", "utility per unit of trust": "效用/信任",
    "weight": "权重", "weight a1": "权重 a1", "weight a2": "权重 a2", "years": "年", "yuan": "元",
    "yuan per hour": "元/小时", "yuan per resident-year": "元/人·年",
    "times pre-reform number": "改革前数量的倍数", "times pre-reform supply": "改革前供给的倍数",
    "per year": "每年", "per case heard of": "每件受理事项", "share of full skill": "占完全能力",
    "share of speed per index²": "占效率/指标平方",
    "threshold per share mobilised": "门槛/动员比例",
    "share per unit of level": "比例/单位水平", "share of a full day per unit": "占全天/单位",
    "utility per unit": "效用/单位", "per further platform": "每增加一个平台",
    "utility per doubling of space": "效用/空间翻倍", "m": "米", "share of a wage": "占工资",
    "times the mean": "均值的倍数", "share of effort": "占努力", "silent needs": "沉默需求",
    "per unit of satisfaction": "每单位满意度", "hours a month per head": "小时/月·人",
    "per share of paid hours": "每单位工时比例", "share of a full day": "占全天",
    "utility per open day": "效用/开放日", "share of its wages": "占其工资",
    "hours a month per pair of partners": "小时/月·每对伙伴",
    "sd of pay per share of workers": "薪酬标准差/工作者比例",
    "share per unit of quality": "比例/单位质量", "share per unit of pressure": "比例/单位压力",
    "cases a week per 100,000 residents": "件/周·十万居民", "yuan per resident": "元/人",
    "yuan per resident moved": "元/迁移居民", "weight per share of workers": "权重/工作者比例",
    "heads per 10,000 residents of the mean subdistrict": "人/平均街道每万居民",
    # sources
    "assumed": "假设", "calibrated": "校准", "design §4": "设计 §4", "design §5": "设计 §5",
    "design §8a": "设计 §8a", "design §9": "设计 §9", "assumed (design §4)": "假设（设计 §4）",
    "assumed (design §5)": "假设（设计 §5）", "assumed (digital divide)": "假设（数字鸿沟）",
    "design §4; 5 assumed": "设计 §4;5 为假设", "design §4; evidence mixed": "设计 §4；证据不一",
    "Granovetter 1978; assumed": "Granovetter 1978；假设",
    "assumed; corner cases are not the baseline": "假设；角点情形不作为基准",
    "calibrated to 59–79 % answered at intake": "校准至首接即办 59–79 %",
    "calibrated to days by departments, design §9": "校准至按部门数的办理天数，设计 §9",
    "calibrated to median 11.2 days, sigma 1.29": "校准至中位 11.2 天，σ 1.29",
    "message board (design §8a), design §9": "留言板（设计 §8a），设计 §9",
    "0.15 (Hebei, before burden reduction); 0.12 assumed": "0.15（河北，减负前）;0.12 为假设",
    "assumed; about 1,850 tasks a year (Hubei 2003)": "假设；每年约 1,850 项任务（湖北 2003）",
    "up to 0.5 before burden reduction (Hebei); 0.20 assumed": "减负前至 0.5（河北）;0.20 为假设",
    "ln 1.57, Sjoberg, Mellon & Peixoto 2017": "ln 1.57,Sjoberg, Mellon & Peixoto 2017",
    # constants
    "rows: always open, offices, hotline; opening hour, hours a day, days a week":
        "各行：全时、机关、热线；开门时刻、每日小时、每周天数",
    "hour of the day from which needs arise": "一天中需求开始产生的时刻",
    "hours of the day in which needs arise, uniformly": "一天中需求均匀产生的小时数",
    "returns of one part after which it is sent right; a bound of the bookkeeping":
        "同一部分被退回多少次后必定派对；记账的上限",
    "way on foot against the straight line": "步行路程与直线距离之比",
    "km in 15 minutes on foot (model.md §5)": "步行 15 分钟的公里数（model.md §5）",
    "the same for older residents": "老年居民的同一数值",
    "communities for each station before the reform": "改革前每个站点服务的社区数",
    "rounds of relaxation of the cells of the map": "地图单元松弛的轮数",
    "least staff of an open desk, heads": "开放科室的最少人员",
    "paid hours of a head in a week": "每人每周工时",
    "burdens take at most this share of paid hours": "各种负担至多占工时的比例",
    "most of a budget that projects may pay for": "项目收入至多占预算的比例",
    "staff may grow to this multiple of the old posts": "人员可增至原编制的倍数",
    "bid against nobody, share of the prize": "无竞争者时的出价，占奖额的比例",
    "burnout score from which a worker has some burnout": "有一些倦怠的分数线",
    "burnout score from which it is heavy": "重度倦怠的分数线",
    "standardised effect of burnout on leaving (model.md §5)":
        "倦怠对离职的标准化效应（model.md §5）",
    "standardised effect of pay on leaving (model.md §5); pay is at its mean throughout":
        "薪酬对离职的标准化效应（model.md §5）；薪酬始终为均值",
    "spread of answers in an assessment survey": "测评答案的离散度",
    "days of the moving mean of cross-department cases that sizes the hub":
        "决定中枢规模的跨部门事项移动平均的天数",
    "utilisation above which work strains": "工作开始造成压力的利用率",
    "burnout score a month per unit of strain": "单位压力每月增加的倦怠分",
    "share of a burnout score lost a month": "倦怠分每月消退的比例",
    "learning rate gained by training hours": "培训工时提高的学习速度",
    "share of residents who reconsider in a month whether to take part":
        "每月重新考虑是否参与的居民比例",
    "capacity gap that social organisations close a month": "社会组织每月弥补的能力缺口",
    "social organisations: capacity gap closed a month downward, months a reserve is "
    "stretched over, memory of dependence, smallest viable capacity in hours a month":
        "社会组织：每月向下弥补的缺口、储备可支撑的月数、依赖度的记忆、可存续的最小能力（小时/月）",
    "growth added by full incubation, as a factor": "全力孵化增加的增长系数",
    "share of donations lost per unit of dependence beyond that before the reform":
        "依赖度每超出改革前一个单位所损失的捐赠比例",
    "capacity that full incubation sets up where there is none, hours a month":
        "全力孵化在空白处建立的能力（小时/月）",
    "thresholds that stand for a community": "代表一个社区的门槛数",
    "residents for one social organisation": "每个社会组织对应的居民数",
    "heads that staff one hotline seat": "一个热线坐席所需人员",
    "share of posts filled in a settled workforce": "稳定状态下的满岗比例",
    "donations and fees of social organisations, yuan per resident-year":
        "社会组织的捐赠与收费（元/人·年）",
    "volunteer hours per paid hour at the best dependence": "依赖度最优时每付费小时带来的志愿小时",
    "mean skill of a settled workforce": "稳定队伍的平均能力",
    "log odds of sham closing per unit of utilisation": "利用率每单位带来的虚假办结对数几率",
    "share of sham closings that higher levels prevent at full oversight":
        "上级完全可见时所防止的虚假办结比例",
    # numbers in place
    "quality of a poor fix": "质量差的办理的质量",
    "log sd of the elapsed days of a case settled at intake": "就地办结天数的对数标准差",
    "log sd of the days of one round of a disputed case": "争议事项一轮天数的对数标准差",
    "log sd of the days of a return": "退回天数的对数标准差",
    "trust in a channel before any contact, of 65,535": "接触之前对渠道的信任（满分 65,535）",
    "share of the mean baseline satisfaction that the burden of silent needs can take":
        "沉默需求的负担至多占平均满意度基线的比例",
    "most that the chance of several departments can be": "涉及多个部门的概率上限",
    "share of the hours above the floor that line departments work":
        "条线部门在法定下限以上工作的工时比例",
    "most of paid hours that inspections take (Hebei, before burden reduction)":
        "迎检至多占工时的比例（河北，减负前）",
    "effort-free part ε of a score in the contest for projects": "项目竞争得分中与努力无关的部分 ε",
    "log sd of talent for investment between subdistricts": "街道之间招商才能的对数标准差",
    "weight of survey and of measured solution rate in the residents' part of a score":
        "测评与台账解决率在为民得分中的权重",
    "range of the mean threshold of taking part between communities": "社区之间参与门槛均值的范围",
    "share taking part from which the pre-reform rest point is sought":
        "寻找改革前静止点时的起始参与比例",
    "most of the eligible cases that social organisations serve":
        "社会组织至多承接的可承接事项比例",
    "measured solution rate before the first assessment": "首次测评之前的台账解决率",
    # the city
    "County-level units: `chengdu` for the 20 of the census of 2020, or a list of English names "
    "of some of them and of units given in full. A unit may list its real subdistricts, and these "
    "their communities: all units do, or none.":
        "县级单位：`chengdu` 为 2020 年普查的 20 个，或列出其中一些的英文名以及自行给出的单位。"
        "单位可列出真实的街道，街道可列出社区：要么全列，要么全不列。",
    "Where people live within a unit: towns against subdistricts, and densities.":
        "单位内人口的分布：镇与街道，以及密度。",
    "Residents per km² at which half of a unit live in towns; assumed.":
        "半数人口住在镇的人口密度（人/平方公里）；假设。",
    "Residents per km² from which a unit has no towns; assumed.":
        "不再有镇的人口密度（人/平方公里）；假设。",
    "Density of a subdistrict relative to a town of its unit; assumed.":
        "街道相对于同单位镇的密度；假设。",
    "Standard deviation of log density of subdistricts; assumed.": "街道密度的对数标准差；假设。",
    "Standard deviation of log density of communities; assumed.": "社区密度的对数标准差；假设。",
    "Count: Chengdu 2020. Mean: what towns leave of the census. Sigma: assumed.":
        "数量：成都 2020。均值：普查人口减去镇。离散度：假设。",
    "Mean residents; only its ratio to the other level's mean matters, since the census fixes the "
    "sum.": "平均居民数；总数由普查给定，只有与另一层级均值之比起作用。",
    "Standard deviation of log size.": "规模的对数标准差。",
    "Count: Chengdu 2020. Mean: about the census's 4.4 million rural residents over towns; sigma: "
    "assumed.": "数量：成都 2020。均值：普查约 440 万乡村居民除以镇数；离散度：假设。",
    "Assumed; 4,300 before 2019.": "假设；2019 年前为 4,300。",
    "Standard deviation of log residents; assumed.": "居民数的对数标准差；假设。",
    "Chengdu 2018.": "成都 2018。",
    "The three ranges of density; a subdistrict is urban from the lower end of `suburban`.":
        "三段密度；自 `suburban` 下限起的街道为城市。",
    "Communities of the subdistricts of one range of density.": "同一密度段街道的社区。",
    "Residents per km², lower end.": "人口密度下限（人/平方公里）。",
    "Mean residents of a community; only ratios between bands matter, since the number of "
    "communities is given.": "社区平均居民数；社区总数给定，只有各段之比起作用。",
    "Shares of communities by type; they sum to 1.": "各类社区的占比，总和为 1。",
    "Density of a community relative to others of its subdistrict; assumed.":
        "社区相对于同街道其他社区的密度；假设。",
    "Age shares of urban communities and of villages.": "城市社区与村的年龄构成。",
    "Shares of residents by age group; they sum to 1.": "各年龄组居民占比，总和为 1。",
    "Under 35 years.": "35 岁以下。",
    "35 to 59 years.": "35–59 岁。",
    "60 years and over.": "60 岁及以上。",
    "Spread of the residents' need multipliers, a gamma variable with mean 1 over the city.":
        "居民需求倍数的离散，均值为 1 的伽马变量。",
    "Coefficient of variation; assumed.": "变异系数；假设。",
    "Mean of older residents, city mean 1; assumed.": "老年居民的均值（全市均值 1）；假设。",
    "Whole subdistricts to keep; without it the whole city is built.":
        "保留的完整街道；不写则建整座城市。",
}  # fmt: skip
