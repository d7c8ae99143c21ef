"""Students converted to LiteRT, each once a session."""

from dataclasses import replace

import pytest

from compress.recipe.artifacts import LiteRt


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A folder for each student, where its conversion is kept."""
    folder = tmp_path_factory.mktemp("litert")

    def kept(name):
        (folder / name).mkdir(exist_ok=True)
        return folder / name

    return kept


@pytest.fixture
def emitted(tmp_path, kept, next_item_source, text_source_of):
    """Write a student in a scheme: `emitted("bert", "int8-dynamic")`; next-item by its name."""
    pytest.importorskip("litert_torch", reason="the litert extra is not installed")
    pytest.importorskip("ai_edge_quantizer", reason="the litert extra is not installed")
    from export.litert.emit import emit

    def emitted(kind, scheme, *given, **more):
        name = "-".join(map(str, (kind, *given, *more.values())))
        source = next_item_source if kind == "next-item" else text_source_of(kind, *given, **more)
        source = replace(source, scratch=kept(name))
        return source, emit(source, LiteRt(format="litert", scheme=scheme), tmp_path)

    return emitted
