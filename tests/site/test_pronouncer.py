"""The pronunciation model in the page: the same answers as PyTorch, and nothing loaded before it is asked for."""

import gzip
import re
import statistics

import pytest

from qkv.data import cmudict
from qkv.decoding.search import Limits, Slow, greedy
from qkv.figures import scripts
from qkv.figures.beam_tree import BEAM_SIZE, LONGEST, search_tree
from qkv.models.transformer import Transformer
from qkv.pronounce import pronounce
from qkv.text.sounds import END, PAD, START, letter_ids, symbols
from qkv.training.batches import pad

NAME = "book/pronounce.html"
NUM_WORDS = 200
CLOSE = 1e-4
LOADING = 90_000  # milliseconds that a busy machine may take to start the runtime
FIGURE = "qkv-figure[name=pronouncer]"
SEARCH = """async ([source, home, words, width]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { openModel, read, search } = await import(address);
    const model = await (globalThis.pronunciationModel ??= openModel(home));
    const [trees, times] = [[], []];
    for (const word of words) {
        const start = performance.now();
        trees.push(await search(model, read(word).letters, width));
        times.push(performance.now() - start);
    }
    return { trees, times };
}"""


@pytest.fixture(scope="module")
def words():
    """Evenly spaced words of the test split, which no model was trained on."""
    all_words = [row["word"] for row in cmudict.read()["test"] if re.fullmatch("[a-z']+", row["word"])]
    return all_words[:: len(all_words) // NUM_WORDS][:NUM_WORDS]


@pytest.fixture(scope="module")
def model():
    return Transformer.from_pretrained("g2p")


@pytest.fixture(scope="module")
def in_page(address, browser):
    """``in_page(words, beam size)``: what the page's own search finds, and its milliseconds per word."""
    page = browser.new_page()
    page.goto(address + NAME)

    def in_page(words, width):
        return page.evaluate(SEARCH, [scripts.module("pronouncer"), f"{address}_static/vendor/", words, width])

    yield in_page
    page.close()


def totals(beginnings):
    return [one["total"] for one in beginnings]


def ids(beginnings):
    return [one["ids"] for one in beginnings]


def test_beam_search_finds_keeps_and_drops_the_same_with_the_same_numbers(in_page, words, model, capsys):
    found = in_page(words, BEAM_SIZE)
    assert len(set(words)) == len(found["trees"]) == NUM_WORDS
    for word, ours in zip(words, found["trees"], strict=True):
        expected = search_tree(model, word)
        pairs = [(ours["found"], expected["found"])]
        assert len(ours["steps"]) == len(expected["steps"]), word
        for one, other in zip(ours["steps"], expected["steps"], strict=True):
            pairs += [(one[kind], other[kind]) for kind in ("kept", "dropped")]
        for one, other in pairs:
            assert ids(one) == ids(other), word
            assert totals(one) == pytest.approx(totals(other), abs=CLOSE), word
        for one, other in zip(ours["found"], expected["found"], strict=True):
            for row, expected_row in zip(one["looks"], other["looks"], strict=True):
                assert row == pytest.approx(expected_row, abs=CLOSE), word
    with capsys.disabled():
        print(
            f"\n{NUM_WORDS} words: median {statistics.median(found['times']):.0f} ms, {max(found['times']):.0f} at most"
        )


def test_greedy_search_and_the_best_of_the_beam_are_those_of_the_library(in_page, words, model):
    source = pad([letter_ids(word) for word in words], PAD)
    memory = model.encode(source).detach()
    slow = Slow(lambda ids, rows: model.decode(ids, memory[rows], source[rows]), len(words))
    narrow, wide = (in_page(words, width)["trees"] for width in (1, BEAM_SIZE))
    assert [tree["found"][0]["ids"] for tree in narrow] == greedy(slow, len(words), Limits(START, END, LONGEST))
    assert [symbols(tree["found"][0]["ids"]) for tree in wide] == pronounce(model, words)


@pytest.mark.parametrize("word", ["a", "'", "z" * LONGEST])
def test_the_shortest_and_the_longest_words(in_page, model, word):
    (ours,) = in_page([word], BEAM_SIZE)["trees"]
    expected = search_tree(model, word)
    assert ids(ours["found"]) == ids(expected["found"])
    assert totals(ours["found"]) == pytest.approx(totals(expected["found"]), abs=1e-3)


def try_word(page, word):
    page.get_by_role("textbox", name="A word").fill(word)
    page.get_by_role("button", name="Pronounce").click()


def wait_for(page, word):
    page.locator(f"{FIGURE} .sentence").filter(has_text=f"for {word} is").wait_for(timeout=LOADING)


def test_loads_on_the_first_word_from_this_site_only_and_says_how_much(desk, address, capsys):
    bodies = {}
    desk.on("response", lambda response: bodies.update({response.url: response}))
    desk.goto(address + NAME, wait_until="networkidle")
    before = set(bodies)
    assert not [url for url in before if "onnx" in url or "g2p" in url]
    try_word(desk, "naïve")
    assert set(bodies) == before, "a word that cannot be read loads nothing"
    try_word(desk, "photograph")
    wait_for(desk, "photograph")
    loaded = {url: bodies[url].body() for url in set(bodies) - before}
    assert {url.rsplit("/", 1)[1] for url in loaded} == {
        "ort.wasm.bundle.min.mjs",
        "ort-wasm-simd-threaded.wasm",
        "encoder.onnx",
        "decoder.onnx",
    }
    assert all(url.startswith(address) for url in bodies)
    size, packed = (sum(map(len, each)) for each in (loaded.values(), map(gzip.compress, loaded.values())))
    assert round(size / 1e6) == scripts.MEGABYTES
    first = sum(len(gzip.compress(bodies[url].body())) for url in before)
    assert first <= 500_000
    with capsys.disabled():
        print(f"\n{first / 1e3:.0f} kB compressed, then {size / 1e6:.1f} MB ({packed / 1e6:.1f} compressed)")
    try_word(desk, "cat")
    wait_for(desk, "cat")
    assert set(bodies) == before | set(loaded), "the second word loads nothing"


def test_the_last_of_two_quick_words_is_shown(desk, address):
    desk.goto(address + NAME)
    try_word(desk, "photographically")
    try_word(desk, "cat")
    wait_for(desk, "cat")
    desk.wait_for_timeout(500)
    assert (
        desk.locator(f"{FIGURE} .sentence").inner_text().startswith("The most probable pronunciation found for cat is")
    )


def test_a_model_that_does_not_come_is_told_and_can_be_tried_again(desk, address):
    desk.route("**/encoder.onnx", lambda route: route.abort())
    desk.goto(address + NAME)
    try_word(desk, "cat")
    trouble = desk.get_by_role("alert").filter(has_text="The model could not be loaded")
    trouble.wait_for(timeout=LOADING)
    assert "Check the connection, then try again." in trouble.inner_text()
    desk.unroute("**/encoder.onnx")
    try_word(desk, "Don’t")
    wait_for(desk, "don't")
    assert desk.get_by_role("alert").inner_text() == ""
