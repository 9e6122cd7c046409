"""A font with Chinese and Latin letters for figures and pages: Noto Sans SC, of ``zhplot``."""

import base64
import importlib.util
import io
from functools import cache
from pathlib import Path

_FILE = "fonts/NotoSansSC-Regular.ttf"

#: The family that pages fall back to.
PAGES = "Brief Sans SC"


@cache
def register() -> str:
    """Make the font known to matplotlib and return its family name.

    Raises FileNotFoundError where the font is not there.
    """
    from matplotlib import font_manager

    font_manager.fontManager.addfont(path())
    return font_manager.FontProperties(fname=path()).get_name()


def face(text: str) -> str:
    """Return a CSS rule that holds the font with the letters of ``text``, and no others.

    A page in Chinese then shows on a machine without a Chinese font. Letters that the font does
    not have are left to the machine.
    """
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=["kern"], hinting=False)
    font = subset.load_font(str(path()), options)
    cut = subset.Subsetter(options)
    cut.populate(text="".join(sorted(set(text))))
    cut.subset(font)
    raw = io.BytesIO()
    subset.save_font(font, raw, options)
    link = f"data:font/woff;base64,{base64.b64encode(raw.getvalue()).decode()}"
    return f'@font-face {{ font-family: "{PAGES}"; src: url("{link}") format("woff"); }}\n'


@cache
def path() -> Path:
    """Return where the font lies.

    The package is located, not imported: importing it would change matplotlib's settings.
    """
    spec = importlib.util.find_spec("zhplot")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = Path(folder) / _FILE
        if found.is_file():
            return found
    raise FileNotFoundError(f"zhplot/{_FILE}: reinstall the project's dependencies")
