"""Files of ONNX Runtime Mobile, written once."""

import pytest

from compress.recipe import Ort
from export.ort.emit import emit
from export.samples import Samples
from export.source import About, DeploySource

SCHEMES = ("fp32", "fp16", "int8-dynamic", "int8-static")


@pytest.fixture(scope="package")
def next_item_ort(tmp_path_factory, deploy, signature, histories):
    """The source, the folder, and what was emitted by scheme."""
    folder = tmp_path_factory.mktemp("ort")
    source = DeploySource(
        module=deploy(),
        signature=signature,
        length=histories.shape[1],
        student=folder,
        calibration=Samples({"history": histories[:64]}),
        scratch=tmp_path_factory.mktemp("scratch"),
        about=About("tiny"),
    )
    emitted = {scheme: emit(source, Ort(format="ort", scheme=scheme), folder) for scheme in SCHEMES}
    return source, folder, emitted
