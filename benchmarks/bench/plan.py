"""What `limbeck bench` measures: every file on every target, in every scenario."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.timing.early_stopping import queries_needed
from benchmarks.timing.scenario import Scenario
from compress.recipe import Benchmark, MeasuredOn, ScenarioName


@dataclass(frozen=True)
class Case:
    """One measurement of one model."""

    target: MeasuredOn
    threads: int
    scenario: Scenario

    @property
    def slug(self) -> str:
        """Names its folder of logs."""
        found = f"{self.target}-{self.scenario.name}-{self.threads}t"
        return found + (f"-batch-{self.scenario.batch}" if self.scenario.batch > 1 else "")


@dataclass(frozen=True)
class Load:
    """What every model is put to."""

    targets: tuple[MeasuredOn, ...] = ("cpu",)
    scenarios: tuple[ScenarioName, ...] = ("single-stream",)
    threads: tuple[int, ...] = (1,)
    batches: tuple[int, ...] = (1, 8, 32)
    """Of offline."""
    streams: int = 8
    """Of a multi-stream query."""
    seconds: float = 10.0
    """At least so long a measurement..."""
    queries: int = 1024
    """...and at least so many queries in single-stream."""
    rate: float = 100.0
    """Of a server, the same for every model: rows of different rates say nothing of each other."""
    bound_ms: float = 100.0
    tries: int = 1
    """So often a measurement is made at most, until the noise probe is quiet; the quietest counts,
    whatever it says."""

    @classmethod
    def of_recipe(cls, benchmark: Benchmark) -> "Load":
        """What a recipe asks of its files beside single-stream on the CPU, which every row has."""
        return cls(
            targets=("cpu",),
            scenarios=tuple(one for one in benchmark.scenarios if one != "single-stream"),
            threads=(benchmark.threads,),
            batches=benchmark.batches,
            streams=benchmark.streams,
            seconds=benchmark.scenario_seconds,
            rate=benchmark.server_rate,
            bound_ms=benchmark.server_bound_ms,
        )

    def cases(self) -> Iterator[Case]:
        """Yield the measurements of one model, target by target."""
        for target in dict.fromkeys(self.targets):
            for threads in dict.fromkeys(self.threads):
                for name in dict.fromkeys(self.scenarios):
                    if target == "browser" and name != "single-stream":
                        continue  # LoadGen does not reach into a page.
                    for scenario in self._scenarios(name):
                        yield Case(target, threads, scenario)

    def _scenarios(self, name: ScenarioName) -> Iterator[Scenario]:
        if name == "single-stream":
            yield Scenario(name, self.queries, self.seconds)
        elif name == "multi-stream":
            yield Scenario(name, queries_needed(99), self.seconds, batch=self.streams)
        elif name == "offline":
            for batch in dict.fromkeys(self.batches):
                yield Scenario(name, 1, self.seconds, batch=batch)
        else:
            queries = queries_needed(99)
            yield Scenario(name, queries, self.seconds, rate=self.rate, bound_ms=self.bound_ms)
