"""An export folder with a real file in it, as a run leaves it."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from compress.files import file_sha256
from compress.tasks.item_codes import IMPOSSIBLE
from export.artifact import Artifact
from export.ranking_verification import Reference
from export.rows import write_artifacts
from export.samples import Samples
from export.signature import next_item_signature
from export.verification import Check
from export.verification_set import VERIFICATION, VerificationSet

ITEMS, TOP_K = 30, 20


@pytest.fixture(scope="session")
def bench_run(tiny_model, tmp_path_factory):
    """A run with one ONNX file, and one that nothing here can run."""
    import onnxruntime

    folder = tmp_path_factory.mktemp("run") / "shop" / "export"
    folder.mkdir(parents=True)
    shutil.copy(tiny_model, folder / "student.fp32.onnx")
    histories = np.random.default_rng(0).integers(2, ITEMS + 2, (32, 6)).astype(np.int32)
    session = onnxruntime.InferenceSession(tiny_model)
    item_ids, _ = session.run(["item_ids", "scores"], {"history": histories})
    tables = {
        one.name: numpy_helper.to_array(one) for one in onnx.load(tiny_model).graph.initializer
    }
    scores = np.full((32, ITEMS + 2), IMPOSSIBLE, np.float32)
    scores[:, 2:] = tables["table"][histories].mean(axis=1) @ tables["head"]
    signature = next_item_signature(
        items=ITEMS,
        history_length=6,
        top_k=TOP_K,
        mask_seen=False,
        recipe_sha256="a" * 64,
        item_map_sha256="b" * 64,
    )
    reference = Reference(histories, scores, item_ids, mask_seen=False)
    VerificationSet.from_reference(reference, signature).save(folder / VERIFICATION)
    (folder / "samples").mkdir()
    Samples({"history": histories}).save(folder / "samples" / "histories.npz")
    run = Check(32, 1.0, 0.0, 0.0, (), checked_with="ONNX Runtime")
    parsed = Check(32, None, None, None, (), checked="parsed")

    def artifact(name, path, format_, target, runtime, check):
        return Artifact(
            *(name, path, "histories.npz", format_, name.split()[-1], target, runtime),
            *(tiny_model.stat().st_size, file_sha256(tiny_model), check, signature.metadata()),
        )

    write_artifacts(
        folder,
        [
            artifact("onnx fp32", "student.fp32.onnx", "onnx", "onnxruntime-cpu", "onnx", run),
            artifact(
                *("tensorrt-rtx fp16", "student.sm86.engine", "tensorrt-rtx", "sm86"),
                *("tensorrt", parsed),
            ),
        ],
        [],
    )
    return folder.parent
