"""Intervals over units and seeds."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.over_seeds import summary, unit_and_seed_interval
from benchmarks.text_quality import TextEvaluation
from compress.metrics import Statistic, classification_statistics, mean_statistic
from compress.recipe import TextLabel
from compress.tasks.text_task import Truth


def means(table: np.ndarray) -> list[Statistic]:
    return [mean_statistic(values) for values in np.asarray(table, dtype=np.float64)]


def test_value_is_the_mean_the_difference_or_the_ratio():
    a, b = means([[1.0, 0.0], [1.0, 1.0]]), means([[0.5, 0.5], [0.5, 0.5]])
    assert unit_and_seed_interval(a).value == 0.75
    assert unit_and_seed_interval(a, b).value == 0.25
    assert unit_and_seed_interval(a, b, ratio=True).value == 1.5


def test_a_difference_that_every_unit_and_seed_shows_is_certain():
    noise = np.random.default_rng(0).random((3, 50))
    interval = unit_and_seed_interval(means(noise + 0.1), means(noise))
    assert interval.low == pytest.approx(0.1)
    assert interval.high == pytest.approx(0.1)


def test_seeds_that_disagree_widen_the_interval():
    rng = np.random.default_rng(0)
    units = rng.random((1, 400)).repeat(4, axis=0)
    shift = np.array([[-0.1], [0.1], [-0.1], [0.1]])
    agree, disagree = (unit_and_seed_interval(means(table)) for table in (units, units + shift))
    assert disagree.high - disagree.low > 2 * (agree.high - agree.low)


def test_one_seed_is_the_bootstrap_over_units():
    values = np.random.default_rng(0).random((1, 400))
    interval = unit_and_seed_interval(means(values))
    expected = 1.96 * values.std() / np.sqrt(400)
    assert (interval.high - interval.low) / 2 == pytest.approx(expected, rel=0.1)


def test_a_mean_is_resampled_as_the_product_of_both_weights():
    table = np.random.default_rng(1).random((3, 40))
    random = np.random.default_rng(0)
    seeds = random.multinomial(3, np.full(3, 1 / 3), 500) / 3
    units = random.multinomial(40, np.full(40, 1 / 40), 500) / 40
    drawn = np.einsum("rs,su,ru->r", seeds, table, units)
    interval = unit_and_seed_interval(means(table), resamples=500)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]))


def test_macro_f1_is_taken_for_each_seed_from_the_drawn_units():
    """Plainly: draw texts and seeds, score each seed's drawn texts, average the drawn seeds."""
    random = np.random.default_rng(2)
    targets, groups = random.integers(0, 3, 30), np.arange(30)
    answers = [random.dirichlet(np.ones(3), 30).astype(np.float32) for _ in range(2)]

    def macro_f1(rows: np.ndarray, seed: int) -> float:
        said, true = answers[seed][rows].argmax(axis=1), targets[rows]
        scores = [
            2 * ((said == one) & (true == one)).sum() / ((said == one).sum() + (true == one).sum())
            for one in np.unique(true)
        ]
        return float(np.mean(scores))

    draws = np.random.default_rng(0)
    seed_counts = draws.multinomial(2, np.full(2, 1 / 2), 200)
    unit_counts = draws.multinomial(30, np.full(30, 1 / 30), 200)
    expected = [
        sum(count * macro_f1(np.repeat(groups, units), seed) for seed, count in enumerate(seeds))
        / 2
        for seeds, units in zip(seed_counts, unit_counts, strict=True)
    ]
    of_seeds = [classification_statistics(one, targets, groups)["macro_f1"] for one in answers]
    interval = unit_and_seed_interval(of_seeds, resamples=200)
    assert interval.value == pytest.approx(np.mean([macro_f1(groups, seed) for seed in (0, 1)]))
    assert (interval.low, interval.high) == pytest.approx(np.quantile(expected, [0.025, 0.975]))


def test_seeds_of_different_test_splits_are_refused():
    with pytest.raises(ValueError, match="not measured on the same test split"):
        unit_and_seed_interval([*means([[1.0, 0.0]]), *means([[1.0, 0.0, 1.0]])])


def write_text_run(folder: Path, seed: int) -> Path:
    """A finished run on 40 texts of 3 classes, as far as its comparison needs one."""
    random = np.random.default_rng(seed)
    targets = np.random.default_rng(0).integers(0, 3, 40)
    rows = {
        "most frequent class": ("baseline", 0.0),
        "teacher": ("teacher", 3.0),
        "student": ("student", 2.5),
        "student without teacher": ("student_without_teacher", 1.5),
        "onnx fp32": ("artifact", 2.5),
    }
    (folder / "quality").mkdir(parents=True)
    (folder / "report").mkdir()
    truth = Truth(TextLabel(kind="text-label"), targets, groups=np.arange(40) // 2)
    for name, (_, skill) in rows.items():
        logits = random.normal(size=(40, 3)) + skill * np.eye(3)[targets]
        answers = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
        TextEvaluation(answers, truth, ("a", "b", "c")).save(
            folder / "quality" / f"{name.replace(' ', '-')}.npz"
        )
    one = {name: {"name": name, "role": role} for name, (role, _) in rows.items()}
    report = {
        "recipe": {"task": {"kind": "text-label"}},
        "baselines": [one["most frequent class"]],
        "teacher": one["teacher"],
        "student": one["student"],
        "student_without_teacher": one["student without teacher"],
        "artifacts": [one["onnx fp32"], {"name": "onnx refused", "role": "artifact"}],
    }
    (folder / "report" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def test_runs_on_texts_are_compared_by_their_own_metric(tmp_path):
    found = summary([write_text_run(tmp_path / str(seed), seed) for seed in (1, 2)])
    assert list(found) == ["macro_f1", "accuracy"]
    of_f1 = found["macro_f1"]
    # A file that could not run answered nothing, and is left out.
    assert set(of_f1["rows"]) == {
        "most-frequent-class",
        "teacher",
        "student",
        "student-without-teacher",
        "onnx-fp32",
    }
    assert set(of_f1["kept"]) == {"student", "student-without-teacher", "onnx-fp32"}
    assert set(of_f1["teacher_over_baseline"]) == {"most-frequent-class"}
    rows = {name: row["value"] for name, row in of_f1["rows"].items()}
    gain = of_f1["distillation_gain"]
    assert gain["value"] == pytest.approx(rows["student"] - rows["student-without-teacher"])
    assert gain["low"] < gain["value"] < gain["high"]
    assert of_f1["kept"]["onnx-fp32"]["value"] == pytest.approx(rows["onnx-fp32"] / rows["teacher"])
    assert len(of_f1["rows"]["teacher"]["per_seed"]) == 2
