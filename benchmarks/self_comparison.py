"""Does a file that is asked in turn with its own copy come out as equally fast?

`python -m benchmarks.self_comparison FILE…` compares each file with a copy of it, as
`limbeck bench --against` does, again and again. Of 95% intervals one in twenty may leave out 1;
more of them would say that the intervals of every other comparison are too narrow.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.bench.entrant import entrants
from benchmarks.bench.in_turn import compare_in_turns
from benchmarks.environment import current_environment
from benchmarks.report.shape import IntervalData
from compress.errors import UserError
from export.file_inputs import parts_of

COMPARISONS = 20
_RESULT = Path(__file__).parent / "results" / "self-comparison.json"


@dataclass(frozen=True)
class SelfCompared:
    """A file beside its own copy.

    Attributes:
        file: Its path, as it was given.
        ratios: p90 of the file by that of the copy, with its interval: `value`, `low`, `high`.
        leave_out_1: How many of the intervals do not contain 1.
    """

    file: str
    ratios: tuple[dict[str, float], ...]
    leave_out_1: int


def summary(file: str, ratios: Sequence[IntervalData]) -> SelfCompared:
    """Count the intervals that say something that is not so."""
    wrong = sum(not one.low <= 1 <= one.high for one in ratios)
    return SelfCompared(file, tuple(one.model_dump() for one in ratios), wrong)


def compare_with_itself(file: Path, comparisons: int) -> Iterator[IntervalData]:
    """Ask a file and its copy in turn, on one thread, anew each time.

    Raises:
        UserError: The file cannot be asked.
    """
    if file.is_dir() or len(parts_of(file)) > 1:
        raise UserError(f"{file} is no single file, of which a copy could be made.")
    (own,) = entrants(file)
    with TemporaryDirectory(prefix="limbeck-") as name:
        copy = Path(shutil.copy(file, Path(name) / f"copy{file.suffix}"))
        other = replace(own, name="its copy", spec=replace(own.spec, path=str(copy)))
        for number in range(comparisons):
            yield compare_in_turns(own, other, 1, Path(name) / f"logs-{number}").p90_ratio


def _write(given: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    command = ["python -m benchmarks.self_comparison", *map(str, given.files)]
    command.append(f"--comparisons {given.comparisons}")
    report = {
        "command": " ".join(command),
        "environment": asdict(current_environment()),
        "files": results,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line; 2 if a file cannot be asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--comparisons", type=int, default=COMPARISONS, help="of each file")
    parser.add_argument("--out", type=Path, default=_RESULT)
    given = parser.parse_args(arguments)
    results: list[dict[str, Any]] = []
    for file in given.files:
        ratios = []
        try:
            for one in compare_with_itself(file, given.comparisons):
                ratios.append(one)
                print(f"{file.name}: {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]", flush=True)
        except UserError as error:
            print(error, file=sys.stderr)
            return 2
        found = summary(file.as_posix(), ratios)
        results.append(asdict(found))
        print(f"{file.name}: {found.leave_out_1} of {len(ratios)} intervals leave out 1")
        _write(given, results)
    print(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
