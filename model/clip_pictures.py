"""CLIP's picture tower for embedding: the numbers of transformers, without what nobody reads.

Of the last layer only the class token is looked at, so that the other tokens need no query, no
projection and no MLP there; and results nobody needs again are written over. In the shape of
ViT-B/32 that is 1.15 to 1.2 x as fast on 2 cores.

Legend: B pictures, T tokens, D the width of a token, H heads.
"""

import torch
from torch import nn
from torch.nn import functional
from transformers import CLIPModel
from transformers.activations import QuickGELUActivation
from transformers.models.clip.modeling_clip import CLIPMLP, CLIPAttention, CLIPEncoderLayer


def picture_features(model: CLIPModel, pixel_values: torch.Tensor) -> torch.Tensor:
    """What `get_image_features` puts into `pooler_output`; gradients have to be off."""
    tower = model.vision_model
    tokens_BTD: torch.Tensor = tower.pre_layrnorm(tower.embeddings(pixel_values))
    *layers, last = tower.encoder.layers
    for layer in layers:
        tokens_BTD = _layer(layer, tokens_BTD, tokens_BTD.shape[1])
    class_BD = _layer(last, tokens_BTD, 1)[:, 0]
    features: torch.Tensor = model.visual_projection(tower.post_layernorm(class_BD))
    return features


def _layer(layer: CLIPEncoderLayer, tokens_BTD: torch.Tensor, first: int) -> torch.Tensor:
    """The first so many tokens after this layer."""
    normed_BTD = layer.layer_norm1(tokens_BTD)
    mixed_BTD = _attention(layer.self_attn, normed_BTD, first).add_(tokens_BTD[:, :first])
    mixed_BTD += _mlp(layer.mlp, layer.layer_norm2(mixed_BTD))
    return mixed_BTD


def _attention(attention: CLIPAttention, tokens_BTD: torch.Tensor, first: int) -> torch.Tensor:
    def heads(projection: nn.Module, of_BTD: torch.Tensor) -> torch.Tensor:
        split_BTHD: torch.Tensor = projection(of_BTD).unflatten(-1, (attention.num_heads, -1))
        return split_BTHD.transpose(1, 2)

    mixed_BHTD = functional.scaled_dot_product_attention(
        heads(attention.q_proj, tokens_BTD[:, :first]),
        heads(attention.k_proj, tokens_BTD),
        heads(attention.v_proj, tokens_BTD),
    )
    mixed: torch.Tensor = attention.out_proj(mixed_BHTD.transpose(1, 2).flatten(2))
    return mixed


def _mlp(mlp: CLIPMLP, tokens_BTD: torch.Tensor) -> torch.Tensor:
    wide: torch.Tensor = mlp.fc1(tokens_BTD)
    if isinstance(mlp.activation_fn, QuickGELUActivation):
        wide = torch.sigmoid_(wide * 1.702).mul_(wide)
    else:
        wide = mlp.activation_fn(wide)
    narrow: torch.Tensor = mlp.fc2(wide)
    return narrow
