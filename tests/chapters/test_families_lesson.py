"""What the prose of the families lesson claims and its cells do not assert."""

import math
import re
from pathlib import Path

import pytest
import torch

from qkv.data import load as load_data
from qkv.figures import reading
from qkv.inspection.families import SealedBox, Writer, who_reads
from qkv.nn.masks import causal, prefix
from qkv.recipes.result import load
from qkv.text.sounds import letter_ids, sound_ids

LESSON = Path(__file__).resolve().parents[2] / "chapters/01_families/lesson.py"


def arm(name, quantity):
    """The mean over the seeds of one arm."""
    return torch.tensor(load("look-ahead").values[name][quantity]).mean().item()


def test_section_1_no_cell_moves_from_prefix_to_encoder_decoder():
    assert torch.equal(reading.mask("prefix"), reading.mask("encoder–decoder"))


def test_section_2_the_change_moves_one_cell():
    torch.manual_seed(0)
    box, (text, other) = SealedBox(16), torch.randn(2, 3, 16)
    mask = torch.tensor([[True, False, False], [True, True, False], [False, True, True]])
    changed = mask.clone()
    changed[0, 2] = True
    before, after = (who_reads(lambda x, m=m: box(x, x, m), text, other) for m in (mask, changed))
    assert (before != after).nonzero().tolist() == [[0, 2]]


def test_section_3_counts():
    assert causal(5).sum() == 15
    assert prefix(5, 3)[:, :3].sum() == 15
    assert torch.equal(prefix(5, 1), causal(5))


def test_section_4_the_change_four_boxes_tell_the_first_word_of_all_five():
    one_ahead = torch.tensor([[0 <= j - i <= 1 for j in range(5)] for i in range(5)])
    known = [(torch.linalg.matrix_power(one_ahead.double(), boxes) > 0)[0].sum().item() for boxes in range(1, 6)]
    assert known == [2, 3, 4, 5, 5]


def test_section_4_the_causal_mask_is_closed_under_stacking():
    step = causal(6).double()
    assert torch.equal(torch.linalg.matrix_power(step, 7) > 0, causal(6))


def test_section_5_hiding_the_own_place_still_opens_the_next():
    torch.manual_seed(0)
    writer = Writer("abcd", lambda n: ~torch.eye(n, dtype=torch.bool)).eval()
    table = who_reads(lambda ids: writer(ids[None])[0], torch.tensor([0, 1, 2]), torch.tensor([3, 2, 1]))
    assert table[0, 1]


def test_section_5_what_the_prose_says_of_the_measured_losses():
    assert arm("no mask", "as trained") < arm("causal mask", "as trained") / 5
    read = [arm(name, "written") for name in ("the book itself", "causal mask", "no mask", "letters at random")]
    assert read == sorted(read)
    assert read[3] - read[2] < read[2] - read[1]
    assert read[1] - read[0] > 1
    assert load("look-ahead").verdict == "reproduced"


def test_section_6_every_family_of_the_syllabus_has_its_models():
    text = LESSON.read_text(encoding="utf-8")
    assert all(name in text for name in ("BERT", "GPT", "BART", "T5", "MiniLM", "SmolLM2"))


def test_section_7_the_two_words_differ_everywhere_and_are_equally_long():
    cat, dog = letter_ids("cat"), letter_ids("dog")
    assert all(a != b for a, b in zip(cat, dog, strict=True))
    sounds, others = sound_ids(["K", "AE", "T"])[:3], sound_ids(["D", "AO", "G"])[1:4]
    assert all(a != b for a, b in zip(sounds, others, strict=True))


@pytest.mark.parametrize("task", reading.TASKS)
def test_section_8_each_task_has_a_family_that_is_made_for_it(task):
    place = reading.TASKS.index(task)
    made = [name for name, family in reading.FAMILIES.items() if family.fit[place] == reading.MADE]
    assert made
    assert (
        len(
            re.findall(
                r"^# \| (classify|find|extractive|generate|summarise|translate|generative)",
                LESSON.read_text("utf-8"),
                re.M,
            )
        )
        == 7
    )


def test_section_5_the_writer_has_83_letters_and_begins_near_an_even_guess(printed_by):
    books = load_data("gutenberg")
    signs = set("".join("\n\n".join(books[split]["text"][::7]) for split in ("train", "test")))
    assert len(signs) == 83
    first = float(re.search(r"loss at steps 1, 100, 200, 300: ([\d.]+)", printed_by("01_families/lesson"))[1])
    assert abs(first - math.log(83)) < 0.15
