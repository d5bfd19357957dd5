"""A text alone decides its split, and the shares are kept."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qkv.data.splits import by_hash, split_of

SPLITS = {"train", "validation", "test"}


def test_a_split_by_hand() -> None:
    # sha256("cat") starts with 77af778b, and 0x77af / 0x10000 = 0.4675…
    assert hashlib.sha256(b"cat").hexdigest().startswith("77af778b")
    assert split_of("cat", validation=0.1, test=0.4) == "validation"
    assert split_of("cat", validation=0.1, test=0.468) == "test"
    assert split_of("cat", validation=0.2, test=0.2) == "train"


@given(st.lists(st.text(max_size=3), max_size=40), st.randoms())
def test_equal_texts_share_a_split_in_any_order(texts: list[str], random) -> None:
    rows = [{"text": text, "number": number} for number, text in enumerate(texts * 2)]
    random.shuffle(rows)
    splits = by_hash(rows, lambda row: row["text"], validation=0.3, test=0.3)
    texts_of = {name: {row["text"] for row in rows} for name, rows in splits.items()}
    assert set(splits) == SPLITS
    assert sum(map(len, splits.values())) == len(rows)
    assert not texts_of["train"] & texts_of["test"]
    assert not texts_of["train"] & texts_of["validation"]
    assert not texts_of["validation"] & texts_of["test"]


def test_order_is_kept_and_shares_are_met() -> None:
    rows = [{"text": f"row {number}", "number": number} for number in range(20_000)]
    splits = by_hash(rows, lambda row: row["text"], validation=0.1, test=0.2)
    assert all([row["number"] for row in part] == sorted(row["number"] for row in part) for part in splits.values())
    # 5 standard deviations of a binomial
    assert len(splits["validation"]) == pytest.approx(2_000, abs=5 * (20_000 * 0.1 * 0.9) ** 0.5)
    assert len(splits["test"]) == pytest.approx(4_000, abs=5 * (20_000 * 0.2 * 0.8) ** 0.5)


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.1), (0.5, 0.5), (0.1, -0.2)])
def test_impossible_shares_are_refused(validation: float, test: float) -> None:
    with pytest.raises(ValueError, match=f"validation={validation}, test={test}"):
        split_of("cat", validation=validation, test=test)
