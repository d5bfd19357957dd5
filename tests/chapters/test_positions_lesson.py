"""What the prose of the positions lesson claims and its cells do not assert."""

import itertools
import math

import pytest
import torch

from qkv.inspection.waves import PROPERTIES, one_matrix_steps, periods, waves
from qkv.models.bert import BERT
from qkv.models.transformer import Transformer, TransformerConfig
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.masks import causal
from qkv.nn.positions import RotaryPositions, alibi_bias, sinusoidal
from qkv.recipes.result import load
from qkv.text.sounds import letter_ids


def arm(name, quantity):
    """The mean over the seeds of a published result."""
    result, kind = (name.rsplit("/", 1)) if "/" in name else (name, "")
    return torch.tensor(load(result).values[kind][quantity]).mean().item()


def test_section_1_an_encoder_without_positions_gives_anagrams_the_same_vectors():
    model = Transformer(TransformerConfig(69, 12, 3, 20, 2, 1, positions="none")).eval()
    act, cat = (model.encode(torch.tensor([letter_ids(word)]))[0] for word in ("act", "cat"))
    torch.testing.assert_close(act[[1, 0, 2]], cat)


def test_section_1_nine_words_in_ten_are_wrong_without_positions():
    assert 88 < arm("positions/none", "WER") < 93


def test_section_1_the_two_sentences_of_the_change_give_any_query_the_same():
    generator = torch.Generator().manual_seed(0)
    the, cat, left, mat, query = torch.randn(5, 4, generator=generator)
    outputs = [
        scaled_dot_product_attention(query[None], rows, rows)[0]
        for rows in (torch.stack([the, cat, left, the, mat]), torch.stack([the, mat, left, the, cat]))
    ]
    torch.testing.assert_close(*outputs)


def test_section_2_the_change_last_word_kept_its_output_never_changes():
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 7, 4, generator=generator)
    output, _ = scaled_dot_product_attention(query, key, value, causal(7))
    for _ in range(20):
        order = torch.cat([torch.randperm(6, generator=generator), torch.tensor([6])])
        again, _ = scaled_dot_product_attention(query[order], key[order], value[order], causal(7))
        torch.testing.assert_close(again[6], output[6])


def test_section_2_shuffling_passes_through_each_step_of_the_proof():
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 5, 3, generator=generator)
    shuffle = torch.eye(5)[torch.randperm(5, generator=generator)]
    torch.testing.assert_close(shuffle.T @ shuffle, torch.eye(5))
    scores = query @ key.T
    torch.testing.assert_close((shuffle @ query) @ (shuffle @ key).T, shuffle @ scores @ shuffle.T)
    weights = torch.softmax(scores, dim=-1)
    moved = torch.softmax(shuffle @ scores @ shuffle.T, dim=-1)
    torch.testing.assert_close(moved, shuffle @ weights @ shuffle.T)
    torch.testing.assert_close(moved @ (shuffle @ value), shuffle @ (weights @ value))


def test_section_3_at_44_the_fast_hand_stands_where_it_began_and_the_slow_one_does_not():
    hands = sinusoidal(45, 4).reshape(45, 2, 2)
    fast, slow = (hands[44] - hands[0]).norm(dim=-1)
    assert fast < 0.02
    assert slow.item() == pytest.approx(2 * math.sin(0.44 / 2))  # between two places 0.44 apart on a circle


def test_section_3_every_row_of_the_change_has_the_length_4_and_no_number_leaves_the_range():
    table = sinusoidal(1000, 32)
    assert table.abs().max() <= 1
    torch.testing.assert_close(table.norm(dim=-1), torch.full((1000,), 4.0))


def test_section_4_four_columns_have_no_room():
    generator = torch.Generator().manual_seed(0)
    letters, table = torch.randn(69, 4, generator=generator), sinusoidal(40, 4)
    letter, position = (torch.randint(size, (1000,), generator=generator) for size in (69, 40))
    found = torch.cdist(letters[letter] + table[position], letters).argmin(-1)
    assert (found == letter).float().mean() < 0.5


def test_section_4_without_the_factor_the_position_drowns_the_letter():
    generator = torch.Generator().manual_seed(0)
    letters, table = torch.randn(69, 128, generator=generator) / math.sqrt(128), sinusoidal(40, 128)
    letter, position = (torch.randint(size, (1000,), generator=generator) for size in (69, 40))
    found = []
    for scaled in (letters, math.sqrt(128) * letters):
        again = torch.cdist(scaled[letter] + table[position], scaled).argmin(-1)
        found.append((again == letter).float().mean())
    assert found[0] < 0.5
    assert found[1] > 0.99


def test_section_5_left_and_right_have_the_same_dot_product():
    table = sinusoidal(40, 16)
    torch.testing.assert_close(table[20] @ table[23], table[20] @ table[17])


def test_section_6_the_change_keeps_row_0_alone():
    kept = [keeps(waves(60, 32, cosine_ahead=1)) for keeps in PROPERTIES.values()]
    assert kept == [False, False, False, True, False]


def test_section_7_the_margin_was_two_points():
    assert load("learned-positions").config["margin"] == 2
    assert load("learned-positions").verdict == "equivalent"


@pytest.fixture(scope="module")
def minilm_positions():
    return BERT.from_pretrained("minilm").position.weight.detach()[1:]


def test_section_7_each_wave_is_three_times_as_long_as_the_one_before(minilm_positions):
    found = periods(minilm_positions)
    assert len(found) == 5
    ratios = [slow / fast for fast, slow in itertools.pairwise(found)]
    assert all(2.9 < ratio < 3.4 for ratio in ratios)


def test_section_7_ten_directions_hold_nearly_all(minilm_positions):
    sizes = torch.linalg.svdvals(minilm_positions - minilm_positions.mean(0)).square()
    assert sizes[:10].sum() / sizes.sum() > 0.9
    assert sizes[:8].sum() / sizes.sum() < 0.8


def test_section_7_minilms_clock_carries_a_few_steps_and_not_a_hundred(minilm_positions):
    carried = [one_matrix_steps(minilm_positions, step=step) for step in (1, 10, 100)]
    assert carried[0] > 0.6
    assert carried[0] > carried[1] > 0.3
    assert carried[2] < 0.2
    five_hands = sinusoidal(511, 10)
    assert all(one_matrix_steps(five_hands, step=step) > 0.999 for step in (1, 50, 100))


def test_section_8_turning_keeps_lengths():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 9, 6, generator=generator)
    torch.testing.assert_close(RotaryPositions(6)(x, start=40).norm(dim=-1), x.norm(dim=-1))


def test_section_8_the_change_turning_one_side_only_moves_the_weights():
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 5, 16, generator=generator)
    rotary = RotaryPositions(16)
    weights = [
        scaled_dot_product_attention(rotary(query, start), rotary(key, keys_start), key)[1]
        for start, keys_start in ((0, 0), (100, 100), (100, 0))
    ]
    torch.testing.assert_close(weights[1], weights[0], atol=1e-5, rtol=0)
    assert not torch.allclose(weights[2], weights[0], atol=0.05)


def test_section_9_the_last_head_reads_far():
    _, weights = scaled_dot_product_attention(*torch.zeros(3, 4, 2), causal(4), bias=alibi_bias(8, 4)[7])
    torch.testing.assert_close(weights[3], torch.full((4,), 0.25), atol=0.003, rtol=0)


def test_section_9_what_the_prose_says_of_the_measured_losses():
    loss = {
        name: [arm(f"length-extrapolation/{name}", f"loss {length}") for length in (64, 128, 256, 512)]
        for name in ("sinusoidal", "rotary", "ALiBi", "none")
    }
    assert loss["sinusoidal"][1] - loss["sinusoidal"][0] > 1
    assert loss["rotary"][1] - loss["rotary"][0] < 0.5
    assert loss["rotary"][3] > loss["sinusoidal"][3] - 0.2
    assert max(loss["ALiBi"]) - min(loss["ALiBi"]) < 0.05
    learned = arm("length-extrapolation/learned", "loss 64")
    assert loss["none"][0] > max(learned, *(losses[0] for name, losses in loss.items() if name != "none"))
    assert loss["none"][0] < 3 < math.log(80)  # guessing among some eighty characters
