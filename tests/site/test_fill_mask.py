"""Our BERT in the page: the same chances as PyTorch, and nothing loaded before it is asked for."""

import gzip
import random
import statistics

import pytest

from qkv.data import load
from qkv.figures import gaps, scripts
from qkv.fill import chances
from qkv.models.bert import BERTForPreTraining
from qkv.text.wordpiece import WordPiece, words

NAME = "book/fill-the-mask.html"
NUM_LINES = 40
CLOSE = 1e-5
LOADING = 90_000  # milliseconds that a busy machine may take to start the runtime
FIGURE = "qkv-figure[name=fill_mask]"
STRIP = f"{FIGURE} .strip .row button"
FILL = """async ([source, home, texts]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { openModel, read, gapsOf } = await import(address);
    const model = await (globalThis.fillingModel ??= openModel(home));
    const [lines, times] = [[], []];
    for (const text of texts) {
        const start = performance.now();
        const { line } = read(text, model.ids);
        const gaps = await gapsOf(model, line);
        times.push(performance.now() - start);
        const row = ["[CLS]", ...line.map(({ piece, hidden }) => (hidden ? "[MASK]" : piece)), "[SEP]"];
        const all = await model.chances(row.map((piece) => model.ids.get(piece)), gaps.map(({ at }) => at + 1));
        lines.push({ pieces: row.slice(1, -1), gaps, all: all.map((each) => Array.from(each)) });
    }
    return { lines, times };
}"""


@pytest.fixture(scope="module")
def model():
    return BERTForPreTraining.from_pretrained("bert")


@pytest.fixture(scope="module")
def pieces():
    return WordPiece.from_pretrained("bert")


@pytest.fixture(scope="module")
def lines(pieces):
    """Beginnings of evenly spaced texts that no model was trained on, every seventh word or so behind [MASK]."""
    texts, drawn, found = load("running-text")["test"]["text"], random.Random(0), []
    for text in texts[:: len(texts) // NUM_LINES][:NUM_LINES]:
        written = [word if drawn.random() > 1 / 7 else "[MASK]" for word in words(text)[: drawn.randint(8, 60)]]
        found.append(" ".join(["[MASK]", *written]))
    return found


@pytest.fixture(scope="module")
def in_page(address, browser):
    """``in_page(texts)``: the page's own pieces and chances, and its milliseconds per text."""
    page = browser.new_page()
    page.goto(address + NAME)

    def in_page(texts):
        return page.evaluate(FILL, [scripts.module("fill_mask"), f"{address}_static/vendor/", texts])

    yield in_page
    page.close()


def test_all_chances_equal_those_of_the_library(in_page, lines, model, pieces, capsys):
    found = in_page(lines)
    furthest = 0.0
    assert len(set(lines)) == len(found["lines"]) == NUM_LINES
    for text, ours in zip(lines, found["lines"], strict=True):
        expected = chances(model, pieces, text)
        assert ours["pieces"] == pieces.tokens(text)
        assert len(ours["all"]) == len(expected) == text.count("[MASK]")
        for row, gap, expected_row in zip(ours["all"], ours["gaps"], expected.tolist(), strict=True):
            assert row == pytest.approx(expected_row, abs=CLOSE, rel=0), text
            furthest = max(furthest, *(abs(a - b) for a, b in zip(row, expected_row, strict=True)))
            order = sorted(range(len(row)), key=lambda i: -row[i])[: gaps.NUM_BEST]
            assert [piece for piece, _ in gap["best"]] == [pieces.vocabulary[i] for i in order]
    times = found["times"][1:]
    with capsys.disabled():
        print(
            f"\n{len(times)} lines: median {statistics.median(times):.0f} ms, {max(times):.0f} at most; "
            f"no chance is off by more than {furthest:.0e}"
        )


@pytest.mark.parametrize("text", ["[MASK]", "[MASK] " * 126, "[MASK] " + "the " * 125, "☃ [MASK] 漢"])
def test_the_shortest_and_the_longest_texts(in_page, model, pieces, text):
    (ours,) = in_page([text])["lines"]
    for row, expected in zip(ours["all"], chances(model, pieces, text).tolist(), strict=True):
        assert row == pytest.approx(expected, abs=CLOSE, rel=0)


def fill(page, text):
    page.get_by_role("textbox", name="A text with [MASK]").fill(text)
    page.get_by_role("button", name="Fill", exact=True).click()


def wait_for(page, words):
    page.locator(f"{FIGURE} .sentence").filter(has_text=words).wait_for(timeout=LOADING)


def test_loads_on_the_first_question_from_this_site_only_and_says_how_much(desk, address, capsys):
    bodies = {}
    desk.on("response", lambda response: bodies.update({response.url: response}))
    desk.goto(address + NAME, wait_until="networkidle")
    before = set(bodies)
    assert not [url for url in before if "onnx" in url or "vendor/bert" in url]
    desk.get_by_role("button", name=gaps.EXAMPLES[2]).click()
    fill(desk, " ")
    desk.wait_for_timeout(300)
    assert set(bodies) == before, "an example and an empty line load nothing"
    fill(desk, "She opened the [MASK].")
    wait_for(desk, "“door”")
    loaded = {url: bodies[url].body() for url in set(bodies) - before}
    assert {url.rsplit("/", 1)[1] for url in loaded} == {
        "ort.wasm.bundle.min.mjs",
        "ort-wasm-simd-threaded.wasm",
        "filler.onnx",
        "vocab.txt",
    }
    assert all(url.startswith(address) for url in bodies)
    size, packed = (sum(map(len, each)) for each in (loaded.values(), map(gzip.compress, loaded.values())))
    assert round(size / 1e6) == gaps.MEGABYTES
    first = sum(len(gzip.compress(bodies[url].body())) for url in before)
    assert first <= 500_000
    with capsys.disabled():
        print(f"\n{first / 1e3:.0f} kB compressed, then {size / 1e6:.1f} MB ({packed / 1e6:.1f} compressed)")
        for url, body in loaded.items():
            print(f"{url.rsplit('/', 1)[1]}: {len(body)} bytes, {len(gzip.compress(body))} compressed")
    fill(desk, "She read the [MASK].")
    wait_for(desk, "expects")
    assert set(bodies) == before | set(loaded), "the second text loads nothing"


def test_hiding_a_word_asks_what_was_expected_and_the_gap_takes_it_back(desk, address, model, pieces):
    desk.goto(address + NAME)
    fill(desk, "He went out of the house.")
    wait_for(desk, "There is no gap.")
    assert desk.locator(STRIP).all_inner_texts() == ["he", "went", "out", "of", "the", "house", "."]
    desk.get_by_role("button", name="of: hide it").focus()
    desk.keyboard.press("Enter")
    wait_for(desk, "“of” stood here")
    expected = chances(model, pieces, "He went out [MASK] the house.")[0]
    place = int((expected > expected[pieces.ids["of"]]).sum()) + 1
    assert f"“of” stood here: place {place} of 4,000" in desk.locator(f"{FIGURE} .sentence").inner_text()
    assert desk.locator(STRIP).all_inner_texts()[3] == "[MASK]"
    desk.get_by_role("button", name="out: hide it").click()
    wait_for(desk, "Gap 2")
    assert desk.locator(f"{FIGURE} .gaps .title").all_inner_texts() == ["Gap 1", "Gap 2"]
    desk.keyboard.press("Enter")
    desk.get_by_role("button", name="[MASK]: put of back").click()
    wait_for(desk, "There is no gap.")
    assert desk.locator(STRIP).all_inner_texts()[2:4] == ["out", "of"]


def test_a_gap_of_the_readers_own_takes_the_best_guess(desk, address):
    desk.goto(address + NAME)
    desk.get_by_role("button", name="[MASK]: put the best guess in").click()
    wait_for(desk, "There is no gap.")
    assert desk.locator(STRIP).all_inner_texts()[2] == "out"
    desk.get_by_role("button", name="out: hide it").click()
    wait_for(desk, "In the gap the model expects “out” (.703)")
    assert "stood here" not in desk.locator(f"{FIGURE} .sentence").inner_text()


def test_unknown_words_and_too_long_a_text_are_told(desk, address):
    desk.goto(address + NAME)
    fill(desk, "A ☃ in the [mask].")
    wait_for(desk, "In the gap")
    trouble = desk.get_by_role("alert")
    trouble.filter(has_text="The model has no pieces for “☃”.").wait_for(timeout=LOADING)
    assert desk.locator(STRIP).all_inner_texts()[1] == "[UNK]"
    fill(desk, "one " * 130 + "[MASK]")
    trouble.filter(has_text="This text has 131 pieces. The model reads at most 126").wait_for(timeout=LOADING)
    assert desk.locator(STRIP).all_inner_texts()[1] == "[UNK]", "the last answer stays"


def test_the_last_of_two_quick_texts_is_shown(desk, address):
    desk.goto(address + NAME)
    fill(desk, "The [MASK] " + "and the sea " * 20)
    fill(desk, "He is [MASK] of here.")
    wait_for(desk, "In the gap")
    desk.wait_for_timeout(500)
    assert desk.locator(STRIP).all_inner_texts() == ["he", "is", "[MASK]", "of", "here", "."]


@pytest.mark.parametrize("lost", ["filler.onnx", "vocab.txt"])
def test_a_model_that_does_not_come_is_told_and_can_be_tried_again(desk, address, lost):
    desk.route(f"**/{lost}", lambda route: route.abort())
    desk.goto(address + NAME)
    desk.get_by_role("button", name="went: hide it").click()
    desk.get_by_role("alert").filter(has_text="The model could not be loaded").wait_for(timeout=LOADING)
    assert desk.locator(STRIP).all_inner_texts()[1] == "went", "what was not answered is not shown"
    desk.unroute(f"**/{lost}")
    desk.get_by_role("button", name="went: hide it").click()
    wait_for(desk, "Gap 1")
    assert desk.get_by_role("alert").inner_text() == ""


def test_a_computation_that_fails_is_not_told_as_a_model_that_does_not_come(desk, address):
    desk.goto(address + NAME)
    fill(desk, "He is [MASK] of here.")
    wait_for(desk, "In the gap")
    desk.evaluate("() => { BigInt64Array.from = () => { throw new Error('out of memory'); }; }")
    fill(desk, "She is [MASK] of here.")
    desk.get_by_role("alert").filter(has_text="The model did not finish: out of memory.").wait_for(timeout=LOADING)
