"""Staff every desk with the heads that the money buys, and count what their hours went into."""

from dataclasses import dataclass, field

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.clock import CALENDARS, OPEN_DAYS, to_work
from reformsim.cases.columns import Columns
from reformsim.cases.engine import restaff, served_hours
from reformsim.categories import COUNT, FIRMS, OFFICES, ORDER
from reformsim.chance import Purpose
from reformsim.institutions import hours as h
from reformsim.institutions import organisations, staff
from reformsim.model.baseline import Baseline, Setting
from reformsim.model.orders import reaches
from reformsim.model.structure import Structure
from reformsim.rules import RULES


@dataclass
class Post:
    """A district's desks as they are staffed: what `busy` hours meant, desk by desk."""

    heads: np.ndarray  # (desks,) paid attendance while the desk is open, in heads
    attention: np.ndarray  # (desks,) case time per working hour of one server
    staff: np.ndarray  # (desks,) class of staff, index in hours.CLASSES
    unit: np.ndarray  # (desks,) city-wide row of the subdistrict; of line desks the first one
    since: float


@dataclass
class Books:
    """Hours by class of staff, subdistrict and activity, and how busy a month was.

    Loads are those of whole months: a step of the reform in mid-month must not change what
    others go by.
    """

    hours: np.ndarray  # (classes, units, activities), since the year began
    load: np.ndarray  # (classes, units) utilisation of the last month
    hub_load: np.ndarray  # (districts,)
    used: np.ndarray  # (classes, units) case hours used, since the month began
    room: np.ndarray  # (classes, units) case hours there were
    hub: np.ndarray  # (2, districts) the same of hubs
    posts: list[Post] = field(default_factory=list)

    @classmethod
    def of(cls, units: int, districts: int) -> "Books":
        """Open empty books."""
        return cls(
            hours=np.zeros((len(h.CLASSES), units, len(h.ACTIVITIES))),
            load=np.zeros((len(h.CLASSES), units)),
            hub_load=np.zeros(districts),
            used=np.zeros((len(h.CLASSES), units)),
            room=np.zeros((len(h.CLASSES), units)),
            hub=np.zeros((2, districts)),
        )

    def close_month(self) -> None:
        """Take the loads of the month that ends, and begin another."""
        self.load = self.used / np.maximum(self.room, 1e-9)
        self.hub_load = self.hub[0] / np.maximum(self.hub[1], 1e-9)
        for sums in (self.used, self.room, self.hub):
            sums[:] = 0.0


@dataclass(frozen=True)
class Attendance:
    """Shares of paid hours by class of staff, (units, activities); departments by district."""

    offices: np.ndarray
    stations: np.ndarray
    grids: np.ndarray
    departments: np.ndarray


def by_district(
    rules: np.ndarray, people: np.ndarray, district: np.ndarray, districts: int
) -> np.ndarray:
    """Return the rules that a district as a whole lives by: means over its residents."""
    values = rules.view(float).reshape(len(rules), -1)
    out = np.zeros((districts, values.shape[1]))
    np.add.at(out, district, values * people[:, None])
    total = np.bincount(district, weights=people, minlength=districts)
    return (out / total[:, None]).view(RULES).ravel()


def attend(
    rules: np.ndarray,
    world: np.record,
    offices: np.ndarray,
    people: np.ndarray,
    district: np.ndarray,
    districts: int,
) -> Attendance:
    """Return how every class of staff spends its paid hours under the rules in force."""
    back = offices["returned"]
    effort = offices["effort_investment"], offices["effort_residents"]
    line = by_district(rules, people, district, districts)
    paid = offices["heads"] * staff.YEAR_HOURS / 12.0
    partners = organisations.coordination(rules, world, paid)
    return Attendance(
        offices=h.shares(
            h.OFFICES, rules, world, back, *effort, grown=offices["grown"], coordination=partners
        ),
        stations=h.shares(h.STATIONS, rules, world, back, 0.0, 0.0),
        grids=h.shares(h.GRIDS, rules, world, back, 0.0, 0.0),
        departments=h.shares(h.DEPARTMENTS, line, world, 0.0, 0.0, 0.0),
    )


@dataclass
class Roster:
    """Who stands at a district's desks, being drawn up: one entry a desk, as in `Post`."""

    heads: np.ndarray
    attention: np.ndarray
    skill: np.ndarray
    staff: np.ndarray
    unit: np.ndarray

    @classmethod
    def of(cls, desks: int, first_unit: int) -> "Roster":
        """Return the roster of ``desks`` without anybody."""
        return cls(
            heads=np.zeros(desks),
            attention=np.zeros(desks),
            skill=np.ones(desks),
            staff=np.zeros(desks, np.int64),
            unit=np.full(desks, first_unit),
        )

    def enter(self, where: slice, staff: int, unit: np.ndarray, attention: np.ndarray) -> None:
        """Enter the class and subdistricts of some desks, and the case time of their staff."""
        self.staff[where] = staff
        self.unit[where] = unit
        self.attention[where] = attention


def staff_desks(
    columns: Columns,
    setting: Setting,
    rules: np.ndarray,
    offices: np.ndarray,
    workers: np.ndarray,
    districts: np.ndarray,
    attendance: Attendance,
    station_demand: np.ndarray,
    structure: Structure,
    day: float,
    books: Books,
) -> None:
    """Put the posts of every district in force at ``day`` and queue waiting cases again."""
    merged = _merge(setting, rules, offices, day)
    base = setting.base
    pooling = by_district(rules, base.people, base.district, len(districts))["budget_pooling"]

    def staff_one(d: s.District, k: int) -> Post:
        u, m, g, _ = columns.slices(k)
        roster = Roster.of(int(d.fixed[s.DESKS]), u.start)
        _post_grids(roster, d, u, workers[g], setting.world["cover"], attendance)
        calendar = _post_stations(
            roster, d, u, station_demand[m], offices, structure.days[u], attendance
        )
        _post_offices(roster, d, u, setting, rules, offices, structure, merged[u], attendance, day)
        _post_departments(
            roster, d, base, k, districts[k], pooling[k], setting.world["police_shift"], attendance
        )
        servers, speed = staff.servers_of(roster.heads, roster.attention * roster.skill)
        restaff(d, day, servers, speed, calendar)
        attention = roster.attention * roster.heads / servers
        return Post(roster.heads, attention, roster.staff, roster.unit, day)

    books.posts[:] = columns.each(staff_one, range(len(columns.districts)))


def _merge(setting: Setting, rules: np.ndarray, offices: np.ndarray, day: float) -> np.ndarray:
    """Return which desks are merged, (units, 12); remember when an office last merged some.

    Where firms have priority, their desk keeps its own people.
    """
    merged = np.stack(
        [
            reaches(rules["merged_desks"], setting.seed, Purpose.MERGE, category)
            for category in range(COUNT)
        ],
        axis=1,
    )
    own = reaches(rules["firm_request_priority"], setting.seed, Purpose.FIRM_DESK)
    merged[:, FIRMS] &= ~own
    share = merged.mean(axis=1)
    offices["merged_on"] = np.where(share > offices["merged"], day, offices["merged_on"])
    offices["merged"] = share
    return merged


def _post_grids(
    roster: Roster, d: s.District, u: slice, posts: np.ndarray, cover: float, attend: Attendance
) -> None:
    """Grid workers, whole posts: merged grids pool theirs, colleagues cover a vacant one."""
    n = len(d.grids)
    lead = d.grids["desk"]
    unit = u.start + d.communities["unit"][d.grids["community"]]
    roster.enter(slice(0, n), h.GRIDS, unit, attend.grids[unit, h.A["cases"]])
    # what colleagues of the subdistrict give to a vacant grid, they do not have for their own
    vacant = posts["vacant"]
    empty = np.bincount(unit - u.start, weights=vacant, minlength=u.stop - u.start)
    there = np.bincount(unit - u.start, weights=~vacant, minlength=u.stop - u.start)
    given = np.minimum(cover * empty / np.maximum(there, 1.0), 1.0 - staff.FEWEST_HEADS)
    in_post = np.where(vacant, cover, posts["skill"] * (1.0 - given[unit - u.start]))
    size = np.bincount(lead, minlength=n).astype(float)
    roster.heads[:n] = size
    pooled = np.bincount(lead, weights=in_post, minlength=n)
    roster.skill[:n] = np.where(size > 0, pooled / np.maximum(size, 1), 1.0)


def _post_stations(
    roster: Roster, d: s.District, u: slice, demand: np.ndarray, offices: np.ndarray,
    days: np.ndarray, attend: Attendance,
) -> np.ndarray:  # fmt: skip
    """Stations and the convenience centre share a subdistrict's station staff by demand.

    On more open ``days`` a week (units,) the same heads stand at them in turn. Returns the
    calendars of all desks, (desks,).
    """
    f = d.fixed
    where = slice(f[s.STATIONS], f[s.TERRITORIAL])
    local = np.concatenate([d.communities["unit"], np.arange(u.stop - u.start)])
    unit = u.start + local
    roster.enter(where, h.STATIONS, unit, attend.stations[unit, h.A["cases"]])
    served = np.bincount(d.communities["desk"], weights=demand, minlength=len(roster.heads))[where]
    total = np.bincount(local, weights=served, minlength=u.stop - u.start)
    money = offices["station_heads"] * offices["staff_share"]
    heads = served / np.maximum(total, 1e-9)[local] * money[unit]
    roster.heads[where] = staff.level_up(heads, local) * 5.0 / days[local]
    calendar = d.desks["calendar"].copy()
    calendar[where] = np.array([OPEN_DAYS[n] for n in days.tolist()])[local]
    return calendar


def _post_offices(
    roster: Roster, d: s.District, u: slice, setting: Setting, rules: np.ndarray,
    offices: np.ndarray, structure: Structure, merged: np.ndarray, attend: Attendance, day: float,
) -> None:  # fmt: skip
    """Territorial desks, or the five offices into which they are merged."""
    f, w, base = d.fixed, setting.world, setting.base
    mine = offices[u]
    posts = mine["heads"] * mine["staff_share"] + structure.territory.extra_heads[u]
    heads = staff.by_desk(
        posts * mine["filled"], base.earmarks, structure.territory.territorial[u],
        rules["budget_pooling"][u],
    )  # fmt: skip
    reserved = w["firm_reserve"] * (1 - w["floor"]) * rules["firm_request_priority"][u]
    heads = staff.reserve(heads, reserved, FIRMS)
    own, office, desk_of = staff.merge(heads, merged, int(f[s.TERRITORIAL]), int(f[s.OFFICES]))
    d.office_desk[:] = desk_of
    rows = np.arange(u.start, u.stop)
    unit = np.concatenate([np.repeat(rows, COUNT), np.repeat(rows, OFFICES)])
    where = slice(f[s.TERRITORIAL], f[s.DEPARTMENTS])
    roster.enter(where, h.OFFICES, unit, attend.offices[unit, h.A["cases"]])
    heads = np.concatenate([own.ravel(), office.ravel()])
    roster.heads[where] = staff.level_up(heads, unit - u.start)
    dip = w["merge_dip"] * np.exp(-(day - mine["merged_on"]) / w["merge_dip_days"])
    skill = mine["skill"] * structure.speed[u]
    roster.skill[where] = np.concatenate(
        [np.repeat(skill, COUNT), np.repeat(skill * (1 - dip), OFFICES)]
    )


def _post_departments(
    roster: Roster, d: s.District, base: Baseline, k: int, district: np.ndarray,
    pooling: float, shift: float, attend: Attendance,
) -> None:  # fmt: skip
    """Line departments, the hotline, the committee's hub; officers in post, out of public order.

    ``shift`` is the share of the heads for public order that posts in all communities take.
    """
    f = d.fixed
    where = slice(f[s.DEPARTMENTS], len(roster.heads))
    share = attend.departments[k, h.A["cases"]]
    roster.enter(where, h.DEPARTMENTS, roster.unit[where], np.full(len(roster.unit[where]), share))
    heads = staff.by_desk(
        base.departments[k : k + 1] * district["staff_share"],
        base.line_marks, base.line_load[k : k + 1], np.array([pooling]),
    )[0]  # fmt: skip
    people = np.bincount(d.grids["community"], d.grids["people"], len(d.communities))
    officers = shift * heads[ORDER] * people[d.communities["police"]].sum() / people.sum()
    heads[ORDER] -= officers
    heads = staff.level_up(np.append(heads, officers), np.zeros(COUNT + 1, np.int64))
    roster.heads[f[s.DEPARTMENTS] : f[s.HOTLINE_DESK]] = heads[:COUNT]
    roster.heads[f[s.POST_DESK]] = heads[COUNT]
    roster.heads[f[s.HOTLINE_DESK]] = base.hotline[k]
    roster.heads[f[s.HUB_DESK]] = district["hub_heads"]


def close_books(columns: Columns, attendance: Attendance, books: Books, day: float) -> None:
    """Book the hours of the span that ends at ``day``: paid, used for cases, slack."""
    served = columns.each(served_hours, [day] * len(columns.districts))
    for k, (d, post) in enumerate(zip(columns.districts, books.posts, strict=True)):
        worked = np.array([to_work(day, c) - to_work(post.since, c) for c in range(len(CALENDARS))])
        paid = post.heads * worked[d.desks["calendar"]]
        used = served[k] * post.attention
        first = columns.slices(k)[0].start
        for cls in range(len(h.CLASSES)):
            mine = post.staff == cls
            units = books.hours.shape[1]
            at = post.unit[mine]
            total = np.bincount(at, weights=paid[mine], minlength=units)
            case = np.bincount(at, weights=used[mine], minlength=units)
            if cls == h.DEPARTMENTS:
                share = np.zeros((units, len(h.ACTIVITIES)))
                share[first] = attendance.departments[k]
            else:
                share = getattr(attendance, h.CLASSES[cls])
            rows = np.flatnonzero(total)
            books.hours[cls, rows] += h.book(share[rows], total[rows], case[rows])
            books.used[cls] += case
            books.room[cls, rows] += total[rows] * share[rows, h.A["cases"]]
        hub = int(d.fixed[s.HUB_DESK])
        if post.heads[hub] > 0:
            books.hub[0, k] += used[hub]
            books.hub[1, k] += post.attention[hub] * d.desks["servers"][hub] * worked[1]
