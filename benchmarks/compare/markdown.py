"""A comparison as Markdown, for a comment on a pull request."""

from benchmarks.compare.data import CompareData
from benchmarks.compare.view import compare_view
from benchmarks.report.markdown_tables import (
    escape_markdown,
    folded,
    list_in_markdown,
    table_to_markdown,
)


def comparison_markdown(data: CompareData) -> str:
    """Return the comparison as Markdown: verdict, sentences, files; the rest is folded."""
    view = compare_view(data)
    mark = {"passed": "✅", "failed": "❌"}.get(view.title, "⚠️")
    parts = [f"### {mark} limbeck compare: {view.title}\n", list_in_markdown(view.sentences)]
    if view.failures:
        parts.append(f"**Fails at:**\n\n{list_in_markdown(view.failures)}")
    parts.append(table_to_markdown(view.files, "File"))
    if view.notes:
        parts.append(list_in_markdown(view.notes))
    parts.append(folded("Teachers and students", table_to_markdown(view.behind)))
    parts.append(f"{escape_markdown(view.footnote)}\n")
    return "\n".join(parts)
