"""A learner's progress in ``QKV_HOME``: locked, written atomically, kept twice.

``kill -9`` at any moment leaves the old state or the new one.  Two notebooks at once wait for each other.  A file that
cannot be read is renamed, never deleted, and its twin takes its place.

Its two libraries are imported when they are used: the static page judges without them.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

State = dict[str, Any]  # {"version": 1, "exercises": {id: {"status", "attempts", "mistakes": {code: n}, "hints"}}}
FILES = ("progress.json", "progress.twin.json")
LOCK_SECONDS = 10


def home() -> Path:
    """The folder of the learner's state: ``QKV_HOME``, or the user's data directory."""
    if folder := os.environ.get("QKV_HOME"):
        return Path(folder)
    from platformdirs import user_data_path

    return user_data_path("qkv", appauthor=False)


def load() -> tuple[State, list[str]]:
    """The state, and sentences about what was damaged or could not be read."""
    try:
        with _locked():
            return _read()
    except OSError as error:  # filelock's Timeout is one
        return _empty(), [f"Progress could not be read in {home()}: {error}."]


def update(change: Callable[[State], None]) -> list[str]:
    """Apply ``change`` to the state and store it; returns sentences about what went wrong.

    Never raises: a full disk or a read-only folder must not cost a learner the report.
    """
    try:
        with _locked():
            state, notes = _read()
            change(state)
            for name in FILES:
                _write(home() / name, state)
            return notes
    except TimeoutError:  # filelock's Timeout is one
        return [f"Progress was not saved: another program has held {home()} for {LOCK_SECONDS} s."]
    except OSError as error:
        return [f"Progress was not saved in {home()}: {error.strerror or error}."]


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    from filelock import FileLock

    home().mkdir(parents=True, exist_ok=True)
    with FileLock(home() / "progress.lock", timeout=LOCK_SECONDS):
        yield


def _read() -> tuple[State, list[str]]:
    notes, found = [], []
    for path in (home() / name for name in FILES):
        if path.exists():
            try:
                found.append(_valid(json.loads(path.read_text(encoding="utf-8"))))
            except ValueError:
                notes.append(f"{path.name} was damaged; it is kept as {_set_aside(path).name}.")
    if notes:
        notes.append(
            "Your progress comes from its twin." if found else "No readable copy is left: progress begins anew."
        )
    return (found[0] if found else _empty()), notes


def _empty() -> State:
    return {"version": 1, "exercises": {}}


def _valid(state: Any) -> State:
    if not isinstance(state, dict) or state.get("version") != 1 or not isinstance(state.get("exercises"), dict):
        raise ValueError("expected an object with version 1 and exercises")
    wanted = {"status": str, "attempts": int, "mistakes": dict, "hints": int}
    for record in state["exercises"].values():
        if not isinstance(record, dict) or not all(isinstance(record.get(k), t) for k, t in wanted.items()):
            raise ValueError(f"expected {list(wanted)} in every exercise")
    return state


def _set_aside(path: Path) -> Path:
    number = 1
    while (kept := path.with_suffix(f".damaged-{number}.json")).exists():
        number += 1
    path.rename(kept)
    return kept


def _write(path: Path, state: State) -> None:
    draft = path.with_suffix(".draft")  # one writer at a time: the lock is held
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def record(state: State, identifier: str) -> State:
    """The record of one exercise, made when it is missing."""
    empty = {"status": "not attempted", "attempts": 0, "mistakes": {}, "hints": 0}
    return state["exercises"].setdefault(identifier, empty)
