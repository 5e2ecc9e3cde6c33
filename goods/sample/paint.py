"""The one painter: a drawing goes in, a studio photograph comes out.

Every part is cut from the same cloth (colour, pattern, weave), swells a little towards its middle,
is lit from one side and throws a shadow on what lies beneath. Masks are drawn four times too large
and averaged; everything else happens at the final size, where it is cheap.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from goods.sample.drawings.shapes import Drawing, Fill, Part, curve
from goods.sample.look import FINISHES, Look, Shot
from goods.sample.palette import Rgb
from goods.sample.patterns import Plane, inks
from goods.sample.studio import away, backdrop, blurred

_OVERSAMPLING = 4
_MARGIN_SHARE = 0.05  # of the picture's side: room for the blurred edges around a part

_MARKS = frozenset({Fill.SEAM, Fill.STITCH, Fill.FOLD})  # drawn on what is there, never beside it
_SKINS = frozenset({Fill.CLOTH, Fill.PLAIN, Fill.INSIDE})  # made of the product's own material
_SOLID: dict[Fill, Rgb] = {
    Fill.SOLE: (236, 233, 226),
    Fill.GUM: (150, 108, 70),
    Fill.METAL: (196, 186, 158),
    Fill.LABEL: (238, 236, 230),
}


def paint(drawing: Drawing, look: Look, shot: Shot, size: int) -> Image.Image:
    """The photograph: RGB, `size` pixels square."""
    painter = _Painter(drawing, look, shot, size)
    pieces = [painter.cut_out(part) for part in drawing.parts]
    covered = np.zeros((size, size), dtype=np.float32)
    for piece in pieces:
        if piece.part.fill not in _MARKS:
            covered[piece.window] = np.maximum(covered[piece.window], piece.mask)
    canvas = backdrop(covered, shot, drawing.is_standing)
    painted = np.zeros_like(covered)
    for piece in pieces:
        painter.lay(piece, canvas, painted)
    return Image.fromarray(np.clip(canvas * shot.exposure, 0, 255).astype(np.uint8), "RGB")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part on the pixel grid: its coverage, 0 to 1, within a window of the picture."""

    part: Part
    window: tuple[slice, slice]
    mask: Plane


class _Painter:
    """Paints one product; owns what its parts share: the frame, the cloth and the light."""

    def __init__(self, drawing: Drawing, look: Look, shot: Shot, size: int) -> None:
        self.drawing, self.look, self.shot, self.size = drawing, look, shot, size
        self.finish = FINISHES[look.finish]
        self.rng = np.random.default_rng(shot.seed)
        self.pose, self.origin = self._framed()

    def _framed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The matrix (2, 2) and offset (2,) that take a drawing to pixels and fill the frame."""
        angle = math.radians(self.shot.tilt_deg)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        turn = np.diag([-1.0 if self.shot.is_flipped else 1.0, 1.0]) @ turn
        corners = [vertex[:2] for part in self.drawing.parts for vertex in part.outline]
        points = np.array(corners) @ turn
        low, high = points.min(axis=0), points.max(axis=0)
        scale = self.shot.span * self.size / (high - low).max()
        middle = np.array([0.5 + self.shot.dx, 0.5 + self.shot.dy]) * self.size
        return scale * turn, middle - scale * (low + high) / 2

    @cached_property
    def scale_px(self) -> float:
        """Pixels per unit of the drawing."""
        return float(np.hypot(*self.pose[0]))

    @cached_property
    def cloth(self) -> tuple[Plane, Plane]:
        """Where every pixel is on the cloth, in half sides; slightly pulled by the folds."""
        axis = np.arange(self.size) + 0.5
        x, y = np.meshgrid(axis - self.origin[0], axis - self.origin[1])
        inverse = np.linalg.inv(self.pose) * self.scale_px * 2 / self.size
        pull = self.folds * 0.008
        u = x * inverse[0, 0] + y * inverse[1, 0] + pull
        v = x * inverse[0, 1] + y * inverse[1, 1] + pull
        return u.astype(np.float32), v.astype(np.float32)

    @cached_property
    def folds(self) -> Plane:
        """A smooth relief of long, upright folds, about -1 to 1."""
        coarse = Image.fromarray(self.rng.normal(size=(5, 9)).astype(np.float32))
        relief = coarse.resize((self.size, self.size), Image.Resampling.BICUBIC)
        return np.asarray(relief) * np.float32(self.drawing.drape * self.finish.folds)

    @cached_property
    def weave(self) -> Plane:
        """Brightness of the bare material around 1: grain, twill and ribs."""
        finish = self.finish
        noise: Plane = self.rng.normal(size=(self.size, self.size)).astype(np.float32)
        weave = 1 + noise * finish.grain
        if finish.twill:
            smeared = noise + np.roll(noise, (1, -1), (0, 1)) + np.roll(noise, (2, -2), (0, 1))
            weave += smeared * (finish.twill / math.sqrt(3))
        if finish.ribs:
            weave += np.cos(self.cloth[0] * (2 * math.pi / 0.045)) * finish.ribs
        return weave

    @cached_property
    def fold_light(self) -> Plane:
        """Brightness that the folds add or take."""
        return self._lit(self.folds) * np.float32(self.size / 192 * 1.3)

    def _lit(self, relief: Plane) -> Plane:
        """How much each point of a relief faces the light: its slope towards it."""
        down, right = (np.asarray(slope) for slope in np.gradient(relief))
        towards_x, towards_y = (np.float32(towards) for towards in self.shot.light)
        return -(right * towards_x + down * towards_y)

    def cut_out(self, part: Part) -> _Piece:
        """The part on the pixel grid."""
        points = curve(part.outline, is_closed=not part.width) @ self.pose + self.origin
        width_px = part.width * self.scale_px
        reach = width_px + self.size * _MARGIN_SHARE
        left, top = np.clip(points.min(axis=0) - reach, 0, self.size - 1).astype(int)
        right, bottom = np.clip(points.max(axis=0) + reach, 1, self.size).astype(int)
        large = Image.new("L", ((right - left) * _OVERSAMPLING, (bottom - top) * _OVERSAMPLING))
        path = ((points - [left, top]) * _OVERSAMPLING).ravel().tolist()
        if part.width:
            width = max(1, round(width_px * _OVERSAMPLING))
            ImageDraw.Draw(large).line(path, fill=255, width=width, joint="curve")
        else:
            ImageDraw.Draw(large).polygon(path, fill=255)
        mask = np.asarray(large.reduce(_OVERSAMPLING), dtype=np.float32) / 255
        return _Piece(part, (slice(top, bottom), slice(left, right)), mask)

    def lay(self, piece: _Piece, canvas: Plane, painted: Plane) -> None:
        """Paint the piece on the canvas (size, size, 3), and note in `painted` where it is."""
        window, mask, fill = piece.window, piece.mask, piece.part.fill
        if fill in _MARKS:
            soft = blurred(mask, self.size * 0.008) if fill is Fill.FOLD else mask
            canvas[window] *= 1 - (soft * painted[window] * np.float32(0.32))[..., None]
            if fill is Fill.STITCH or (fill is Fill.SEAM and sum(self.look.colour) < 130):
                canvas[window] += (soft * painted[window] * np.float32(64))[..., None]
            return
        if piece.part.lift:
            cast = away(blurred(mask, self.size * 0.016), self.shot, self.size * 0.012)
            canvas[window] *= (
                1 - (cast * painted[window] * np.float32(0.5 * piece.part.lift))[..., None]
            )
        canvas[window] += (self._surface(piece) - canvas[window]) * mask[..., None]
        painted[window] = np.maximum(painted[window], mask)

    def _surface(self, piece: _Piece) -> Plane:
        """The lit colour of the piece (height, width, 3)."""
        fill = piece.part.fill
        shade = self._shade(piece)[..., None]
        lit = self._colour(piece) * shade + 26 * (shade - 1)  # the sum lets black show its form
        gloss = 0.9 if fill is Fill.METAL else self.finish.gloss if fill in _SKINS else 0.0
        if gloss:
            lit += (255 - lit) * np.clip(shade - 1.03, 0, 0.35) * (2.2 * gloss)
        return lit

    def _colour(self, piece: _Piece) -> Plane:
        """The unlit colour of the piece, (height, width, 3) or (3,)."""
        fill, look = piece.part.fill, self.look
        if fill is Fill.CLOTH and look.pattern.name != "plain":
            u, v = (plane[piece.window] for plane in self.cloth)
            cos, sin = (f(math.radians(piece.part.grain)) for f in (math.cos, math.sin))
            weights = inks(look.pattern, u * cos + v * sin, v * cos - u * sin, 2 / self.size)
            return weights @ np.array([look.colour, look.accent, look.detail], dtype=np.float32)
        if fill is Fill.TRIM:
            return np.array(look.accent, dtype=np.float32)
        depth = 0.55 if fill is Fill.INSIDE else 1.0
        return np.array(_SOLID.get(fill, look.colour), dtype=np.float32) * np.float32(depth)

    def _shade(self, piece: _Piece) -> Plane:
        """Brightness around 1: the swelling of the piece, its folds and its weave."""
        radius = self.size * 0.022
        swell = blurred(piece.mask, radius)
        shade = 1 + self._lit(swell) * np.float32(radius * 0.55) - np.float32(0.22) * (1 - swell)
        if piece.part.fill in _SKINS:
            shade = (shade + self.fold_light[piece.window]) * self.weave[piece.window]
        clipped: Plane = np.clip(shade, 0.45, 1.4)
        return clipped
