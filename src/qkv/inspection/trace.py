"""A notebook for a model to write in: what happens inside, by name, without changing what the model returns."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from qkv.assets import near_matches


class Trace(Mapping[str, Tensor]):
    """Tensors by name, in the order in which they were computed.

        >>> trace = Trace()
        >>> logits = model(source, target, trace=trace)
        >>> trace["decoder0.cross_attention.weights"].shape  # (b, h, t_q, t_k)

    What is kept is detached: reading it costs no graph.  A second call of the model writes over the first.
    """

    def __init__(self) -> None:
        self._tensors: dict[str, Tensor] = {}
        self._prefix = ""

    def within(self, name: str) -> "Trace":
        """The same trace; names written through it get ``name.`` in front."""
        inner = Trace()
        inner._tensors, inner._prefix = self._tensors, f"{self._prefix}{name}."
        return inner

    def __setitem__(self, name: str, tensor: Tensor) -> None:
        self._tensors[self._prefix + name] = tensor.detach()

    def __getitem__(self, name: str) -> Tensor:
        full = self._prefix + name
        if full not in self._tensors:
            raise KeyError(f"nothing was traced under {full!r}; {near_matches(full, self._tensors)}")
        return self._tensors[full]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._prefix) for name in self._tensors if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)
