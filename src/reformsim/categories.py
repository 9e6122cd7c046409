"""The twelve categories of need: what arises, who answers, how much work it is.

All rows are *assumed* unless a column says otherwise; they are facts of the world (the same in
every regime), not levers.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of need."""

    name: str
    name_zh: str
    share: float  # of all needs
    public: bool  # anyone, or a patrol, can notice it
    technical: bool  # specialists are faster
    errand: bool  # paperwork that a window can take, all desks at once
    self_solving: float  # chance that neighbours who try settle it
    market: bool  # a market service exists
    social: bool  # social organisations can serve it
    competence: float  # chance that intake settles it without dispatch
    cross: float  # weight of needing several departments (mean about 1)
    work: float  # mean hours of one part at its desk
    delay: float  # elapsed days, relative to the common median
    lifetime: float  # mean days that an unvoiced need lasts, relative to 180
    stakes: float  # how strongly people voice it (utility, added to every public channel)
    office: int  # of the five pooled offices, a row of ``OFFICE_NAMES``


CATEGORIES: tuple[Category, ...] = (
    #        name              zh          share  public technic errand self  market social comp cross work delay life stakes office
    Category("government", "政务办理", 0.16, False, False, True, 0.10, False, False, 0.85, 0.9, 2.0, 0.8, 0.7, 1.6, 0),
    Category("welfare", "民生救助", 0.06, False, False, True, 0.10, False, True, 0.65, 1.0, 3.0, 1.0, 1.2, 0.5, 4),
    Category("care", "健康养老", 0.10, False, False, False, 0.35, True, True, 0.65, 1.0, 3.0, 1.0, 1.2, 0.0, 4),
    Category("housing", "住房物业", 0.12, False, True, False, 0.30, True, False, 0.55, 1.1, 4.0, 1.1, 1.2, 0.1, 2),
    Category("disputes", "邻里纠纷", 0.08, False, False, False, 0.55, False, True, 0.70, 0.9, 3.0, 0.9, 0.6, -0.4, 1),
    Category("sanitation", "环境卫生", 0.12, True, False, False, 0.40, False, False, 0.65, 0.9, 2.0, 0.8, 0.5, 0.0, 3),
    Category("roads", "道路照明", 0.08, True, True, False, 0.10, False, False, 0.50, 1.1, 4.0, 1.1, 1.2, 0.0, 2),
    Category("order", "公共秩序", 0.05, True, False, False, 0.15, False, False, 0.60, 1.0, 3.0, 0.9, 0.4, 0.3, 3),
    Category("traffic", "交通停车", 0.09, True, True, False, 0.20, False, False, 0.50, 1.1, 3.5, 1.1, 1.0, 0.0, 3),
    Category("building", "违法建设", 0.03, True, True, False, 0.05, False, False, 0.25, 1.2, 6.0, 1.3, 2.0, 0.2, 3),
    Category("firms", "企业诉求", 0.03, False, True, True, 0.05, True, False, 0.60, 1.1, 4.0, 1.0, 0.8, 0.6, 2),
    Category("culture", "文化教育", 0.08, False, False, False, 0.45, True, True, 0.70, 0.9, 2.5, 0.9, 0.8, -0.4, 1),
)  # fmt: skip

COUNT = len(CATEGORIES)
#: The merged offices of a subdistrict, in the order of ``Category.office``: name, Chinese name.
OFFICE_NAMES = {
    "general": "综合", "party": "党群", "development": "发展", "governance": "治理", "welfare": "民生",
}  # fmt: skip
OFFICES = len(OFFICE_NAMES)
NAMES = tuple(c.name for c in CATEGORIES)
#: Categories that a mechanism knows by name.
DISPUTES, ORDER, FIRMS = (NAMES.index(name) for name in ("disputes", "order", "firms"))

#: The same table as a structured array for kernels, shape (12,).
TABLE = np.array(
    [
        (
            c.share, c.public, c.technical, c.errand, c.self_solving, c.market, c.social,
            c.competence, c.cross, c.work, c.delay, c.lifetime, c.stakes, c.office,
        )
        for c in CATEGORIES
    ],
    dtype=[
        ("share", "f8"), ("public", "?"), ("technical", "?"), ("errand", "?"),
        ("self_solving", "f8"), ("market", "?"), ("social", "?"), ("competence", "f8"),
        ("cross", "f8"), ("work", "f8"), ("delay", "f8"), ("lifetime", "f8"),
        ("stakes", "f8"), ("office", "i8"),
    ],
)  # fmt: skip

#: How much more often a category arises in a community of each type, shape (6, 12); the types
#: are old courtyard, commercial estate, resettlement area, urban village, new estate, village.
#: All assumed: old courtyards lack facilities, villages have few traffic and property cases.
MIX = np.array(
    [
        # gov  welf care hous disp sani road orde traf buil firm cult
        [1.0, 1.3, 1.4, 1.5, 1.2, 1.3, 1.3, 1.0, 1.2, 1.0, 0.6, 0.9],  # old courtyard
        [1.0, 0.6, 0.8, 1.1, 1.0, 0.8, 0.8, 0.8, 1.3, 0.9, 1.3, 1.1],  # commercial estate
        [1.1, 1.3, 1.0, 1.1, 1.2, 1.1, 0.9, 1.1, 1.0, 1.1, 0.6, 0.9],  # resettlement area
        [1.0, 1.2, 0.8, 1.2, 1.3, 1.5, 1.3, 1.6, 1.0, 1.9, 1.0, 0.8],  # urban village
        [1.1, 0.5, 0.7, 1.4, 0.9, 0.7, 1.0, 0.7, 1.1, 0.9, 0.9, 1.3],  # new estate
        [1.0, 1.4, 1.2, 0.5, 0.9, 1.0, 1.3, 0.7, 0.3, 1.0, 0.5, 0.8],  # village
    ]
)

#: P(K departments), K = 1..6, given that a case needs at least two, from the replies of one
#: Chinese city's message board (417, 113, 48, 18, 12 of 608; design §8a).
MULTI = np.array([0.0, 417.0, 113.0, 48.0, 18.0, 12.0]) / 608.0
