import json

from benchmarks.report.shape import IntervalData
from benchmarks.self_comparison import main, summary


def test_intervals_that_leave_out_1_are_counted():
    given = [(1.0, 0.9, 1.1), (1.02, 1.01, 1.03), (0.9, 0.8, 0.99), (1.1, 1.0, 1.2)]
    found = summary("a.onnx", [IntervalData(value=v, low=a, high=b) for v, a, b in given])
    assert found.leave_out_1 == 2
    assert found.ratios[1] == {"value": 1.02, "low": 1.01, "high": 1.03}


def test_a_real_file_is_asked_with_its_copy(tiny_model, tmp_path):
    out = tmp_path / "out.json"
    assert main([str(tiny_model), "--comparisons", "1", "--out", str(out)]) == 0
    (one,) = json.loads(out.read_text())["files"]
    assert len(one["ratios"]) == 1
    assert 0 < one["ratios"][0]["low"] <= one["ratios"][0]["value"]


def test_a_file_that_is_not_there_is_said(tmp_path, capsys):
    assert main([str(tmp_path / "no.onnx"), "--out", str(tmp_path / "out.json")]) == 2
    assert "no.onnx is not there" in capsys.readouterr().err
    assert main([str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    assert "no single file" in capsys.readouterr().err
