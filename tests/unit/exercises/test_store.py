"""A learner's progress survives kill -9, two writers at once, damaged files, and folders that cannot be written."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from qkv.exercises import check, hint, progress, store

COUNT = """
import sys
from qkv.exercises import store

def add(state):
    store.record(state, sys.argv[1])["attempts"] += 1

for number in range(int(sys.argv[2])):
    assert store.update(add) == []
    print(number + 1, flush=True)
"""


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("QKV_HOME", str(tmp_path))


def writer(identifier, times):
    command = [sys.executable, "-c", COUNT, identifier, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def attempts(identifier):
    state, notes = store.load()
    assert notes == []
    return state["exercises"].get(identifier, {"attempts": 0})["attempts"]


def add(state):
    store.record(state, "x")["attempts"] += 1


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged():
    rng, total = random.Random(0), 0
    for _ in range(12):
        with writer("x", 10_000) as process:
            process.stdout.readline()  # it has begun to write
            time.sleep(rng.uniform(0.001, 0.06))
            process.send_signal(signal.SIGKILL)
            acknowledged = 1 + len(process.stdout.read().splitlines())
        now = attempts("x")
        assert total + acknowledged <= now <= total + acknowledged + 1  # the last write may be done but not reported
        total = now
    assert total > 12
    assert store.update(add) == []


def test_two_processes_at_once_lose_nothing():
    with writer("x", 60) as first, writer("x", 60) as second:
        assert [len(process.stdout.read().splitlines()) for process in (first, second)] == [60, 60]
    assert attempts("x") == 120


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"version": 2, "exercises": {}}', '{"version": 1, "exercises": {"x": 3}}', "\x00" * 50],
)
def test_a_damaged_file_is_kept_aside_and_its_twin_takes_over(tmp_path, damage):
    for _ in range(3):
        store.update(add)
    (tmp_path / "progress.json").write_text(damage)
    state, notes = store.load()
    assert state["exercises"]["x"]["attempts"] == 3
    assert notes == [
        "progress.json was damaged; it is kept as progress.damaged-1.json.",
        "Your progress comes from its twin.",
    ]
    assert (tmp_path / "progress.damaged-1.json").read_text() == damage
    store.update(add)
    assert attempts("x") == 4


def test_bytes_that_are_no_text_are_damage_too(tmp_path):
    store.update(add)
    (tmp_path / "progress.json").write_bytes(b"\xff\xfe\x80")
    assert store.load()[0]["exercises"]["x"]["attempts"] == 1


def test_when_both_copies_are_damaged_both_are_kept_and_it_says_so(tmp_path):
    store.update(add)
    for name in store.FILES:
        (tmp_path / name).write_text("no json")
    state, notes = store.load()
    assert state["exercises"] == {}
    assert notes[-1] == "No readable copy is left: progress begins anew."
    assert len(list(tmp_path.glob("*damaged*"))) == 2
    for name in store.FILES:
        (tmp_path / name).write_text("damaged again")
    store.load()
    assert len(list(tmp_path.glob("*damaged*"))) == 4


def test_damage_is_told_in_the_next_report(tmp_path):
    check("attention.order_the_steps", "BDAF")
    (tmp_path / "progress.json").write_text("{")
    report = check("attention.order_the_steps", "BDEF")
    assert "progress.json was damaged" in report.message
    row = next(row for row in progress().rows if row["id"] == "attention.order_the_steps")
    assert (row["status"], row["attempts"], row["mistakes"]) == ("passed", 2, ["A4"])


def test_a_home_that_cannot_be_written_costs_no_report(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("QKV_HOME", str(tmp_path / "file"))
    report = check("attention.order_the_steps", "BDAF")
    assert report.status == "passed"
    assert "Progress was not saved" in report.message
    assert "Hint 1 of 3" in hint("attention.order_the_steps")
    assert "could not be read" in repr(progress())


def test_a_lock_that_is_held_for_long_costs_no_report(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.1)
    hold = (
        "import sys, filelock; l = filelock.FileLock(sys.argv[1]); l.acquire(); print(1, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "progress.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        holder.stdout.readline()
        message = check("attention.order_the_steps", "BDAF").message
        holder.communicate("")
    assert "another program has held" in message
    with FileLock(tmp_path / "progress.lock", timeout=1):
        pass


def test_the_folder_is_qkv_home_or_the_users_data_folder(tmp_path, monkeypatch):
    assert store.home() == tmp_path
    monkeypatch.delenv("QKV_HOME")
    assert store.home().name == "qkv"


def test_files_are_plain_json(tmp_path):
    store.update(add)
    first, second = ((tmp_path / name).read_text() for name in store.FILES)
    assert first == second
    assert json.loads(first)["version"] == 1
