from pathlib import Path

import numpy as np
import pytest

from compress.data.npy_writer import HEADER_BYTES, NpyWriter


@pytest.mark.parametrize("parts", [[], [0], [3], [2, 0, 5], [100_000, 1]])
def test_numpy_reads_what_was_appended(tmp_path: Path, parts: list[int]) -> None:
    expected = np.arange(sum(parts), dtype=np.int32)
    with NpyWriter(tmp_path / "a.npy", np.int32) as writer:
        for part in np.split(expected, np.cumsum(parts)[:-1]) if parts else []:
            writer.append(part.astype(np.int64))
    loaded = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert loaded.dtype == np.int32
    np.testing.assert_array_equal(loaded, expected)
    np.testing.assert_array_equal(
        np.fromfile(tmp_path / "a.npy", np.int32, offset=HEADER_BYTES), expected
    )


def test_a_file_cut_short_by_an_error_does_not_claim_its_values(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), NpyWriter(tmp_path / "a.npy", np.int64) as writer:
        writer.append(np.ones(5))
        raise RuntimeError
    assert len(np.load(tmp_path / "a.npy")) == 0
