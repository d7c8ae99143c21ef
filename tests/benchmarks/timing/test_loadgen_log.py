import json

from benchmarks.timing.loadgen_log import LoadGenLog


def log(tmp_path, entries, errors=()):
    lines = [
        ":::MLLOG " + json.dumps({"key": key, "value": value, "metadata": {"is_error": False}})
        for key, value in entries.items()
    ]
    lines += [
        ":::MLLOG " + json.dumps({"key": "error", "value": one, "metadata": {"is_error": True}})
        for one in errors
    ]
    file = tmp_path / "mlperf_log_detail.txt"
    file.write_text("\n".join(["noise", *lines]))
    return LoadGenLog.read(file)


def test_percentiles_are_milliseconds(tmp_path):
    found = log(tmp_path, {"result_99.90_percentile_latency_ns": 2_500_000})
    assert found.percentile_ms(99.9) == 2.5


def test_a_valid_run_breaks_nothing(tmp_path):
    valid = {"result_validity": "VALID", "result_min_duration_met": True}
    assert list(log(tmp_path, valid).broken()) == []


def test_each_verdict_is_a_rule_with_loadgens_advice(tmp_path):
    found = log(
        tmp_path,
        {
            "result_validity": "INVALID",
            "result_min_duration_met": False,
            "result_min_queries_met": True,
            "early_stopping_met": False,
            "result_invalid_reason": " Increase expected QPS. ",
            "result_query_count": 11,
        },
    )
    rules = {one.rule: one.because for one in found.broken()}
    assert list(rules) == ["loadgen-min-duration", "loadgen-early-stopping"]
    assert rules["loadgen-min-duration"].endswith("asked for. LoadGen: Increase expected QPS.")
    assert "(11; it takes 64 at least for a p90, 662 for a p99" in rules["loadgen-early-stopping"]


def test_an_invalid_run_without_a_named_reason_is_still_invalid(tmp_path):
    (rule,) = log(tmp_path, {"result_validity": "INVALID"}).broken()
    assert rule.rule == "loadgen-validity"
    (rule,) = log(tmp_path, {}).broken()
    assert rule.rule == "loadgen-validity"


def test_errors_are_told(tmp_path):
    (rule,) = log(tmp_path, {"result_validity": "VALID"}, ["it ran out"]).broken()
    assert (rule.rule, "it ran out" in rule.because) == ("loadgen-errors", True)
