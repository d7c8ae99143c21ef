"""The stage that measures ONNX and ORT files in a browser, the same for all tasks."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from benchmarks.browser.asking import asking
from benchmarks.browser.comparison import AnyEvaluation, compared
from benchmarks.browser.data import (
    BrowserData,
    BrowserFileData,
    BrowserTimingData,
    timing_data,
)
from benchmarks.environment import current_environment
from benchmarks.stages.latency import QUICK_QUERIES, QUICK_SECONDS
from benchmarks.stages.subjects import Subject, samples_of, subjects
from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import AnyRecipe, NextItemRecipe, content_hash
from compress.reuse import made_before, note_made
from compress.stage import Stage, StageContext
from export.blocked_items import exported_blocked_items
from export.browser.install import RUNTIME
from export.browser.page import Backend, BrowserPage, browser_obstacles
from export.samples import Samples

NAME = "browser"
RESULT = "browser.json"
FORMATS = ("onnx", "ort")
"""What onnxruntime-web loads."""
NO_TEXTS = (
    "It tokenizes inside its graph, and onnxruntime-web lacks the operators for that: in a browser "
    "the tokenizer is JavaScript’s."
)


@dataclass(frozen=True)
class Plan:
    """What is measured of every file."""

    queries: int
    seconds: float
    threads: tuple[int, ...]


def is_wanted(recipe: AnyRecipe) -> bool:
    """Whether the recipe asks for a browser."""
    return "browser" in recipe.benchmark.measured_on


def plan_of(recipe: AnyRecipe, quick: bool) -> Plan:
    """How long files are asked, and with how many threads of WebAssembly."""
    benchmark = recipe.benchmark
    threads = tuple(sorted({1, benchmark.threads}))
    if quick:
        return Plan(QUICK_QUERIES, min(QUICK_SECONDS, benchmark.scenario_seconds), threads)
    return Plan(benchmark.queries, benchmark.scenario_seconds, threads)


def browser_stage(quick: bool) -> Stage[AnyRecipe]:
    """The stage `browser`: as the recipe says, or quickly."""

    def work(context: StageContext[AnyRecipe]) -> None:
        measured = _Work(context, plan_of(context.recipe, quick)).all()
        write_atomically(context.folder / RESULT, measured.model_dump_json(indent=1))

    def settings(recipe: AnyRecipe) -> object:
        plan = plan_of(recipe, quick)
        benchmark = recipe.benchmark
        return [
            plan.queries, plan.seconds, plan.threads, benchmark.bootstrap, recipe.seed,
            RUNTIME.version,
        ]  # fmt: skip

    return Stage(
        name=NAME,
        title="Measure the files in a browser" + (" (quick)" if quick else ""),
        needs=("dataset", "export", "quality"),
        version=2,
        settings=settings,
        work=work,
        # Installing a browser later makes the stage run; see `_Work` for losing one.
        outside=lambda recipe, folder: not browser_obstacles(),
    )


class _Work:
    """One run of the stage.

    What was measured of the same file before is taken over: answers always, latencies where machine
    and browser are the same. Without a browser too, so that figures are not lost with it.
    """

    def __init__(self, context: StageContext[AnyRecipe], plan: Plan) -> None:
        self.context = context
        self.plan = plan
        self.export = context.inputs["export"]
        self.obstacles = browser_obstacles()
        dataset = context.inputs["dataset"]
        self.asking = self.asking_refused = asking(context.recipe, dataset)
        if isinstance(context.recipe, NextItemRecipe):
            blocked = exported_blocked_items(self.export)
            self.asking = asking(context.recipe, dataset, blocked)

    def all(self) -> BrowserData:
        rows = [one for one in subjects(self.export) if is_for_browser(one)]
        samples = samples_of([one for one in rows if not takes_texts(one)], self.export)
        gpu, no_gpu = self._webgpu()
        backends: tuple[Backend, ...] = ("wasm",) if gpu is None else ("wasm", "webgpu")
        files = []
        for order, row in enumerate(rows):

            def advance(note: str, row: Subject = row, order: int = order) -> None:
                self.context.progress.advance(f"{row.name} in Chromium: {note}", order / len(rows))

            for backend in backends[:1] if takes_texts(row) else backends:
                files.append(self._file(row, backend, samples.get(row.inputs), advance))
        missing = all(one.quality is None for one in files) and self.obstacles
        return BrowserData(
            runtime=f"onnxruntime-web {RUNTIME.version}",
            metric=self.context.recipe.task.metric,
            files=tuple(files),
            webgpu=gpu,
            webgpu_not_measured_because=no_gpu,
            not_measured_because="; ".join(self.obstacles) if missing else None,
        )

    def _webgpu(self) -> tuple[str | None, str | None]:
        """Return the GPU, or why there is none."""
        if self.obstacles:
            return None, "there is no browser here"
        try:
            with BrowserPage(gpu=True) as page:
                found = page.ask("about", timeout_s=60.0).content["gpu"]
        except UserError as error:
            return None, f"the browser does not run with a GPU here: {str(error).splitlines()[0]}"
        return found, None if found else "not present here: the browser finds no GPU for it"

    def _file(
        self,
        row: Subject,
        backend: Backend,
        samples: Samples | None,
        advance: Callable[[str], None],
    ) -> BrowserFileData:
        found: dict[str, Any] = {
            **dict.fromkeys(
                (
                    "cases", "quality", "kept_quality", "difference_from_cpu",
                    "agreement_with_cpu", "max_abs_difference", "not_measured_because",
                )
            ),
            "name": row.name,
            "path": f"export/{row.path}",
            "bytes": row.bytes,
            "backend": backend,
            "timings": (),
        }  # fmt: skip
        try:
            if samples is None or takes_texts(row):
                raise UserError(NO_TEXTS)
            own = self._answers(row, backend, samples, advance)
            found |= compared(
                own,
                self._of_row(row.slug),
                self._of_row("teacher"),
                metric=self.context.recipe.task.metric,
                resamples=self.context.recipe.benchmark.bootstrap,
                seed=self.context.recipe.seed,
            )
            found["timings"] = tuple(self._timings(row, backend, samples, advance))
        except UserError as error:
            found["not_measured_because"] = str(error)
        return BrowserFileData.model_validate(found)

    def _answers(
        self,
        row: Subject,
        backend: Backend,
        samples: Samples,
        advance: Callable[[str], None],
    ) -> AnyEvaluation:
        from export.browser.run import BrowserRunner

        name = f"{row.slug}.{backend}"
        target = f"{name}.npz"
        key = content_hash(
            [
                row.sha256, samples.sha256(), backend, RUNTIME.version,
                self.context.digests["dataset"], self.context.recipe.task.model_dump(mode="json"),
            ]
        )  # fmt: skip
        if made_before(self.context, f"{name}.quality", key) is None:
            self._need_browser()
            runner = BrowserRunner(self.export / row.path, backend=backend)
            # A refused file is measured too; its row says that it returns blocked items.
            is_refused = row.artifact is not None and row.artifact.refused_because is not None
            found = (self.asking_refused if is_refused else self.asking).ask(
                runner, samples, lambda done: advance(f"{done:.0%} of the answers")
            )
            found.save(self.context.folder / target)
            note_made(self.context, f"{name}.quality", key, (target,), row.name)
        return self.asking.load(self.context.folder / target)

    def _timings(
        self,
        row: Subject,
        backend: Backend,
        samples: Samples,
        advance: Callable[[str], None],
    ) -> Iterator[BrowserTimingData]:
        from benchmarks.browser.timing import LATENCIES, measure_in_browser

        machine = asdict(current_environment())
        for threads in self.plan.threads if backend == "wasm" else (1,):
            name = f"{row.slug}.{backend}.{threads}"
            target, raw = f"{name}.json", f"{name}.raw"
            key = content_hash(
                [
                    row.sha256, samples.sha256(), backend, threads, RUNTIME.version,
                    self.plan.queries, self.plan.seconds, machine,
                ]
            )  # fmt: skip
            measured_in = made_before(self.context, f"{name}.latency", key)
            if measured_in is None or measured_in != (self._browser or measured_in):
                self._need_browser()
                advance(f"at least {self.plan.seconds:g} s on {threads} thread(s)")
                timing = measure_in_browser(
                    self.export / row.path,
                    samples,
                    queries=self.plan.queries,
                    seconds=self.plan.seconds,
                    threads=threads,
                    backend=backend,
                    log_folder=self.context.folder / raw,
                )
                text = timing_data(timing).model_dump_json(indent=1)
                write_atomically(self.context.folder / target, text)
                paths = (target, f"{raw}/{LATENCIES}")
                note_made(self.context, f"{name}.latency", key, paths, timing.browser)
            text = (self.context.folder / target).read_text(encoding="utf-8")
            yield BrowserTimingData.model_validate_json(text)

    @cached_property
    def _browser(self) -> str | None:
        """With its version."""
        from benchmarks.browser.timing import installed_browser

        return installed_browser()

    def _need_browser(self) -> None:
        if self.obstacles:
            raise UserError("; ".join(self.obstacles))

    def _of_row(self, slug: str) -> AnyEvaluation | None:
        file = self.context.inputs["quality"] / f"{slug}.npz"
        return self.asking.load(file) if file.is_file() else None


def is_for_browser(row: Subject) -> bool:
    """Whether a row is a file that onnxruntime-web could be given, and that answers at all."""
    return row.artifact is not None and row.artifact.format in FORMATS and row.can_answer


def takes_texts(row: Subject) -> bool:
    """Whether the tokenizer is inside the file."""
    return row.artifact is not None and row.artifact.takes_texts
