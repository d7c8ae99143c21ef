"""What the report says of files in a browser, and that it says no more than is known."""

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.browser.data import BrowserData
from benchmarks.report.browser import browser_section, finding
from benchmarks.report.tables import Cell
from benchmarks.report.task_view import task_view

VIEW = task_view("next-item")
TIMING = {
    "backend": "wasm",
    "threads": 1,
    "threads_used": 1,
    "simd": True,
    "cross_origin_isolated": True,
    "browser": "Chromium 156.0.8078.79",
    "user_agent": "agent",
    "runtime_version": "1.30.0",
    "readings": 5000,
    "calls_a_reading": 1,
    "seconds": 5.0,
    "p50_ms": 0.5,
    "p90_ms": 0.75,
    "p95_ms": 0.8,
    "p99_ms": 1.5,
    "unsupported": (),
    "cold_start_ms": 321.0,
    "load_ms": 21.0,
    "clock_us": 5.0,
    "noise_us": (1000.0, 1001.0, 1002.0),
    "drift": 0.002,
    "noisy": False,
    "cpu_share": 1.0,
    "runtime_bytes": 14_300_000,
}
MEASURED = {
    "name": "onnx int8",
    "path": "export/int8.onnx",
    "bytes": 162_000,
    "backend": "wasm",
    "timings": (TIMING,),
    "cases": 943,
    "quality": {"ndcg@10": {"value": 0.118, "low": 0.104, "high": 0.132}},
    "kept_quality": {"metric": "ndcg@10", "value": 1.0045, "low": 0.972, "high": 1.037},
    "difference_from_cpu": {"metric": "ndcg@10", "value": 0.0, "low": 0.0, "high": 0.0},
    "agreement_with_cpu": 1.0,
    "max_abs_difference": None,
    "not_measured_because": None,
}
REFUSED = {
    **MEASURED,
    "name": "onnx int8, text-in",
    "timings": (),
    "not_measured_because": "no <operators>",
    **dict.fromkeys(
        (
            "cases",
            "quality",
            "kept_quality",
            "difference_from_cpu",
            "agreement_with_cpu",
        )
    ),
}


def data_of(*files, **changes):
    return BrowserData.model_validate(
        {
            "runtime": "onnxruntime-web 1.30.0",
            "metric": "ndcg@10",
            "files": files,
            "webgpu": None,
            "webgpu_not_measured_because": "not present here: no GPU",
            "not_measured_because": None,
            **changes,
        }
    )


def difference(value, low, high):
    return {"difference_from_cpu": {"metric": "ndcg@10", "value": value, "low": low, "high": high}}


def section_of(*files, **settings):
    return browser_section(data_of(*files), VIEW, **settings)


def column(table, heading):
    place = [name for name, _ in table.headings].index(heading)
    return [cells[place] for _, cells in table.rows]


def test_the_finding_comes_first():
    first, how, gpu = section_of(MEASURED).sentences
    assert first == (
        "In the browser onnx int8 shares 100% of the top 10 with the same file on the CPU; "
        "quality is the same: +0.0000 [+0.0000, +0.0000] NDCG@10."
    )
    assert how == (
        "Timed inside the page, in headless Chromium 156.0.8078.79 with onnxruntime-web 1.30.0 and "
        "WebAssembly SIMD; the page is cross-origin isolated. The runtime is 14.3 MB before "
        "compression."
    )
    assert gpu == "WebGPU was not measured: not present here: no GPU."


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ((-0.01, -0.02, -0.001), "it does worse there: −0.0100 [−0.0200, −0.0010]"),
        ((0.01, 0.001, 0.02), "it does better there: +0.0100"),
        ((-0.001, -0.02, 0.0), "the interval contains 0, so no difference of quality is shown"),
        ((0.0005, 0.0, 0.0008), "the interval contains 0, so no difference of quality is shown"),
    ],
)
def test_a_verdict_is_the_interval_s(figures, verdict):
    (file,) = data_of({**MEASURED, **difference(*figures)}).files
    assert verdict in finding(file, "ndcg@10", VIEW)


def test_texts_agree_instead_of_sharing_a_top_10():
    (file,) = data_of({**MEASURED, "agreement_with_cpu": 0.9997}).files
    said = finding(file, "macro_f1", task_view("text-label"))
    assert "agrees with the same file on the CPU on 99.97% of the test texts" in said


def test_almost_all_is_not_all():
    section = section_of({**MEASURED, "agreement_with_cpu": 0.99999})
    assert "shares 99.99% of the top 10" in section.sentences[0]
    assert column(section.quality, "Top 10 shared")[0].text == "99.99"


def test_a_file_that_the_cpu_was_not_asked_is_not_compared():
    nothing = {"difference_from_cpu": None, "agreement_with_cpu": None}
    section = section_of({**MEASURED, **nothing})
    assert section.sentences[0] == (
        "In the browser onnx int8 was asked the test cases; on the CPU it was not."
    )
    assert column(section.quality, "Browser − CPU")[0].text == "–"


def test_the_finding_is_about_the_file_to_ship():
    other = {**MEASURED, "name": "onnx fp32", "path": "export/fp32.onnx"}
    section = section_of(other, MEASURED, best="export/int8.onnx")
    assert section.sentences[0].startswith("In the browser onnx int8 ")
    assert section_of(other, MEASURED).sentences[0].startswith("In the browser onnx fp32 ")


def test_latency_has_a_row_a_number_of_threads():
    timings = (TIMING, {**TIMING, "threads": 4, "threads_used": 2, "p99_ms": None, "noisy": True})
    section = section_of(
        {**MEASURED, "timings": timings}, native_p90={"onnx int8": Cell("0.060", "noisy (14%)")}
    )
    assert [name for name, _ in section.latency.rows] == [
        "onnx int8, 1 thread",
        "onnx int8, 2 threads",
    ]
    assert [one.text for one in column(section.latency, "p99")] == ["1.50", "–"]
    assert [one.note for one in column(section.latency, "p90")] == ["", "noisy machine"]
    assert column(section.latency, "p90 on the CPU")[0] == Cell("0.060", "noisy (14%)")
    assert column(section.latency, "Cold start")[0].text == "321"


def test_means_of_several_calls_and_few_readings_are_marked():
    timing = {**TIMING, "calls_a_reading": 18, "readings": 63, "unsupported": ("p90", "p95")}
    section = section_of({**MEASURED, "timings": (timing,)})
    assert "a latency is the mean of several calls" in section.sentences[2]
    assert column(section.latency, "p90")[0].text == "≈ 0.750"
    assert column(section.latency, "Readings")[0].note == "of 18 calls each"
    assert "p90 on the CPU" not in [name for name, _ in section.latency.headings]


def test_without_a_browser_there_is_one_sentence():
    data = data_of(REFUSED, not_measured_because="Chromium not found")
    section = browser_section(data, VIEW)
    assert section.sentences == (
        "The recipe asks for a browser, and there was none: Chromium not found.",
    )
    assert (section.latency, section.quality, section.not_measured) == (None, None, ())


def test_a_recipe_without_a_browser_has_no_section():
    assert browser_section(None, VIEW) is None


def test_nothing_measured_is_said():
    section = section_of(REFUSED)
    assert section.sentences == ("No file could be measured in the browser.",)
    assert section.not_measured == (("onnx int8, text-in", "no <operators>"),)


def test_the_template_lays_it_out_and_escapes_what_it_is_given():
    templates = Environment(
        loader=PackageLoader("benchmarks.report"), autoescape=True, undefined=StrictUndefined
    )
    page = templates.get_template("browser.html.j2").render(browser=section_of(MEASURED, REFUSED))
    assert '<section id="browser">' in page
    assert "onnx int8, 1 thread" in page
    assert "no &lt;operators&gt;" in page
    assert page.count("<table") == 2
