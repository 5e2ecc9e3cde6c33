"""The two towers of a checkpoint and what feeds them: the model that is trained and searched with.

Legend: B texts or pictures, T tokens, D the dimension of a vector.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn import functional
from transformers import (
    BaseImageProcessor,
    CLIPModel,
    PreTrainedTokenizerBase,
    Siglip2Model,
    SiglipModel,
)

from model.clip_towers import picture_features, text_features
from model.pixels import Preprocessing, read_preprocessing
from model.quiet import quiet_libraries

log = logging.getLogger(__name__)


class DualEncoder:
    """A CLIP, SigLIP or SigLIP 2 model with its tokenizer and its picture preprocessing.

    Attributes:
        name: The folder or hub name that it came from.
        model: Both towers, and the learned temperature.
        tokenizer: From texts to tokens.
        preprocessing: From images to pixels, and from pixels to the picture tower's inputs.
    """

    def __init__(
        self,
        name: str,
        model: CLIPModel | SiglipModel | Siglip2Model,
        tokenizer: PreTrainedTokenizerBase,
        processor: BaseImageProcessor,
    ) -> None:
        self.name = name
        self.model = model
        self.tokenizer = tokenizer
        self.preprocessing: Preprocessing = read_preprocessing(processor)
        self._processor = processor
        # A tokenizer keeps its padding and truncation as state and breaks under two threads.
        self._tokenizing = threading.Lock()
        self._has_warned = False

    @property
    def is_sigmoid(self) -> bool:
        """Whether it is of the SigLIP family: trained with the sigmoid loss, has a logit bias."""
        return not isinstance(self.model, CLIPModel)

    @property
    def text_limit(self) -> int:
        """The most tokens that the text tower reads."""
        return int(self.model.text_model.config.max_position_embeddings)

    @property
    def dimension(self) -> int:
        """The length of its vectors."""
        if isinstance(self.model, CLIPModel):
            return self.model.visual_projection.out_features
        return int(self.model.vision_model.config.hidden_size)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.model.logit_scale.device

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        """Move its weights to a device, in a number format."""
        module: torch.nn.Module = self.model
        module.to(device, dtype)

    def tokens(self, texts: Sequence[str]) -> torch.Tensor:
        """`tokens_BT` on the model's device, int64.

        CLIP's text tower is causal and reads its vector at the end token, so padding beyond the
        longest text of the batch changes nothing and is left out. SigLIP was trained with
        lower-cased texts padded to its limit, reads its vector at the last position, and attends
        to the padding: there the padding stays and no mask is passed.
        """
        if self.is_sigmoid:
            texts = [text.lower() for text in texts]
        with self._tokenizing:
            tokens = self.tokenizer(
                list(texts),
                padding="max_length" if self.is_sigmoid else "longest",
                truncation=True,
                max_length=self.text_limit,
                return_attention_mask=True,
                return_tensors="pt",
            )
            filled_B = tokens["attention_mask"].sum(dim=1)
            self._warn_if_cut(texts, filled_B)
        tokens_BT: torch.Tensor = tokens["input_ids"]
        return tokens_BT.to(self.device)

    def embed_tokens(self, tokens_BT: torch.Tensor) -> torch.Tensor:
        """`text_BD`: unit vectors, float32, differentiable."""
        if isinstance(self.model, CLIPModel) and not torch.is_grad_enabled():
            return _unit(text_features(self.model, tokens_BT))
        return _unit(self.model.get_text_features(input_ids=tokens_BT).pooler_output)

    def embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """`image_BD`: unit vectors, float32, differentiable; pixels as `preprocessing` made."""
        inputs = self.preprocessing.inputs(pixels.to(self.device))
        inputs["pixel_values"] = inputs["pixel_values"].to(self.model.dtype)
        if isinstance(self.model, CLIPModel) and not torch.is_grad_enabled():
            return _unit(picture_features(self.model, **inputs))
        return _unit(self.model.get_image_features(**inputs).pooler_output)

    def logits(self, image_BD: torch.Tensor, text_BD: torch.Tensor) -> torch.Tensor:
        """`logits_BB`, image by text: temperature times cosine, for SigLIP plus its bias."""
        logits_BB = self.model.logit_scale.exp() * image_BD @ text_BD.T
        return logits_BB if isinstance(self.model, CLIPModel) else logits_BB + self.model.logit_bias

    def save(self, folder: Path) -> None:
        """Write it in the layout that `from_pretrained` of plain `transformers` reads.

        Everybody may read the files: a service often runs as another user than the training.
        """
        with quiet_libraries():
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
            self._processor.save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)

    def _warn_if_cut(self, texts: Sequence[str], filled_B: torch.Tensor) -> None:
        """Say once per model that a text was longer than the model reads."""
        if self._has_warned:
            return
        full = [
            text for text, n in zip(texts, filled_B.tolist(), strict=True) if n == self.text_limit
        ]
        for text in full:
            length = len(self.tokenizer(text, verbose=False)["input_ids"])
            if length > self.text_limit:
                self._has_warned = True
                log.warning(
                    "a text has %d tokens and %s reads %d: the rest of this and of later long "
                    "texts is ignored (%.40s ...)",
                    length,
                    self.name,
                    self.text_limit,
                    text,
                )
                return


def _unit(features_BD: torch.Tensor) -> torch.Tensor:
    return functional.normalize(features_BD.float(), dim=-1)
