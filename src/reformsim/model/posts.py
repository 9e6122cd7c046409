"""Staff every desk with the heads that the money buys, and count what their hours went into."""

from dataclasses import dataclass, field

import numpy as np

from reformsim.cases import state as s
from reformsim.cases.clock import CALENDARS, to_work
from reformsim.cases.columns import Columns
from reformsim.cases.engine import restaff, served_hours
from reformsim.categories import COUNT, OFFICES
from reformsim.chance import Purpose
from reformsim.institutions import hours as h
from reformsim.institutions import staff
from reformsim.model.baseline import Baseline
from reformsim.model.orders import reaches


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
    """Hours by class of staff, subdistrict and activity; busy hours of the last span."""

    hours: np.ndarray  # (classes, units, activities), since the year began
    load: np.ndarray  # (classes, units) utilisation in the last span
    hub_load: np.ndarray  # (districts,)
    posts: list[Post] = field(default_factory=list)

    @classmethod
    def of(cls, units: int, districts: int) -> "Books":
        """Open empty books."""
        return cls(
            hours=np.zeros((len(h.CLASSES), units, len(h.ACTIVITIES))),
            load=np.zeros((len(h.CLASSES), units)),
            hub_load=np.zeros(districts),
        )


@dataclass(frozen=True)
class Attendance:
    """Shares of paid hours by class of staff, (units, activities); departments by district."""

    offices: np.ndarray
    stations: np.ndarray
    grids: np.ndarray
    departments: np.ndarray


def attend(
    rules: np.ndarray, world: np.record, offices: np.ndarray, district: np.ndarray, districts: int
) -> Attendance:
    """Return how every class of staff spends its paid hours under the rules in force."""
    back = offices["returned"]
    effort = offices["effort_investment"], offices["effort_residents"]
    rows = np.array([np.flatnonzero(district == k)[0] for k in range(districts)])
    return Attendance(
        offices=h.shares(h.OFFICES, rules, world, back, *effort),
        stations=h.shares(h.STATIONS, rules, world, back, 0.0, 0.0),
        grids=h.shares(h.GRIDS, rules, world, back, 0.0, 0.0),
        departments=h.shares(h.DEPARTMENTS, rules[rows], world, back[rows], 0.0, 0.0),
    )


def staff_desks(
    columns: Columns,
    base: Baseline,
    rules: np.ndarray,
    world: np.record,
    offices: np.ndarray,
    workers: np.ndarray,
    districts: np.ndarray,
    attendance: Attendance,
    station_demand: np.ndarray,
    seed: int,
    day: float,
    books: Books,
) -> None:
    """Put the posts of every district in force at ``day`` and queue waiting cases again."""
    merged = np.stack(
        [
            reaches(rules["merged_desks"], seed + 1000 * category, Purpose.MERGE)
            for category in range(COUNT)
        ],
        axis=1,
    )
    newly = merged.mean(axis=1) > offices["merged"]
    offices["merged_on"] = np.where(newly, day, offices["merged_on"])
    offices["merged"] = merged.mean(axis=1)
    dip = world["merge_dip"] * np.exp(-(day - offices["merged_on"]) / world["merge_dip_days"])
    by_desk = staff.by_desk(
        offices["heads"] * offices["staff_share"] * offices["filled"],
        base.earmarks, base.territorial, rules["budget_pooling"],
    )  # fmt: skip
    books.posts.clear()
    for k, d in enumerate(columns.districts):
        u, m, g, _ = columns.slices(k)
        f = d.fixed
        n_units, n_grids = u.stop - u.start, len(d.grids)
        desks = int(f[s.DESKS])
        heads, attention, skill = np.zeros(desks), np.zeros(desks), np.ones(desks)
        kind = np.zeros(desks, np.int64)
        unit = np.full(desks, u.start)
        unit_of = d.communities["unit"]

        # grid workers: whole posts; merged grids pool theirs, colleagues cover a vacant one
        posts = workers[g]
        lead = d.grids["desk"]
        unit[:n_grids] = u.start + unit_of[d.grids["community"]]
        in_post = np.where(posts["vacant"], world["cover"], posts["skill"])
        size = np.bincount(lead, minlength=n_grids).astype(float)
        pooled = np.bincount(lead, weights=in_post, minlength=n_grids)
        heads[:n_grids] = size
        skill[:n_grids] = np.where(size > 0, pooled / np.maximum(size, 1), 1.0)
        attention[:n_grids] = attendance.grids[unit[:n_grids], h.A["cases"]]
        kind[:n_grids] = h.GRIDS

        # stations and the convenience centre share the subdistrict's station staff by demand
        served = np.bincount(d.communities["desk"], weights=station_demand[m], minlength=desks)
        front = slice(f[s.STATIONS], f[s.TERRITORIAL])
        unit[f[s.STATIONS] : f[s.CENTRES]] = u.start + unit_of
        unit[f[s.CENTRES] : f[s.TERRITORIAL]] = np.arange(u.start, u.stop)
        total = np.bincount(unit[front] - u.start, weights=served[front], minlength=n_units)
        money = (offices["station_heads"] * offices["staff_share"])[u]
        heads[front] = (served[front] / np.maximum(total, 1e-9)[unit[front] - u.start]) * (
            money[unit[front] - u.start]
        )
        heads[front] = staff.level_up(heads[front], unit[front] - u.start)
        attention[front] = attendance.stations[unit[front], h.A["cases"]]
        kind[front] = h.STATIONS

        own, office, desk_of = staff.merge(
            by_desk[u], merged[u], int(f[s.TERRITORIAL]), int(f[s.OFFICES])
        )
        d.office_desk[:] = desk_of
        inside = slice(f[s.TERRITORIAL], f[s.DEPARTMENTS])
        heads[f[s.TERRITORIAL] : f[s.OFFICES]] = own.ravel()
        heads[f[s.OFFICES] : f[s.DEPARTMENTS]] = office.ravel()
        unit[f[s.TERRITORIAL] : f[s.OFFICES]] = np.repeat(np.arange(u.start, u.stop), COUNT)
        unit[f[s.OFFICES] : f[s.DEPARTMENTS]] = np.repeat(np.arange(u.start, u.stop), OFFICES)
        heads[inside] = staff.level_up(heads[inside], unit[inside] - u.start)
        attention[inside] = attendance.offices[unit[inside], h.A["cases"]]
        skill[inside] = offices["skill"][unit[inside]]
        pooled_desks = slice(f[s.OFFICES], f[s.DEPARTMENTS])
        skill[pooled_desks] *= 1 - dip[unit[pooled_desks]]
        kind[inside] = h.OFFICES

        line = slice(f[s.DEPARTMENTS], desks)
        share = districts["staff_share"][k]
        heads[f[s.DEPARTMENTS] : f[s.HOTLINE_DESK]] = staff.level_up(
            base.departments[k] * share, np.zeros(COUNT, np.int64)
        )
        heads[f[s.HOTLINE_DESK]] = base.hotline[k] * share
        heads[f[s.HUB_DESK]] = districts["hub_heads"][k]
        attention[line] = attendance.departments[k, h.A["cases"]]
        kind[line] = h.DEPARTMENTS

        servers, speed = staff.servers_of(heads, attention * skill)
        restaff(d, day, servers, speed)
        books.posts.append(Post(heads, attention * heads / servers, kind, unit, day))


def close_books(columns: Columns, attendance: Attendance, books: Books, day: float) -> None:
    """Book the hours of the span that ends at ``day``: paid, used for cases, slack."""
    for k, (d, post) in enumerate(zip(columns.districts, books.posts, strict=True)):
        worked = np.array([to_work(day, c) - to_work(post.since, c) for c in range(len(CALENDARS))])
        paid = post.heads * worked[d.desks["calendar"]]
        used = served_hours(d, day) * post.attention
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
            capacity = total[rows] * share[rows, h.A["cases"]]
            books.load[cls, rows] = case[rows] / np.maximum(capacity, 1e-9)
        hub = int(d.fixed[s.HUB_DESK])
        room = post.attention[hub] * d.desks["servers"][hub] * worked[1]
        if worked[1] > 0:
            books.hub_load[k] = used[hub] / room if post.heads[hub] > 0 else 0.0
