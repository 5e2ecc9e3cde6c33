"""LoRA: small matrices learn beside the towers' large ones, which stay as they are.

Source: Hu et al. 2021 (LoRA), section 4.1: W becomes W + scale * B A, B being 0 at the start.
"""

import copy

import torch

from goods.errors import TrainingError
from model.dual_encoder import DualEncoder

SCALE = 2.0
"""What B A counts, whatever the rank: alpha = 2 * rank is what most recipes take."""


def add_adapters(towers: DualEncoder, rank: int, seed: int) -> None:
    """Let only adapters learn, and the temperature; to be called after `freeze`.

    They stand beside the attention and MLP matrices of all encoder layers that are not frozen.
    Without dropout: parts of a batch are embedded twice (`model.training.gradients`).

    Args:
        towers: The model, changed in place; `merged` makes a plain one of it.
        rank: Rows of A.
        seed: Of A.

    Raises:
        TrainingError: `peft` is not installed, or the rank is none.
    """
    if rank < 1:
        raise TrainingError(f"adapters of rank {rank} learn nothing; pass --lora 1 or more")
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise TrainingError(
            "LoRA needs peft, which is not installed; "
            "run `pip install peft`, or train without --lora"
        ) from error
    targets = [
        name
        for name, module in towers.model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and ".encoder.layers." in name
        and module.weight.requires_grad
    ]
    config = LoraConfig(r=rank, lora_alpha=round(SCALE * rank), target_modules=targets)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, towers.model)
    for name, weight in towers.model.named_parameters():
        if name in ("logit_scale", "logit_bias"):
            weight.requires_grad_()


def merged(towers: DualEncoder) -> DualEncoder:
    """The same model with its adapters added to the matrices: one that plain transformers loads.

    Without adapters the towers themselves; else a copy, so that training goes on bit by bit as if
    nothing had been merged.
    """
    if not any(".lora_A." in name for name, _ in towers.model.named_parameters()):
        return towers
    from peft.tuners.lora import LoraLayer

    plain = copy.copy(towers)
    plain.model = copy.deepcopy(towers.model)
    adapted = [
        (name, module)
        for name, module in plain.model.named_modules()
        if isinstance(module, LoraLayer)
    ]
    for name, module in adapted:
        module.merge()
        plain.model.set_submodule(name, module.get_base_layer())
    return plain
