"""Draws posed people with OpenGL, off screen: Mesa's llvmpipe on a CPU, or a graphics card.

moderngl picks the device through EGL; `GLCONTEXT_DEVICE_INDEX` chooses among several, and
`LIBGL_ALWAYS_SOFTWARE=1` forces Mesa's rasteriser.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import moderngl
import numpy as np

from .body import MANE, SKIN, TEETH, Body
from .figure import CORNEA_AT, CORNEA_RADIUS, LIMBUS_AT, Figure
from .glasses import Glasses
from .lighting import Lighting
from .looks import Looks
from .mane import AROUND, DOWN, Mane
from .mane import faces as mane_faces
from .occlusion import occlusion
from .view import View

SHADERS = Path(__file__).parent / "shaders"

#: Pixels are drawn this many times finer along each axis, then averaged.
FINER = 1.25

SHADOW_SIDE = 384

#: Shells that hair is drawn in; more look denser and cost more.
SHELLS = 6
MANE_SHELLS = 4

#: Knots of the lids' margins that the eye's shader gets.
KNOTS = 8


def context() -> moderngl.Context:
    try:
        return moderngl.create_context(standalone=True, backend="egl", require=330)
    except Exception as error:
        raise RuntimeError(
            f"no OpenGL 3.3 through EGL ({error}); install Mesa (libegl1 libgl1 libgl1-mesa-dri) or a "
            "graphics driver with EGL"
        ) from error


class Renderer:
    """Holds the meshes and shaders; pictures are (height, width, 3) bytes, RGB."""

    def __init__(self, body: Body, width: int, height: int) -> None:
        self.body = body
        self.gl = gl = context()
        self.size = (width, height)
        self.drawn = size = (round(width * FINER), round(height * FINER))
        depth = gl.depth_renderbuffer(size)
        self.surfaces = [gl.texture(size, 4, dtype=kind) for kind in ("f4", "f4", "f2", "f2")]
        self.surface_target = gl.framebuffer(self.surfaces, depth)
        self.target = gl.framebuffer(gl.renderbuffer(size, 4), depth)
        self.shadow = gl.depth_texture((SHADOW_SIDE, SHADOW_SIDE))
        self.shadow.compare_func = ""
        self.shadow.repeat_x = self.shadow.repeat_y = False
        self.shadow_target = gl.framebuffer(depth_attachment=self.shadow)
        self.programs = {
            name: self._program(name)
            for name in ("surface", "shade", "eye", "lash", "glass", "depth")
        }
        self._static_buffers()
        # Teeth catch light from the opening before them, which the base mesh's closed lips hide.
        self.open = np.maximum(occlusion(body), 0.5 * (body.part == TEETH))
        self._looks: Looks | None = None

    def _program(self, name: str) -> moderngl.Program:
        common = (SHADERS / "common.glsl").read_text()

        def source(stage: str) -> str:
            return f"#version 330\n{common}\n{(SHADERS / f'{name}.{stage}').read_text()}"

        return self.gl.program(source("vert"), source("frag"))

    def _buffer(self, array: np.ndarray, kind: str = "f4") -> moderngl.Buffer:
        return self.gl.buffer(np.ascontiguousarray(array, kind).tobytes())

    def _static_buffers(self) -> None:
        gl, body = self.gl, self.body
        count = len(body.rest)
        self.moving = gl.buffer(reserve=count * 24, dynamic=True)
        self.rest = self._buffer(body.rest)
        self.painted = gl.buffer(reserve=count * 12, dynamic=True)
        self.masks = gl.buffer(reserve=count * 16, dynamic=True)
        part = self._buffer(body.part > SKIN)
        self.hair_faces = gl.buffer(reserve=4 * body.coarse_faces.size, dynamic=True)
        content = [
            (self.moving, "3f 3f", "in_position", "in_normal"),
            (self.rest, "3f", "in_rest"),
            (self.painted, "3f", "in_albedo"),
            (self.masks, "4f", "in_mask"),
            (part, "1f", "in_part"),
        ]
        surface = self.programs["surface"]
        self.skin_array = gl.vertex_array(surface, content, self._buffer(body.faces, "i4"))
        self.hair_array = gl.vertex_array(surface, content, self.hair_faces)
        self.shadow_array = gl.vertex_array(
            self.programs["depth"],
            [(self.moving, "3f 12x", "in_position")],
            self._buffer(body.coarse_faces, "i4"),
        )
        lash = self._buffer(body.lash_coordinates())
        self.lash_array = gl.vertex_array(
            self.programs["lash"],
            [(self.moving, "3f 12x", "in_position"), (lash, "3f", "in_lash")],
            self._buffer(body.lash_faces, "i4"),
        )
        mane = AROUND * DOWN
        self.mane_moving = gl.buffer(reserve=mane * 24, dynamic=True)
        # Place in the noise, colour (unused), masks, kind of part.
        self.mane_fixed = gl.buffer(reserve=mane * 44, dynamic=True)
        locks = self._buffer(mane_faces(), "i4")
        self.mane_array = gl.vertex_array(
            surface,
            [
                (self.mane_moving, "3f 3f", "in_position", "in_normal"),
                (self.mane_fixed, "3f 3f 4f 1f", "in_rest", "in_albedo", "in_mask", "in_part"),
            ],
            locks,
        )
        directions, ball_faces = hemisphere(28, 14)
        self.ball_array = gl.vertex_array(
            self.programs["eye"],
            [(self._buffer(directions), "3f", "in_direction")],
            self._buffer(ball_faces, "i4"),
        )
        corners = self._buffer(np.array([[-1, -1], [3, -1], [-1, 3]]))
        self.shade_array = gl.vertex_array(self.programs["shade"], [(corners, "2f", "in_corner")])

    def _set(self, program: str, **values: object) -> None:
        """Sets the uniforms that the program really has."""
        known = self.programs[program]
        for name, value in values.items():
            if name in known:
                uniform = known[name]
                if isinstance(value, np.ndarray):
                    if uniform.array_length == 1 and value.ndim == 2:
                        value = value.T  # OpenGL's matrices are stored column by column
                    uniform.write(np.ascontiguousarray(value, "f4").tobytes())
                else:
                    uniform.value = value

    def wear(self, looks: Looks, mane: Mane | None) -> None:
        """Takes on the looks of a person; kept until the next."""
        if looks is self._looks:
            return
        self._looks = looks
        body = self.body
        self.painted.write(np.ascontiguousarray(looks.albedo, "f4").tobytes())
        masks = np.stack([body.lips, body.lid_line, self.open, looks.hair], axis=1)
        self.masks.write(np.ascontiguousarray(masks, "f4").tobytes())
        hairy = body.coarse_faces[(looks.hair[body.coarse_faces] > 0.4).any(1)]
        self.hair_count = hairy.size
        if mane:
            fixed = np.zeros((len(mane.rest), 11))
            fixed[:, :3], fixed[:, 8], fixed[:, 9] = mane.rest, 0.9, mane.hair
            fixed[:, 10] = MANE
            self.mane_fixed.write(np.ascontiguousarray(fixed, "f4").tobytes())
        self.hair_faces.write(np.ascontiguousarray(hairy, "i4").tobytes())

    def draw(
        self, figure: Figure, looks: Looks, view: View, light: Lighting, glasses: Glasses | None
    ) -> np.ndarray:
        gl = self.gl
        self.wear(looks, figure.identity.mane)
        moving = np.concatenate([figure.vertices, figure.normals], axis=1)
        self.moving.write(np.ascontiguousarray(moving, "f4").tobytes())
        worn = glasses.built(figure) if glasses else None
        frame_array = self._glass_array(worn.frame) if worn else None

        shadow_matrix = light.shadow_matrix(figure.pose.origin)
        self.shadow_target.use()
        self.shadow_target.clear(depth=1.0)
        gl.enable_only(moderngl.DEPTH_TEST)
        # 0..1 for sampling, -1..1 for drawing.
        clip = np.diag([2.0, 2.0, 2.0, 1.0])
        clip[:3, 3] = -1.0
        self._set("depth", matrix=clip @ shadow_matrix)
        self.shadow_array.render()
        if worn:
            self._depth_array(worn.frame).render()

        common = {
            "projection": view.matrix(),
            "light_direction": light.directions,
            "light_colour": light.colours,
            "ambient": light.ambient,
            "shadow_matrix": shadow_matrix,
            "exposure": float(light.exposure),
            "wrinkles": looks.wrinkles * (0.6 + 0.6 * max(0.0, float(np.mean(figure.pose.squint)))),
            "grain": np.array([looks.grain, looks.freckles, looks.roughness, looks.lashes]),
            "brow_colour": looks.brow_colour,
            "hair_colour": looks.hair_colour,
            "head": figure.pose.head,
            "shadow_map": 0,
            "curl": float(looks.curl),
            "unproject": view.unproject(),
        }
        for name in ("surface", "shade", "eye", "lash", "glass"):
            self._set(name, **common)

        self.surface_target.use()
        self.surface_target.clear(depth=1.0)
        # The view's rows run downwards, which turns the triangles over.
        gl.front_face = "cw"
        gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        self._set("surface", shells=0)
        self.skin_array.render()
        gl.enable_only(moderngl.DEPTH_TEST)
        if self.hair_count:
            self._set("surface", shells=SHELLS, down=-figure.pose.trunk[:, 1])
            self.hair_array.render(vertices=self.hair_count, instances=SHELLS)
        if figure.mane is not None:
            self.mane_moving.write(np.ascontiguousarray(figure.mane, "f4").tobytes())
            self._set("surface", shells=MANE_SHELLS, down=-figure.pose.trunk[:, 1])
            self.mane_array.render(instances=MANE_SHELLS)

        self.shadow.use(0)
        for unit, (name, texture) in enumerate(
            zip(("rest", "normal", "albedo", "mask"), self.surfaces, strict=True), start=1
        ):
            texture.use(unit)
            self._set("shade", **{f"{name}_map": unit})
        self._set(
            "shade", brow=looks.brow, cloth=looks.cloth, neckline=looks.neckline, scene=light.scene,
            tones=light.tones, window=view.over_frame(), seed=light.seed, softness=light.softness,
        )  # fmt: skip
        self.target.use()
        gl.enable_only(moderngl.NOTHING)
        self.shade_array.render()
        gl.enable_only(moderngl.DEPTH_TEST)
        self._eyes(figure, looks, light)
        gl.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
        self.target.depth_mask = False
        self.lash_array.render()
        self.target.depth_mask = True
        if worn:
            gl.enable_only(moderngl.DEPTH_TEST)
            self._set("glass", tint=glasses.frame_colour, lens=0.0, opacity=1.0, opacity_low=1.0)
            frame_array.render()
            gl.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
            self._set(
                "glass", tint=glasses.tint, lens=1.0, opacity=glasses.opacity[0],
                opacity_low=glasses.opacity[1], glare=glasses.glare, seed=light.seed,
            )  # fmt: skip
            self._glass_array(worn.lenses).render()
        return self._read(3)

    def cutout(self) -> np.ndarray:
        """What was drawn last, with how much of each pixel is the person as a fourth channel."""
        pixels = self._read(4)
        # Blending of lashes and lenses has thinned the person a little.
        pixels[..., 3] = np.minimum(pixels[..., 3].astype(int) * 4 // 3, 255)
        return pixels

    def _read(self, components: int) -> np.ndarray:
        """The picture at its size."""
        pixels = np.frombuffer(self.target.read(components=components, alignment=1), np.uint8)
        pixels = pixels.reshape(self.drawn[1], self.drawn[0], components)
        return cv2.resize(pixels, self.size, interpolation=cv2.INTER_AREA)

    def _glass_array(self, mesh) -> moderngl.VertexArray:
        data = np.concatenate([mesh.vertices, mesh.normals, mesh.place], axis=1)
        return self.gl.vertex_array(
            self.programs["glass"],
            [(self._buffer(data), "3f 3f 2f", "in_position", "in_normal", "in_place")],
            self._buffer(mesh.faces, "i4"),
            skip_errors=True,
        )

    def _depth_array(self, mesh) -> moderngl.VertexArray:
        return self.gl.vertex_array(
            self.programs["depth"],
            [(self._buffer(mesh.vertices), "3f", "in_position")],
            self._buffer(mesh.faces, "i4"),
        )

    def _eyes(self, figure: Figure, looks: Looks, light: Lighting) -> None:
        self._set(
            "eye",
            section=np.array([LIMBUS_AT, CORNEA_AT, CORNEA_RADIUS]),
            iris=looks.iris,
            iris_radius=100.0 * looks.iris_radius,
            pupil=float(figure.pose.pupil),
            pupil_colour=light.pupil,
            sclera=light.sclera,
            lash_shadow=1.0 - 0.35 * looks.lashes,
        )
        self._set("eye", iris_grain=float(looks.grain))
        for eye in figure.eyes:
            self._set(
                "eye",
                ball=eye.ball,
                ball_radius=float(eye.ball_radius),
                centre=eye.centre,
                radius=float(eye.radius),
                axis=eye.axis,
                upper=margin(eye.upper, eye.ball, figure.pose.head),
                lower=margin(eye.lower, eye.ball, figure.pose.head),
            )
            self.ball_array.render()


def margin(line: np.ndarray, ball: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Azimuth and elevation (KNOTS, 2) about the ball, in the head's axes, of a lid's margin."""
    x, y, z = ((line - ball) @ head).T
    azimuth, elevation = np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))
    order = np.argsort(azimuth)
    at = np.linspace(azimuth.min(), azimuth.max(), KNOTS)
    return np.stack([at, np.interp(at, azimuth[order], elevation[order])], axis=1)


def hemisphere(around: int, rings: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions (n, 3) towards the front half in the head's axes, a little more than half, and
    triangles (m, 3)."""
    polar = np.linspace(0.0, 0.58 * np.pi, rings + 1)
    turn = np.linspace(0.0, 2.0 * np.pi, around, endpoint=False)
    polar, turn = (grid.ravel() for grid in np.meshgrid(polar, turn, indexing="ij"))
    directions = np.stack(
        [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=1
    )
    ring, k = (g.ravel() for g in np.meshgrid(np.arange(rings), np.arange(around), indexing="ij"))
    a, b = ring * around + k, ring * around + (k + 1) % around
    c, d = a + around, b + around
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    return directions, faces
