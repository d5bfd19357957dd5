"""The chapters that have exercises: where they live, what their lessons ask, what their notebooks open with."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from qkv.exercises import (
    attention_mistakes,
    bert_mistakes,
    elmo_mistakes,
    families_mistakes,
    gpt_mistakes,
    multi_head_mistakes,
    positions_mistakes,
    start_mistakes,
    transformer_mistakes,
    ulmfit_mistakes,
)


class Chapter(NamedTuple):
    """One chapter.  Modules that need torch come last, so that plain exercises load without it."""

    title: str
    folder: str
    modules: tuple[str, ...]
    lessons: Mapping[str, tuple[str, ...]]  # file without suffix -> the questions of its numbered sections, in order
    opening: str  # a sentence before the first example, Markdown
    example: str  # code that shows the running example


CHAPTERS: Final = {
    "00": Chapter(
        "Before we start",
        "00_start",
        ("start", "start_tensors"),
        {"lesson": start_mistakes.SECTIONS},
        "The running example again: a row of numbers that asks, and the rows of *cat*, *mat*, *it*.",
        """\
asked, words = torch.tensor(toy.QUERY[2]), torch.tensor(toy.KEY)
print("asked:", asked.tolist(), "  rows of cat, mat, it:", words.tolist())
print("dot products:", (words @ asked).tolist(), "  a blind guess among 27 costs ln 27 =", math.log(27))""",
    ),
    "01": Chapter(
        "The three families",
        "01_families",
        ("families", "families_tensors"),
        {"lesson": families_mistakes.SECTIONS},
        "Three words and the causal table over them, rows read, columns are read; and the cost of a blind guess.",
        """\
from qkv.inspection.families import print_reading
from qkv.nn.masks import causal

print_reading(causal(3), toy.WORDS, toy.WORDS)
print(f"an even guess among 27 costs ln 27 = {math.log(27):.3f}")""",
    ),
    "02": Chapter(
        "Attention",
        "02_attention",
        ("attention", "attention_tensors"),
        {"lesson": attention_mistakes.SECTIONS},
        "The running example again: the query of *it* and the keys of *cat*, *mat*, *it*.",
        """\
query, key, value = (torch.tensor(table) for table in (toy.QUERY, toy.KEY, toy.VALUE))
print("query of it:", query[2].tolist(), " keys:", key.tolist())
print("√d_k =", math.isqrt(query.shape[-1]))""",
    ),
    "03": Chapter(
        "Many heads",
        "03_multi_head",
        ("multi_head", "multi_head_tensors"),
        {"lesson": multi_head_mistakes.SECTIONS},
        "The running example again, cut into two heads: *alive* and *thing* go to head 0, *singular* and *pronoun* to"
        " head 1.",
        """\
query, key = torch.tensor(toy.QUERY), torch.tensor(toy.KEY)
for head in range(2):
    own = slice(2 * head, 2 * head + 2)
    print(f"head {head}: query of it {query[2, own].tolist()}, keys {key[:, own].tolist()}")
print(f"√d_k = {math.sqrt(query.shape[-1] / 2):.2f}")""",
    ),
    "04": Chapter(
        "Positions",
        "04_positions",
        ("positions", "positions_tensors"),
        {"lesson": positions_mistakes.SECTIONS},
        "The table of positions for the three places of the toy: two hands of a clock, a quick and a slow one.",
        """\
from qkv.nn.positions import sinusoidal as table_of

for place, row in enumerate(table_of(3, 4).tolist()):
    print(f"{toy.WORDS[place]:3} at place {place}: " + "  ".join(f"{entry:.3f}" for entry in row))
print(f"sin 1 = {math.sin(1):.3f}, cos 1 = {math.cos(1):.3f}")""",
    ),
    "05": Chapter(
        "The Transformer",
        "05_transformer",
        ("transformer", "transformer_decoding", "transformer_tensors"),
        {
            "lesson": transformer_mistakes.SECTIONS,
            "lesson_2_training": transformer_mistakes.TRAINING_SECTIONS,
            "lesson_3_decoding": transformer_mistakes.DECODING_SECTIONS,
        },
        "A word as the pronouncer sees it, in ids; and the toy's words as a decoder would read and say them.",
        """\
from qkv.text.sounds import letter_ids, sound_ids

print("reads", letter_ids("phone"), "  says", sound_ids(["F", "OW", "N"]))
for read, say in zip(["start", *toy.WORDS], [*toy.WORDS, "end"], strict=True):
    print(f"reads {read:5}  must say {say}")
print(f"an even guess among 69 symbols costs ln 69 = {math.log(69):.3f}")""",
    ),
    "06": Chapter(
        "ELMo",
        "06_elmo",
        ("elmo", "elmo_tensors"),
        {"lesson": elmo_mistakes.SECTIONS, "lesson_2_elmo": elmo_mistakes.ELMO_SECTIONS},
        "One step of the memory cell with round numbers, and the toy's words as ELMo reads them.",
        """\
from qkv.text.words import character_ids as spelled

kept, written = 0.75 * 2, 0.5 * 0.5  # forget gate times memory, input gate times what may be written
print(f"kept {kept}, written {written}, memory {kept + written}, said {0.5 * math.tanh(kept + written):.3f}")
for word in [*toy.WORDS, "bank"]:
    print(f"{word:4}", spelled(word))""",
    ),
    "07": Chapter(
        "ULMFiT",
        "07_ulmfit",
        ("ulmfit", "ulmfit_tensors"),
        {
            "lesson": ulmfit_mistakes.SECTIONS,
            "lesson_2_fine_tuning": ulmfit_mistakes.TUNING_SECTIONS,
            "lesson_3_real_text": ulmfit_mistakes.REAL_SECTIONS,
        },
        "A slanted triangle of 20 steps, the rates of three groups at its peak, and the toy's values, pooled.",
        """\
from qkv.training.schedules import slanted_triangular as triangle

for step in (0, 1, 2, 11, 20):
    print(f"step {step:2} of 20: factor {triangle(step, 20):.3f}")
print("at the peak, from the bottom up:", [round(math.pow(2.6, -below), 3) for below in (2, 1, 0)])
values = torch.tensor(toy.VALUE).float()
print("pooled: last", values[-1].tolist(), " largest", values.amax(0).tolist(), " mean", values.mean(0))""",
    ),
    "08": Chapter(
        "OpenAI GPT",
        "08_gpt",
        ("gpt", "gpt_tensors"),
        {"lesson": gpt_mistakes.SECTIONS, "lesson_2_llama": gpt_mistakes.LLAMA_SECTIONS},
        "The running example as a row of our GPT's tokens, with the three new ones around it, and two losses mixed.",
        """\
from qkv.text.bpe import BPE
from qkv.transfer.inputs import SpecialIds, entailment

tokens = BPE.from_pretrained("gpt")
special = SpecialIds(len(tokens), len(tokens) + 1, len(tokens) + 2)
premise, hypothesis = (tokens.encode(f" {text}") for text in (toy.SENTENCE, "A cat was hungry."))
print("⟨s⟩, $, ⟨e⟩:", special.start, special.delimiter, special.extract)
print(torch.tensor(entailment(premise, hypothesis, special)))
print(f"label {math.log(2):.2f} + 1/2 · tokens {math.log(len(tokens)):.2f}, both guessed evenly")""",
    ),
    "09": Chapter(
        "BERT",
        "09_bert",
        ("bert", "bert_heads", "bert_tensors"),
        {"lesson": bert_mistakes.SECTIONS, "lesson_2_heads": bert_mistakes.HEADS_SECTIONS},
        "The running example in MiniLM's pieces, the numbers of the marks, and what a blind guess costs.",
        """\
from qkv.text.wordpiece import SPECIAL, WordPiece

pieces = WordPiece.from_pretrained("minilm")
print(*pieces.tokens(toy.SENTENCE))
print({token: pieces.ids[token] for token in SPECIAL})
print(f"a blind guess among {len(pieces)} pieces costs ln {len(pieces)} = {math.log(len(pieces)):.2f}")""",
    ),
}


def lesson_of(folder: str, section: str) -> tuple[str, int]:
    """The lesson that asks this question and the number of its section; ("lesson", 0) where none does."""
    lessons = next((chapter.lessons for chapter in CHAPTERS.values() if chapter.folder == folder), {})
    found = ((stem, asked.index(section) + 1) for stem, asked in lessons.items() if section in asked)
    return next(found, ("lesson", 0))
