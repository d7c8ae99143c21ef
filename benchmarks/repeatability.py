"""Does the same file get the same figures again? `limbeck bench`, again and again.

`python -m benchmarks.repeatability FILE…` measures each file with `limbeck bench FILE --json`, a
whole command each time, until five results are quiet: the noise probe drifted by at most 10%. How
far their p90 lie from their median is what is claimed; the noisy ones are kept beside them, and
claim nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environment import current_environment

QUIET_WANTED = 5
MOST_TRIES = 20
MOST_SPREAD = 0.05
"""What is claimed: no quiet p90 is farther from their median."""
_RESULT = Path(__file__).parent / "results" / "repeatability.json"


@dataclass(frozen=True)
class Try:
    """One `limbeck bench`.

    Attributes:
        p50_ms: Median latency.
        p90_ms: 90th percentile.
        noise_drift: Slowest reading of the noise probe over the fastest, minus 1.
        quiet: Whether that is at most 10%.
        valid: Whether the result breaks no rule.
    """

    p50_ms: float
    p90_ms: float
    noise_drift: float
    quiet: bool
    valid: bool


@dataclass(frozen=True)
class Repeated:
    """A file measured again and again.

    Attributes:
        file: Its path, as it was given.
        quiet: How many tries were quiet and valid.
        median_p90_ms: Of those.
        spread: Largest distance of one of their p90 from the median, as a share of it.
        tries: All of them, in order.
    """

    file: str
    quiet: int
    median_p90_ms: float | None
    spread: float | None
    tries: tuple[Try, ...]


def summary(file: str, tries: Sequence[Try]) -> Repeated:
    """Say how far quiet results lie apart.

    Args:
        file: Name of what was measured.
        tries: All results; those that are noisy or invalid count for nothing.
    """
    p90 = [one.p90_ms for one in tries if one.quiet and one.valid]
    middle = median(p90) if p90 else None
    spread = None if middle is None else max(abs(one / middle - 1.0) for one in p90)
    return Repeated(file, len(p90), middle, spread, tuple(tries))


def repeat(file: Path, seconds: float) -> Iterator[Try]:
    """Run the command until enough results are quiet, or too many are not.

    Args:
        file: What to measure.
        seconds: Of one measurement.

    Raises:
        RuntimeError: The command failed; the message is its own.
    """
    quiet = 0
    for _ in range(MOST_TRIES):
        found = _bench(file, seconds)
        yield found
        quiet += found.quiet and found.valid
        if quiet == QUIET_WANTED:
            return


def _bench(file: Path, seconds: float) -> Try:
    with tempfile.TemporaryDirectory(prefix="limbeck-") as out:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "limbeck", "bench", str(file)),
                *("--json", "--seconds", f"{seconds:g}", "--out", out),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):  # 1: the result breaks a rule, and says so
        raise RuntimeError(done.stderr)
    (row,) = json.loads(done.stdout)["rows"]
    return Try(**{name: row[name] for name in Try.__annotations__})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line.

    Returns:
        0 if five results of each file were quiet and lie within `MOST_SPREAD`; 1 if not; 2 if a
        file could not be measured.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0, help="of one measurement")
    parser.add_argument("--out", type=Path, default=_RESULT)
    given = parser.parse_args(arguments)
    results: list[dict[str, Any]] = []
    for file in given.files:
        tries = []
        try:
            for one in repeat(file, given.seconds):
                tries.append(one)
                mark = "quiet" if one.quiet else f"noisy ({one.noise_drift:.0%})"
                print(f"{file.name}: p90 {one.p90_ms:.4f} ms, {mark}", flush=True)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
        found = summary(file.as_posix(), tries)
        results.append(asdict(found))
        if found.spread is not None:
            print(f"{found.file}: {found.quiet} quiet results within {found.spread:.1%}")
    report = {
        "command": f"python -m benchmarks.repeatability {' '.join(map(str, given.files))} "
        f"--seconds {given.seconds:g}",
        "environment": asdict(current_environment()),
        "files": results,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(given.out)
    good = [one["quiet"] >= QUIET_WANTED and one["spread"] <= MOST_SPREAD for one in results]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
