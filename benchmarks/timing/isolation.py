"""A fresh process for what is measured: its threads, its processors, its errors."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from compress.errors import UserError

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_FRAME = re.compile(r'^\s+File ".*", line \d+')
_MOST_LINES = 8
_SIGKILL = 9
ALL_IT_SAID = "(all it said: "
"""Begins the last line of an error: where the rest of it is, on this machine."""
LEAST_LIMIT_SECONDS = 600.0
"""Nothing that still hopes to end is ended sooner."""


def run_apart(
    module: str,
    job_file: Path,
    threads: int,
    what: str,
    *,
    limit_seconds: float = LEAST_LIMIT_SECONDS,
) -> None:
    """Run a job in a fresh interpreter that finds the same packages as this one.

    Args:
        module: Run as `python -m MODULE JOB.json`.
        job_file: The job; what the process says is written beside it, into `process.log`.
        threads: For every library that asks the environment.
        what: Is measured, for the error message.
        limit_seconds: The process is killed after so long.

    Raises:
        UserError: The process failed, and the message ends with what it said; or it took too long.
    """
    log_file = job_file.parent / "process.log"
    try:
        done = subprocess.run(
            command(module, job_file),
            env=environment(threads),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=limit_seconds,
        )
    except subprocess.TimeoutExpired as hung:
        said = [one for one in (hung.stdout, hung.stderr) if isinstance(one, bytes)]
        log_file.write_bytes(b"".join(said))
        raise hangs(what, limit_seconds, log_file) from None
    log_file.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise failure(what, done.returncode, done.stderr, log_file)


def command(module: str, job_file: Path) -> list[str]:
    """Return what starts a module of ours in a fresh interpreter."""
    return [sys.executable, "-P", "-m", module, str(job_file.resolve())]


def environment(threads: int) -> dict[str, str]:
    """Return this process's variables with the thread counts set, and our packages to be found."""
    packages = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    counts = {name: str(threads) for name in _THREAD_VARIABLES}
    return os.environ | counts | {"PYTHONPATH": search_path}


def failure(what: str, code: int, stderr: str, log_file: Path) -> UserError:
    """Return the error of a process that failed, with its own words at the end."""
    killed = " (killed, most likely for want of memory)" if code == -_SIGKILL else ""
    return UserError(
        f"{what} could not be measured, the process ended with "
        f"{code}{killed}: {_last_words(stderr)}\n{ALL_IT_SAID}{log_file})"
    )


def hangs(what: str, limit_seconds: float, log_file: Path) -> UserError:
    """Return the error of a process that was killed because it did not end."""
    return UserError(
        f"{what} could not be measured: it was not done after {limit_seconds / 60:.3g} minutes, "
        f"far longer than it can take, and was ended. Does the runtime hang?"
        f"\n{ALL_IT_SAID}{log_file})"
    )


def _last_words(stderr: str) -> str:
    """Return the error itself, without the traceback's frames above it.

    After the last frame the first line that is not indented is the exception's; whatever follows
    belongs to it, lines that begin with a space as well.
    """
    lines = stderr.strip().splitlines()
    frames = [place for place, line in enumerate(lines) if _FRAME.match(line)]
    if not frames:
        return "\n".join(lines[-_MOST_LINES:]) or "it said nothing"
    rest = lines[frames[-1] + 1 :]
    starts = [place for place, line in enumerate(rest) if line[:1].strip()]
    said = rest[starts[0] :] if starts else rest
    return "\n".join(said[:_MOST_LINES]) or "it said nothing"


def allowed_cpus() -> tuple[int, ...]:
    """Return the processors that this process may use; empty where that cannot be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return ()  # macOS
    return tuple(sorted(os.sched_getaffinity(0)))


def choose_cpus(threads: int, allowed: tuple[int, ...]) -> tuple[int, ...]:
    """Return as many processors as threads, of different cores first.

    The last ones are taken: the first serves more interrupts than others on many machines.

    Args:
        threads: Of the model.
        allowed: As `allowed_cpus` says.

    Returns:
        Empty where there are too few, or none can be chosen.
    """
    if threads > len(allowed):
        return ()
    cores = [_core(cpu) for cpu in allowed]
    by_turn = sorted(
        range(len(allowed)), key=lambda place: (cores[place + 1 :].count(cores[place]), -place)
    )
    return tuple(sorted(allowed[place] for place in by_turn[:threads]))


def pin(cpus: tuple[int, ...], thread: int = 0) -> bool:
    """Keep a thread, and those that it starts from now on, on some processors.

    Args:
        cpus: Their numbers; nothing is done where there are none.
        thread: Its native number; 0 is the one that calls.

    Returns:
        Whether the system allowed it.
    """
    if not cpus or not hasattr(os, "sched_setaffinity"):
        return False
    try:
        os.sched_setaffinity(thread, cpus)
    except OSError:
        return False
    return True


def _core(cpu: int) -> str:
    """Name the core: its hardware threads; itself where the system does not say."""
    try:
        return Path(_SIBLINGS.format(cpu)).read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)


def forget_peak_memory() -> None:
    """Let `VmHWM` start anew from what is resident now, where the system allows it.

    Linux 4.0 and later: Documentation/filesystems/proc.rst, `clear_refs`.
    """
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def memory_mb(field: str) -> float:
    """Return a field of this process's memory, in 10^6 bytes.

    `VmHWM`, the kernel's high-water mark, is this program's own; getrusage's figure starts at that
    of the parent it was forked from, and serves only where there is no /proc.

    Args:
        field: Of /proc/self/status, such as `VmRSS`.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
