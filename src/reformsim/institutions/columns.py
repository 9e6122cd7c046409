"""The columns of institutions: one row per office, grid worker, organisation, district."""

import numpy as np

#: A subdistrict office and what it governs by.
OFFICE = np.dtype(
    [
        ("weight_investment", "f8"),  # own weights: what assessment asks, as the office takes it
        ("weight_satisfaction", "f8"),
        ("taste_investment", "f8"),  # keyed factors of the weights between offices
        ("taste_satisfaction", "f8"),
        ("effort_investment", "f8"),
        ("effort_residents", "f8"),
        ("heads", "f8"),  # at the office's own desks
        ("station_heads", "f8"),
        ("staff_share", "f8"),  # what the money buys of the pre-reform office and station heads
        ("burnout", "f8"),
        ("skill", "f8"),
        ("filled", "f8"),
        ("load", "f8"),  # utilisation of its desks in the last month
        ("returned", "f8"),  # share of cut tasks that came back under other names
        ("grown", "f8"),  # share of paid hours in tasks that the five functions attracted
        ("merged_on", "f8"),  # day of the last merger of desks, −inf before
        ("merged", "f8"),  # share of desks merged
        ("surveyed", "f8"),  # satisfaction, as the last survey measured it
        ("measured_rate", "f8"),  # closings counted as solved over ended cases
        ("usual", "f8"),  # of survey and rate, a moving mean: what the place makes possible
        ("score", "f8"),
        ("rank", "i8"),
        ("projects", "f8"),  # projects won last year
        ("project_revenue", "f8"),  # yearly revenue of the projects it hosts, 10,000 yuan
        ("bids", "f8"),  # 10,000 yuan a year spent on bidding
    ]
)

#: Money of a subdistrict or a district, 10,000 yuan; flows since the year began.
ACCOUNT = np.dtype(
    [
        ("transfer", "f8"),  # a year's recurrent transfer
        ("balance", "f8"),
        ("opening", "f8"),  # balance when the year began
        ("received", "f8"),
        ("revenue", "f8"),
        ("measures", "f8"),
        ("bids", "f8"),
        ("wages", "f8"),
        ("measures_rate", "f8"),  # a year, in the present span
        ("spending_rate", "f8"),
    ]
)

#: A grid worker's post.
WORKER = np.dtype(
    [
        ("burnout", "f8"),
        ("skill", "f8"),
        ("tenure", "i8"),
        ("appeal", "f8"),  # of the post against before: pay and prospects, in sd of pay
        ("vacant", "?"),
        ("load", "f8"),
    ]
)

#: Firms and market services of a community.
BUSINESS = np.dtype(
    [
        ("firms", "f8"),  # number against before the reform
        ("requests", "f8"),  # of last month
        ("satisfaction", "f8"),  # mean performance that firms have come to know
        ("exit", "f8"),  # chance that a firm closes in a month
        ("supply", "f8"),  # market services against before the reform
    ]
)

#: A social organisation.
ORGANISATION = np.dtype(
    [
        ("office", "i8"),  # subdistrict it works in, city-wide row
        ("reach", "f8"),  # share of the subdistrict's eligible demand that comes its way
        ("capacity", "f8"),  # paid service hours a month
        ("funds", "f8"),  # yuan
        ("dependence", "f8"),
        ("service", "f8"),  # hours it can deliver this month
        ("received", "f8"),  # yuan since the start, government and donations
        ("spent", "f8"),
    ]
)

#: A district's committee (its hub) and investment team.
DISTRICT = np.dtype(
    [
        ("hub_heads", "f8"),
        ("team_heads", "f8"),
        ("staff_share", "f8"),  # what the money buys of the pre-reform department heads
        ("load", "f8"),
    ]
)

#: How a subdistrict works, as a point on a line.
WAY = np.dtype(
    [
        ("best", "f8"),  # what fits its place
        ("way", "f8"),  # its own way, trials apart
        ("heading", "f8"),  # direction of the next trial, −1 or 1
        ("began", "i8"),  # month in which the present trial began, −1 without one
    ]
)

#: A community as a place; facilities in residents served to the full standard.
PLACE = np.dtype(
    [
        ("quality", "f8"),  # of the environment, 0–1
        ("facilities", "f8"),  # usable level for the residents of now, 0–1
        ("stock", "f8"),  # facilities that residents can use
        ("paper", "f8"),  # facilities that count as built and cannot be used
        ("jobs", "f8"),  # of a designated town
        ("wear", "f8"),  # of the environment, a year
        ("wear_facilities", "f8"),
        ("works", "f8"),  # share of the place under works this year
        ("renewed", "f8"),  # share of its homes being renewed this year
        ("enforcement", "f8"),  # hours against illegal building, of the most there can be
        ("peak", "f8"),  # most residents there ever were
    ]
)
