"""Writing and verifying a student's files, whatever the task and whatever the format."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import UserError
from compress.files import tree_bytes, tree_sha256, write_atomically
from compress.recipe import ArtifactSection, content_hash
from compress.reuse import made_before, note_made
from compress.stage import StageContext
from export.artifact import Artifact, NotWritten
from export.checking import check_file
from export.formats import Format, format_of
from export.source import DeploySource, Unsupported
from export.targets import emit_obstacles, require, this_machine

if TYPE_CHECKING:
    from export.verification_set import VerificationSet

Beside = Callable[[ArtifactSection, Artifact], Iterable[Artifact]]
"""Writes what comes beside a file."""


def nothing_beside(wanted: ArtifactSection, artifact: Artifact) -> Iterable[Artifact]:
    """Write nothing."""
    return ()


@dataclass(frozen=True)
class Emission:
    """What all files of a run have in common."""

    context: StageContext[Any]
    source: DeploySource
    verification: "VerificationSet"
    inputs: str
    """The samples that the files are asked with when they are measured."""
    depends_on: tuple[str, ...]
    """Stages whose files the files are made from."""
    twin: "tuple[DeploySource, VerificationSet] | None" = None
    """Next-item: the student with seen items allowed, and what it answers."""
    beside: Beside = nothing_beside

    def write_all(self) -> tuple[list[Artifact], list[NotWritten]]:
        """Write every file of the recipe that can be written, and verify each.

        What an interrupted or an earlier export made of the same things is used again.
        """
        artifacts: list[Artifact] = []
        not_written: list[NotWritten] = []
        wanted_files = self.context.recipe.export.artifacts
        for order, wanted in enumerate(wanted_files):
            self.context.progress.advance(wanted.name, order / len(wanted_files))
            try:
                artifacts += self._made(wanted)
            except Unsupported as error:
                not_written.append(self._not_written(wanted, str(error), wanted.optional))
            except (UserError, OSError):
                raise
            except Exception as error:  # a converter may fail in any way at what it does not know
                because = f"{type(error).__name__}: {str(error) or 'it does not say why'}"
                not_written.append(self._not_written(wanted, because, optional=False))
                self._log(wanted)
        return artifacts, not_written

    def _not_written(self, wanted: ArtifactSection, why: str, optional: bool) -> NotWritten:
        because = " ".join(why.split()).removeprefix(f"{wanted.name}: ")
        because = because.removeprefix(f"{wanted.format}: ")
        self.context.progress.say(f"{wanted.name} is not written: {because}")
        return NotWritten(wanted.name, wanted.format, wanted.scheme, because, optional)

    def _log(self, wanted: ArtifactSection) -> None:
        """Keep the whole of what went wrong where a maintainer looks for it."""
        self.context.logs.mkdir(parents=True, exist_ok=True)
        name = wanted.name.replace(" ", "-")
        write_atomically(self.context.logs / f"{name}.txt", traceback.format_exc())

    def _made(self, wanted: ArtifactSection) -> list[Artifact]:
        """Return what was made before, or make it."""
        known = format_of(wanted.format, wanted.device)
        record, key = wanted.name.replace(" ", "-"), self._key(wanted, known)
        obstacles = list(emit_obstacles(known, this_machine()))
        environment = None if obstacles else _environment(known)
        before = made_before(self.context, record, key)
        # What cannot be written here is kept as it was written elsewhere, or before.
        if before is not None and (obstacles or before["environment"] == environment):
            return [Artifact.from_json(one) for one in before["artifacts"]]
        require(known, this_machine())
        artifact = self._artifact(wanted, known)
        made = [artifact, *(self.beside(wanted, artifact) if known.has_twins else ())]
        paths = {
            path for one in made for path in (one.path, one.unmasked_path, *one.sidecars) if path
        }
        note = {"environment": environment, "artifacts": [one.to_json() for one in made]}
        note_made(self.context, record, key, tuple(sorted(paths)), note)
        return made

    def _artifact(self, wanted: ArtifactSection, known: Format) -> Artifact:
        folder = self.context.folder
        emitted = known.emit(self.source, wanted, folder)
        check, details = check_file(known, emitted, wanted.scheme, self.verification, wanted.device)
        unmasked = None
        if self.twin is not None and known.has_twins:
            unmasked, fault = self._unmasked_twin(wanted, known)
            if fault and not check.faults:
                check = replace(check, faults=(fault,))
        sidecars = [one.relative_to(folder).as_posix() for one in emitted.sidecars]
        return Artifact(
            name=wanted.name,
            path=emitted.path.relative_to(folder).as_posix(),
            inputs=self.inputs,
            format=wanted.format,
            scheme=wanted.scheme,
            target=getattr(wanted, "target", None) or known.target,
            runtime=known.runtime,
            bytes=tree_bytes(emitted.path),
            sha256=tree_sha256(emitted.path),
            check=check,
            signature=self.source.signature.metadata(),
            unmasked_path=unmasked,
            sidecars=tuple(sidecars),
            sidecar_sha256={path: tree_sha256(folder / path) for path in sidecars},
            details={**emitted.details, **details},
        )

    def _unmasked_twin(self, wanted: ArtifactSection, known: Format) -> tuple[str, str | None]:
        """Write the same file with seen items allowed; say where it differs from the student."""
        assert self.twin is not None
        source, verification = self.twin
        folder: Path = self.context.folder / "unmasked"
        folder.mkdir(exist_ok=True)
        emitted = known.emit(source, wanted, folder)
        check, _ = check_file(known, emitted, wanted.scheme, verification, wanted.device)
        path = emitted.path.relative_to(self.context.folder).as_posix()
        faults = "; ".join(check.faults)
        return path, f"its unmasked twin differs from the student: {faults}" if faults else None

    def _key(self, wanted: ArtifactSection, known: Format) -> str:
        """Return the hash of everything that a file and its verdict depend on."""
        export = self.context.recipe.export
        return content_hash(
            {
                "wanted": wanted.model_dump(mode="json", exclude={"optional"}),
                "export": export.model_dump(mode="json", exclude={"artifacts"}),
                "signature": self.source.signature.metadata(),
                "about": asdict(self.source.about),
                "from": {name: self.context.digests[name] for name in self.depends_on},
                "code": {one.name: one.version for one in (known, *_made_with(known))},
            }
        )


def _environment(known: Format) -> dict[str, Any]:
    """What of this machine a file and its verdict depend on."""
    through = (known, *_made_with(known))
    packages = {name for one in through for name in (*one.emit_needs, *one.versions_of)}
    return {
        "packages": {name: _version(name) for name in sorted(packages)},
        "machine": asdict(this_machine()),
    }


def _made_with(known: Format) -> list[Format]:
    return [format_of(name) for name in known.made_with]


def _version(package: str) -> str | None:
    """Return a package's version, by the name that it is imported by; None: not installed."""
    names = sorted(set(_distributions().get(package) or [package]))
    try:
        return ", ".join(f"{name} {version(name)}" for name in names)
    except PackageNotFoundError:
        return None


_distributions = cache(packages_distributions)
