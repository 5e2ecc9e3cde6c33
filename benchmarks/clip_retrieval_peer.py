"""clip-retrieval's side of `ingest.py`: its reader, runner, mapper and writer, as they are.

Its package imports a web server, indexes and a tracker on the way, which its worker does not use
and which ask for numpy 1: they are passed by.
"""

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import torch

WORKERS = 2  # of its reader; 4, its default, are slower on 2 cores
BATCH = 32  # 256, its default, leave the reader's processes little to do ahead in a short run


def their_runner(weights: Path) -> Callable[[Path, Path], None]:
    """What its `worker` does, with the model loaded: a folder of pictures to one of vectors.

    Only its logger is left out: a process that imports torch once more, for seconds, while a short
    run is timed.
    """
    import sentence_transformers  # noqa: F401 - looks for the tracker, before that is passed by

    _pass_by()
    from all_clip import load_clip
    from clip_retrieval.clip_inference.mapper import ClipMapper
    from clip_retrieval.clip_inference.reader import FilesReader
    from clip_retrieval.clip_inference.runner import Runner
    from clip_retrieval.clip_inference.writer import NumpyWriter

    settings = {"use_jit": False, "warmup_batch_size": BATCH, "clip_cache_path": None}
    _, transform, tokenizer = load_clip(clip_model=str(weights), **settings)
    kinds = {"enable_text": False, "enable_image": True, "enable_metadata": False}
    mapper = ClipMapper(
        use_mclip=False, clip_model=str(weights), mclip_model="", **kinds, **settings
    )

    def run(pictures: Path, out: Path) -> None:
        Runner(
            lambda sampler: FilesReader(
                sampler, transform, tokenizer, str(pictures), BATCH, WORKERS, **kinds
            ),
            lambda: mapper,
            lambda part: NumpyWriter(part, str(out), False, True, False, 1),
            lambda _: _Silence(),
            1,
        )(0)

    return run


class _Silence:
    """A logger that says nothing."""

    def start(self) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def __call__(self, stats: dict[str, float]) -> None:
        """Nothing."""


def _pass_by() -> None:
    spec = importlib.util.find_spec("clip_retrieval")
    assert spec is not None
    package = ModuleType("clip_retrieval")
    package.__path__ = list(spec.submodule_search_locations or ())
    tracker = ModuleType("wandb")
    tracker.__spec__ = ModuleSpec("wandb", None)
    sys.modules.update(clip_retrieval=package, wandb=tracker)


def openai_weights(checkpoint: str, file: Path) -> Path:
    """The picture tower of a transformers checkpoint in OpenAI's own layout.

    Their loader wants a text tower, too: it gets one of random weights. It takes heads for 64 wide
    and every GELU for the quick one: as much work, but other vectors where that is not so.
    """
    from transformers import CLIPModel

    model = CLIPModel.from_pretrained(checkpoint)
    vision = model.config.vision_config
    own = model.vision_model.state_dict()
    weights = {
        "visual.class_embedding": own["embeddings.class_embedding"],
        "visual.conv1.weight": own["embeddings.patch_embedding.weight"],
        "visual.positional_embedding": own["embeddings.position_embedding.weight"],
        "visual.proj": model.visual_projection.weight.T.contiguous(),
    }
    for theirs, ours in (("ln_pre", "pre_layrnorm"), ("ln_post", "post_layernorm")):
        for part in ("weight", "bias"):
            weights[f"visual.{theirs}.{part}"] = own[f"{ours}.{part}"]
    for layer in range(vision.num_hidden_layers):
        weights |= _block(own, layer)
    torch.save(weights | _any_texts(model.config.projection_dim), file)
    return file


def _block(own: dict[str, torch.Tensor], layer: int) -> dict[str, torch.Tensor]:
    theirs, ours = f"visual.transformer.resblocks.{layer}", f"encoder.layers.{layer}"
    names = {
        "ln_1": "layer_norm1",
        "ln_2": "layer_norm2",
        "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    }
    block = {}
    for part in ("weight", "bias"):
        for name, own_name in names.items():
            block[f"{theirs}.{name}.{part}"] = own[f"{ours}.{own_name}.{part}"]
        block[f"{theirs}.attn.in_proj_{part}"] = torch.cat(
            [own[f"{ours}.self_attn.{x}_proj.{part}"] for x in "qkv"]
        )
    return block


def _any_texts(dimension: int) -> dict[str, torch.Tensor]:
    from clip.model import CLIP

    texts = CLIP(dimension, 32, 1, 64, 32, 77, 49408, 64, 1, 1)
    return {k: v for k, v in texts.state_dict().items() if not k.startswith("visual.")}
