"""Runners that do what the harness must not let pass, and one that does not.

They rank 40 items for a history `[B, L]` by hand: the item with the code c scores
(c * (1 + sum of the history)) modulo 97. Each works a while, so that time can be told.
"""

import hashlib
import os
import sys
import time
from queue import SimpleQueue
from subprocess import PIPE, Popen
from threading import Semaphore, Thread
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

ITEMS, K = 40, 10
Answers = dict[str, NDArray[np.generic]]


def rank(history: NDArray[np.int32]) -> Answers:
    """What is right."""
    codes = np.arange(2, ITEMS + 2)
    scores = (codes * (1 + history.sum(axis=1, keepdims=True)) % 97).astype(np.float32)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    return {
        "item_ids": codes[best].astype(np.int32),
        "scores": np.take_along_axis(scores, best, axis=1),
    }


def work(seconds: float) -> None:
    ends = perf_counter() + seconds
    while perf_counter() < ends:
        pass


def hash_for(seconds: float) -> None:
    """Work without Python's lock."""
    ends, block = perf_counter() + seconds, bytes(100_000)
    while perf_counter() < ends:
        hashlib.sha256(block)


class Honest:
    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def __enter__(self) -> "Honest":
        return self

    def __exit__(self, *about: object) -> None:
        pass

    def __call__(self, inputs: Answers) -> Answers:
        work(2e-4)
        return rank(inputs["history"])


class Sleeping(Honest):
    """Waits for something that is not the processor."""

    def __call__(self, inputs: Answers) -> Answers:
        time.sleep(1e-3)
        return rank(inputs["history"])


class SleepingInTwo(Honest):
    """Has two threads, each of which waits for more than half of the time: together they look
    like one that works."""

    def __enter__(self) -> "SleepingInTwo":
        self.begins: SimpleQueue[bool] = SimpleQueue()
        self.ended: SimpleQueue[bool] = SimpleQueue()
        self.other = Thread(target=self._serve, daemon=True)
        self.other.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.begins.put(False)
        self.other.join()

    def _serve(self) -> None:
        while self.begins.get():
            time.sleep(1.5e-3)
            hash_for(1e-3)
            self.ended.put(True)

    def __call__(self, inputs: Answers) -> Answers:
        self.begins.put(True)
        hash_for(1e-3)
        self.ended.get()
        return rank(inputs["history"])


class Hanging(Honest):
    """Never answers."""

    def __call__(self, inputs: Answers) -> Answers:
        time.sleep(3600)
        return rank(inputs["history"])


class Caching(Honest):
    """Looks up what it was asked before."""

    def __enter__(self) -> "Caching":
        self.known: dict[bytes, Answers] = {}
        return self

    def __call__(self, inputs: Answers) -> Answers:
        key = inputs["history"].tobytes()
        if key not in self.known:
            self.known[key] = super().__call__(inputs)
        return self.known[key]


class CachingFromTheThirdTime(Honest):
    """Looks up what it was asked twice before."""

    def __enter__(self) -> "CachingFromTheThirdTime":
        self.asked: dict[bytes, int] = {}
        self.known: dict[bytes, Answers] = {}
        return self

    def __call__(self, inputs: Answers) -> Answers:
        key = inputs["history"].tobytes()
        self.asked[key] = self.asked.get(key, 0) + 1
        if self.asked[key] < 3:
            self.known[key] = super().__call__(inputs)
        return self.known[key]


class Leaking(Honest):
    """Keeps 20 KB of every query."""

    def __enter__(self) -> "Leaking":
        self.kept: list[NDArray[np.generic]] = []
        return self

    def __call__(self, inputs: Answers) -> Answers:
        self.kept.append(np.ones(5000, np.float32))
        return super().__call__(inputs)


class OfManyThreads(Honest):
    """Has three more threads at work than it was allowed."""

    def __enter__(self) -> "OfManyThreads":
        self.ends = False
        self.others = [Thread(target=self._work, daemon=True) for _ in range(3)]
        for other in self.others:
            other.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.ends = True
        for other in self.others:
            other.join()

    def _work(self) -> None:
        square = np.ones((300, 300))
        while not self.ends:
            square @ square


class OfShortThreads(Honest):
    """Starts a thread a query, which is gone when one looks."""

    def __call__(self, inputs: Answers) -> Answers:
        other = Thread(target=work, args=(2e-4,))
        other.start()
        other.join()
        return rank(inputs["history"])


class OfFortyThreads(Honest):
    """Has forty threads that work one after the other, none for long, wherever there is room."""

    def __enter__(self) -> "OfFortyThreads":
        self.ends = False
        self.turns = [Semaphore(0) for _ in range(40)]
        self.others = [Thread(target=self._work, args=(one,), daemon=True) for one in range(40)]
        for other in self.others:
            other.start()
        self.turns[0].release()
        return self

    def __exit__(self, *about: object) -> None:
        self.ends = True
        for other in self.others:
            other.join()

    def _work(self, number: int) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
        block, following = bytes(2_000_000), self.turns[(number + 1) % len(self.turns)]
        while not self.ends:
            self.turns[number].acquire()
            hashlib.sha256(block)  # Some milliseconds without Python's lock.
            following.release()


class WorkingInAChild(Honest):
    """Lets another process work; what comes back was worked out there."""

    def __enter__(self) -> "WorkingInAChild":
        code = (
            "import sys, time\n"
            "for _ in sys.stdin:\n"
            "    ends = time.perf_counter() + 5e-4\n"
            "    while time.perf_counter() < ends: pass\n"
            "    print(flush=True)\n"
        )
        self.child = Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True)
        return self

    def __exit__(self, *about: object) -> None:
        self.child.communicate()

    def __call__(self, inputs: Answers) -> Answers:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        self.child.stdout.readline()
        return rank(inputs["history"])


class RubbishNowAndThen(Honest):
    """Answers every sixth query with what it has at hand."""

    def __enter__(self) -> "RubbishNowAndThen":
        self.asked = 0
        return self

    def __call__(self, inputs: Answers) -> Answers:
        self.asked += 1
        return (Rubbish if self.asked % 6 == 0 else Honest).__call__(self, inputs)


class Rubbish(Honest):
    """Answers at once, always the same."""

    def __call__(self, inputs: Answers) -> Answers:
        history = inputs["history"]
        return {
            "item_ids": np.tile(np.arange(2, 2 + K, dtype=np.int32), (len(history), 1)),
            "scores": np.tile(np.arange(K, 0, -1, dtype=np.float32), (len(history), 1)),
        }


class Malformed(Honest):
    """Answers with the same item ten times."""

    def __call__(self, inputs: Answers) -> Answers:
        answers = super().__call__(inputs)
        return answers | {"item_ids": np.full_like(answers["item_ids"], 7)}


class RubbishOnceWarm(Honest):
    """Answers as it should until it is timed."""

    def __enter__(self) -> "RubbishOnceWarm":
        self.asked = 0
        return self

    def __call__(self, inputs: Answers) -> Answers:
        self.asked += 1
        if self.asked <= 50:
            return super().__call__(inputs)
        return Rubbish.__call__(self, inputs)


class Noting(Honest):
    """Says on its error stream when it was asked, and disturbs its standard output."""

    def __enter__(self) -> "Noting":
        print("loaded, says the runtime itself", flush=True)
        return self

    def __call__(self, inputs: Answers) -> Answers:
        print(time.monotonic(), file=sys.stderr)
        return super().__call__(inputs)


class Crashing(Honest):
    """Takes its process along."""

    def __call__(self, inputs: Answers) -> Answers:
        os.abort()


class Failing(Honest):
    """Fails after a while."""

    def __enter__(self) -> "Failing":
        self.ends = perf_counter() + 0.7
        return self

    def __call__(self, inputs: Answers) -> Answers:
        if perf_counter() > self.ends:
            raise RuntimeError("one query too many")
        return super().__call__(inputs)


class SlowToLoad(Honest):
    """Takes half a second to load."""

    def __enter__(self) -> "SlowToLoad":
        time.sleep(0.5)
        return self
