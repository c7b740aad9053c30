"""A beginning for the second stage: the connector says what the vision encoder knows, in words.

The first stage leaves the knowledge in features that the language model cannot read. Here a ridge
regression finds the connector that turns them into a code of plain numbers: which kind, which
colour, which text, where. The embeddings of the words for them get the same numbers, and half of
the heads begin by looking at what is like them. So "What is the red thing?" finds the red token,
and what is found there is already the word for it.

Two heads of the first layer begin by looking at the same object one and two frames before: some of
their rotary pairs hold a constant, the key's turned by the cells of a frame, others compare kind
and colour. They bring its place along, so that the layers above can tell which way it went.

Measured on the world's held-out clips after ten minutes of the second stage on one core: what
object 83 % with the connector, 44 to 65 % without; direction stayed at chance until heads looked
back (`docs/log.md`).
"""

import random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidcli.errors import UsageError
from vidcli.train.world.crowd import make_crowd
from vidcli.train.world.modules import SmallModel
from vidcli.train.world.settings import LanguageConfig
from vidcli.train.world.views import TEXTS, PatchLabels, label_patches, shoot
from vidcli.train.world.vision import PatchHeads
from vidcli.train.world.writer import TurnWriter
from vidcli.world import COLOURS, KINDS, make_scene
from vidcli.world.vocabulary import plural

BINS, SPREAD = 8, 0.09  # of a place along each axis, and how wide one is
KIND = 0
COLOUR = KIND + len(KINDS)
TEXT = COLOUR + len(COLOURS)
IS_OBJECT = TEXT + len(TEXTS)
PLACE, SIZE, IS_LETTER = IS_OBJECT + 1, IS_OBJECT + 3, IS_OBJECT + 4
BIN = IS_LETTER + 1
CODE = BIN + 2 * BINS  # numbers of the code
BROUGHT = (PLACE, PLACE + 1, *range(BIN, CODE), IS_OBJECT)  # from the frame before
BACK = 2  # frames that are looked back, each by a head
LEAST_WIDTH = CODE + BACK * len(BROUGHT)
CLOCK, LIKENESS = 5 / 32, 17 / 32  # first rotary pairs that tell when, and what, as shares
TIME_WEIGHT, LIKE_WEIGHT, BROUGHT_WEIGHT = 0.45, 0.3, 0.25
EMPTY_WEIGHT = 0.3  # of tokens that show nothing
RIDGE = 0.01  # of the mean of the diagonal
NOISE = 0.06  # of embeddings, beside their code
FREE = 0.08  # size of the connector's rows that have no code


def seed_language(
    model: SmallModel, heads: PatchHeads, writer: TurnWriter, config: LanguageConfig
) -> None:
    """Give a model whose vision encoder sees a connector, embeddings and heads to begin with.

    The same model and settings give the same beginning.

    Args:
        model: Changed in place; of its vision encoder only the bias of the last norm.
        heads: Of its patches, which that bias moves along.
        writer: Of its vocabulary.
        config: `seeded` pictures are looked at.

    Raises:
        UsageError: The model is too narrow for the code, or shares keys among its heads.
    """
    sizes = model.sizes
    is_wide = sizes.width >= LEAST_WIDTH and sizes.width // sizes.heads >= len(BROUGHT)
    if not is_wide or sizes.heads < 2 * BACK or sizes.heads != sizes.kv_heads:
        raise UsageError(
            f"seeded needs a width of at least {LEAST_WIDTH}, heads of {len(BROUGHT)} or wider, and"
            f" {2 * BACK} or more of them, all with keys of their own",
            hint="seeded = 0 leaves it out",
        )
    torch.manual_seed(config.seed)
    features, codes = _look(model, config)
    with torch.no_grad():
        features = _centre(model, heads, features)
        model.connector.weight.copy_(_solve(features, codes, sizes.width))
        model.embedding.weight.copy_(_embed(writer, *model.embedding.weight.shape))
        half = sizes.heads // 2 * (sizes.width // sizes.heads)
        for block in model.blocks:
            query, key, value = block.qkv.weight.chunk(3)
            key[:half] = query[:half] + torch.randn(half, sizes.width) * 0.01
            block.out.weight[:, :half] = value[:half].T
        for frames in range(1, BACK + 1):
            _look_back(model, frames, cells=frames * _frame_cells(writer, config))


def code_tokens(labels: PatchLabels, scale: int) -> NDArray[np.float32]:
    """The code of each visual token of some frames, from its patches: [tokens, CODE]."""
    frames, patches = labels.kinds.shape
    grid = round(patches**0.5)
    code = np.zeros((frames, patches, CODE), np.float32)
    covered, written = labels.kinds > 0, labels.letters > 0
    code[covered, KIND + labels.kinds[covered] - 1] = 1
    code[covered, COLOUR + labels.colours[covered] - 1] = 1
    code[written, TEXT + labels.words[written] - 1] = 1
    middles = (np.arange(grid) + 0.5) / grid
    places = labels.offsets + np.stack(np.meshgrid(middles, middles), 2).reshape(1, patches, 2)
    code[..., IS_OBJECT] = covered
    code[..., PLACE : PLACE + 2] = (places - 0.5) * 2 * covered[..., None]
    code[..., SIZE] = labels.sizes * 2
    code[..., IS_LETTER] = written
    bins = (np.arange(BINS) + 0.5) / BINS
    near = np.exp(-(((places[..., None] - bins) / SPREAD) ** 2) / 2) * covered[..., None, None]
    code[..., BIN:] = near.reshape(frames, patches, 2 * BINS)
    side = grid // scale
    split = code.reshape(frames, side, scale, side, scale, CODE).transpose(0, 1, 3, 2, 4, 5)
    joined = split.reshape(-1, scale**2, CODE)
    shared = np.maximum(1, joined[..., IS_OBJECT].sum(1))[:, None]  # patches with an object
    summed: NDArray[np.float32] = joined.sum(1)
    for span in (slice(KIND, TEXT), slice(IS_OBJECT, IS_LETTER), slice(BIN, CODE)):
        summed[:, span] /= shared
    summed[:, TEXT:IS_OBJECT] = np.minimum(1, summed[:, TEXT:IS_OBJECT])
    summed[:, IS_LETTER] = np.minimum(1, summed[:, IS_LETTER])
    return summed


def _look(model: SmallModel, config: LanguageConfig) -> tuple[Tensor, Tensor]:
    """Features of the visual tokens of many pictures, and their codes."""
    rng = random.Random(f"seed/{config.seed}")
    side, grid, scale = model.sizes.image_size, model.vision.grid, model.sizes.scale_factor
    features, codes = [], []
    for index in range(config.seeded):
        if index % 3 == 0:
            scene, times = make_crowd(config.vision_seed, index), np.array([0.5])
        else:
            genres = ("word",) if index % 6 == 1 else None
            scene = make_scene(config.vision_seed, index, genres=genres)
            times = scene.sample_times(config.frames)[[rng.randrange(config.frames)]]
        frames = torch.from_numpy(shoot(scene, times, rng, side=side))
        with torch.no_grad():
            features.append(model.see(frames).flatten(0, 1))
        codes.append(torch.from_numpy(code_tokens(label_patches(scene, times, grid), scale)))
    return torch.cat(features), torch.cat(codes)


def _centre(model: SmallModel, heads: PatchHeads, features: Tensor) -> Tensor:
    """Move the encoder's mean to nothing, and with it what the heads of patches expect."""
    width = model.sizes.vision_width
    mean = features.view(-1, width).mean(0)
    model.vision.norm.bias.sub_(mean)
    heads.bias.add_(heads.weight @ mean)
    return features - mean.repeat(model.sizes.scale_factor**2)


def _solve(features: Tensor, codes: Tensor, width: int) -> Tensor:
    """The connector that comes nearest to the code, its other rows at random: [width, features]."""
    weights = torch.where(codes[:, IS_OBJECT] + codes[:, IS_LETTER] > 0, 1.0, EMPTY_WEIGHT)
    weighted = features * weights[:, None]
    normal = weighted.T @ features
    normal += torch.eye(len(normal)) * normal.diagonal().mean() * RIDGE
    found = torch.linalg.solve(normal, weighted.T @ codes).T
    inputs = features.shape[1]
    size = FREE / features.square().mean().sqrt() / inputs**0.5
    return torch.cat([found, torch.randn(width - CODE, inputs) * size])


def _frame_cells(writer: TurnWriter, config: LanguageConfig) -> int:
    """Cells from a visual token to the same one of the next frame."""
    _, slots = writer.clip(np.arange(config.frames, dtype=np.float64), float(config.frames))
    return slots[len(slots) // config.frames] - slots[0]


def _look_back(model: SmallModel, frames: int, *, cells: int) -> None:
    """Let a head of the first layer, the last one for one frame, look at the same object then."""
    sizes, block = model.sizes, model.blocks[0]
    size = sizes.width // sizes.heads
    head, pairs = sizes.heads - frames, size // 2
    rows = slice(head * size, (head + 1) * size)
    query, key, value = (part[rows] for part in block.qkv.weight.chunk(3))
    for part in (query, key, value):
        part.zero_()
    rates = sizes.rope_theta ** (-torch.arange(pairs).float() / pairs)
    clock = torch.arange(round(CLOCK * pairs), round(LIKENESS * pairs))
    turned = cells * rates[clock]
    query[clock, IS_OBJECT] = TIME_WEIGHT
    key[clock, IS_OBJECT] = TIME_WEIGHT * turned.cos()
    key[clock + pairs, IS_OBJECT] = TIME_WEIGHT * turned.sin()
    for half in (slice(int(clock[-1]) + 1, pairs), slice(pairs + int(clock[-1]) + 1, 2 * pairs)):
        compared = torch.randn(half.stop - half.start, TEXT) * LIKE_WEIGHT
        query[half, :TEXT] = compared
        key[half, :TEXT] = compared
    first = sizes.width - frames * len(BROUGHT)
    block.out.weight[:, rows] = 0
    for number, source in enumerate(BROUGHT):
        value[number, source] = 1
        block.out.weight[first + number, head * size + number] = BROUGHT_WEIGHT


def _embed(writer: TurnWriter, tokens: int, width: int) -> Tensor:
    """Embeddings that hold the code of what their words mean."""
    table = torch.randn(tokens, width) * NOISE
    for number, kind in enumerate(KINDS):
        for word in {kind, plural(kind)}:
            table[writer.ids_of(f" {word}")[-1], KIND + number] += 1
    for number, colour in enumerate(COLOURS):
        table[writer.ids_of(f" {colour}")[-1], COLOUR + number] += 1
    for text, number in TEXTS.items():
        table[writer.ids_of(f" {text}")[-1], TEXT + number - 1] += 1
    return table
