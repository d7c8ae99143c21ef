"""Packages of the small next-item student, one a scheme, written once."""

from importlib.util import find_spec

import pytest

from compress.recipe.artifacts import CoreMl, CoreMlText
from compress.saved_text_model import load_text_model
from export.coreml.emit import emit
from export.samples import Samples
from export.source import About, DeploySource
from export.text_deploy import TextDeploy

if find_spec("coremltools") is None:  # it comes with limbeck, but not on Windows
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory, deploy, signature, histories):
    """The small next-item student, for packages that several tests look at."""
    folder = tmp_path_factory.mktemp("coreml-source")
    return DeploySource(
        module=deploy(),
        signature=signature,
        length=histories.shape[1],
        student=folder,
        calibration=Samples({"history": histories[3:64]}),
        scratch=folder,
        about=About("tiny", "Somebody", "Apache-2.0"),
    )


@pytest.fixture(scope="session")
def emitted(tmp_path_factory, tiny_source):
    """What `emit` returned for a scheme and a target."""
    known = {}

    def emitted(scheme="fp16", target="iOS17"):
        if (scheme, target) not in known:
            folder = tmp_path_factory.mktemp(f"{scheme}-{target}")
            wanted = CoreMl(format="coreml", scheme=scheme, target=target)
            known[scheme, target] = emit(tiny_source, wanted, folder)
        return known[scheme, target]

    return emitted


@pytest.fixture(scope="session")
def text_package(tmp_path_factory, save_student, sign, pieces):
    """A text student's package that takes 8, 16 or 24 pieces, and its source."""
    folder = save_student("mean-pooled")
    signed = sign()
    source = DeploySource(
        module=TextDeploy(load_text_model(folder).model, "one-of").eval(),
        signature=signed,
        length=24,
        student=folder,
        calibration=Samples({one.name: pieces[one.name] for one in signed.inputs}),
        scratch=folder,
        about=About("tiny", "Somebody", "Apache-2.0"),
        classes=("Dresses", "Jeans", "Knits"),
    )
    wanted = CoreMlText(format="coreml", scheme="fp32", target="iOS18", lengths=(8, 16, 24))
    return emit(source, wanted, tmp_path_factory.mktemp("text")).path, source


@pytest.fixture
def save_program(tmp_path):
    """Save a MIL program, written with coremltools' builder, as a package."""
    import coremltools
    from coremltools.converters.mil.mil import Builder

    from export.quiet import quietly

    def save(build, *shapes, target="iOS17"):
        specs = [Builder.TensorSpec(shape=shape) for shape in shapes]
        with quietly():
            system = getattr(coremltools.target, target)
            program = Builder.program(input_specs=specs, opset_version=system)(build)
            model = coremltools.convert(
                program,
                convert_to="mlprogram",
                minimum_deployment_target=system,
                compute_precision=coremltools.precision.FLOAT32,
                skip_model_load=True,
            )
            path = tmp_path / "program.mlpackage"
            model.save(str(path))
        return path

    return save
