"""The shipped recipe as it is: ten minutes on two quiet cores."""

import pytest

from .conftest import SHIPPED, Job, call


@pytest.fixture(scope="module")
def demo(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return Job(SHIPPED, folder, call("run", SHIPPED, "--out", folder))


@pytest.mark.slow
def test_the_demo_keeps_what_the_readme_says(demo):
    """The floors that the figures of every seed lie above; no time is asserted."""
    assert demo.done.code == 0, demo.done.err
    report = demo.report
    teacher = report["teacher"]["quality"]["ndcg@10"]["value"]
    assert teacher >= 0.115
    assert teacher > report["baselines"][1]["quality"]["ndcg@10"]["value"]
    (int8,) = (one for one in report["artifacts"] if one["name"] == "onnx int8-dynamic")
    assert int8["usable"]
    assert int8["bytes"] <= 400_000
    assert int8["kept_quality"]["value"] >= 0.97
