"""Peak memory of data preparation against the number of interactions.

`python -m benchmarks.data_memory --rows 1 4 16` generates tables of that many million rows, always
of the same users and items, prepares each in a fresh process, and writes one JSON file. The figure
to look at: peak memory must stay flat while the rows grow.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

USERS = 100_000
ITEMS = 20_000
SEED = 1
_CHUNK = 65_536
_RESULT = Path(__file__).parent / "results" / "data-memory.json"


@dataclass(frozen=True)
class Preparation:
    """One prepared table.

    Attributes:
        rows: Interactions.
        peak_rss_mb: Largest resident memory of the process, in 10^6 bytes.
        start_rss_mb: The same after imports, before preparing.
        seconds: Wall-clock time of preparing.
    """

    rows: int
    peak_rss_mb: float
    start_rss_mb: float
    seconds: float


def generate_table(path: Path, rows: int, users: int = USERS, items: int = ITEMS) -> None:
    """Stream `rows` random interactions into a Parquet file: user, item (text), time (int64).

    Items are drawn with a popularity bias (the square of a uniform number); times rise with the
    row but are shuffled within a day, so that sorting has work to do.
    """
    random = np.random.default_rng(SEED)
    user_ids = pa.array([f"user-{number}" for number in range(users)])
    item_ids = pa.array([f"item-{number}" for number in range(items)])
    schema = pa.schema([("user", pa.string()), ("item", pa.string()), ("time", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, _CHUNK):
            size = min(_CHUNK, rows - first)
            user = random.integers(0, users, size)
            item = (random.random(size) ** 2 * items).astype(np.int64)
            moment = (
                1_700_000_000 + np.arange(first, first + size) + random.integers(0, 86_400, size)
            )
            columns = [
                user_ids.take(pa.array(user)),
                item_ids.take(pa.array(item)),
                pa.array(moment),
            ]
            writer.write_table(pa.table(columns, schema=schema))


def measure_preparation(table: Path, rows: int, into: Path) -> Preparation:
    """Prepare `table` in a fresh process and return what it took.

    Raises:
        subprocess.CalledProcessError: Preparing failed; its output is on stderr.
    """
    command = [sys.executable, "-m", "benchmarks.data_memory", "--prepare", str(table), str(into)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Preparation(rows=rows, **json.loads(done.stdout.splitlines()[-1]))


def peak_rss_mb() -> float:
    """Return this process's largest resident memory so far, in 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux: getrusage also counts the parent's memory at the moment of the fork.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _prepare_here(table: Path, into: Path) -> None:
    from compress.data.prepare import prepare
    from compress.recipe import Data, Table

    data = Data(source=Table(kind="table", interactions=str(table)))
    start_rss, start = peak_rss_mb(), time.perf_counter()
    prepare(data, Path(), into)
    seconds = time.perf_counter() - start
    figures = {"peak_rss_mb": peak_rss_mb(), "start_rss_mb": start_rss, "seconds": seconds}
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=float, default=[1, 4, 16], help="in millions")
    parser.add_argument("--out", type=Path, default=_RESULT)
    parser.add_argument("--prepare", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.prepare:
        _prepare_here(*given.prepare)
        return
    results: list[Preparation] = []
    for millions in given.rows:
        rows = round(millions * 1_000_000)
        with tempfile.TemporaryDirectory() as work:
            table = Path(work) / "interactions.parquet"
            generate_table(table, rows)
            results.append(measure_preparation(table, rows, Path(work) / "prepared"))
        done = results[-1]
        print(f"{rows:>12,} rows: peak {done.peak_rss_mb:.0f} MB, {done.seconds:.1f} s", flush=True)
    report = {
        "users": USERS,
        "items": ITEMS,
        "seed": SEED,
        "growth": round(results[-1].peak_rss_mb / results[0].peak_rss_mb, 3),
        "preparations": [asdict(result) for result in results],
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(given.out)


if __name__ == "__main__":
    main()
