import json
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.data_memory import generate_table, main


def test_generated_tables_have_the_rows_asked_for_and_are_repeatable(tmp_path: Path) -> None:
    for name in ("one.parquet", "two.parquet"):
        generate_table(tmp_path / name, rows=70_000, users=50, items=20)
    table = pq.read_table(tmp_path / "one.parquet")
    assert table.num_rows == 70_000
    assert len(table["user"].unique()) == 50
    assert len(table["item"].unique()) == 20
    assert table.equals(pq.read_table(tmp_path / "two.parquet"))


def test_the_result_says_how_memory_grew(tmp_path: Path) -> None:
    main(["--rows", "0.3", "0.4", "--out", str(tmp_path / "result.json")])
    result = json.loads((tmp_path / "result.json").read_text())
    first, last = result["preparations"]
    assert (first["rows"], last["rows"]) == (300_000, 400_000)
    assert first["peak_rss_mb"] > first["start_rss_mb"] > 20
    assert result["growth"] == round(last["peak_rss_mb"] / first["peak_rss_mb"], 3)
