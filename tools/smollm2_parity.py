"""SmolLM2 in our code against transformers, at length: logits, greedy texts, memory, seconds, speed.

    python tools/smollm2_parity.py

Both read the same GGUF file; our part is measured before transformers is loaded.  The tests do the same with fewer and
shorter texts (tests/parity/models/test_llama_parity.py), since this takes minutes.  Seconds are those of the processor,
one thread, so that other work on the machine does not count; each pair of texts is written in turn.
"""

import os
import resource
import statistics
import sys
import time

import torch

from qkv import assets
from qkv.generate import continuation, pretrained
from qkv.models.llama import Llama

PROMPTS = (
    "The capital of France is",
    "Once upon a time, there was a little",
    "To make a cup of tea, first",
    "In 1969, two men walked on the moon, and",
    "<|im_start|>user\nWhy is the sky blue?<|im_end|>\n<|im_start|>assistant\n",
)
END_ID = 2


def transformers_model():
    """SmolLM2 as transformers reads it from the same file."""
    from transformers import AutoModelForCausalLM

    file = assets.path("smollm2")
    return AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()


def transformers_continuation(theirs, ids: list[int], max_new_tokens: int) -> list[int]:
    """Greedy, with a cache; ids of what is new, without the end symbol."""
    given = torch.tensor([ids])
    options = {"do_sample": False, "eos_token_id": END_ID, "pad_token_id": END_ID}
    row = theirs.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=max_new_tokens, **options)[0]
    new = row[len(ids) :].tolist()
    return new[:-1] if new[-1] == END_ID else new


@torch.no_grad()
def largest_difference(ours: Llama, theirs, ids: list[int]) -> float:
    """Between all logits of one text."""
    given = torch.tensor([ids])
    return (ours(given) - theirs(given).logits).abs().max().item()


def timed(run):
    """What a function returns, and the seconds of the processor that it took."""
    start = time.process_time()
    return run(), time.process_time() - start


def peak_megabytes() -> float:
    """Most memory this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB on Linux, bytes on macOS
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def main(max_new_tokens: int = 40) -> None:
    """Prints one line per finding."""
    torch.set_num_threads(1)
    (ours, tokenizer), seconds = timed(pretrained)
    print(f"ours, loaded with its tokens: {seconds:.1f} s", flush=True)
    continuation(ours, tokenizer, PROMPTS[0], 3)
    print(f"most memory: {peak_megabytes():.0f} MB", flush=True)
    theirs, seconds = timed(transformers_model)
    print(f"transformers, loaded without tokens: {seconds:.1f} s; most memory: {peak_megabytes():.0f} MB", flush=True)
    transformers_continuation(theirs, tokenizer.encode(PROMPTS[0]), 3)
    same, ratios, speeds = 0, [], []
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt)
        text, our_seconds = timed(lambda prompt=prompt: continuation(ours, tokenizer, prompt, max_new_tokens))
        expected, their_seconds = timed(lambda ids=ids: transformers_continuation(theirs, ids, max_new_tokens))
        _, again = timed(lambda prompt=prompt: continuation(ours, tokenizer, prompt, max_new_tokens))
        our_seconds = (our_seconds + again) / 2  # before and after theirs, so that a trend favours neither
        same += text == tokenizer.decode(expected)
        ratios.append(our_seconds / their_seconds)
        speeds.append(len(tokenizer.encode(text)) / our_seconds)
        error = largest_difference(ours, theirs, ids + expected)
        print(f"{prompt!r} → {text!r}\n  largest difference of logits {error:.1e}; ratio {ratios[-1]:.2f}", flush=True)
    print(f"texts alike: {same} of {len(PROMPTS)}")
    print(
        f"ours / transformers: median ratio {statistics.median(ratios):.2f}; {statistics.median(speeds):.1f} tokens/s"
    )


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
