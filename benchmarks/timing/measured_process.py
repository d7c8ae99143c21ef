"""The process that is measured: load one model, warm it up, let LoadGen ask it, look at it after.

Run as `python -m benchmarks.timing.measured_process JOB.json` by `benchmarks.timing.measure`, which
also sets the thread counts in its environment, before any library can read them. Little is imported
here, so that the peak memory is the model's and its runtime's.
"""

import gc
import sys
import time
from importlib import import_module
from pathlib import Path
from threading import get_native_id

import numpy as np

from benchmarks.timing.asking import (
    SEED,
    ask_twice,
    keep_out,
    longest_call,
    warm_up,
    watch_memory,
)
from benchmarks.timing.isolation import (
    allowed_cpus,
    choose_cpus,
    forget_peak_memory,
    memory_mb,
    pin,
)
from benchmarks.timing.job import ANSWERS, LATENCIES, OBSERVED, SAMPLES, MeasuringJob, Observed
from benchmarks.timing.load_generator import WarmedUp, run_load_generator
from benchmarks.timing.probe import read_probe
from benchmarks.timing.scenario import Scenario
from benchmarks.timing.threads import MANY_TICKS_NS, activity, children_ns, keep_orphans
from compress.imports import leave_out_torchao
from export.runner import import_runtime, open_runner
from export.samples import Inputs, Samples

_CALLS_PREPARED = 256
"""Batches that warm-up and memory check choose from."""


def main(job_file: str) -> None:
    """Carry out the job in `job_file` and write what was observed beside the LoadGen logs."""
    job = MeasuringJob.from_json(Path(job_file).read_text(encoding="utf-8"))
    folder = Path(job.folder)
    allowed = allowed_cpus()
    pinned = choose_cpus(job.spec.threads, allowed)
    pinned = pinned if pin(pinned) else ()
    others = tuple(cpu for cpu in allowed if cpu not in pinned) or allowed
    given = Samples.load(folder / SAMPLES)
    asked, kept_out, partners = keep_out(given)
    samples = given.take(asked)
    calls = _calls(samples, job.scenario)

    keep_orphans()
    import_runtime(job.spec)
    import_module("mlperf_loadgen")
    runner = open_runner(job.spec)
    # What was read and copied up to here is not the model's.
    forget_peak_memory()
    rss_before_load_mb = memory_mb("VmRSS")
    started = time.perf_counter_ns()
    with runner:
        load_ms = (time.perf_counter_ns() - started) / 1e6
        took = warm_up(runner, calls, job.warm_up_seconds)
        warmed = WarmedUp(int(took.min()), float(took[len(took) // 2 :].mean()))
        runner(longest_call(samples, job.scenario.batch))  # A short warm-up may not have had it.
        # Taken before LoadGen prepares its queries, some KB each: they are not the model's.
        peak_rss_mb = memory_mb("VmHWM")
        # A phone has no Python garbage collector that could strike in the middle of a query.
        gc.collect()
        gc.disable()
        before_us = read_probe(pinned)
        children_before, asked_from = children_ns(), time.perf_counter_ns()
        record = run_load_generator(
            runner, samples, job.scenario, warmed, folder=job.folder, own_cpus=others, cpus=pinned
        )
        by_children_ns = children_ns() - children_before
        asked_ns = time.perf_counter_ns() - asked_from
        after_us = read_probe(pinned)
        first_ns, again_ns = ask_twice(runner, given, kept_out, partners, warmed.usual_ns)
        gc.enable()
        rss_kb, growth_queries = watch_memory(runner, calls, warmed.usual_ns)
    latencies = np.array(record.latencies[: record.asked], dtype=np.int64)
    np.save(folder / LATENCIES, latencies)
    kept, faulty, faults, answers = record.judged()
    if answers:
        np.savez(folder / ANSWERS, **answers | {"rows": asked[answers["rows"]]})
    is_server = job.scenario.name == "server"
    wall_ns = record.last_ns - record.first_ns - record.paused_ns
    answering_ns = int(latencies.sum()) if is_server else wall_ns  # A server waits for queries.
    seen = activity(
        record.before,
        record.after,
        answering_ns,
        left_out=record.not_ours,
        spent_ns=record.paused_cpu_ns,
        spent_queued_ns=record.paused_queued_ns,
        spent_by=get_native_id(),
        spent_by_all_ns=record.paused_process_ns,
        elapsed_ns=record.last_ns - record.first_ns,
    )
    observed = Observed(
        load_ms=load_ms,
        rss_before_load_mb=rss_before_load_mb,
        peak_rss_mb=peak_rss_mb,
        pinned_to=pinned,
        probe_us=(before_us, *record.probe_us, after_us),
        seconds=wall_ns / 1e9,
        examples=record.examples or record.asked,
        active_threads=seen.threads,
        cpu_share=seen.cpu_share,
        children_share=by_children_ns / asked_ns if by_children_ns > MANY_TICKS_NS else 0.0,
        awake_share=seen.awake_share,
        stolen_share=seen.stolen_share,
        rss_kb=rss_kb,
        growth_queries=growth_queries,
        first_ns=first_ns,
        again_ns=again_ns,
        answers_kept=kept,
        answers_faulty=faulty,
        faults=faults,
        paused_seconds=record.paused_ns / 1e9,
    )
    (folder / OBSERVED).write_text(observed.to_json(), encoding="utf-8")


def _calls(samples: Samples, scenario: Scenario) -> list[Inputs]:
    """What warm-up and memory check ask: calls like those that are timed."""
    if scenario.batch == 1:
        return [samples.row(index) for index in range(len(samples))]
    random = np.random.default_rng(SEED)
    return [
        samples.batch(random.integers(0, len(samples), scenario.batch))
        for _ in range(min(_CALLS_PREPARED, len(samples)))
    ]


if __name__ == "__main__":
    leave_out_torchao()
    main(sys.argv[1])
