import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from benchmarks.report.markdown_tables import (
    code_in_markdown,
    escape_markdown,
    folded,
    list_in_markdown,
    table_to_markdown,
)
from benchmarks.report.tables import Cell, Table

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NAMES = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["a|b", "`x`", "<b>", "a\nb", "**b**", "_x_", "[a](b)", "~~x~~", "# h", "- x", "1. x", "&lt;"]
)


def shown(markdown: str) -> list[str]:
    """What a reader sees of a table, cell by cell."""
    tokens = MARKDOWN.parse(markdown)
    return [
        "".join(child.content for child in token.children).replace("\u200b", "")
        for token in tokens
        if token.type == "inline"
    ]


def one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip().replace("\u200b", "")


def test_a_table_by_hand():
    table = Table(
        "Files",
        (("NDCG@10", ""), ("p90", "ms"), ("State", "")),
        (("onnx|fp32", (Cell("0.12", "0.10–0.14"), Cell("–"), Cell("verified"))),),
    )
    assert table_to_markdown(table, "File") == (
        "**Files**\n"
        "\n"
        "| File | NDCG@10 | p90, ms | State |\n"
        "| :--- | ---: | ---: | :--- |\n"
        "| onnx\\|fp32 | 0.12 (0.10–0.14) | – | verified |\n"
    )


@given(NAMES, NAMES)
def test_a_table_shows_every_text_as_it_is(name, cell):
    table = Table("", (("x", ""),), ((name, (Cell(cell),)),))
    assert shown(table_to_markdown(table)) == ["Model", "x", one_line(name), one_line(cell)]


@given(NAMES)
def test_a_list_shows_every_text_as_it_is(text):
    assert shown(list_in_markdown([f"x {text}"])) == [one_line(f"x {text}")]
    if one_line(text):
        assert shown(list_in_markdown([text])) == [one_line(text)]


@pytest.mark.parametrize("text", ["# no heading", "- no list", "+ none", "2) none", "===", "---"])
def test_no_line_begins_something(text):
    (token,) = [one for one in MARKDOWN.parse(escape_markdown(text)) if one.nesting == 1]
    assert token.type == "paragraph_open"


def test_github_links_nothing_that_is_a_text():
    text = "@org/team see #12 https://example.org www.example.org me@example.org a/b#3 NDCG@10"
    assert escape_markdown(text) == (
        "@\u200borg/team see #\u200b12 https&#58;//example.org www&#46;example.org "
        "me@\u200bexample.org a/b#\u200b3 NDCG@10"
    )
    assert shown(escape_markdown(text)) == [text]


def test_code_holds_backticks():
    assert code_in_markdown("limbeck run a.yaml") == "`limbeck run a.yaml`"
    assert shown(code_in_markdown("a ``b`` c")) == ["a ``b`` c"]
    assert shown(code_in_markdown("`")) == ["`"]


def test_what_is_folded_cannot_leave_its_summary():
    text = folded("a </summary><b>", "x\n")
    assert text == "<details>\n<summary>a &lt;/summary&gt;&lt;b&gt;</summary>\n\nx\n\n</details>\n"
