"""How a figure's script is put together, and what stands in its place."""

import re
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from qkv.figures import (
    Clock,
    Composer,
    DkSlider,
    Families,
    FillMask,
    Heads,
    MaskTallies,
    MergeGame,
    Mix,
    NextToken,
    Pronouncer,
    RateMap,
    Stepper,
    colours,
    pictures,
    scripts,
)


@pytest.mark.parametrize("name", scripts.NAMES)
def test_each_script_weighs_at_most_thirty_kilobytes(name):
    assert len(scripts.module(name).encode()) <= 30_000
    assert len(scripts.classic(name).encode()) <= 30_000


@pytest.mark.parametrize("name", scripts.NAMES)
def test_header_states_question_opening_surprise_and_sentence(name):
    header = (scripts.HERE / f"{name}.js").read_text("utf-8").splitlines()[:4]
    for line, word in zip(header, ["Question", "Opening state", "Surprise", "Reader's sentence"], strict=True):
        assert re.match(rf"// {word} +\S", line), line


@pytest.mark.parametrize("name", scripts.NAMES)
def test_a_blob_cannot_import_and_a_classic_script_cannot_export(name):
    assert not re.search(r"^import\b", scripts.module(name), flags=re.M)
    assert "export default" in scripts.module(name)
    assert not re.search(r"^(import|export)\b", scripts.classic(name), flags=re.M)


@pytest.mark.parametrize("name", scripts.NAMES)
def test_no_address_but_the_svg_namespace(name):
    assert set(re.findall(r"\bhttps?://[^\"'\s]+", scripts.module(name))) <= {"http://www.w3.org/2000/svg"}


def test_templates_hold_no_template():
    """The whitespace remover takes a template literal as one piece."""
    for path in scripts.HERE.glob("*.js"):
        for template in re.findall(r"`[^`]*`", path.read_text("utf-8")):
            assert template.count("${") == len(re.findall(r"\$\{[^}]*\}", template)), template


def test_lines_of_the_steps_are_those_of_the_library():
    lines = scripts.attention_lines()
    assert [(step, masks) for step, _, masks in lines] == [(1, False), (2, False), (2, True), (3, False), (4, False)]
    assert "query, key" in lines[0][1]
    assert "sqrt" in lines[1][1]
    assert "masked_fill" in lines[2][1]
    assert "softmax" in lines[3][1]
    assert "weights, value" in lines[4][1]


def test_an_attention_function_without_one_of_the_steps_is_refused():
    source = (
        "def scaled_dot_product_attention(query, key, value):\n    scores = einsum(query, key, 'q d, k d -> q k')\n"
    )
    with pytest.raises(
        LookupError, match=r"expected one assignment with 'sqrt\(' in the attention function, found \[\]"
    ):
        scripts.attention_lines(source)


@pytest.mark.parametrize("make", [scripts.module, scripts.classic])
def test_unknown_figure(make):
    with pytest.raises(ValueError, match="'sliders'; expected one of " + ", ".join(scripts.NAMES)):
        make("sliders")


@pytest.mark.parametrize("name", scripts.NAMES)
def test_stand_in_is_a_picture_with_alt_text_and_a_sentence(name):
    page = BeautifulSoup(pictures.element(name), "html.parser")
    image, sentence = page.find("img"), page.find("figcaption").get_text()
    assert image["alt"].endswith(".")
    assert sentence.endswith(".")
    picture = BeautifulSoup(unquote(image["src"].removeprefix("data:image/svg+xml,")), "html.parser")
    drawn = " ".join(text.get_text() for text in picture.find_all("text"))
    expected = {
        "families": ["encoder-only", "encoder–decoder", "dort"],
        "stepper": ["wet", ".67", ".24", ".09"],
        "dk_slider": ["divided by √d_k", ".96"],
        "heads": ["without both", ".711", ".036"],
        "clock": ["5 (solid) and 8 (dashed)", "hand 7"],
        "rates": ["Rates over 25 steps", "words", "head"],
        "merge_game": ["1.  ##a  ##l", "1.  j  ##u"],
        "mask_tallies": ["two tosses", "special tokens too"],
        "composer": ["entailment", "⟨s⟩ it is a robin $ it is a bird ⟨e⟩", "multiple choice"],
        "next_token": ["k = 10", "The little girl looked at …", "10"],
        "fill_mask": ["He went [MASK] of the house.", "out", "He went [MASK] the house.", "into"],
        "pronouncer": ["AE −.65", "AH −.98", "S −1.94", "dropped"],
        "mix": ["token layer", "LSTM layer 1", "LSTM layer 2", "10"],
    }[name]
    assert all(word in drawn for word in expected), drawn


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Families, "Families()"),
        (Stepper, "Stepper()"),
        (DkSlider, "DkSlider()"),
        (Heads, "Heads()"),
        (Clock, "Clock()"),
        (RateMap, "RateMap()"),
        (MergeGame, "MergeGame()"),
        (MaskTallies, "MaskTallies()"),
        (Pronouncer, "Pronouncer()"),
        (Mix, "Mix()"),
        (Composer, "Composer()"),
        (NextToken, "NextToken()"),
        (FillMask, "FillMask()"),
    ],
)
def test_two_faces_are_the_same_bytes_every_time(figure, text):
    first, second = (figure()._repr_mimebundle_()[0] for _ in range(2))
    assert first["text/plain"] == second["text/plain"] == text
    assert first["text/html"] == second["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in first


def test_compact_shows_in_both_faces():
    figure = Stepper(compact=True)
    data, _ = figure._repr_mimebundle_()
    assert data["text/plain"] == "Stepper(compact=True)"
    assert data["text/html"].startswith('<qkv-figure name="stepper" compact>')
    assert figure.get_state(["compact"]) == {"compact": True}


def test_colours_equal_the_sites_tokens():
    tokens = (scripts.HERE.parents[2] / "book/_static/tokens.css").read_text("utf-8").lower()
    for name, light in colours.LIGHT.items():
        assert f"--{name}: light-dark({light.lower()}, {colours.DARK[name].lower()})" in tokens


def test_the_clocks_stand_in_says_the_dot_product_of_both_places():
    sentence = pictures.clock_sentence()
    assert "Rows 5 and 8 have the dot product 5.54, rows 40 and 43 have 5.54." in sentence


def test_the_rates_stand_in_says_what_head_and_words_reach():
    assert "the head reaches 1 of the peak rate, and the words, unfrozen last, never more than .0054." in (
        pictures.rates_sentence()
    )


def test_figures_with_a_model_share_the_runtime_and_others_do_not_carry_it():
    runtime = "ort-wasm-simd-threaded.wasm"
    assert {name for name in scripts.NAMES if runtime in scripts.module(name)} == {"pronouncer", "fill_mask"}
    assert all(runtime not in (scripts.HERE / f"{name}.js").read_text("utf-8") for name in scripts.NAMES)


def test_the_stand_in_of_the_gaps_says_what_stands_behind_them():
    sentence = pictures.fill_mask_sentence()
    assert "In “He went [MASK] of the house.” our BERT expects “out” (.703)." in sentence
    assert "In “He went [MASK] the house.” it expects “on” (.181), “to” (.157), “into” (.13)" in sentence
