"""The stage that takes the same student through other tools and measures what comes out."""

import json
import shutil
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.peers.asking import Asking, asking_of, preset_of, row_of
from benchmarks.peers.files import SCHEME, our_files
from benchmarks.peers.record import (
    EAGER,
    STAGE,
    TEACHER,
    TURNS,
    MeasuredPeer,
    PeerNotMeasured,
    PeerRoute,
    PeersRecord,
)
from benchmarks.peers.results import cold_file
from benchmarks.stages.latency import (
    LOGS,
    TURNS_LOGS,
    answers_of,
    cold_starts_of,
    queries_and_seconds,
    turns_of,
)
from benchmarks.stages.subjects import Subject
from compress.errors import UserError
from compress.files import tree_sha256, write_atomically
from compress.recipe import LiteRt, Onnx, Recipe, content_hash
from compress.reuse import made_before, note_made
from compress.stage import Stage, StageContext
from export.peers.catalogue import PEERS
from export.peers.peer import Peer, PeerStudent, native_samples
from export.rows import SAMPLES
from export.runner import RunnerSpec, open_runner, runner_spec_of
from export.samples import Samples


def peers_stage(quick: bool) -> Stage[Recipe]:
    """The stage `peers`: every peer alone, and then all in turn with our files, round by round."""

    def work(context: StageContext[Recipe]) -> None:
        with TemporaryDirectory(prefix="limbeck-") as scratch:
            _Session(context, quick, asking_of(context), Path(scratch)).measure()

    return Stage(
        name=STAGE,
        title="Take the same student through other tools" + (" (quick)" if quick else ""),
        needs=("dataset", "student", "export"),
        version=4,
        settings=lambda recipe: [
            quick,
            *queries_and_seconds(recipe, quick),
            recipe.benchmark.threads,
            asdict(turns_of(quick)),
            {peer.name: peer.version for peer in PEERS},
        ],
        # What is installed now, so that a tool installed later is measured then.
        outside=lambda recipe, folder: [one.name for one in PEERS if one.obstacle() is None],
        work=work,
    )


def check_peers(recipe: Recipe) -> None:
    """Say before any work starts why peers would have nothing to be compared with.

    What is not installed stands in no one's way: the report says which peers there are not.

    Raises:
        UserError: The recipe writes no int8 file.
    """
    for one in recipe.export.artifacts:
        if isinstance(one, Onnx | LiteRt) and one.scheme == SCHEME:
            return
    raise UserError(
        "--peers compares int8 files, and the recipe writes none: add "
        "{format: onnx, scheme: int8-dynamic} to export.artifacts, or leave --peers out."
    )


@dataclass(frozen=True)
class _Session:
    """One run of the stage; what was made or measured of the same things before is kept."""

    context: StageContext[Any]
    quick: bool
    asking: Asking
    scratch: Path

    def measure(self) -> None:
        """Measure all that can be, and write down what could not."""
        ours = our_files(self.context.inputs["export"])
        if not ours:
            raise UserError(
                "--peers compares int8 files, and none of ours could be run: see why in "
                "export/artifacts.json, or leave --peers out."
            )
        measured: list[MeasuredPeer] = []
        missing: list[PeerNotMeasured] = []
        for order, peer in enumerate(PEERS):
            self._advance(f"{peer.name}: making it", order)
            try:
                obstacle = peer.obstacle()
                if obstacle is not None:
                    raise UserError(obstacle)
                measured.append(self._measured(peer, order))
            except OSError:
                raise
            except Exception as error:  # tools fail in any way at what they do not take
                missing.append(PeerNotMeasured(peer.name, self._why(peer, error)))
        in_turn = self._ask_in_turn(ours, measured)
        PeersRecord(
            tuple(measured), tuple(missing), tuple(row.name for row in ours), in_turn
        ).write(self.context.folder)

    def _measured(self, peer: Peer, order: int) -> MeasuredPeer:
        made = self._made(peer)
        files = tree_sha256(self.context.folder / peer.slug)  # some only point at the student
        sha256 = content_hash([made, files, self.context.digests["student"]])
        self._advance(f"{peer.name}: asking it about the test split", order)
        difference = self._answered(peer, made, sha256, order)
        self._timed(peer, made, sha256, order)
        return MeasuredPeer(
            name=peer.name,
            slug=peer.slug,
            runtime=peer.runtime,
            path=made["path"],
            sha256=sha256,
            takes=peer.takes,
            bytes=made["bytes"],
            route=PeerRoute(peer.name, made["typed"], made["made_with"]),
            max_abs_difference=difference,
        )

    def _made(self, peer: Peer) -> dict[str, Any]:
        """Return what is known of a peer's files, made now or before."""
        context, folder = self.context, self.context.folder / peer.slug
        key = content_hash(
            [
                peer.version, peer.versions, preset_of(context.recipe), self.asking.blocked,
                context.recipe.task.model_dump(mode="json"),
                context.digests["student"], context.digests["dataset"],
            ]
        )  # fmt: skip
        before: dict[str, Any] | None = made_before(context, f"{peer.slug}.files", key)
        if before is not None:
            return before
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        files = peer.emit(self._student, folder)
        note = {
            "path": files.description.relative_to(context.folder).as_posix(),
            "bytes": files.bytes,
            "typed": files.typed,
            "made_with": peer.versions,
        }
        note_made(context, f"{peer.slug}.files", key, (peer.slug,), note)
        return note

    def _answered(self, peer: Peer, made: dict[str, Any], sha256: str, order: int) -> float | None:
        """Have it answer the test split; return its largest difference where that is asked for."""
        context, target = self.context, f"{peer.slug}.npz"
        samples = self._samples(peer)
        key = content_hash(
            [
                sha256, samples.sha256(), context.digests["dataset"], self.asking.differs_from,
                context.recipe.task.model_dump(mode="json"),
            ]
        )  # fmt: skip
        before = made_before(context, f"{peer.slug}.answers", key)
        if before is None:
            spec = self._spec(peer, made)
            evaluation = self.asking.evaluate(
                open_runner(spec), samples, lambda done: self._advance(peer.name, order + done)
            )
            evaluation.save(context.folder / target)
            before = {"difference": self.asking.difference(open_runner(spec), peer.takes)}
            note_made(context, f"{peer.slug}.answers", key, (target,), before)
        difference: float | None = before["difference"]
        return difference

    def _timed(self, peer: Peer, made: dict[str, Any], sha256: str, order: int) -> None:
        """Measure its row as any row is: single stream, and from a cold start."""
        from benchmarks.timing.cold_start import cold_start_ms
        from benchmarks.timing.measure import measure
        from benchmarks.timing.scenario import Scenario

        context, cold = self.context, cold_file(peer.slug)
        samples, threads = self._samples(peer), context.recipe.benchmark.threads
        queries, seconds = queries_and_seconds(context.recipe, self.quick)
        key = content_hash([sha256, samples.sha256(), queries, seconds, threads, self._machine])
        if made_before(context, f"{peer.slug}.latency", key) is not None:
            return
        self._advance(f"{peer.name}: at least {queries:,} queries and {seconds:g} s", order)
        spec, logs = self._spec(peer, made), context.folder / LOGS / peer.slug
        shutil.rmtree(logs, ignore_errors=True)
        timing = measure(
            spec,
            samples,
            Scenario("single-stream", queries, seconds),
            threads=threads,
            log_folder=logs,
            reference=answers_of(context.folder, peer.slug),
        )
        starts = cold_start_ms(
            spec,
            samples,
            threads=threads,
            log_folder=logs / "cold-start",
            starts=cold_starts_of(self.quick),
        )
        write_atomically(context.folder / f"{peer.slug}.json", timing.to_json())
        write_atomically(context.folder / cold, json.dumps(starts))
        paths = (f"{peer.slug}.json", cold, f"{LOGS}/{peer.slug}")
        note_made(context, f"{peer.slug}.latency", key, paths, peer.name)

    def _ask_in_turn(
        self, ours: Sequence[Subject], measured: Sequence[MeasuredPeer]
    ) -> tuple[str, ...]:
        """Ask teacher, our files, the student in PyTorch and all peers in turn.

        Returns:
            Their names.
        """
        from benchmarks.timing.turns import measure_in_short_turns

        context, threads = self.context, self.context.recipe.benchmark.threads
        export = context.inputs["export"]
        teacher, student = row_of(export, "teacher"), row_of(export, "student")
        names = (TEACHER, *(row.name for row in ours), EAGER, *(one.name for one in measured))
        turns = turns_of(self.quick)
        key = content_hash(
            [
                [row.sha256 for row in (teacher, *ours, student)],
                [one.sha256 for one in measured],
                names,
                self.asking.samples.sha256(),
                asdict(turns),
                threads,
                self._machine,
            ]
        )
        if made_before(context, "turns", key) is not None:
            return names
        self._advance(f"{len(names)} models in turn, {turns.total} rounds", len(PEERS))
        rows = (teacher, *ours, student)
        specs = [runner_spec_of(row.runtime, (export / row.path).resolve()) for row in rows]
        samples = [Samples.load(export / SAMPLES / row.inputs) for row in (teacher, *ours)]
        samples.append(native_samples(self.asking.samples, "int64"))
        for one in measured:
            specs.append(runner_spec_of(one.runtime, (context.folder / one.path).resolve()))
            samples.append(native_samples(self.asking.samples, one.takes))
        logs = context.folder / TURNS_LOGS
        shutil.rmtree(logs, ignore_errors=True)
        taken = measure_in_short_turns(
            specs, samples, turns=turns, threads=threads, log_folder=logs
        )
        with (context.folder / TURNS).open("wb") as stream:
            np.savez_compressed(stream, *taken, allow_pickle=False)
        note_made(context, "turns", key, (TURNS, TURNS_LOGS), turns.total)
        return names

    def _why(self, peer: Peer, error: Exception) -> str:
        """Return one sentence, and keep the rest where a maintainer looks for it."""
        logs = self.context.logs
        logs.mkdir(parents=True, exist_ok=True)
        write_atomically(logs / f"{peer.slug}.txt", traceback.format_exc())
        said = " ".join((str(error) or "it does not say why").split())
        because = said if isinstance(error, UserError) else f"{type(error).__name__}: {said}"
        self.context.progress.say(f"{peer.name} is not measured: {because}")
        return because

    def _advance(self, what: str, order: float) -> None:
        self.context.progress.advance(what, order / (len(PEERS) + 1))

    def _samples(self, peer: Peer) -> Samples:
        return native_samples(self.asking.samples, peer.takes)

    def _spec(self, peer: Peer, made: dict[str, Any]) -> RunnerSpec:
        return runner_spec_of(peer.runtime, (self.context.folder / made["path"]).resolve())

    @cached_property
    def _student(self) -> PeerStudent:
        return self.asking.student(self.scratch)

    @cached_property
    def _machine(self) -> dict[str, Any]:
        from benchmarks.environment import current_environment

        return asdict(current_environment())
