"""The report's colours, read from its stylesheet so that they are written down once."""

import re
from functools import cache
from importlib.resources import files

_FIRST_ROOT = re.compile(r":root\s*\{(.*?)\}", re.DOTALL)
_COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\s*;")


@cache
def light_palette() -> dict[str, str]:
    """Return the colours of the light theme by their role: `ink`, `teacher`, `line-0`, ..."""
    css = files("benchmarks.report") / "templates" / "report.css"
    root = _FIRST_ROOT.search(css.read_text(encoding="utf-8"))
    if root is None:
        raise ValueError("report.css has no :root")
    return dict(_COLOUR.findall(root.group(1)))
