"""A font with Chinese and Latin letters for matplotlib: Noto Sans SC, shipped by ``zhplot``."""

import importlib.util
from functools import cache
from pathlib import Path

from matplotlib import font_manager

_FILE = "fonts/NotoSansSC-Regular.ttf"


@cache
def register() -> str:
    """Make the font known to matplotlib and return its family name.

    The package is located, not imported: importing it would change matplotlib's settings.
    Raises FileNotFoundError where the font is not there.
    """
    spec = importlib.util.find_spec("zhplot")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _FILE
        if path.is_file():
            font_manager.fontManager.addfont(path)
            return font_manager.FontProperties(fname=path).get_name()
    raise FileNotFoundError(f"zhplot/{_FILE}: reinstall the project's dependencies")
