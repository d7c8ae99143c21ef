"""The roofs of a machine, and that they are measured for real."""

from dataclasses import replace

import pytest

from benchmarks.roofline.peaks import Peaks, ProductReading, TransferReading, measure_peaks


def product(number, seconds):
    return ProductReading(number, 10, 10, 10, seconds, 5)


def transfer(kib, rate, kind="read"):
    return TransferReading(kind, kib * 1024, rate, 5)


PEAKS = Peaks(
    threads=1,
    products=(product("fp32", 1e-6), product("fp32", 5e-7), product("int8", 1e-7)),
    transfers=(
        transfer(16, 50e9),
        transfer(512, 200e9),
        transfer(512, 90e9, "copy"),
        transfer(8192, 100e9),
        transfer(65536, 30e9),
    ),
    caches={"L1": 48 * 1024, "L2": 1024 * 1024},
    private_caches=("L1",),
)


def test_a_peak_is_the_best_that_was_seen():
    assert PEAKS.multiply_adds_per_second("fp32") == pytest.approx(2e9)
    assert PEAKS.multiply_adds_per_second("int8") == pytest.approx(1e10)
    assert PEAKS.multiply_adds_per_second("fp16") is None


@pytest.mark.parametrize(
    ("size", "rate"),
    [(1000, 200e9), (512 * 1024, 200e9), (513 * 1024, 100e9), (60_000_000, 30e9), (10**9, 30e9)],
)
def test_a_small_working_set_is_no_slower_than_a_large_one(size, rate):
    """The reading of 16 KiB lost its time to being started: 512 KiB went faster."""
    assert PEAKS.transfer(size).bytes_per_second == rate


@pytest.mark.parametrize(
    ("size", "level"), [(48 * 1024, "L1"), (48 * 1024 + 1, "L2"), (2**20 + 1, "memory")]
)
def test_the_level_is_the_smallest_cache_that_holds_it(size, level):
    assert PEAKS.level(size) == level


@pytest.mark.parametrize(
    ("size", "level"),
    [(96 * 1024, "L1"), (2**21, "L2"), (2**21 + 1, "L3"), (2**25, "L3"), (2**25 + 1, "memory")],
)
def test_what_every_core_has_for_itself_counts_once_a_thread(size, level):
    caches = {"L1": 48 * 1024, "L2": 2**20, "L3": 2**25}
    two = replace(PEAKS, threads=2, caches=caches, private_caches=("L1", "L2"))
    assert two.level(size) == level


def test_where_the_system_does_not_tell_its_caches_the_level_is_unknown():
    assert Peaks(1, PEAKS.products, PEAKS.transfers).level(10) == "unknown"


def test_json_gives_the_readings_back():
    assert Peaks.from_json(PEAKS.to_json()) == PEAKS


def test_peaks_without_a_type_are_refused():
    with pytest.raises(ValueError, match="int8"):
        Peaks(1, (product("fp32", 1e-6),), PEAKS.transfers)


def test_this_machine_is_measured_in_a_process_of_its_own(tmp_path):
    found = measure_peaks(1, tmp_path, seconds=0.002)
    assert found.threads == 1
    assert {one.number for one in found.products} == {"fp32", "int8"}
    assert {(one.rows, one.inner, one.columns) for one in found.products} >= {(1, 384, 384)}
    assert {one.kind for one in found.transfers} == {"read", "copy"}
    assert all(one.repetitions >= 5 for one in (*found.products, *found.transfers))
    assert 1e8 < (found.multiply_adds_per_second("fp32") or 0) < 1e14
    assert 1e8 < found.transfer(1 << 28).bytes_per_second < 1e13
