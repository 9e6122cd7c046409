"""Section 3 of the source, the three-level architecture (三级架构): measures 20–28."""

from reformsim.measures.declare import Cost, Measure

MEASURES: tuple[Measure, ...] = (
    Measure(
        id=20,
        name="governance_committee",
        zh="社治委",
        section="architecture",
        sets={
            "joint_dispatch": 0.9,
            "hub_capacity": "hub_staffing",
            "budget_pooling": 0.3,
            "follow_up": 0.6,
        },
        helps="cross-department cases are assembled once and worked in parallel",
        costs="an extra layer and its staff, a queue at the hub",
        backfires="cross-department load exceeds hub capacity; few such cases",
        cost=Cost(10.0, "100k residents"),
    ),
    Measure(
        id=21,
        name="joint_conference",
        zh="领导小组与联席会议",
        section="architecture",
        sets={"conference": 0.9, "meeting_period": "conference_period", "meeting_agenda": 100.0},
        helps="disputed cases are decided together",
        costs="waiting for the next meeting",
        backfires="the period is long against a case's life; trivial cases reach the table",
        cost=Cost(4.0, "100k residents"),
    ),
    Measure(
        id=22,
        name="five_plus_x_offices",
        zh="5+X综合办事机构",
        section="architecture",
        sets={"merged_desks": 1.0},
        helps="fewer internal hand-offs, pooled staff",
        costs="generalists are slower on technical cases, a dip at the change",
        backfires="technical cases are common",
    ),
    Measure(
        id=24,
        name="convenience_centre",
        zh="综合便民服务中心",
        section="architecture",
        sets={"single_window": 0.5},
        helps="one trip, pooled windows",
        costs="longer walk where local windows close",
        backfires="low density, simple local errands",
        cost=Cost(10.0, "subdistrict"),
    ),
    Measure(
        id=25,
        name="service_stations",
        zh="一站一居/一站多居",
        section="architecture",
        sets={"station_change": 1.0},
        helps="last kilometre: nearer or better pooled stations",
        costs="fixed cost per station",
        backfires="the wrong layout for the density; many older residents",
    ),
)
