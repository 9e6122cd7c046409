"""Section 4 of the source, the four systems (四大体系): measures 29–47."""

from reformsim.measures.declare import Cost, Measure

MEASURES: tuple[Measure, ...] = (
    Measure(
        id=32,
        name="unified_grid_linkage",
        zh="网格化与大联动微治理",
        section="systems_governance",
        sets={"grid_merge": 0.6, "patrol_hours": 0.15, "linkage": 0.6},
        helps="problems are seen early, small ones fixed on the spot",
        costs="patrol load, over-reporting, privacy",
        backfires="detection exceeds handling capacity: the backlog grows",
        cost=Cost(0.15, "grid"),
    ),
    Measure(
        id=38,
        name="social_organisation_support",
        zh="扶持社会组织",
        section="systems_services",
        sets={"service_purchasing": 6.0, "incubation": 0.6},
        helps="service capacity and social capital",
        costs="grants, monitoring, dependence",
        backfires="dependence beyond its peak crowds out volunteers; collapse when funds stop",
        cost=Cost(0.2, "community"),
    ),
    Measure(
        id=44,
        name="satisfaction_assessment",
        zh="以居民满意度为主要标准并公开",
        section="systems_evaluation",
        sets={
            "weight_satisfaction": "a2_reform",
            "publish_results": 1.0,
            "assessment_pressure": 0.5,
        },
        helps="effort moves to what residents see",
        costs="survey cost, noise, expectations rise",
        backfires="sham closing; silent and hard cases are neglected",
        cost=Cost(3.0, "subdistrict"),
    ),
    Measure(
        id=45,
        name="remove_economic_assessment",
        zh="取消经济考核指标",
        section="systems_evaluation",
        sets={"weight_investment": "a1_left"},
        helps="the weight on investment falls",
        costs="less local revenue, lost firm contacts",
        backfires="the weight on satisfaction is weak: total effort falls; revenue is not compensated",
    ),
)
