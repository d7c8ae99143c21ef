from benchmarks.report.scenarios import scenarios_section

from ..bench.rows import broken, data, row


def offline(name, batch, throughput, **changes):
    return row(name, scenario="offline", batch=batch, throughput=throughput, **changes)


def test_throughput_by_batch_a_column_each():
    section = scenarios_section(
        data(offline("a", 1, 100.0), offline("a", 8, 400.0), offline("b", 8, 300.0))
    )
    (table,) = section.tables
    assert [title for title, _ in table.headings] == ["1", "8"]
    rows = [(name, [cell.text for cell in cells]) for name, cells in table.rows]
    assert rows == [("a", ["100", "400"]), ("b", ["–", "300"])]
    assert section.sentences == ("a answers most: 400 examples a second on 1 thread, 8 in a call.",)


def test_an_invalid_result_is_no_record_and_says_its_rule():
    section = scenarios_section(
        data(
            offline("a", 8, 900.0, **broken("answers", "3 of 64 answers are wrong.")),
            offline("b", 8, 300.0),
        )
    )
    assert section.sentences[0].startswith("b answers most")
    assert section.broken == ("a, offline, calls of 8: 3 of 64 answers are wrong.",)
    assert section.tables[0].rows[0][1][0].note == "invalid: answers"


def test_a_server_keeps_its_bound_or_does_not():
    server = {"scenario": "server", "rate": 50.0, "bound_ms": 100.0}
    section = scenarios_section(
        data(
            row("a", **server),
            row("b", **server, **broken("p99-bound", "p99 is 130 ms, over the bound of 100 ms.")),
        )
    )
    assert section.sentences == (
        "1 of 2 files keep p99 within 100 ms at the rate that they were given.",
    )
    assert [cells[-1].text for _, cells in section.tables[0].rows] == ["valid", "not valid"]


def test_single_stream_alone_has_no_tables():
    assert scenarios_section(data(row())).tables == ()
