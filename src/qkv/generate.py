"""How does a text go on?  SmolLM2, a small language model with real weights, runs in the course's own Llama.

$ python -m qkv generate "The capital of France is"
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

import torch
import typer
from gguf import GGUFReader

from qkv import assets
from qkv.decoding.search import Cached, Limits, NextToken, greedy, sample
from qkv.models.llama import PRESETS, Llama
from qkv.text.bpe import BPE

Writer = Callable[[NextToken, int, Limits], list[list[int]]]
END: Final = "<|im_end|>"  # stands after each turn of a conversation
TURN: Final = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"


class UnreadablePromptError(assets.QkvError, ValueError):
    """A prompt is empty, too long, or holds a sign that the model has no token for."""


def pretrained() -> tuple[Llama, BPE]:
    """SmolLM2 and its tokens out of one reading of their file.  Raises as ``qkv.assets.path``."""
    file = GGUFReader(assets.path("smollm2"))
    return Llama.from_gguf(file.tensors, PRESETS["smollm2"]), BPE.from_gguf(file.fields)


def continuation(model: Llama, tokenizer: BPE, prompt: str, max_new_tokens: int = 40, write: Writer = greedy) -> str:
    """What the model writes after the prompt, up to its end symbol.

    The prompt is read in one go; after that only the newest token runs through the model.

    Raises:
        UnreadablePromptError: an empty prompt, one that leaves no room for the new tokens, or a sign without a token.
    """
    ids = _readable(tokenizer, prompt, model.config.max_length - max_new_tokens)
    next_token = Cached(lambda new, _, cache: model(new, cache), batch_size=1)
    if ids[:-1]:
        with torch.no_grad():
            model.hidden_states(torch.tensor([ids[:-1]]), next_token.cache)
    (written,) = write(next_token, 1, Limits(ids[-1], tokenizer.ids[END], max_new_tokens))
    return tokenizer.decode(written)


def _readable(tokenizer: BPE, prompt: str, most: int) -> list[int]:
    try:
        ids = tokenizer.encode(prompt)
    except ValueError as error:
        raise UnreadablePromptError(f"the prompt cannot be read: {error}") from None
    if not 1 <= len(ids) <= most:
        raise UnreadablePromptError(f"expected a prompt of 1 to {most} tokens, got {prompt[:60]!r}: {len(ids)}")
    return ids


def main(
    prompt: Annotated[str, typer.Argument(help="The beginning of a text, in quotation marks.")],
    tokens: Annotated[int, typer.Option(min=1, max=4096, help="Write at most so many tokens.")] = 40,
    chat: Annotated[
        bool, typer.Option("--chat", help="Ask instead: the prompt is a question, print the answer.")
    ] = False,
    temperature: Annotated[
        float, typer.Option(min=0.0, help="0 always takes the most probable token; above 0 tokens are drawn.")
    ] = 0.0,
    top_k: Annotated[int, typer.Option(min=1, help="Draw among the k most probable tokens only.")] = 50,
    seed: Annotated[int, typer.Option(help="Another seed, another draw.")] = 0,
) -> None:
    """Let SmolLM2 go on with a text, or answer a question with --chat.

    SmolLM2-135M-Instruct is a Llama of 135 million weights, here with 4 bits each and in the course's own code.  It
    was trained on English and tuned to answer questions.  It makes up facts and repeats itself: believe nothing.

    Without --chat the text goes on as it stands; the marks of a conversation are not put around it.
    """
    torch.set_num_threads(1)
    model, tokenizer = pretrained()
    generator = torch.Generator().manual_seed(seed)
    write = partial(sample, generator=generator, temperature=temperature, top_k=top_k) if temperature else greedy
    if chat:
        print(continuation(model, tokenizer, TURN.format(prompt), tokens, write))
    else:
        print(prompt + continuation(model, tokenizer, prompt, tokens, write))
