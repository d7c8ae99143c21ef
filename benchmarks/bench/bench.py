"""Measuring models one after the other, and in turn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.bench.data import (
    BenchComparisonData,
    BenchData,
    BenchRowData,
    BrokenRuleData,
    NotMeasuredData,
)
from benchmarks.bench.entrant import Entrant, slug_of
from benchmarks.bench.in_turn import compare_in_turns
from benchmarks.bench.known_answers import Answers, known_answers
from benchmarks.bench.plan import Case, Load
from benchmarks.environment import current_environment
from benchmarks.report.shape import EnvironmentData
from benchmarks.stages.latency import FULL_STARTS
from benchmarks.timing.early_stopping import queries_needed
from benchmarks.timing.isolation import ALL_IT_SAID
from benchmarks.timing.scenario import Scenario
from compress.errors import UserError

CHECKED_SECONDS = 1.0
"""So long a model is watched before others are held against it."""

Advance = Callable[[str, float], None]


class Bench:
    """A session: models, what they are put to, and where the logs go."""

    def __init__(
        self,
        load: Load,
        log_folder: Path,
        cold_starts: int = FULL_STARTS,
        keep: Callable[[BenchData], None] = lambda found: None,
    ) -> None:
        """Say how models are measured.

        Args:
            load: What each is put to.
            log_folder: Gets LoadGen's logs, the raw latencies and the jobs, a folder a measurement.
            cold_starts: Processes started for each cold start.
            keep: Told all that was found whenever there is more.
        """
        self.load = load
        self.log_folder = log_folder
        self.cold_starts = cold_starts
        self.keep = keep
        self.rows: list[BenchRowData] = []
        self.comparisons: list[BenchComparisonData] = []
        self.missing: list[NotMeasuredData] = []

    @property
    def found(self) -> BenchData:
        """Everything so far."""
        return BenchData(
            environment=EnvironmentData.model_validate(asdict(current_environment())),
            rows=tuple(self.rows),
            comparisons=tuple(self.comparisons),
            not_measured=tuple(self.missing),
        )

    def measure(
        self,
        models: Sequence[Entrant],
        against: Entrant | None = None,
        advance: Advance = lambda note, done: None,
    ) -> BenchData:
        """Measure models one after the other; what cannot be measured is listed with its reason.

        Args:
            models: What takes part.
            against: A model that each of the others is asked in turn with.
            advance: Told what is being measured, and how much is done, 0...1.

        Raises:
            UserError: The model to compare with cannot be run here, or does not do what is timed.
        """
        if against is not None:
            advance(f"{against.name}: watched before others are held against it", 0.0)
            self._check(against)
        for number, model in enumerate(models):

            def told(note: str, done: float = number / len(models)) -> None:
                advance(note, done)

            answers = self._one(model, told)
            if against is None or "cpu" not in self.load.targets or answers is None:
                continue
            if model.spec != against.spec:
                advance(f"{model.name} and {against.name} in turn", (number + 1) / len(models))
                self._in_turn(model, against, answers)
        return self.found

    def _check(self, against: Entrant) -> None:
        """Refuse what others would be held against in vain: a ratio to rubbish says nothing."""
        if against.cannot_run:
            raise UserError(f"--against {against.name}: {against.cannot_run}")
        seconds = min(self.load.seconds, CHECKED_SECONDS)
        scenario = Scenario("single-stream", queries_needed(90), seconds)
        case = Case("cpu", self.load.threads[0], scenario)
        with TemporaryDirectory(dir=self.log_folder, prefix=".against-") as folder:
            try:
                row = measure_row(against, case, Path(folder))
            except UserError as error:
                said = str(error).partition(f"\n{ALL_IT_SAID}")[0]  # That file goes at once.
                raise UserError(f"--against {against.name}: {said}") from error
        for broken in _misconduct([row]):
            raise UserError(
                f"--against {against.name}: it is not valid ({broken.rule}), and a ratio to it "
                f"would say nothing. {broken.because}"
            )

    def _one(self, model: Entrant, advance: Callable[[str], None]) -> Answers | None:
        """Measure one model in every case; return what its own runtime answers, if it does."""
        known: Answers | None = None
        refused = ""
        for target in dict.fromkeys(self.load.targets):
            obstacle = self._obstacle(model, target)
            if known is None and not obstacle:
                advance(f"{model.name}: asked once before it is timed")
                try:
                    known = Answers(None) if model.cannot_run else known_answers(model)
                except UserError as error:  # A browser may do what its own runtime does not.
                    known, refused = Answers(None), _in_a_line(error, model)
            if target == "cpu":
                obstacle = obstacle or refused
            if obstacle or known is None:
                self._miss(NotMeasuredData(name=model.name, target=target, because=obstacle))
                continue
            for case in self.load.cases():
                if case.target != target:
                    continue
                advance(f"{model.name}: {case.slug}")
                try:
                    row = self._quietest(model, case, known)
                except UserError as error:
                    self._miss(not_measured(model, case, error))
                    continue
                self.rows.append(row)
                self.keep(self.found)
        return None if model.cannot_run or refused else known

    def _quietest(self, model: Entrant, case: Case, known: Answers) -> BenchRowData:
        """Measure until the machine is quiet; the probe alone chooses among the tries."""
        row, tries = measure_row(model, case, self.log_folder, self.cold_starts, known), 1
        place = Path(slug_of(model.name), case.slug)
        while not row.quiet and tries < self.load.tries:
            with TemporaryDirectory(dir=self.log_folder, prefix=".again-") as folder:
                tries += 1
                try:
                    again = measure_row(model, case, Path(folder), self.cold_starts, known)
                except UserError:  # It was measured before: that stays.
                    continue
                if again.noise_drift < row.noise_drift:
                    row = again
                    rmtree(self.log_folder / place)
                    Path(folder, place).rename(self.log_folder / place)
        return row.model_copy(update={"tries": tries})

    def _obstacle(self, model: Entrant, target: str) -> str:
        if target == "cpu":
            return model.cannot_run
        from benchmarks.bench.in_browser import obstacle

        try:
            return obstacle(model)
        except UserError as error:
            return _in_a_line(error, model)

    def _miss(self, one: NotMeasuredData) -> None:
        self.missing.append(one)
        self.keep(self.found)

    def _in_turn(self, model: Entrant, against: Entrant, known: Answers) -> None:
        own = [row for row in self.rows if (row.name, row.target) == (model.name, "cpu")]
        for threads in self.load.threads:
            try:
                if rules := ", ".join(sorted({one.rule for one in _misconduct(own)})):
                    raise UserError(f"its own result is not valid ({rules})")
                found = compare_in_turns(model, against, threads, self.log_folder, known)
            except UserError as error:
                because = f"in turn with {against.name}: {_in_a_line(error, model, against)}"
                self._miss(
                    NotMeasuredData(name=model.name, target="cpu", threads=threads, because=because)
                )
                continue
            self.comparisons.append(found)
            self.keep(self.found)


def measure_row(
    model: Entrant,
    case: Case,
    log_folder: Path,
    cold_starts: int = 0,
    known: Answers | None = None,
) -> BenchRowData:
    """Measure one model in one case.

    Args:
        model: Which one.
        case: On what, and how.
        log_folder: Gets a folder of logs.
        cold_starts: Processes started for the cold start of single-stream; 0: it is not measured.
        known: What it answers; None: it is asked first.

    Raises:
        UserError: It cannot be run, or failed.
    """
    folder = log_folder / slug_of(model.name) / case.slug
    known = known_answers(model) if known is None else known
    if case.target == "browser":
        from benchmarks.bench.in_browser import browser_row

        found = browser_row(model, case, folder, known.given)
    else:
        found = _cpu_row(model, case, folder, cold_starts, known)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return found.model_copy(
        update={
            "sha256": model.sha256,
            "measured_at": now,
            "least_seconds": case.scenario.seconds,
            "least_queries": case.scenario.queries,
            "asked_rate": case.scenario.rate,
        }
    )


def _cpu_row(
    model: Entrant, case: Case, folder: Path, cold_starts: int, known: Answers
) -> BenchRowData:
    from benchmarks.timing.cold_start import cold_start_ms
    from benchmarks.timing.measure import measure

    timing = measure(
        model.spec,
        model.samples,
        case.scenario,
        threads=case.threads,
        log_folder=folder,
        reference=model.expected if known.given is None else known.given,
        is_own=known.given is not None,
    )
    cold = None
    if case.scenario.name == "single-stream" and cold_starts:
        starts = cold_start_ms(
            model.spec,
            model.samples,
            threads=case.threads,
            log_folder=folder / "cold-start",
            starts=cold_starts,
        )
        cold = median(starts)
    return BenchRowData.of(
        timing,
        name=model.name,
        runtime=model.spec.runtime,
        size=model.bytes,
        asked_with=model.asked_with,
        cold_start_ms=cold,
        faults=known.faults,
    )


def not_measured(model: Entrant, case: Case, error: UserError) -> NotMeasuredData:
    """Say which measurement there is not, and why."""
    return NotMeasuredData(
        name=model.name,
        target=case.target,
        scenario=case.scenario.name,
        threads=case.threads,
        batch=case.scenario.batch,
        because=_in_a_line(error, model),
    )


def _in_a_line(error: UserError, *models: Entrant) -> str:
    """Return what is said in one line, without paths: they tell nobody elsewhere anything."""
    lines = str(error).partition(f"\n{ALL_IT_SAID}")[0].splitlines()
    said = " ".join(line.strip() for line in lines)
    for model in models:
        said = said.replace(model.spec.path, model.name)
        said = said.replace(f"{Path(model.spec.path).parent}/", "")
    return said


def _misconduct(rows: Iterable[BenchRowData]) -> Iterator[BrokenRuleData]:
    """Yield the rules by which a model did not do what was timed; LoadGen's are of the session."""
    return (rule for row in rows for rule in row.broken if not rule.rule.startswith("loadgen"))
