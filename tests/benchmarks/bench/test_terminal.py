import io

from rich.console import Console

from benchmarks.bench.terminal import bench_sentences, bench_table

from .rows import broken, data, row


def printed(found):
    stream = io.StringIO()
    Console(file=stream, width=160).print(bench_table(found))
    return stream.getvalue()


def test_a_row_says_what_was_asked_of_whom():
    text = printed(
        data(
            row(),
            row(scenario="offline", batch=32, p90_ms=None, throughput=81_000.0),
            row(scenario="server", rate=9_500.0, bound_ms=100.0),
            row("litert int8-dynamic", runtime="litert", target="cpu"),
            row("onnx fp32", runtime="wasm", target="browser", memory_mb=None),
        )
    )
    assert "offline, calls of 32" in text
    assert "server, 9,500/s" in text
    assert "single-stream in a browser" in text
    assert text.count("onnx int8-dynamic") == 1  # named once for all of its rows
    assert "81,000" in text


def test_noise_and_broken_rules_are_in_the_row():
    text = printed(
        data(row(quiet=False, noise_drift=0.24), row(**broken("threads", "It ran 3 threads.")))
    )
    assert "noisy (24%)" in text
    assert "invalid: threads" in text


def test_what_the_table_cannot_hold_is_said_below():
    found = data(
        row(**broken("p99-bound", "p99 is 130 ms, over the bound of 100 ms.")),
        comparisons=(
            {
                "name": "litert int8-dynamic",
                "against": "onnx fp32",
                "threads": 1,
                "p90_ratio": {"value": 0.71, "low": 0.7, "high": 0.722},
                "rounds": 20,
                "restarts": 5,
                "same_examples": False,
            },
        ),
        not_measured=({"name": "tensorrt-rtx fp16", "target": "cpu", "because": "takes a GPU"},),
    )
    assert list(bench_sentences(found)) == [
        "litert int8-dynamic takes 0.710 [0.700, 0.722] of the p90 latency of onnx fp32 (20 rounds "
        "by 5 processes of each in turn, 1 thread); each was asked inputs of its own, which may be "
        "more or less work.",
        "onnx int8-dynamic, single-stream: p99 is 130 ms, over the bound of 100 ms.",
        "tensorrt-rtx fp16 was not measured (cpu): takes a GPU",
    ]


def test_threads_are_told_unless_it_is_one():
    def headings(*rows):
        return [one.header for one in bench_table(data(*rows)).columns]

    assert "threads" not in headings(row(), row("b"))
    assert "threads" in headings(row(threads=2), row("b", threads=2))


def test_more_threads_than_processors_are_told():
    found = data(
        row(threads=64), row("b", threads=64), row(threads=2), row(threads=9, target="browser")
    )
    assert list(bench_sentences(found)) == [
        "64 threads had 2 processors: they waited for each other, and were kept to none of them."
    ]
