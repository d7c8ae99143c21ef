"""What is to be known beside the figures of a comparison, a sentence each."""

from collections.abc import Iterator

from benchmarks.compare.data import ChangeData
from benchmarks.compare.runs import ComparedRun
from benchmarks.groups.data import ProtectVerdictData
from benchmarks.report.data import ArtifactData, ReportData, VerdictData


def notes_of_files(
    base: ComparedRun, base_file: ArtifactData, other: ComparedRun, other_file: ArtifactData
) -> Iterator[str]:
    """Yield what speaks against shipping one of the files, and whether they are alike.

    Args:
        base: The run that the other is held against.
        base_file: What is compared of it.
        other: The other run.
        other_file: What is compared of that.
    """
    for run, file in ((base, base_file), (other, other_file)):
        yield from refusals(run, file)
        budget = run.report.budget
        broken: list[str] = [one.limit for one in budget.verdicts if _is_broken(one, file)]
        broken += [f"protect {one.column}" for one in budget.protected if _is_broken(one, file)]
        if broken:
            yield f"{run.name}: {file.name} breaks its own budget ({', '.join(broken)})."
    kinds = [f"{one.format} {one.scheme} for {one.target}" for one in (base_file, other_file)]
    if kinds[0] != kinds[1]:
        yield f"The files differ in kind: {kinds[0]} in {base.name}, {kinds[1]} here."


def _is_broken(verdict: VerdictData | ProtectVerdictData, file: ArtifactData) -> bool:
    return verdict.path == file.path and not verdict.met


def refusals(run: ComparedRun, file: ArtifactData) -> Iterator[str]:
    """Say of a file that its own run refused it, and why."""
    if not file.usable:
        because = (file.refused_because or "no reason is noted").rstrip(".")
        yield f"{run.name}: {file.name} was refused by its own run: {because}."


def notes_of_runs(
    base: ComparedRun,
    other: ComparedRun,
    same_cases: bool | None,
    file: ChangeData,
    asked_in_turn: bool,
) -> Iterator[str]:
    """Yield what a reader has to know before believing the figures.

    Args:
        base: The run that the other is held against.
        other: The other run.
        same_cases: See `ComparisonData`.
        file: The change from one run's file to the other's.
        asked_in_turn: Whether latency was measured for this comparison.
    """
    if same_cases is False:
        yield (
            "The test cases are not the same: each run's were resampled on their own, and a "
            "difference may be the data's."
        )
    elif file.method == "unpaired":
        yield "The test cases cannot be told to be the same: each run's were resampled alone."
    if file.method == "published intervals":
        yield (
            "The answers to the test cases are not all there: the interval is put together from "
            "the reports' own, as if the runs were independent, and is wider than need be where "
            "they share their cases."
        )
    for name in sorted(base.settings.keys() | other.settings.keys()):
        ours, theirs = base.settings.get(name), other.settings.get(name)
        if ours != theirs:
            yield f"The recipes differ in task.{name}: {ours} in {base.name}, {theirs} here."
    if other.report.quick or base.report.quick:
        yield "Latency was measured quickly in at least one of the runs."
    machine = list(_machine_differences(base.report, other.report))
    if machine:
        yield "The machines differ: " + "; ".join(machine) + "."
    if not asked_in_turn:
        yield _about_sessions(base, other, file, bool(machine))


def _about_sessions(
    base: ComparedRun, other: ComparedRun, file: ChangeData, machines_differ: bool
) -> str:
    """Say what two p90 of different sessions are worth: never a verdict."""
    rows = [run.row(name) for run, name in ((base, file.base.name), (other, file.other.name))]
    found = [None if row is None else row.latency for row in rows]
    quiet = [one for one in found if one is not None and one.quiet and one.valid]
    in_turn = "--latency asks the files in turn"
    if machines_differ or len(quiet) < len(found):
        return f"p90 was measured in different sessions, which gives no verdict; {in_turn}."
    ratio = quiet[1].p90_ms / quiet[0].p90_ms
    return (
        f"p90 was measured in different sessions on equal machines, both quiet: {ratio:.2f} times "
        f"the base’s, without an interval and so without a verdict; {in_turn}."
    )


def _machine_differences(base: ReportData, other: ReportData) -> Iterator[str]:
    ours, theirs = base.environment.model_dump(), other.environment.model_dump()
    packages, other_packages = ours.pop("packages"), theirs.pop("packages")
    for name in ours:
        is_known = ours[name] not in ("", None) and theirs[name] not in ("", None)
        if is_known and ours[name] != theirs[name] and name not in ("memory_gb", "kernel"):
            yield f"{name.replace('_', ' ')} {_plain(ours[name])} and {_plain(theirs[name])}"
    for name in sorted(packages.keys() | other_packages.keys()):
        one, another = packages.get(name, "none"), other_packages.get(name, "none")
        if one != another:
            yield f"{name} {one} and {another}"


def _plain(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
