"""Text and tables as GitHub's Markdown, in which nothing of the text is read as markup."""

import re
from collections.abc import Iterable

from benchmarks.report.tables import Cell, Table
from benchmarks.report.wording import NOT_MEASURED

_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
_AT_THE_START = re.compile(r"^([-+](?=\s|$)|#{1,6}(?=\s|$)|=+$|-+$)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_MENTION = re.compile(r"(?<!\w)@(?=\w)|@(?=[\w-]*\.\w|[0-9a-f]{7})|#(?=\w)")
"""`@name`, `name@host.org`, `name@commit`, `#1` and `owner/name#1`; not `NDCG@10`."""
_WWW = re.compile(r"(www)\.", re.IGNORECASE)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")


def escape_markdown(text: str) -> str:
    """Return a text on one line that Markdown shows as it is, in a table's cell too.

    Source: GitHub Flavored Markdown Spec 0.29, sections 2.4 (backslashes) and 4.10 (tables); `$`
    because GitHub reads mathematics between two of them. What GitHub turns into links without any
    markup stays text: an address (section 6.9), and, with a space of no width, @names and #numbers.
    """
    line = _BLANKS.sub(" ", text).strip()
    line = "".join(_ENTITIES.get(one, one) for one in line)
    line = _MARKUP.sub(r"\\\1", line)
    line = _MENTION.sub("\\g<0>\u200b", line).replace("://", "&#58;//")
    line = _WWW.sub("\\1&#46;", line)
    return _NUMBERED.sub(r"\1\\\2", _AT_THE_START.sub(r"\\\1", line))


def code_in_markdown(text: str) -> str:
    """Return a text on one line as code; the fence is longer than any that is in it."""
    line = _BLANKS.sub(" ", text).strip()
    fence = "`" * (max((len(one) for one in re.findall(r"`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def table_to_markdown(table: Table, first: str = "Model") -> str:
    """Return a table of the report, its title above it.

    Args:
        table: Rows of cells; the small print of a cell comes in brackets after it.
        first: Heading of the names.
    """
    names = [first, *(f"{name}, {unit}" if unit else name for name, unit in table.headings)]
    lines = [f"**{escape_markdown(table.title)}**", ""] if table.title else []
    lines += [_row(escape_markdown(name) for name in names)]
    lines += [_row([":---", *(_alignment(table, column) for column in range(len(names) - 1))])]
    for name, cells in table.rows:
        lines.append(_row([escape_markdown(name), *map(_cell, cells)]))
    return "\n".join(lines) + "\n"


def folded(summary: str, *parts: str) -> str:
    """Return parts that are seen once their summary is clicked on."""
    inside = "\n".join(part.rstrip("\n") + "\n" for part in parts)
    return f"<details>\n<summary>{escape_markdown(summary)}</summary>\n\n{inside}\n</details>\n"


def list_in_markdown(lines: Iterable[str]) -> str:
    """Return sentences as a list."""
    return "".join(f"- {escape_markdown(line)}\n" for line in lines)


def _alignment(table: Table, column: int) -> str:
    """Words to the left, figures to the right."""
    texts = [cells[column].text for _, cells in table.rows if cells[column].text != NOT_MEASURED]
    is_text = texts and not any(one.isdigit() for text in texts for one in text)
    return ":---" if is_text else "---:"


def _cell(cell: Cell) -> str:
    text, note = escape_markdown(cell.text), escape_markdown(cell.note)
    return f"{text} ({note})" if text and note else text or note


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
