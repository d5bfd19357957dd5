"""Chunks of a long text: each row goes on where it stopped, and so does the state, through a restart too."""

import pytest
import torch
from torch import Tensor, nn

from qkv.training.bptt import Carried, Chunk, ContiguousBatches
from qkv.training.loop import Settings, train


def test_by_hand():
    batches = ContiguousBatches(range(9), batch_size=2, chunk_length=3)
    first, second = (batches[step] for step in range(2))
    assert (first.ids.tolist(), first.targets.tolist()) == ([[0, 1, 2], [4, 5, 6]], [[1, 2, 3], [5, 6, 7]])
    assert (second.ids.tolist(), second.targets.tolist()) == ([[3], [7]], [[4], [8]])
    assert [batches[step].is_first for step in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize("num_tokens", [7, 50, 101, 128])
@pytest.mark.parametrize("batch_size", [1, 3, 6])
@pytest.mark.parametrize("chunk_length", [1, 4, 70])
def test_rows_go_on_and_nothing_is_lost_but_the_tail(num_tokens, batch_size, chunk_length):
    batches = ContiguousBatches(torch.arange(num_tokens), batch_size, chunk_length)
    chunks = [batches[step] for step in range(len(batches))]
    assert all(1 <= chunk.ids.shape[1] <= chunk_length for chunk in chunks)
    for name, start in (("ids", 0), ("targets", 1)):
        rows = torch.cat([getattr(chunk, name) for chunk in chunks], dim=1)
        read = rows.flatten().tolist()  # row after row: the text itself
        assert read == list(range(start, start + len(read)))
    assert 0 <= num_tokens - 1 - len(read) < batch_size


def test_epochs_repeat():
    batches = ContiguousBatches(range(40), 3, 5)
    again = batches[1 + 2 * len(batches)]
    assert torch.equal(batches[1].ids, again.ids)
    assert torch.equal(batches[1].targets, again.targets)


@pytest.mark.parametrize(
    ("num_tokens", "batch_size", "chunk_length", "message"),
    [
        (3, 3, 2, r"at least batch_size \+ 1 = 4 tokens, got 3"),
        (0, 1, 2, r"at least batch_size \+ 1 = 2 tokens, got 0"),
        (9, 0, 2, "got 0 and 2"),
        (9, 2, 0, "got 2 and 0"),
    ],
)
def test_batches_that_cannot_be(num_tokens, batch_size, chunk_length, message):
    with pytest.raises(ValueError, match=message):
        ContiguousBatches(range(num_tokens), batch_size, chunk_length)


class Reader(nn.Module):
    """The smallest recurrent language model: it knows a few tokens, and what it is told comes from all it has read."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.lstm, self.scores = nn.Embedding(7, 4), nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 7)

    def forward(self, ids: Tensor, state=None):
        hidden, end = self.lstm(self.token(ids), None if state is None else state[0])
        return self.scores(hidden), [end]


def loss(carried: nn.Module, chunk: Chunk) -> tuple[Tensor, Tensor]:
    logits, state = carried.model(chunk.ids, carried.state_before(chunk))
    carried.keep(state)
    losses = nn.functional.cross_entropy(logits.flatten(0, 1), chunk.targets.flatten(), reduction="sum")
    return losses, torch.tensor(chunk.targets.numel())


@pytest.fixture
def carried() -> Carried:
    torch.manual_seed(0)
    return Carried(Reader())


def text(num_tokens: int) -> Tensor:
    return torch.randint(7, (num_tokens,), generator=torch.Generator().manual_seed(0))


def test_chunks_are_read_as_one_text(carried):
    """Twice over, so that the second epoch must begin with zeros again."""
    batches = ContiguousBatches(text(100), 3, 7)
    whole, _ = carried.model(batches.ids)
    for epoch in range(2):
        read = []
        for step in range(len(batches)):
            chunk = batches[epoch * len(batches) + step]
            logits, state = carried.model(chunk.ids, carried.state_before(chunk))
            carried.keep(state)
            read.append(logits)
        torch.testing.assert_close(torch.cat(read, dim=1), whole)


def test_no_gradient_goes_back_into_the_last_chunk(carried):
    """Tokens 1 and 2 are in the first chunk alone, 3 and 4 in the second."""
    first, second = torch.tensor([[1, 2]]), torch.tensor([[3, 4]])
    loss(carried, Chunk(first, second, is_first=True))
    carried.zero_grad()
    loss(carried, Chunk(second, first, is_first=False))[0].backward()
    assert carried.model.token.weight.grad.any(-1).nonzero().flatten().tolist() == [3, 4]


def test_a_run_that_stopped_goes_on_with_its_state(carried, tmp_path):
    """Stopped in the middle of the text, it ends with the very weights of a run that never stopped."""
    batches = ContiguousBatches(text(100), 3, 5)
    start = {name: value.clone() for name, value in carried.model.state_dict().items()}

    def run(folder: str, num_steps: int) -> Carried:
        model = Reader()
        model.load_state_dict(start)
        fresh = Carried(model)
        train(fresh, batches, loss, Settings(num_steps, 1e-2), lambda step: 1.0, tmp_path / folder)
        return fresh

    whole = run("whole", 6)
    run("pieces", 3)
    resumed = run("pieces", 6)
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], weight)
    torch.testing.assert_close(resumed.get_extra_state(), whole.get_extra_state(), rtol=0, atol=0)
