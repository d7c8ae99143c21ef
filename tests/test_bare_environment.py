"""limbeck without any of its optional packages: it imports, and every verb explains itself."""

import os
import re
import subprocess
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import limbeck
from export.formats import FORMATS

CORE = {"torch", "onnx", "onnxruntime"}
OPTIONAL = {
    *{package for one in FORMATS for package in (*one.emit_needs, *one.run_needs)} - CORE,
    "wandb",
    "sklearn",
    "torchao",
    "jax",
}
"""Packages that a format or a logger needs, and that no verb's help and no import may."""


def verbs():
    """Every verb, with its group in front."""
    yield from ([one.name or one.callback.__name__] for one in limbeck.app.registered_commands)
    for group in limbeck.app.registered_groups:
        for one in group.typer_instance.registered_commands:
            yield [group.name, one.name or one.callback.__name__]


def required(name, found):
    """The distributions that `name` needs without any extra, itself included."""
    try:
        about = distribution(name)
    except PackageNotFoundError:  # of another platform
        return found
    found[about.metadata["Name"].lower().replace("_", "-")] = about
    for line in about.requires or ():
        needed = re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower().replace("_", "-")
        if "extra ==" not in line and needed not in found:
            required(needed, found)
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Python of a venv that has what limbeck requires, file for file, and nothing optional."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    (place,) = folder.glob("lib/python*/site-packages")
    for about in required("limbeck", {}).values():
        for top in {Path(file).parts[0] for file in about.files or ()}:
            source, target = Path(str(about.locate_file(top))), place / top
            if top in ("..", "__pycache__") or top in OPTIONAL or target.exists():
                continue
            target.symlink_to(source.resolve())
    here = Path(__file__).resolve().parent.parent
    (place / "limbeck-here.pth").write_text(f"{here}\n")
    return folder / "bin" / "python"


def run(python, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(python), "-s", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_nothing_optional_is_there(python):
    code = (
        "import sys\nfrom importlib.util import find_spec\n"
        f"print([one for one in {sorted(OPTIONAL)} if find_spec(one)])"
    )
    assert run(python, "-c", code).stdout.strip() == "[]"


def test_every_module_imports(python):
    code = (
        "import importlib, pkgutil, compress, export, benchmarks\n"
        "for package in (compress, export, benchmarks):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "print('all')\n"
    )
    done = run(python, "-c", code)
    assert done.stdout.strip() == "all", done.stderr


def test_every_verb_has_help(python):
    lines = [f"    {verb}," for verb in verbs()]
    code = (
        "import limbeck\nfrom typer.testing import CliRunner\n"
        "for verb in [\n" + "\n".join(lines) + "\n]:\n"
        "    done = CliRunner().invoke(limbeck.app, [*verb, '--help'])\n"
        "    assert done.exit_code == 0 and 'Usage' in done.output, (verb, done.output)\n"
        "print('all')\n"
    )
    done = run(python, "-c", code)
    assert done.stdout.strip() == "all", done.stderr


def test_the_table_of_formats_says_how_to_get_what_is_missing(python):
    done = run(python, "-m", "limbeck", "targets", "--json")
    assert done.returncode == 0, done.stderr
    assert "pip install 'limbeck[tensorrt]'" in done.stdout
    assert "pip install 'limbeck[litert]'" in done.stdout
