"""AdamW on float32 copies of parameters that are computed with in bfloat16."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vidcli.errors import EngineError

BETAS = (0.9, 0.95)


class Learner:
    """What learns, its float32 copies, and their optimizer.

    Args:
        modules: By a name that goes before their parameters' own.
        lr: Peak learning rate.
        weight_decay: Of matrices; vectors have none.
        clip: Largest norm of the gradient.
    """

    def __init__(
        self, modules: Mapping[str, nn.Module], *, lr: float, weight_decay: float, clip: float
    ) -> None:
        self.used = {
            f"{prefix}.{name}": parameter
            for prefix, module in modules.items()
            for name, parameter in module.named_parameters()
        }
        self.masters = {name: p.detach().float().clone() for name, p in self.used.items()}
        self.lr, self.clip = lr, clip
        matrices = [value for value in self.masters.values() if value.ndim > 1]
        vectors = [value for value in self.masters.values() if value.ndim < 2]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=lr,
            betas=BETAS,
            fused=True,
        )

    def step(self, share: float) -> None:
        """Take the gradients, at a share of the peak learning rate; they are used up.

        Raises:
            EngineError: They are no longer numbers.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * share
        for name, parameter in self.used.items():
            found = parameter.grad
            master = self.masters[name]
            master.grad = torch.zeros_like(master) if found is None else found.float()
            parameter.grad = None
        norm = torch.nn.utils.clip_grad_norm_(list(self.masters.values()), self.clip)
        if not math.isfinite(norm):
            raise EngineError(
                "the gradients are no numbers any more: training has come apart",
                hint="start anew with a smaller lr",
            )
        self.optimizer.step()
        self._hand_over()

    def state(self) -> dict[str, Any]:
        """The optimizer's state, for a checkpoint."""
        state: dict[str, Any] = self.optimizer.state_dict()
        return state

    def restore(self, weights: Mapping[str, Tensor], optimizer: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        for name, master in self.masters.items():
            master.copy_(weights[name])
        self.optimizer.load_state_dict(optimizer)
        self._hand_over()

    def _hand_over(self) -> None:
        for name, parameter in self.used.items():
            parameter.data.copy_(self.masters[name])

    def settle(self) -> None:
        """Leave the float32 numbers themselves in the modules, where training is over."""
        for name, parameter in self.used.items():
            parameter.data = self.masters[name].detach().clone()
