"""What a training is asked to do."""

from dataclasses import dataclass, replace
from pathlib import Path

from goods.errors import TrainingError
from goods.limits import PictureLimits
from model.training.recipe import DEFAULT_BASE, Recipe, recipe_for

LORA_LR = 10
"""How much faster adapters learn than whole matrices: Schulman et al. 2025 (LoRA without regret)
found the best rates apart by this factor over many models and ranks."""


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """Between base and tuned model: how much a training may forget, and of what.

    Attributes:
        general: A catalog that the model shall still be good at; None for everyday words, in which
            it shall still see the shop's own pictures as its base does.
        general_schema: Its schema file, if what its columns are for cannot be inferred.
        general_splits: A CSV that assigns its products to splits: val chooses, test judges.
        max_loss: The share of the base's general score that may be lost; None where only the shop
            counts, and nothing else is measured.
    """

    general: Path | None = None
    general_schema: Path | None = None
    general_splits: Path | None = None
    max_loss: float | None = 0.05

    @property
    def is_bounded(self) -> bool:
        """Whether there is a loss to be measured."""
        return self.max_loss is not None

    def __post_init__(self) -> None:
        if self.max_loss is not None and not 0 <= self.max_loss < 1:
            raise TrainingError(
                f"--max-forgetting {self.max_loss:g} is not between 0 and 1; pass 0.05 for 5 %"
            )


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What to train, and on what; where None, the recipe decides.

    Attributes:
        base: A checkpoint's folder or hub name, or "scratch:tiny" or "scratch:small".
        recipe_name: "default" or "plain": where the rest comes from.
        epochs: Passes over the training products.
        batch_size: Pairs per step.
        lr: Peak learning rate.
        weight_decay: Of matrices.
        warmup_share: Of all steps.
        layer_decay: Each layer further from the vectors learns this much slower.
        freeze: The tower that stays as it is: "none", "vision" or "text".
        phrase_share: How often a product is called by its attributes instead of by its name.
        cluster: So many neighbours in a batch share a category.
        mirror: Whether half of the pictures are shown the other way round.
        is_blended: Whether the best blend of base and tuned weights is kept.
        seed: Of everything random; on a CPU the same seed gives the same weights.
        device: "auto" or a torch device.
        dtype: "auto" (bfloat16 where CUDA has it, else float32), "float32" or "bfloat16".
        micro_batch_size: Pictures, or texts, that each process holds activations of at a time;
            None for its whole share of the batch.
        gradient_checkpointing: Whether activations are computed again instead of kept.
        compile: Whether `torch.compile` makes the layers faster.
        limit: Take only the first so many rows of the catalog.
        splits: A CSV that assigns products to splits; else the catalog's own column does, else
            groups are assigned by a digest, 80 : 10 : 10.
        picture_memory_gib: For decoded pictures of each catalog; what does not fit is decoded anew
            every epoch.
        lora_rank: Learn adapters of this rank instead of whole matrices; 0 for none.
        guard: Whether to keep only as much of the training as its base can bear; None does so where
            a general catalog is named.
        general: A catalog that the model shall still be good at: see `GuardSettings`.
        general_schema: Its schema file.
        general_splits: Its splits.
        max_loss: The share of the base's general score that may be lost.
        replay: So many pairs of the general catalog's train split are learned beside each of the
            shop's.
        resume: Whether to go on where an interrupted training stopped, if there is one.
        allow_private: Hosts that pictures may come from though they are not public.
        save_every_min: What an interruption costs at most, besides the time to start again; 0
            saves after every step.
    """

    base: str = DEFAULT_BASE
    recipe_name: str = "default"
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    weight_decay: float | None = None
    warmup_share: float | None = None
    layer_decay: float | None = None
    freeze: str | None = None
    phrase_share: float | None = None
    cluster: int | None = None
    mirror: bool | None = None
    is_blended: bool | None = None
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"
    micro_batch_size: int | None = None
    gradient_checkpointing: bool = False
    compile: bool = False
    limit: int | None = None
    splits: Path | None = None
    picture_memory_gib: float = 4.0
    lora_rank: int | None = None
    guard: bool | None = None
    general: Path | None = None
    general_schema: Path | None = None
    general_splits: Path | None = None
    max_loss: float = 0.05
    replay: float | None = None
    resume: bool = False
    allow_private: tuple[str, ...] = ()
    save_every_min: float = 10.0

    def __post_init__(self) -> None:
        if self.dtype not in ("auto", "float32", "bfloat16"):
            raise TrainingError(
                f"training in {self.dtype} is not supported: gradients vanish; "
                "pass auto, float32 or bfloat16"
            )
        if self.seed < 0:
            raise TrainingError(f"the seed {self.seed} is negative; pass 0 or more")
        if self.micro_batch_size is not None and self.micro_batch_size < 1:
            raise TrainingError(
                f"a micro-batch of {self.micro_batch_size} holds nothing; pass 1 or more"
            )
        if self.save_every_min < 0:
            raise TrainingError(f"--save-every {self.save_every_min:g} is negative; pass minutes")
        for name in ("warmup_share", "phrase_share"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise TrainingError(f"the {name.replace('_', ' ')} {share:g} is not from 0 to 1")
        if self.weight_decay is not None and self.weight_decay < 0:
            raise TrainingError(f"the weight decay {self.weight_decay:g} is negative")
        if self.cluster is not None and self.cluster < 1:
            raise TrainingError(f"a cluster of {self.cluster} holds no product; pass 1 or more")
        if self.base.startswith("scratch:") and (self.guarding or self.lora_rank):
            raise TrainingError(
                f"{self.base} has learned nothing yet: there is nothing to guard, and LoRA would "
                "keep its random weights; train it without them, or pass another --base"
            )
        if self.replay and self.general is None:
            raise TrainingError(
                "--replay learns pairs of a general catalog, and none is named; add --general"
            )
        _ = self.recipe, self.guarding, self.picture_limits

    @property
    def guarding(self) -> GuardSettings | None:
        """What decides between base and tuned model; None where the tuned one is kept."""
        is_on = self.general is not None if self.guard is None else self.guard
        if is_on:
            return GuardSettings(
                self.general, self.general_schema, self.general_splits, self.max_loss
            )
        is_untrained = self.base.startswith("scratch:")
        return GuardSettings(max_loss=None) if self.recipe.is_blended and not is_untrained else None

    @property
    def picture_limits(self) -> PictureLimits:
        """What a picture may cost, and where it may come from."""
        return PictureLimits(allow_private=self.allow_private)

    @property
    def recipe(self) -> Recipe:
        """The base's recipe with what was chosen here."""
        usual = recipe_for(self.base, self.recipe_name)
        chosen = {name: value for name in _OF_RECIPE if (value := getattr(self, name)) is not None}
        recipe = replace(usual, **chosen)
        if self.lora_rank and self.lr is None:
            recipe = replace(recipe, lr=min(recipe.lr * LORA_LR, 0.5))
        if self.phrase_share is not None:
            # One caption for each picture: of two at once there is no share to choose.
            captions = replace(recipe.captions, phrase_share=self.phrase_share, is_both=False)
            recipe = replace(recipe, captions=captions)
        if self.mirror is not None:
            seen = replace(recipe.augmentation, mirror=self.mirror)
            recipe = replace(recipe, augmentation=seen)
        return recipe


_OF_RECIPE = (
    *("epochs", "batch_size", "lr", "weight_decay", "warmup_share", "layer_decay"),
    *("freeze", "cluster", "lora_rank", "is_blended", "replay"),
)
"""The settings that a recipe has by the same name."""
