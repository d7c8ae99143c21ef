"""Blocked items, from the recipe to every file and row of an export."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from compress.data.catalogue import item_map_sha256
from compress.data.dataset import Dataset
from compress.data.prepare import prepare
from compress.errors import RecipeError
from compress.files import tree_bytes, tree_sha256
from compress.progress import Display, Progress
from compress.recipe import NextItemRecipe, TransformerStudent
from compress.run import Run
from compress.saved_model import save_model
from compress.stage import Stage, StageContext
from compress.stages.next_item.dataset import fit_baselines
from export.rows import read_artifacts, read_not_written, read_rows, write_artifacts
from export.runner import RunnerSpec, open_runner
from export.samples import Samples
from export.stages.next_item import STAGES, export_models
from export.verification import ask_one_by_one
from export.verification_set import VERIFICATION, VerificationSet
from export.verify_run import verify_run

LENGTH, TOP_K, BLOCKED, ITEMS = 12, 25, 40, 120
FILES = [
    {"format": "onnx", "scheme": "fp32"},
    {"format": "onnx", "scheme": "fp16"},
    {"format": "onnx", "scheme": "int8-dynamic"},
    {"format": "onnx", "scheme": "int8-static"},
    {"format": "ort", "scheme": "int8-dynamic", "optional": True},
    {"format": "coreml", "scheme": "fp16", "optional": True},
    {"format": "coreml", "scheme": "palettized-6", "optional": True},
    {"format": "tensorrt", "scheme": "fp16"},
    {"format": "tensorrt", "scheme": "int8-static"},
]
"""LiteRT, whose conversion takes long, is asked in `test_blocked_formats`."""


class Told(Display):
    """Remembers what was said."""

    def __init__(self):
        self.messages = []

    def said(self, message):
        self.messages.append(message)


def recipe_of(**export):
    return NextItemRecipe.model_validate(
        {
            "name": "shop",
            "data": {"source": {"kind": "table", "interactions": "e.csv"}},
            "task": {"kind": "next-item", "history_length": LENGTH, "top_k": TOP_K},
            "teacher": {"kind": "text-sequence", "members": 2},
            "student": {"kind": "transformer", "width": 16, "layers": 1, "heads": 2},
            "export": export,
        }
    )


class Shop:
    """A small data set with everything that an export reads, and what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told = folder, Told()
        rng = np.random.default_rng(0)
        rows = [
            f"u{user},i{item},{time}"
            for user in range(80)
            for time, item in enumerate(rng.permutation(ITEMS)[: 4 + user % 30])
        ]
        (folder / "e.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
        data = recipe_of().data
        prepare(data, folder, folder / "dataset", progress=lambda line: None)
        self.dataset = Dataset.open(folder / "dataset")
        for seed, name in enumerate(
            ("student", "student-without-teacher", "teacher/member-1", "teacher/member-2")
        ):
            self._save(folder / name, seed)
        (folder / "baselines").mkdir()
        fit_baselines(self.context(recipe_of(), folder / "baselines"))

    def _save(self, folder, seed):
        section = TransformerStudent(kind="transformer", width=16, layers=1, heads=2)
        torch.manual_seed(seed)
        network = section.build(items=self.dataset.items, history_length=LENGTH).eval()
        with torch.no_grad():
            network.table.mul_(20)
            network.bias.normal_(std=3)
        folder.mkdir(parents=True)
        save_model(folder, network, section, self.dataset.items, LENGTH)

    def context(self, recipe, folder):
        names = ("dataset", "baselines", "teacher", "student", "student-without-teacher")
        return StageContext(
            recipe=recipe,
            recipe_folder=self.folder,
            folder=folder,
            inputs={name: self.folder / name for name in names},
            progress=Progress(self.told),
            logs=self.folder / "logs",
            version=1,
            digests=dict.fromkeys(names, "a"),
        )

    def export(self, name, **export):
        folder = self.folder / name / "export"
        folder.mkdir(parents=True)
        export_models(self.context(recipe_of(**export), folder))
        return folder

    def histories(self, number=300):
        """Of test cases, and hard ones: nothing at all, all the same item, all unknown."""
        given = self.dataset.histories(self.dataset.cases("test"), LENGTH)
        hard = [np.zeros(LENGTH), np.full(LENGTH, 2), np.ones(LENGTH)]
        found = np.concatenate([np.array(hard, dtype=np.int32), given])
        return np.resize(found, (number, LENGTH))


def asked(folder, runtime, path, histories):
    if runtime == "tensorrt":  # a folder that builds on the device: the graph that it builds from
        runtime, (path,) = "onnx", [one.name for one in (folder / path).glob("*.onnx")]
        folder = next(one.parent for one in folder.rglob(path))
    with open_runner(RunnerSpec(runtime, str(folder / path))) as runner:
        return ask_one_by_one(runner, Samples({"history": histories}))["item_ids"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def favourites(shop):
    """Codes of the items that the student recommends most, ascending."""
    free = shop.export("free", artifacts=FILES[:1])
    answers = asked(free, "onnx", "student.fp32.onnx", shop.histories())
    counts = np.bincount(answers.ravel(), minlength=shop.dataset.items + 2)
    return np.sort(np.argsort(-counts, kind="stable")[:BLOCKED])


@pytest.fixture(scope="module")
def exported(shop, favourites):
    """An export with every format, with the favourites in a file."""
    ids = [shop.dataset.item_ids[code - 2] for code in favourites]
    (shop.folder / "blocked.txt").write_text("# never\n" + "\n".join(ids) + "\n")
    return shop.export("blocked", artifacts=FILES, blocked_items="blocked.txt")


def models_of(folder):
    """Runtime and path of every file and row, with their unmasked twins."""
    rows = [(one.runtime, one.path, one.unmasked_path) for one in read_rows(folder)]
    files = [(one.runtime, one.path, one.unmasked_path) for one in read_artifacts(folder)]
    return [(runtime, path) for runtime, *paths in rows + files for path in paths if path]


# ------------------------------------------------------------------------- what is recommended


def test_without_a_block_they_are_recommended(shop, favourites):
    """Otherwise the next test would say nothing."""
    free = shop.folder / "free" / "export"
    answers = asked(free, "onnx", "student.fp32.onnx", shop.histories())
    assert np.isin(answers, favourites).mean() > 0.3


def test_no_file_and_no_row_recommends_a_blocked_item(shop, exported, favourites):
    """In none of 300 histories, at no place, with seen items masked or not."""
    models = models_of(exported)
    written = {one.format for one in read_artifacts(exported)}
    skipped = {one.format for one in read_not_written(exported)}
    assert written | skipped == {"onnx", "ort", "coreml", "tensorrt"}
    assert {runtime for runtime, _ in models} >= {"baseline", "pytorch", "onnx", "tensorrt"}
    histories = shop.histories()
    for runtime, path in models:
        answers = asked(exported, runtime, path, histories)
        assert answers.shape == (300, TOP_K)
        assert not np.isin(answers, favourites).any(), path
        assert (answers != 0).all(), path


def test_every_file_answers_as_the_student_with_the_block(exported):
    assert [one.name for one in read_artifacts(exported) if one.check.faults] == []


# ------------------------------------------------------------------------------ what files say


def test_files_and_item_map_say_what_is_blocked(shop, exported, favourites):
    ids = [shop.dataset.item_ids[code - 2] for code in favourites]
    item_map = json.loads((exported / "item-map.json").read_text())
    assert item_map["blocked"] == favourites.tolist()
    assert item_map["blocked_sha256"] == item_map_sha256(ids)
    with open_runner(RunnerSpec("onnx", str(exported / "student.int8-dynamic.onnx"))) as runner:
        assert runner.metadata["limbeck.blocked_items"] == str(BLOCKED)
        assert runner.metadata["limbeck.blocked_sha256"] == item_map_sha256(ids)


def test_where_nothing_is_blocked_nothing_is_said_of_it(shop, favourites):
    free = shop.folder / "free" / "export"
    assert "blocked" not in (free / "item-map.json").read_text()
    assert all("blocked" not in path.read_text() for path in (free / "rows").iterdir())
    (artifact,) = read_artifacts(free)
    assert not [key for key in artifact.signature if "blocked" in key]


def test_blocking_changes_numbers_of_the_graph_and_no_operator(shop, exported):
    def operators(folder):
        graph = onnx.load(folder / "student.fp32.onnx").graph
        return [node.op_type for node in graph.node], [one.dims for one in graph.initializer]

    assert operators(exported) == operators(shop.folder / "free" / "export")


def test_files_are_verified_where_the_student_wants_what_is_blocked(shop, exported, favourites):
    reference = VerificationSet.load(exported / VERIFICATION).reference
    assert len(reference.histories) > 259
    with open_runner(
        RunnerSpec("onnx", str(shop.folder / "free" / "export" / "student.fp32.onnx"))
    ) as runner:
        free = runner({"history": reference.histories})["item_ids"]
    wanted = np.intersect1d(free, favourites)
    assert len(wanted) > 0.9 * BLOCKED
    assert (
        f"40 items are blocked; without that {len(wanted)} of them would be among the answers "
        "that files are verified on"
    ) in shop.told.messages


# -------------------------------------------------------------------------- files that lie


@pytest.fixture
def lied(shop, exported, tmp_path):
    """The ONNX file alone in a folder, changed, as if it had been so when it was exported."""

    def lied(change):
        folder = tmp_path / "export"
        folder.mkdir()
        artifact = next(one for one in read_artifacts(exported) if one.path.endswith("fp32.onnx"))
        for name in (artifact.path, VERIFICATION, "item-map.json"):
            (folder / name).write_bytes((exported / name).read_bytes())
        path = folder / artifact.path
        change(path)
        again = replace(
            artifact, bytes=tree_bytes(path), sha256=tree_sha256(path), unmasked_path=None
        )
        write_artifacts(folder, [again], [])
        return folder

    return lied


def unblock(codes):
    """Give blocked items a bias that wins."""

    def change(path):
        model = onnx.load(path)
        (bias,) = [
            one
            for one in model.graph.initializer
            if (numpy_helper.to_array(one) == -1e4).sum() == BLOCKED + 2
        ]
        values = numpy_helper.to_array(bias).copy()
        values[..., codes] = 3.0
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))
        onnx.save(model, path)

    return change


def the_only_verdict(folder):
    (verdict,) = verify_run(folder)
    return verdict


def test_an_honest_file_passes(lied):
    assert the_only_verdict(lied(lambda path: None)).passed


def test_a_file_without_its_block_is_refused_and_says_which(lied, favourites):
    verdict = the_only_verdict(lied(unblock(favourites[:12])))
    named = ", ".join(map(str, favourites[:10]))
    assert verdict.refused
    assert verdict.faults[0].startswith("12 blocked items are returned, in ")
    assert verdict.faults[0].endswith(f" histories: code {named} and 2 more of item-map.json")


def test_one_item_of_the_block_is_missed_nowhere(lied, favourites):
    (fault, *_) = the_only_verdict(lied(unblock(favourites[7:8]))).faults
    assert fault.startswith("a blocked item is returned, in ")
    assert fault.endswith(f" histories: code {favourites[7]} of item-map.json")


def test_it_is_refused_where_nothing_else_tells(lied, shop, favourites):
    """The student that it is compared with lost its block too: they agree in everything."""

    def both(path):
        free = shop.folder / "free" / "export"
        honest = VerificationSet.load(path.parent / VERIFICATION)
        same = VerificationSet.load(free / VERIFICATION).reference
        with_block = replace(same, blocked=honest.reference.blocked)
        replace(honest, reference=with_block).save(path.parent / VERIFICATION)
        model, metadata = onnx.load(free / path.name), onnx.load(path).metadata_props
        del model.metadata_props[:]
        model.metadata_props.extend(metadata)
        onnx.save(model, path)

    verdict = the_only_verdict(lied(both))
    assert verdict.check.agreement == 1.0
    (fault,) = verdict.faults
    assert "blocked items are returned, in " in fault


def test_an_item_map_with_another_block_is_refused(lied):
    folder = lied(lambda path: None)
    item_map = json.loads((folder / "item-map.json").read_text())
    item_map["blocked"].pop()
    (folder / "item-map.json").write_text(json.dumps(item_map))
    assert "not the list of blocked items that the file was made with" in " | ".join(
        the_only_verdict(folder).faults
    )


@pytest.mark.parametrize("key", ["limbeck.blocked_items", "limbeck.blocked_sha256"])
def test_a_file_that_does_not_say_so_is_refused(lied, key):
    def forget(path):
        model = onnx.load(path)
        kept = [one for one in model.metadata_props if one.key != key]
        del model.metadata_props[:]
        model.metadata_props.extend(kept)
        onnx.save(model, path)

    assert f"its metadata says nothing of {key}" in " | ".join(
        the_only_verdict(lied(forget)).faults
    )


# -------------------------------------------------------------------------- what is done anew


def test_an_unknown_id_stops_the_export(shop):
    with pytest.raises(RecipeError, match=r"export.blocked_items\[0\]: 'i999'"):
        shop.export("unknown", artifacts=FILES[:1], blocked_items=["i999"])


def test_another_list_exports_again_and_trains_nothing(tmp_path):
    """The stages before are as they were: the list is no part of their keys."""

    def stands(name):
        before = Stage("teacher", "", (), 1, lambda recipe: recipe.task.top_k, _write)
        after = replace(STAGES[0], needs=("teacher",), work=_write)
        recipe = recipe_of(blocked_items=name)
        run = Run(tmp_path / "run", recipe, tmp_path)
        planned = run.plan([before, after])
        run.execute(planned, Progress(Display()))
        return [one.state for one in planned]

    path = tmp_path / "blocked.txt"
    path.write_text("i1\n")
    assert stands("blocked.txt") == ["to do", "to do"]
    assert stands("blocked.txt") == ["finished", "finished"]
    path.write_text("i1\ni2\n")
    assert stands("blocked.txt") == ["finished", "to do"]
    path.write_text("# sorted\ni2\ni1\n")
    assert stands("blocked.txt") == ["finished", "finished"]


def _write(context):
    (context.folder / "done").write_text("")
