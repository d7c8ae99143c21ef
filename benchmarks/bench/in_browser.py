"""One file measured in a browser, as a row of a bench."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench.data import BenchRowData, BrokenRuleData, unsupported
from benchmarks.bench.entrant import Entrant
from benchmarks.bench.plan import Case
from benchmarks.timing.answers import agreement
from benchmarks.timing.rules import LEAST_AGREEMENT
from export.file_inputs import parts_of
from export.peers.description import PeerModel

ANSWERS_CHECKED = 32

_Answers = dict[str, NDArray[Any]]


def obstacle(model: Entrant) -> str:
    """Return what keeps a model from being asked in a browser here; empty where nothing does."""
    from export.browser.page import browser_obstacles

    if not model.is_onnx:
        return f"onnxruntime-web runs ONNX and ORT files, not {model.spec.runtime}"
    parts = parts_of(_in_the_page(model)[0])[1:]
    if parts:
        beside = ", ".join(one.name for one in parts)
        return f"its weights lie in files of their own ({beside}), and a page is given one file"
    return "; ".join(browser_obstacles())


def browser_row(
    model: Entrant,
    case: Case,
    log_folder: Path,
    known: Mapping[str, NDArray[Any]] | None = None,
) -> BenchRowData:
    """Measure a file in headless Chromium, with the backend that every browser has.

    Args:
        model: An ONNX or ORT file, or a peer that is one.
        case: Single-stream; its queries and seconds.
        log_folder: Gets the raw latencies.
        known: What the file answers outside of a browser; held against where no student's answers
            are known.

    Raises:
        UserError: The browser cannot run the file.
    """
    from benchmarks.browser.timing import measure_in_browser

    file, _ = _in_the_page(model)
    timing = measure_in_browser(
        file,
        model.samples,
        queries=case.scenario.queries,
        seconds=case.scenario.seconds,
        threads=case.threads,
        log_folder=log_folder,
    )
    checked, agreed = _answers(model, case.threads, model.expected or known)
    broken = []
    if timing.threads_used > case.threads:
        because = f"It started {timing.threads_used} threads, and was given {case.threads}."
        broken.append(BrokenRuleData(rule="threads", because=because))
    if not timing.supports(90.0):
        because = f"{timing.readings} latencies are too few for a p90: 64 are needed."
        broken.append(BrokenRuleData(rule="early-stopping", because=because))
    if agreed is not None and agreed < LEAST_AGREEMENT:
        because = f"{agreed:.0%} of {checked} answers are as they should be."
        broken.append(BrokenRuleData(rule="answers", because=because))
    return BenchRowData(
        name=model.name,
        target="browser",
        runtime=timing.backend,
        scenario="single-stream",
        threads=case.threads,
        batch=1,
        bytes=model.bytes,
        asked_with=model.asked_with,
        queries=timing.readings,
        examples=timing.queries,
        seconds=timing.seconds,
        throughput=timing.queries / timing.seconds,
        p50_ms=timing.p50_ms,
        p90_ms=timing.p90_ms,
        p95_ms=timing.p95_ms,
        p99_ms=timing.p99_ms,
        p99_9_ms=None,
        unsupported=unsupported(timing),
        calls_a_reading=timing.calls_a_reading,
        rate=None,
        bound_ms=None,
        load_ms=timing.load_ms,
        cold_start_ms=timing.cold_start_ms,
        memory_mb=None,
        peak_rss_mb=None,
        harness_us=None,
        noise_drift=timing.noise.drift,
        quiet=timing.noise.is_quiet,
        active_threads=timing.threads_used,
        cpu_share=timing.cpu_share,
        growth_kb=None,
        repeat_ratio=None,
        answers_checked=checked,
        agreement=agreed,
        pinned_to=(),
        valid=not broken,
        broken=tuple(broken),
    )


def _answers(
    model: Entrant, threads: int, right: Mapping[str, NDArray[Any]] | None
) -> tuple[int, float | None]:
    """Ask some examples whose right answers are known; return how many, and the share that is."""
    if right is None:
        return 0, None
    from export.browser.run import BrowserRunner

    file, read = _in_the_page(model)
    count = min(ANSWERS_CHECKED, len(model.samples))
    rows = np.linspace(0, len(model.samples) - 1, count).astype(np.int64)
    with BrowserRunner(file, threads=threads) as runner:
        given = [read(runner(model.samples.row(int(row)))) for row in rows]
    names = [name for name in given[0] if len({one[name].shape[1:] for one in given}) == 1]
    answers = {name: np.concatenate([one[name] for one in given]) for name in names}
    found = agreement(answers, {name: array[rows] for name, array in right.items()})
    return (0, None) if found is None else (count, float(found.mean()))


def _in_the_page(model: Entrant) -> tuple[Path, Callable[[_Answers], _Answers]]:
    """Return the file that a page loads, and what makes of its outputs what an app reads."""
    path = Path(model.spec.path)
    if model.spec.runtime != "onnx-peer":
        return path, lambda outputs: outputs
    about = PeerModel.read(path)

    def read(outputs: _Answers) -> _Answers:
        names = about.outputs(list(outputs))
        return about.answers(names, [outputs[name] for name in names])

    return path.parent / about.model, read
