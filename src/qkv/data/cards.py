"""A data card: what one data set is, whence, under which licence, what was removed, and where it misleads."""

from collections.abc import Mapping
from dataclasses import dataclass

from qkv import assets


@dataclass(frozen=True)
class DataCard:
    """Everything a reader must know before trusting a data set.  Counts are exact; tests recount them from the file."""

    name: str
    title: str
    summary: str
    source: str
    citation: str
    columns: Mapping[str, str]
    splits: Mapping[str, int]
    split_rule: str
    removed: Mapping[str, int]
    cleaning: tuple[str, ...]
    limits: tuple[str, ...]
    hub_id: str | None
    hub_note: str
    hub_config: str | None = None  # which of several sets under one id
    parts: tuple[str, ...] = ()  # the sets that it is put together from, if it has no files of its own

    @property
    def read_from(self) -> list[assets.Asset]:
        """What is read."""
        return [assets.find(name) for name in self.parts or (self.name,)]

    @property
    def licence(self) -> str:
        """The licence of the data, as recorded with the asset; of several sets each with its own."""
        if self.parts:
            return "; ".join(f"{asset.name}: {asset.licence}" for asset in self.read_from)
        return assets.find(self.name).licence

    @property
    def num_bytes(self) -> int:
        """Size of the files that are read."""
        return sum(asset.num_bytes for asset in self.read_from)

    def markdown(self) -> str:
        """The card as a Markdown section, for the site and the terminal."""
        packages = dict.fromkeys(asset.package for asset in self.read_from)
        return "\n\n".join(
            [
                f"# {self.title}",
                self.summary,
                f'```python\nfrom qkv.data import load\n\nload("{self.name}")\n```',
                _bullets(
                    [
                        f"**Licence:** {self.licence}",
                        f"**Source:** {self.source}",
                        f"**Citation:** {self.citation}",
                        "**Package:** " + ", ".join(f"`{each.distribution}` {each.version}" for each in packages),
                        f"**Size on disk:** {readable(self.num_bytes)}",
                    ]
                ),
                "## Columns",
                _table(("column", "what it holds"), {f"`{name}`": text for name, text in self.columns.items()}),
                "## Splits",
                _table(("split", "rows"), {f"`{name}`": f"{size:,}" for name, size in self.splits.items()}),
                self.split_rule,
                "## What was changed",
                _bullets([*(f"{what}: {count:,} removed" for what, count in self.removed.items()), *self.cleaning]),
                "## Limits and biases",
                _bullets(self.limits),
                "## On the Hugging Face Hub",
                self._hub(),
            ]
        )

    def _hub(self) -> str:
        if self.hub_id is None:
            return self.hub_note
        config = f", configuration `{self.hub_config}`," if self.hub_config else ""
        read = f'`load("{self.name}", source="hub")` reads `{self.hub_id}` (hub id not tested here){config}'
        return f"{read.removesuffix(',')}. {self.hub_note}"


def readable(num_bytes: int) -> str:
    """A size for people: ``"3.6 MB"``, ``"38 kB"`` (powers of ten)."""
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1e6 else f"{num_bytes / 1e3:.0f} kB"


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows.items())]
    return "\n".join(lines)


def _bullets(lines: list[str] | tuple[str, ...]) -> str:
    return "\n".join(f"- {line}" for line in lines)
