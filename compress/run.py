"""The folder of a job: stages that are finished, in progress, or still to do.

A stage works in a hidden sibling folder, `.<stage>.partial`, and is renamed to `<stage>` when it
is finished, so that a folder that carries a stage's name is always complete. What a killed stage
left in its partial folder is handed to it again, as long as its key is the same.

A stage's key is the hash of its own part of the recipe, the keys of the stages it reads, the
version of its code and what it takes from outside the run (the contents of the user's files). A
finished stage also remembers what its inputs' files hashed to: an input that was done anew and
came out different makes it stale.
"""

import errno
import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from compress.errors import RunError, UserError
from compress.files import file_sha256, write_atomically
from compress.progress import Progress
from compress.recipe import Recipe, content_hash
from compress.run_recipe import RECIPE, write_run_recipe
from compress.stage import PlannedStage, Stage, StageContext

RECORD = "stage.json"
PARTIAL_RECORD = ".partial.json"
LOGS = "logs"


class Run:
    """A job's folder."""

    def __init__(
        self, folder: Path, recipe: Recipe, recipe_folder: Path, given: Recipe | None = None
    ) -> None:
        """Say what is to be done where; nothing is touched yet.

        Args:
            folder: Of the run; made if missing.
            recipe: The job.
            recipe_folder: Where relative paths in it start from.
            given: The job as the user gave it, where files were added to it; kept in the folder.
        """
        self.folder = folder
        self.recipe = recipe
        self.recipe_folder = recipe_folder
        self.given = given or recipe

    def plan(
        self, stages: Sequence[Stage[Any]], redo_from: str | None = None, only: str | None = None
    ) -> list[PlannedStage]:
        """Say for each stage whether it is finished, half done, or to do.

        Args:
            stages: In an order in which every stage comes after those it needs.
            redo_from: This stage and all that follow are to do, finished or not.
            only: The stage that will be done alone.

        Raises:
            RunError: `redo_from` or `only` is not a stage.
        """
        _known(redo_from, stages, "--from")
        _known(only, stages, "--only")
        keys: dict[str, str] = {}
        planned: list[PlannedStage] = []
        redo = False
        for stage in stages:
            redo = redo or stage.name == redo_from
            keys[stage.name] = content_hash(
                {
                    "stage": stage.name,
                    "version": stage.version,
                    "settings": stage.settings(self.recipe),
                    "outside": stage.outside(self.recipe, self.recipe_folder),
                    "needs": [keys[name] for name in stage.needs],
                }
            )
            key = keys[stage.name]
            ready = all(one.state == "finished" for one in planned if one.stage.name in stage.needs)
            if redo or not ready:
                state = "to do"
            elif self._is_finished(stage, key):
                state = "finished"
            else:
                state = "resume" if self._is_partial(stage, key) else "to do"
            planned.append(PlannedStage(stage, key, state, is_redone=redo))
        return planned

    def execute(
        self, planned: Sequence[PlannedStage], progress: Progress, only: str | None = None
    ) -> None:
        """Do what the plan says is to do, in its order.

        Args:
            planned: What `plan` returned.
            progress: Told about every stage.
            only: Do this stage alone; those it needs must be finished.

        Raises:
            RunError: The folder is in use, or `only` needs a stage that is not finished.
        """
        with self._lock(), disk_errors(self.folder):
            if only is None or not (self.folder / RECIPE).is_file():
                write_run_recipe(self.folder, self.given, self.recipe_folder)
            for one in planned:
                if only is not None and one.stage.name != only:
                    continue
                if one.state == "finished":
                    progress.display.stage_reused(one.stage.name)
                    continue
                self._do(one, planned, progress)
            self._write_manifest([one.stage.name for one in planned])

    def require_finished(self, stages: Sequence[Stage[Any]], before: str) -> None:
        """Make sure that all there is to do comes from a stage on.

        Args:
            stages: Of the job, in their order.
            before: The stage's name.

        Raises:
            RunError: A stage before it is not finished for this recipe.
        """
        for one in self.plan(stages):
            if one.stage.name == before:
                return
            if one.state != "finished":
                raise RunError(
                    f"Stage '{one.stage.name}' of {self.folder} is not finished. Finish the run "
                    "first: limbeck run RECIPE (what is done is used again)."
                )

    def timings(self, stages: Sequence[str]) -> dict[str, float]:
        """Seconds that each finished stage took, interruptions left out."""
        return {
            name: float(record["seconds"])
            for name in stages
            if (record := _read_json(self.folder / name / RECORD)) is not None
        }

    def _do(self, one: PlannedStage, planned: Sequence[PlannedStage], progress: Progress) -> None:
        stage = one.stage
        for other in planned:
            name = other.stage.name
            if name in (*stage.needs, *stage.after) and not self._is_finished(
                other.stage, other.key
            ):
                raise RunError(
                    f"Stage '{stage.name}' comes after '{name}', which is not finished for this "
                    f"recipe in {self.folder}. Run without --only, or with --only {name} first."
                )
        partial = self._partial(stage.name)
        place = self.folder / stage.name
        inputs = self._digests(stage)
        resumed = one.state == "resume"
        if resumed and (partial / RECORD).is_file():
            _replace_folder(partial, place)  # killed between the last file and the rename
            return
        spent = 0.0
        if resumed and stage.keep_partial:
            spent = float((_read_json(partial / PARTIAL_RECORD) or {}).get("seconds", 0.0))
        else:
            resumed = False
            _remove(partial)
            partial.mkdir(parents=True)
        clock = _PartialClock(partial / PARTIAL_RECORD, {"key": one.key, "inputs": inputs}, spent)
        clock.note()
        progress.display.stage_started(stage.name, stage.title, resumed)
        context: StageContext[Any] = StageContext(
            recipe=self.recipe,
            recipe_folder=self.recipe_folder,
            folder=partial,
            inputs={name: self.folder / name for name in stage.needs},
            progress=progress.with_heartbeat(clock.beat),
            logs=self.folder / LOGS / stage.name,
            timings=self.timings([other.stage.name for other in planned]),
            version=stage.version,
            previous=place if place.is_dir() and not one.is_redone else None,
            digests=inputs,
        )
        try:
            stage.work(context)
        finally:
            clock.note_if_possible()
        record = {
            "key": one.key,
            "inputs": inputs,
            "seconds": round(clock.seconds, 3),
            "files": _file_records(partial),
        }
        write_atomically(partial / RECORD, json.dumps(record, indent=1))
        _replace_folder(partial, place)
        progress.display.stage_finished(stage.name, clock.seconds)

    def _is_finished(self, stage: Stage[Any], key: str) -> bool:
        """Whether its folder is of this key, made from the present inputs, and undamaged."""
        folder = self.folder / stage.name
        record = _read_json(folder / RECORD)
        if record is None or record.get("key") != key:
            return False
        if record.get("inputs") != self._digests(stage):
            return False
        files = record.get("files")
        return isinstance(files, dict) and all(
            (folder / file).is_file() and (folder / file).stat().st_size == about["bytes"]
            for file, about in files.items()
        )

    def _is_partial(self, stage: Stage[Any], key: str) -> bool:
        """Whether there is work on this key and these inputs to go on with."""
        partial = self._partial(stage.name)
        record = _read_json(partial / RECORD) or _read_json(partial / PARTIAL_RECORD)
        return record is not None and (record.get("key"), record.get("inputs")) == (
            key,
            self._digests(stage),
        )

    def _digests(self, stage: Stage[Any]) -> dict[str, str]:
        """What the stages that it needs have written, as one hash each."""
        records = {name: _read_json(self.folder / name / RECORD) for name in stage.needs}
        return {name: content_hash((record or {}).get("files")) for name, record in records.items()}

    def _partial(self, name: str) -> Path:
        return self.folder / f".{name}.partial"

    def _write_manifest(self, stages: Sequence[str]) -> None:
        records = {name: _read_json(self.folder / name / RECORD) for name in stages}
        manifest = {
            "stages": {name: record for name, record in records.items() if record is not None},
        }
        write_atomically(self.folder / "manifest.json", json.dumps(manifest, indent=1))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep a second process out of the folder for as long as this one works in it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = (self.folder / ".lock").open("w")
        except OSError as error:
            raise RunError(
                f"Cannot write to the run folder {self.folder}: {error.strerror}. "
                "Choose another with --out."
            ) from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(
                    f"Another limbeck run is working in {self.folder}. "
                    "Wait for it, or choose another folder with --out."
                ) from error
            yield


class _PartialClock:
    """Seconds of work on a stage, added up over interruptions."""

    def __init__(self, record: Path, work: Mapping[str, object], spent: float) -> None:
        self._record, self._work, self._spent = record, work, spent
        self._start = self._noted = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._spent + time.monotonic() - self._start

    def note(self) -> None:
        """Write down the time so far, for a run that takes up the work after a kill."""
        self._noted = time.monotonic()
        write_atomically(
            self._record, json.dumps({**self._work, "seconds": round(self.seconds, 3)})
        )

    def beat(self) -> None:
        """Note the time every few seconds."""
        if time.monotonic() - self._noted > _NOTE_EVERY_S:
            self.note()

    def note_if_possible(self) -> None:
        with suppress(OSError):  # a full disk must not hide the error that it caused
            self.note()


_NOTE_EVERY_S = 5.0
_DISK_ERRORS = frozenset(
    {errno.EIO, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM}
)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full or forbidden disk into a message; nothing of the work is lost by it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        raise UserError(
            f"{error.filename or folder}: {error.strerror}. Make room, permit it, or choose "
            "another folder with --out; then run the same command: it goes on from here."
        ) from error


def _file_records(folder: Path) -> dict[str, dict[str, object]]:
    own = {folder / RECORD, folder / PARTIAL_RECORD}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path not in own)
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in files
    }


def _replace_folder(new: Path, place: Path) -> None:
    (new / PARTIAL_RECORD).unlink(missing_ok=True)
    old = place.with_name(f".{place.name}.old")
    _remove(old)
    if place.exists():
        place.rename(old)
    new.rename(place)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _known(name: str | None, stages: Sequence[Stage[Any]], option: str) -> None:
    names = [stage.name for stage in stages]
    if name is not None and name not in names:
        raise RunError(f"{option} {name}: no such stage; the stages are {', '.join(names)}.")
