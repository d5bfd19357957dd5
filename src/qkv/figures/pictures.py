"""What stands in a figure's place without JavaScript: a picture, drawn from the same numbers, and a sentence."""

import math
from collections.abc import Callable
from html import escape
from typing import Any, Final
from urllib.parse import quote

import torch

from qkv import toy
from qkv.figures import banks, beam_tree, gaps, gpt_rows, head_layer, pieces_and_gaps, rates, reading, reference
from qkv.figures.colours import LIGHT
from qkv.nn.attention import scaled_dot_product_attention
from qkv.nn.positions import sinusoidal
from qkv.text.sounds import symbols

FONT: Final = "system-ui,sans-serif"
BAR_WIDTH: Final = 220

Number = float | int


def short(number: Number, digits: int = 2) -> str:
    """As the live figures write numbers: .67, 6.65, −2."""
    text = f"{abs(number):.{digits}f}".rstrip("0").rstrip(".")
    sign = "−" if number < 0 and text != "0" else ""
    return sign + (text.replace("0.", ".", 1) if text.startswith("0.") else text)


def it_gives(wet: bool = False) -> tuple[list[float], list[float]]:
    """Shares (t_k) and output (d_v) of the row *it*, by the library's own attention."""
    query = torch.tensor([toy.QUERY_IT_WET if wet else toy.QUERY[2]], dtype=torch.float64)
    key, value = (torch.tensor(rows, dtype=torch.float64) for rows in (toy.KEY, toy.VALUE))
    output, weights = scaled_dot_product_attention(query, key, value)
    return weights[0].tolist(), output[0].tolist()


def _text(x: Number, y: Number, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(text)}</text>'


def _rectangle(x: Number, y: Number, width: Number, height: Number, colour: str) -> str:
    box = " ".join(
        f'{name}="{size:.0f}"' for name, size in zip(("x", "y", "width", "height"), (x, y, width, height), strict=True)
    )
    return f'<rect {box} fill="{colour}"/>'


def _svg(width: int, height: int, parts: list[str]) -> str:
    paper = _rectangle(0, 0, width, height, LIGHT["page"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" font-size="16" fill="{LIGHT["ink"]}">{paper}{"".join(parts)}</svg>'
    )


def _share_bars(x: Number, heading: str, shares: list[float]) -> list[str]:
    parts = [_text(x, 28, heading, ' font-weight="600"')]
    for i, (word, share) in enumerate(zip(toy.WORDS, shares, strict=True)):
        y = 44 + 36 * i
        parts += [
            _text(x, y + 19, word),
            _rectangle(x + 44, y, BAR_WIDTH, 28, LIGHT["surface"]),
            _rectangle(x + 44, y, BAR_WIDTH * share, 28, LIGHT["ink"]),
            _text(x + 56 + BAR_WIDTH, y + 19, short(share)),
        ]
    return parts


def stepper_svg() -> str:
    """The shares of *it* in both sentences, side by side."""
    hungry, wet = it_gives()[0], it_gives(wet=True)[0]
    return _svg(680, 164, _share_bars(16, "… it was hungry.", hungry) + _share_bars(360, "… it was wet.", wet))


def dk_slider_svg(d_k: int = 64) -> str:
    """The eight sorted weights of the first draw, not scaled above, scaled below."""
    drawn = reference.coins(d_k, num_draws=1)
    parts: list[str] = []
    for row, (name, scaled) in enumerate((("not scaled", False), ("divided by √d_k", True))):
        top = 24 + 120 * row
        parts.append(_text(16, top + 44, name))
        for i, weight in enumerate(reference.measure(drawn, scaled)["weights"][0].tolist()):
            x = 168 + 62 * i
            parts += [
                _rectangle(x, top, 56, 72, LIGHT["surface"]),
                _rectangle(x, top + 72 * (1 - weight), 56, 72 * weight, LIGHT["ink"]),
                _text(x + 28, top + 90, short(weight), ' text-anchor="middle"'),
            ]
    return _svg(680, 256, parts)


def families_svg() -> str:
    """The four masks side by side: a filled square where the row's word may read the column's."""
    parts: list[str] = []
    for n, name in enumerate(reading.FAMILIES):
        left = 90 + 150 * n
        parts.append(_text(left, 28, name, ' font-weight="600" font-size="15"'))
        for i, row in enumerate(reading.mask(name).tolist()):
            parts.append(_text(16, 56 + 22 * i, reading.WORDS[i]) if n == 0 else "")
            colours = (LIGHT["ink"] if cell else LIGHT["surface"] for cell in row)
            parts += [_rectangle(left + 22 * j, 40 + 22 * i, 20, 20, colour) for j, colour in enumerate(colours)]
    return _svg(680, 188, parts)


def families_sentence() -> str:
    """How each family reads, and which two read alike."""
    ways = "; ".join(f"{name}, {family.reads}" for name, family in reading.FAMILIES.items())
    return (
        "Rows read, columns are read; a dark square means: may read. The first three words are English, the others "
        f"their translation. {ways[0].upper()}{ways[1:]}. The last two pictures are the same. With scripts on, this "
        "figure switches between them and lists what each is made for."
    )


SILENCED: Final = {
    "all heads on": (1, 1, 1),
    "without head 1, who": (0, 1, 1),
    "without head 2, who": (1, 0, 1),
    "without both": (0, 0, 1),
    "without head 3, what": (1, 1, 0),
}


def heads_svg() -> str:
    """The loss of the three-head layer with some heads silent; the scale ends at two guesses, ln 4."""
    parts: list[str] = []
    for row, (name, gates) in enumerate(SILENCED.items()):
        y, loss = 16 + 40 * row, head_layer.loss(toy.WORDS_LEFT, gates)
        parts += [
            _text(16, y + 20, name),
            _rectangle(200, y, 2 * BAR_WIDTH - 60, 28, LIGHT["surface"]),
            _rectangle(200, y, (2 * BAR_WIDTH - 60) * loss / math.log(4), 28, LIGHT["ink"]),
            _text(592, y + 20, short(loss, 3)),
        ]
    return _svg(680, 224, parts)


def clock_svg(position: int = 5, step: int = 3) -> str:
    """Eight dials: each hand at a position, solid, and a few positions further on, dashed."""
    table = sinusoidal(reference.CLOCK_LENGTH, reference.CLOCK_D_MODEL).tolist()
    parts = [_text(16, 28, f"Eight hands at {position} (solid) and {position + step} (dashed)", ' font-weight="600"')]
    for i in range(reference.CLOCK_D_MODEL // 2):
        x, y, radius = 54 + 82 * i, 92, 34
        parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="{LIGHT["muted"]}"/>')
        for row, look in ((position, ""), (position + step, ' stroke-dasharray="4 3"')):
            sine, cosine = table[row][2 * i : 2 * i + 2]
            end = f'x2="{x + radius * cosine:.1f}" y2="{y - radius * sine:.1f}"'
            parts.append(f'<line x1="{x}" y1="{y}" {end} stroke="{LIGHT["ink"]}" stroke-width="2"{look}/>')
        parts.append(_text(x, y + 56, f"hand {i}", ' text-anchor="middle"'))
    return _svg(680, 164, parts)


def rates_svg(num_steps: int = 25) -> str:
    """Five groups by a coarse run: the shade is the rate on a logarithmic scale, an empty frame is a frozen group."""
    state = rates.Rates(num_steps=num_steps)
    parts = [_text(16, 28, f"Rates over {num_steps} steps, one group unfrozen per epoch", ' font-weight="600"')]
    for level, name in enumerate(rates.GROUPS):
        y = 44 + 32 * (len(rates.GROUPS) - 1 - level)
        parts.append(_text(16, y + 20, name))
        for step in range(num_steps + 1):
            rate = state.at(level, step)
            shade = 0.05 + 0.75 * min(1.0, max(0.0, 1 + math.log10(rate) / 3)) if rate else 0.0
            cell = f'x="{88 + 22 * step}" y="{y}" width="20" height="28" stroke="{LIGHT["muted"]}" stroke-width="0.5"'
            parts.append(f'<rect {cell} fill="{LIGHT["ink"]}" fill-opacity="{shade:.2f}"/>')
    return _svg(680, 216, parts)


def pronouncer_svg() -> str:
    """Beam search on the opening word: a column per sound, kept beginnings above, dropped ones below."""
    tree = beam_tree.opening()
    best, parts = tree["found"][0]["ids"], [_text(16, 28, "Kept after each sound, best first", ' font-weight="600"')]
    dropped_at = 68 + 52 * beam_tree.BEAM_SIZE
    parts.append(_text(16, dropped_at, "The best of what was dropped", ' font-weight="600"'))
    for column, step in enumerate(tree["steps"]):
        before = [one["ids"] for one in tree["steps"][column - 1]["kept"]] if column else []
        for kind, top in (("kept", 44), ("dropped", dropped_at + 16)):
            for row, one in enumerate(step[kind]):
                parents = before if kind == "kept" else []  # lines to what was dropped would cross everything
                parts += _beginning(one, parents, best, 16 + 82 * column, top + 52 * row)
    return _svg(680, dropped_at + 16 + 52 * beam_tree.NUM_DROPPED, parts)


def _beginning(one: dict[str, Any], before: list[list[int]], best: list[int], x: int, y: int) -> list[str]:
    """One beginning as a box with its last sound and log probability, and a line from what it goes on."""
    on_best = one["ids"] == best[: len(one["ids"])]
    colour, width = (LIGHT["ink"], 3) if on_best else (LIGHT["muted"], 1)
    parts = [
        f'<rect x="{x}" y="{y}" width="62" height="44" rx="4" fill="{LIGHT["surface" if on_best else "page"]}" '
        f'stroke="{colour}" stroke-width="{width}"/>',
        _text(x + 31, y + 19, symbols(one["ids"])[-1], ' text-anchor="middle"'),
        _text(x + 31, y + 37, short(one["total"]), ' text-anchor="middle" font-size="14"'),
    ]
    if one["ids"][:-1] in before:
        start = 44 + 52 * before.index(one["ids"][:-1]) + 22
        ends = f'x1="{x - 20}" y1="{start}" x2="{x}" y2="{y + 22}"'
        parts.append(f'<line {ends} stroke="{colour}" stroke-width="{width}"/>')
    return parts


def mix_svg() -> str:
    """*bank* in ten sentences by each layer alone, each to a scale of its own; round: money, square: river."""
    vectors = banks.layers()
    where = banks.plane(vectors)
    parts: list[str] = []
    for j, layer in enumerate(where.tolist()):
        x, y = 120 + 220 * j, 138
        scale = 88 / max(where[j].abs().max().item(), where.abs().max().item() / 1000)
        parts.append(_text(x, 28, f"LSTM layer {j}" if j else "token layer", ' font-weight="600" text-anchor="middle"'))
        parts.append(_rectangle(x - 104, 42, 208, 194, LIGHT["surface"]))
        for i, ((sense, _), (right, up)) in enumerate(zip(banks.sentences(), layer, strict=True), start=1):
            u, v = x + scale * right, y - scale * up
            look = f'fill="{LIGHT["page"]}" stroke="{LIGHT["ink"]}" stroke-width="2"'
            box = f'<rect x="{u - 9:.1f}" y="{v - 9:.1f}" width="18" height="18" rx="2" {look}/>'
            parts.append(box if sense == "river" else f'<circle cx="{u:.1f}" cy="{v:.1f}" r="9.5" {look}/>')
            parts.append(_text(round(u, 1), round(v + 4, 1), str(i), ' text-anchor="middle" font-size="12"'))
    return _svg(680, 244, parts)


def stepper_sentence() -> str:
    """What the row *it* gives in both sentences, and what to take from it."""
    hungry, wet = (
        ", ".join(f"{w} {short(x)}" for w, x in zip(toy.WORDS, it_gives(last)[0], strict=True))
        for last in (False, True)
    )
    output = ", ".join(short(x) for x in it_gives()[1])
    return (
        f"When it was hungry, “it” gives {hungry} and receives ({output}); when it was wet, it gives {wet}. "
        "The query decides the shares, the values are what gets shared out."
    )


def dk_slider_sentence(d_k: int = 64) -> str:
    """Median top weight with and without the division."""
    plain, scaled = (short(reference.summary(d_k, scaled)["top"].median) for scaled in (False, True))
    return (
        f"With d_k = {d_k} and eight keys of random coins, the top key takes {plain} of the weight (median); "
        f"divided by √d_k it takes {scaled}. Dot products spread like √d_k; dividing restores a spread of 1, "
        "and softmax stays able to learn."
    )


def heads_sentence() -> str:
    """What each silence costs, and what to take from it."""
    whole, one, both = (head_layer.loss(toy.WORDS_LEFT, gates) for gates in ((1, 1, 1), (0, 1, 1), (0, 0, 1)))
    return (
        f"Two heads ask who left, one asks what was left. With all three the loss is {short(whole, 3)} nats; without "
        f"one of the who heads {short(one, 3)}, without both {short(both, 3)}, which is a guess between two nouns. "
        "A head that can be removed alone is not a head that does nothing: another may stand in for it."
    )


def clock_sentence(step: int = 3) -> str:
    """The dot product of rows one step apart, at two places, and what to take from it."""
    table = sinusoidal(reference.CLOCK_LENGTH, reference.CLOCK_D_MODEL)
    near, far = (short(float(table[p] @ table[p + step])) for p in (5, 40))
    return (
        f"Rows 5 and {5 + step} have the dot product {near}, rows 40 and {40 + step} have {far}. A step to the right "
        "turns each hand by its own angle, the same from every position; so does many a wrong table."
    )


def rates_sentence() -> str:
    """The largest rate of the head and of the words in a whole run, and what to take from it."""
    top, bottom = (short(max(row), 4) for row in (rates.Rates().table()[-1], rates.Rates().table()[0]))
    return (
        f"In a run of 100 steps with the paper's numbers the head reaches {top} of the peak rate, and the words, "
        f"unfrozen last, never more than {bottom}. The rate of a layer at a step is triangle × factor to the power of "
        "minus its depth × unfrozen."
    )


def pronouncer_sentence() -> str:
    """Which first sound was ahead, which whole won, and what to take from it."""
    tree = beam_tree.opening()
    first, best, second = tree["steps"][0]["kept"], tree["found"][0], tree["found"][1]
    ahead, own = (f"{symbols(one['ids'])[0]} ({short(one['total'])})" for one in first[:2])
    return (
        f"How does “{beam_tree.OPENING}” sound? After one sound {ahead} is ahead of {own}; numbers are log "
        f"probabilities. The best whole is {' '.join(symbols(best['ids']))} ({short(best['total'])}), before "
        f"{' '.join(symbols(second['ids']))} ({short(second['total'])}). The best whole need not begin with the best "
        "first sound, so beam search keeps several beginnings alive. With scripts on, this figure takes words of yours."
    )


def mix_sentence() -> str:
    """How many banks lie nearest to one of the same sense, layer by layer, and what to take from it."""
    vectors = banks.layers()
    first, second = (banks.same_sense(vectors, shares) for shares in ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0]))
    total = vectors.shape[1]
    return (
        f"Ten sentences with the word bank: 1 to 5 mean money, 6 to 10 a river. In the token layer all are one point. "
        f"By the first LSTM layer alone, {first} of {total} banks have one of the same sense nearest to them, by the "
        f"second {second}. A layer that has not read the sentence cannot tell the banks apart; the shares choose among "
        "the layers, γ sets the size."
    )


def merge_game_svg() -> str:
    """The first merges of both advisers, side by side."""
    parts: list[str] = []
    for column, (name, score) in enumerate(pieces_and_gaps.SCORES.items()):
        x = 16 + 340 * column
        heading = "BPE takes what meets most often" if name == "count" else "The score takes what seldom parts"
        parts.append(_text(x, 28, heading, ' font-weight="600"'))
        for row, (left, right) in enumerate(pieces_and_gaps.merges(score)):
            parts.append(_text(x, 62 + 28 * row, f"{row + 1}.  {left}  {right}"))
    return _svg(680, 226, parts)


def merge_game_sentence() -> str:
    """What both would merge first, and what to take from it."""
    count, score = (" ".join(pieces_and_gaps.merges(each, 1)[0]) for each in pieces_and_gaps.SCORES.values())
    read = ", ".join(f"{word} {times}" for word, times in pieces_and_gaps.READ.items())
    return (
        f"From {read} times, BPE merges {count} first, the score {score}. BPE merges pairs that meet often, the score "
        "merges pairs that seldom part."
    )


TALLIED: Final = 220  # texts


def mask_tallies_svg() -> str:
    """The fates of the chosen tokens under four versions: [MASK] in ink, another token in grey, itself left open."""
    parts = [_text(16, 28, "Ink: [MASK]. Grey: another token. Open: itself.", ' font-weight="600"')]
    for row, version in enumerate(pieces_and_gaps.VERSIONS):
        y, found, x = 44 + 40 * row, pieces_and_gaps.tallies(version, TALLIED), 330.0
        parts += [_text(16, y + 20, version), _rectangle(x, y, 330, 28, LIGHT["surface"])]
        for fate, colour in (("[MASK]", LIGHT["ink"]), ("another", LIGHT["mask"])):
            width = 330 * found[fate] / found["chosen"]
            parts.append(_rectangle(x, y, width, 28, colour))
            x += width
    return _svg(680, 216, parts)


def mask_tallies_sentence() -> str:
    """Masks among the chosen tokens of the right version and of the famous one."""
    right, famous = (pieces_and_gaps.tallies(version, TALLIED) for version in pieces_and_gaps.VERSIONS[:2])
    return (
        f"After {TALLIED} texts the published version has made {right['[MASK]']} masks of {right['chosen']} chosen "
        f"tokens; the version that compares a draw with a part of itself {famous['[MASK]']} of {famous['chosen']}. "
        "Count what your masking does: a share that stays outside its band is a bug."
    )


COMPOSED: Final = ("classification", "entailment", "similarity", "multiple choice")


def composer_svg() -> str:
    """The rows of the four tasks, word by word, the slot that is read in a frame."""
    parts, y = [], 28
    for task in COMPOSED:
        parts.append(_text(16, y, task, ' font-weight="600"'))
        for row in gpt_rows.rows(task, *gpt_rows.TASKS[task]):
            x, y = 16.0, y + 28
            for i, word in enumerate(row):
                width = 9 * len(word) + 10
                if i == len(row) - 1:
                    box = f'x="{x:.0f}" y="{y - 18}" width="{width}" height="24"'
                    parts.append(f'<rect {box} fill="none" stroke="{LIGHT["ink"]}"/>')
                parts.append(_text(round(x) + 5, y, word))
                x += width + 4
        y += 36
    return _svg(680, y - 12, parts)


def composer_sentence() -> str:
    """What the opening example scores at its extract token, and at the last slot of two batches."""
    task, slots = gpt_rows.OPENING_TASK, gpt_rows.OPENING_SLOTS
    texts = gpt_rows.TASKS[task]
    (right,), (first,), (second,) = (
        gpt_rows.scores(task, *texts, length, last)
        for length, last in ((slots, False), (slots, True), (slots + 6, True))
    )
    return (
        f"An entailment by a toy reader: read where ⟨e⟩ stands, the score is {short(right, 3)} whatever the batch. Read"
        f" at the last slot it is {short(first, 3)} in a batch of {slots} slots and {short(second, 3)} in one of"
        f" {slots + 6}. A task is a row of tokens; the answer is read where ⟨e⟩ stands."
    )


EXPLORED: Final[tuple[tuple[str, float, int | None, float], ...]] = (
    ("k = 10", 1.0, 10, 1.0),
    ("p = .9", 1.0, None, 0.9),
    ("T = 2, p = .9", 2.0, None, 0.9),
)


def next_token_svg() -> str:
    """For each beginning how many tokens three settings leave."""
    parts = [_text(16, 28, "tokens that may be drawn", ' font-weight="600"')]
    parts += [_text(330 + 115 * i, 28, name, ' font-weight="600"') for i, (name, *_) in enumerate(EXPLORED)]
    for row, beginning in enumerate(gpt_rows.BEGINNINGS):
        y = 62 + 30 * row
        parts.append(_text(16, y, f"{beginning} …"))
        for i, (_, temperature, top_k, top_p) in enumerate(EXPLORED):
            left = int((gpt_rows.odds(row, temperature, top_k, top_p) > 0).sum())
            parts.append(_text(330 + 115 * i, y, f"{left:,}"))
    return _svg(680, 210, parts)


def next_token_sentence() -> str:
    """How many tokens the same p leaves after two beginnings."""
    sure, unsure = (int((gpt_rows.odds(i, 1.0, None, 0.9) > 0).sum()) for i in (0, 1))
    return (
        f"With p .9 our GPT may draw among {sure} after “{gpt_rows.BEGINNINGS[0]}” and among {unsure} after"
        f" “{gpt_rows.BEGINNINGS[1]}”; with k 10 among ten after both. Top-k keeps as many tokens where the model is"
        " sure as where it is not; top-p keeps few where it is sure and many where it is not."
    )


def fill_mask_svg() -> str:
    """What our BERT expects in the first two examples, which differ behind the gap alone."""
    parts: list[str] = []
    for column, text in enumerate(gaps.EXAMPLES[:2]):
        x = 16 + 340 * column
        parts.append(_text(x, 28, text, ' font-weight="600"'))
        for row, (piece, chance) in enumerate(gaps.expected(text)[0]):
            y = 44 + 36 * row
            parts += [
                _text(x, y + 19, piece),
                _rectangle(x + 60, y, BAR_WIDTH - 20, 28, LIGHT["surface"]),
                _rectangle(x + 60, y, (BAR_WIDTH - 20) * chance, 28, LIGHT["ink"]),
                _text(x + 52 + BAR_WIDTH, y + 19, short(chance, 3)),
            ]
    return _svg(680, 232, parts)


def fill_mask_sentence() -> str:
    """What the model expects with and without the word behind the gap, and what to take from it."""
    (behind,), (without,) = map(gaps.expected, gaps.EXAMPLES[:2])
    sure, *others = (f"“{piece}” ({short(chance, 3)})" for piece, chance in (behind[0], *without[:3]))
    return (
        f"In “{gaps.EXAMPLES[0]}” our BERT expects {sure}. In “{gaps.EXAMPLES[1]}” it expects {', '.join(others)}, and "
        "the words before the gap are the same. BERT fills a gap from both sides: with other words behind the gap it "
        "expects another word. With scripts on, this figure takes texts of yours."
    )


ALT: Final = {
    "fill_mask": "Bars: five guesses for a gap before “of the house”, one far ahead, and for one before “the house”.",
    "composer": "Rows of tokens for four tasks; the last token of each, extract, is framed.",
    "next_token": "A table: tokens that may be drawn after five beginnings, by top-k, top-p, and top-p when hot.",
    "families": "Four square tables: all dark; a dark triangle; twice a triangle with three full columns.",
    "mix": "Three planes: ten banks lie in one point by the token layer and apart by the two LSTM layers.",
    "rates": "A heat map: the head learns fast from the start, each group below joins later and learns more slowly.",
    "merge_game": "Two lists of six merges: BPE begins with letters of walk and talk, the score with those of jumped.",
    "mask_tallies": "Four bars: the chosen tokens by what became of them; in the second there are no masks at all.",
    "clock": "Eight dials: a fast hand that turns far in three positions, then slower and slower ones.",
    "stepper": "Bars: how the word it shares itself out among cat, mat and it, in two sentences.",
    "dk_slider": "Bars: eight sorted attention weights, without and with the division by the square root of d_k.",
    "pronouncer": "A tree: four beginnings kept after each sound; the winner's path is second at first, then first.",
    "heads": "Bars: the loss of a layer of three heads with all of them, without each, and without both that ask who.",
}


FACES: Final[dict[str, tuple[Callable[[], str], Callable[[], str]]]] = {
    "families": (families_svg, families_sentence),
    "stepper": (stepper_svg, stepper_sentence),
    "dk_slider": (dk_slider_svg, dk_slider_sentence),
    "heads": (heads_svg, heads_sentence),
    "clock": (clock_svg, clock_sentence),
    "rates": (rates_svg, rates_sentence),
    "pronouncer": (pronouncer_svg, pronouncer_sentence),
    "mix": (mix_svg, mix_sentence),
    "merge_game": (merge_game_svg, merge_game_sentence),
    "mask_tallies": (mask_tallies_svg, mask_tallies_sentence),
    "composer": (composer_svg, composer_sentence),
    "next_token": (next_token_svg, next_token_sentence),
    "fill_mask": (fill_mask_svg, fill_mask_sentence),
}


def stand_in(name: str) -> str:
    """The picture (on white paper, as an image that needs no request) and the sentence, as HTML on one line."""
    draw, say = FACES[name]
    source = "data:image/svg+xml," + quote(draw(), safe=" =:/<>,;()")
    return (
        f'<figure><img alt="{escape(ALT[name])}" src="{source}" style="max-width:100%;height:auto">'
        f"<figcaption>{escape(say())}</figcaption></figure>"
    )


def both_sentences() -> str:
    """The compact stepper without scripts: both sentences side by side, as a table that a phone can show."""
    start, *_ = toy.SENTENCE.partition("it was")
    ends = [sentence.removeprefix(start) for sentence in (toy.SENTENCE, toy.SENTENCE_WET)]
    rows = "".join(
        f'<tr><th scope="row">{word}</th>'
        + "".join(f'<td><meter value="{x:.3f}">{short(x)}</meter> {short(x)}</td>' for x in shares)
        + "</tr>"
        for word, *shares in zip(toy.WORDS, it_gives()[0], it_gives(wet=True)[0], strict=True)
    )
    heads = "".join(f'<th scope="col">… {each}</th>' for each in ends)
    return (
        f"<table><caption>{start}… What “it” takes from each word:</caption>"
        f'<thead><tr><th scope="col">word</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def element(name: str, compact: bool = False) -> str:
    """The element that the site's script turns into the live figure, with its stand-in inside."""
    inside = both_sentences() if compact else stand_in(name)
    return f'<qkv-figure name="{name}"{" compact" if compact else ""}>{inside}</qkv-figure>'
