import pytest

from benchmarks.repeatability import Try, summary


def result(p90, quiet=True, valid=True):
    return Try(p50_ms=p90 * 0.9, p90_ms=p90, noise_drift=0.02, quiet=quiet, valid=valid)


def test_the_spread_is_the_farthest_from_the_median():
    found = summary("a.onnx", [result(one) for one in (1.00, 1.02, 0.99, 1.01, 1.04)])
    assert found.median_p90_ms == 1.01
    assert found.spread == pytest.approx(0.03 / 1.01)


def test_noisy_and_invalid_results_claim_nothing_and_are_kept():
    found = summary("a.onnx", [result(1.0), result(9.0, quiet=False), result(7.0, valid=False)])
    assert (found.quiet, found.spread, len(found.tries)) == (1, 0.0, 3)


def test_a_machine_that_is_never_quiet_shows_nothing():
    found = summary("a.onnx", [result(1.0, quiet=False)] * 3)
    assert (found.quiet, found.median_p90_ms, found.spread) == (0, None, None)
