from pathlib import Path

import numpy as np
import pytest

from benchmarks.timing.cold_start import cold_start_ms
from benchmarks.timing.cold_start_process import ColdStartJob
from compress.errors import UserError
from export.runner import RunnerSpec
from export.samples import Samples

FAULTY = Path(__file__).with_name("faulty_runners.py")
SAMPLES = Samples({"history": np.full((9, 12), 3, np.int32)})


def start(path: str, folder: Path, starts: int = 1, **options):
    spec = RunnerSpec("python", f"{FAULTY}:{path}", threads=7)
    return cold_start_ms(spec, SAMPLES, threads=1, log_folder=folder, starts=starts, **options)


def test_every_start_is_a_process_of_its_own(tmp_path):
    first, second = start("Honest", tmp_path, starts=2)
    assert first > 10  # An interpreter alone takes that.
    assert second > 10
    job = ColdStartJob.from_json((tmp_path / "job.json").read_text())
    assert (job.spec.threads, len(job.cpus)) in {(1, 1), (1, 0)}


def test_loading_is_in_it(tmp_path):
    """It takes half a second."""
    (slow,) = start("SlowToLoad", tmp_path)
    assert slow > 500


def test_a_file_that_is_not_there_is_a_users_error(tmp_path):
    with pytest.raises(UserError, match=r"its cold start could not be measured.*no class Missing"):
        start("Missing", tmp_path)


def test_nothing_to_ask_is_refused(tmp_path):
    with pytest.raises(ValueError, match="an example to ask"):
        start("Honest", tmp_path, starts=0)
