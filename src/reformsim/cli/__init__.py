"""The command line: parse, call, print. Heavy modules are imported inside the commands.

A module for each family of commands; they appear in this order.
"""

from reformsim.cli import check, dashboard, lists, report, run
from reformsim.cli.common import app

__all__ = ["app", "check", "dashboard", "lists", "report", "run"]
