import json
from pathlib import Path
from typing import get_args

import pytest

from benchmarks.compare.command import compare_command
from benchmarks.compare.data import CompareData, Method, QualityVerdict, SpeedVerdict
from compress.errors import CheckFailed, UserError

from .fabricated import FILE, write_run

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "compare.md"


@pytest.fixture
def runs(inputs, tmp_path):
    hits = {"base": range(50), "worse": range(40), "same": range(50)}
    folders = {name: write_run(tmp_path / name, inputs, one) for name, one in hits.items()}

    def named(*names):
        return [(name, folders[name]) for name in names]

    return named


def test_a_passing_comparison_prints_tables_and_sentences(runs, capsys):
    compare_command(runs("base", "same"))
    shown = capsys.readouterr().out
    assert f"base: {FILE}" in shown
    assert "same is not shown to be worse: NDCG@10 0.0% [0.0%, 0.0%] against base, paired" in shown
    assert "--latency asks the files in turn" in shown


def test_a_worse_run_fails_with_one_line_a_failure(runs, capsys):
    with pytest.raises(CheckFailed) as failed:
        compare_command(runs("base", "worse", "same", "worse"))
    assert failed.value.exit_code == 1
    lines = str(failed.value).splitlines()
    assert len(lines) == 2
    assert all(line.strip().startswith(f"worse: {FILE} changes NDCG@10") for line in lines)
    assert "worse is worse" in capsys.readouterr().out


def test_json_has_the_documented_shape_and_stdout_alone(runs, capsys):
    with pytest.raises(CheckFailed):
        compare_command(runs("base", "worse"), as_json=True)
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["schema"] == "limbeck.compare/1"
    assert found["passed"] is False
    assert CompareData.model_validate(found).comparisons[0].verdict == "worse"
    assert "worse is worse" in printed.err


def test_markdown_goes_to_a_file_even_if_a_run_fails(runs, tmp_path):
    with pytest.raises(CheckFailed):
        compare_command(runs("base", "worse"), markdown=tmp_path / "new" / "comment.md")
    text = (tmp_path / "new" / "comment.md").read_text(encoding="utf-8")
    assert text.startswith("### ❌ limbeck compare: failed\n")
    assert f"| worse: {FILE} | 0.4000 (0.3000–0.5000) | −20.0% (" in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_markdown_for_stdout_leaves_it_alone(runs, capsys):
    compare_command(runs("base", "same"), markdown=Path("-"))
    printed = capsys.readouterr()
    assert printed.out.startswith("### ✅ limbeck compare: passed\n")
    assert "Behind them" not in printed.out
    assert "Behind them" in printed.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_slowdown": 0.1}, "--max-slowdown judges what --latency measures"),
        ({"as_json": True, "markdown": Path("-")}, "both print to stdout"),
        ({"latency": True}, "a report without the run's export folder"),
        ({"max_drop": 5.0}, "--max-drop 5: write a share"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_printed(runs, capsys, options, message):
    with pytest.raises(UserError, match=message):
        compare_command(runs("base", "same"), **options)
    assert not capsys.readouterr().out


def test_the_documentation_names_every_field_and_word():
    documentation = DOCUMENTATION.read_text(encoding="utf-8")
    shape = CompareData.model_json_schema()
    parts = (shape, *shape["$defs"].values())
    fields = {name for part in parts for name in part.get("properties", {})}
    words = {one for kind in (Method, QualityVerdict, SpeedVerdict) for one in get_args(kind)}
    assert {"relative", "worse within the limit"} <= fields | words
    assert not {name for name in fields | words if f"`{name}`" not in documentation}
