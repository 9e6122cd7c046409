"""The command line: parse, call, print. Heavy modules are imported inside the commands.

A module for each family of commands; they appear in this order.
"""

from reformsim.cli import advise, calibrate, cases, check, city, dashboard, lists, report, run
from reformsim.cli.common import app

__all__ = [
    "advise",
    "app",
    "calibrate",
    "cases",
    "check",
    "city",
    "dashboard",
    "lists",
    "report",
    "run",
]
