"""What files are verified with comes back from its file as it was, and damage is a clear error."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from compress.errors import UserError
from export.onnx.run import OnnxRunner
from export.ranking_verification import TOLERANCES, compare_answers
from export.samples import Samples
from export.text_samples import text_samples
from export.text_verification import TOLERANCES as TEXT_TOLERANCES
from export.text_verification import TextReference
from export.verification import Asked, ask, ask_one_by_one
from export.verification_set import VerificationSet

DOCS = Path(__file__).parents[2] / "docs" / "verification.md"


@pytest.fixture
def ranking(reference, signature):
    return VerificationSet.from_reference(reference, signature)


@pytest.fixture
def large(reference, signature):
    """As of a catalogue of which only the best scores are kept."""
    return VerificationSet.from_reference(reference.shortened(100, 60), signature)


def text_set(sign, pieces, target="one-of", gains=None):
    rng = np.random.default_rng(0)
    lengths = pieces["attention_mask"].sum(axis=1).astype(np.int32)
    names = ("input_ids", "attention_mask")
    samples = Samples({name: pieces[name] for name in names}, lengths)
    answers = {}
    if target != "score":
        answers["probabilities"] = rng.dirichlet(np.ones(3), 6).astype(np.float32)
    if target == "score" or gains:
        answers["score"] = rng.normal(size=6).astype(np.float32)
    reference = TextReference(samples, answers, target, 0.25, gains)
    texts = text_samples(["", "naïve", "a\0b\n", "衣服", "😀" * 50, "end"])
    return VerificationSet.from_reference(reference, sign(target, False, bool(gains)), texts)


TEXT_KINDS = [("one-of", None), ("one-of", (0.0, 1.0, 2.5)), ("any-of", None), ("score", None)]


def same_arrays(first, second):
    assert sorted(first) == sorted(second)
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        np.testing.assert_array_equal(array, second[name])


@pytest.mark.parametrize("kind", ["ranking", "large"])
def test_a_ranking_reads_back(tmp_path, request, kind):
    found = request.getfixturevalue(kind)
    found.save(tmp_path / "a")
    again = VerificationSet.load(tmp_path / "a")
    same_arrays(found.arrays, again.arrays)
    assert again.belongs_to == found.belongs_to
    assert again.tolerances == TOLERANCES
    assert again.reference.mask_seen
    assert again.reference.codes == found.reference.codes


@pytest.mark.parametrize("kind", ["ranking", "large"])
def test_blocked_items_read_back(tmp_path, request, kind):
    found = request.getfixturevalue(kind)
    assert not [name for name in found.arrays if "blocked" in name]
    blocked = np.array([5, 9, 301], dtype=np.int32)
    found = replace(found, reference=replace(found.reference, blocked=blocked))
    found.save(tmp_path / "a")
    again = VerificationSet.load(tmp_path / "a")
    same_arrays(found.arrays, again.arrays)
    assert again.reference.blocked.tolist() == [5, 9, 301]


@pytest.mark.parametrize("blocked", [[[5, 9]], [5.0], [302], [-1]])
def test_blocked_items_that_are_none_are_damage(tmp_path, ranking, blocked):
    codes = np.array(blocked)
    codes = codes.astype(np.float32 if codes.dtype.kind == "f" else np.int32)
    found = replace(ranking, reference=replace(ranking.reference, blocked=codes))
    found.save(tmp_path / "a")
    with pytest.raises(UserError, match="is not a verification set, or is damaged"):
        VerificationSet.load(tmp_path / "a")


@pytest.mark.parametrize(("target", "gains"), TEXT_KINDS)
def test_texts_read_back(tmp_path, sign, pieces, target, gains):
    found = text_set(sign, pieces, target, gains)
    found.save(tmp_path / "a")
    again = VerificationSet.load(tmp_path / "a")
    same_arrays(found.arrays, again.arrays)
    assert (again.reference.target, again.reference.gains) == (target, gains)
    assert again.reference.threshold == 0.25
    assert again.texts.arrays["text"].tolist() == found.texts.arrays["text"].tolist()
    same_arrays(dict(again.samples.arrays), dict(found.samples.arrays))


def test_the_same_set_gives_the_same_bytes(tmp_path, ranking):
    for name in ("a", "b"):
        ranking.save(tmp_path / name)
    VerificationSet.load(tmp_path / "a").save(tmp_path / "c")
    assert len({(tmp_path / name).read_bytes() for name in "abc"}) == 1


def test_the_hashes_that_files_share_are_kept(ranking):
    assert ranking.belongs_to == {
        "limbeck.task": "next-item",
        "limbeck.recipe_sha256": "recipe hash",
        "limbeck.item_map_sha256": "item map hash",
    }


@pytest.mark.parametrize("scheme", ["fp32", "int8-dynamic"])
def test_the_check_is_that_of_the_reference(tmp_path, onnx_files, reference, ranking, scheme):
    ranking.save(tmp_path / "a")
    with OnnxRunner(onnx_files[scheme]) as runner:
        asked = ask(runner, ranking.samples)
        found = VerificationSet.load(tmp_path / "a").check(runner, scheme)
    expected = asked.sign(compare_answers(asked.answers, reference, TOLERANCES[scheme]))
    assert replace(found, seconds_per_example=None) == replace(expected, seconds_per_example=None)
    assert found.faults == ()
    assert found.checked_with.startswith("ONNX Runtime")


def test_the_tolerance_is_ours_whatever_the_set_says(tmp_path, reference, ranking):
    """Who can change the file could let any other pass."""
    scores = np.take_along_axis(reference.scores, reference.item_ids, axis=1) + np.float32(0.01)
    asked = Asked({"item_ids": reference.item_ids, "scores": scores})
    assert ranking.compare(asked, "fp32").faults
    loose = replace(ranking, tolerances={"fp32": TOLERANCES["int4-weight"]})
    loose.save(tmp_path / "a")
    assert VerificationSet.load(tmp_path / "a").compare(asked, "fp32").faults
    assert replace(ranking, tolerances={}).compare(asked, "fp32").faults


def test_a_scheme_without_tolerance_is_refused(ranking):
    loose = replace(ranking, tolerances={"int2": TOLERANCES["int4-weight"]})
    with pytest.raises(UserError, match="no tolerance for the scheme int2"):
        loose.compare(Asked({}), "int2")


def test_texts_that_are_not_there_cannot_be_asked(ranking):
    with pytest.raises(UserError, match="holds no texts"):
        ranking.check(None, "fp32", takes_texts=True)


# ------------------------------------------------------------------------------------ damage


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(UserError, match="is not there. It comes with every export"):
        VerificationSet.load(tmp_path / "none")


@pytest.mark.parametrize("end", [0, 5, 100, -1])
def test_a_truncated_file_is_refused(tmp_path, ranking, end):
    path = tmp_path / "a"
    ranking.save(path)
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(UserError, match="is not a verification set, or is damaged"):
        VerificationSet.load(path)


def saved(path, arrays, **changes):
    """A file of the ranking kind with other content than it should have."""
    about = {
        "schema": 1,
        "task": "next-item",
        "items": 300,
        "top": 10,
        "mask_seen": True,
        "belongs_to": {},
        "tolerances": {},
    }
    text = json.dumps({**about, **changes})
    path.write_bytes(save(arrays, metadata={"limbeck.verification": text}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "is of version 2, and this limbeck reads 1"),
        ({"items": 299}, "student/scores are of 300 items, not 299"),
        ({"tolerances": {"fp32": {"agreement": 1.0}}}, "missing 2 required"),
        ({"task": "text"}, "target"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(tmp_path, ranking, changes, message):
    with pytest.raises(UserError, match=message):
        VerificationSet.load(saved(tmp_path / "a", ranking.arrays, **changes))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("inputs/history", lambda one: one[:-1], r"are of \[259, 260\] examples"),
        ("inputs/history", lambda one: one.astype(np.float32), "is float32"),
        ("inputs/history", lambda one: one - 1, "not from 0 to 301"),
        ("expected/item_ids", lambda one: one + 300, "not from 0 to 301"),
        ("student/scores", lambda one: one[0], r"float32 \(302,\)"),
        ("student/scores", None, "student/scores"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path, ranking, name, change, message):
    arrays = ranking.arrays
    if change is None:
        del arrays[name]
    else:
        arrays[name] = np.ascontiguousarray(change(arrays[name]))
    with pytest.raises(UserError, match=message):
        VerificationSet.load(saved(tmp_path / "a", arrays))


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"weight": np.zeros(3, np.float32)}))
    with pytest.raises(UserError, match="limbeck.verification"):
        VerificationSet.load(path)


# ----------------------------------------------------------------------- readers without us


def reader():
    """The program in the documentation."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    found = {"__name__": "reader"}
    exec(code, found)
    return found


@pytest.mark.parametrize("kind", ["ranking", "large", "text"])
def test_the_reader_in_the_documentation_reads_it(tmp_path, request, sign, pieces, kind):
    made = text_set(sign, pieces) if kind == "text" else request.getfixturevalue(kind)
    made.save(tmp_path / "a")
    about, tensors = reader()["read"](tmp_path / "a")
    same_arrays(made.arrays, tensors)
    assert about["schema"] == 1
    assert about["task"] == ("text" if kind == "text" else "next-item")


def test_the_documentation_lists_every_tensor(ranking, large, sign, pieces):
    text = DOCS.read_text(encoding="utf-8")
    sets = (ranking, large, *(text_set(sign, pieces, *one) for one in TEXT_KINDS))
    for name in {name for one in sets for name in one.arrays}:
        assert f"`{name}`" in text


def test_the_reader_in_the_documentation_judges_as_we_do(tmp_path, onnx_files, ranking):
    ranking.save(tmp_path / "a")
    found = reader()
    about, tensors = found["read"](tmp_path / "a")
    for scheme in ("fp32", "int8-dynamic"):
        with OnnxRunner(onnx_files[scheme]) as runner:
            answers = ask_one_by_one(runner, Samples({"history": tensors["inputs/history"]}))
            check = ranking.check(runner, scheme)
        overlap, difference, regret = found["compare"](answers, tensors)
        assert overlap == pytest.approx(check.agreement)
        assert difference == pytest.approx(check.max_abs_difference, abs=1e-5)
        assert regret == pytest.approx(check.max_regret, abs=1e-5)


def test_the_documentation_states_the_tolerances():
    rows = [line.strip("| \n").split(" | ") for line in DOCS.read_text().splitlines()]
    found = {}
    for schemes, *numbers in (row for row in rows if len(row) == 8 and row[1][:1].isdigit()):
        found |= {scheme: [float(one) for one in numbers] for scheme in schemes.split(", ")}
    expected = {
        scheme: [
            *(one.agreement, one.difference, one.regret),
            *(two.agreement, two.difference, two.score_difference, two.regret),
        ]
        for scheme, one in TOLERANCES.items()
        for two in [TEXT_TOLERANCES[scheme]]
    }
    assert found == expected
