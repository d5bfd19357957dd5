"""Scalar mix: the layers of a language model, weighed into one vector per word."""

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn


class ScalarMix(nn.Module):
    """γ · Σ_j softmax(w)_j h_j: one weight per layer, one factor for all  (Peters et al. 2018, equation 1; there s_j).

    The w start at 0 and γ at 1, so at first it is the plain mean of the layers.  All words share the weights.

    A place that uses the mix has a ScalarMix of its own: two places, two instances, since a task may want syntax here
    and meaning there.  (AllenNLP counts such places as ``num_output_representations``; that is no number of layers.)

    Raises:
        ValueError: fewer layers than 1.
    """

    def __init__(self, num_layers: int):
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"num_layers: expected at least 1, got {num_layers}")
        self.weights = nn.Parameter(torch.zeros(num_layers))  # w, before softmax
        self.gamma = nn.Parameter(torch.ones(()))

    def forward(self, layers: Float[Tensor, "layers *b d"]) -> Float[Tensor, "*b d"]:
        """One vector where there was one per layer; the token layer counts as one of them.

        Raises:
            ValueError: more or fewer layers than there are weights.
        """
        if len(layers) != len(self.weights):
            raise ValueError(f"expected {len(self.weights)} layers, the token layer included, got {len(layers)}")
        return self.gamma * einsum(self.weights.softmax(0), layers, "j, j ... -> ...")
