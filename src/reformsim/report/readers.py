"""Which modules read a lever, found in their source: an explanation that cannot go stale."""

import ast
import re
from functools import cache
from pathlib import Path

import reformsim
from reformsim.rules import BY_NAME

#: Where levers are declared, folded or shown; the others act on them.
_APART = ("rules.py", "measures", "scenario.py", "lab.py", "experiment", "report", "cli")

#: How the rules in force are called where they are read.
_RULES = re.compile(r"\b(rules?|paid)\b")


@cache
def readers() -> dict[str, tuple[str, ...]]:
    """Return the modules that read each lever, ``{"joint_dispatch": ("model/orders.py", …)}``.

    A lever is read where the rules in force are indexed by its name.
    """
    package = Path(reformsim.__file__).parent
    found: dict[str, list[str]] = {name: [] for name in BY_NAME}
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package)
        if module.parts[0] in _APART:
            continue
        for lever in sorted(_read_in(ast.parse(path.read_text(encoding="utf-8")))):
            found[lever].append(module.as_posix())
    return {name: tuple(modules) for name, modules in found.items()}


def _read_in(tree: ast.Module) -> set[str]:
    return {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
        and node.slice.value in BY_NAME
        and _RULES.search(ast.unparse(node.value))
    }
