"""What the tools take. The names, bounds and choices are those of the HTTP API's forms, which a test holds them to."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

LOCAL = ("image_path", "background_path", "save_to")
"""Arguments that name files of this machine: only for callers who are on it."""

_COLOR = "r,g,b or r,g,b,a (0 to 255), #rgb, #rrggbb, #rrggbbaa or a CSS color name."
_PIXELS = "in pixels; without it, it follows the size of the result."


class Arguments(BaseModel):
    """What every tool takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    files: ClassVar[tuple[str, ...]] = ("image",)
    """The form's fields that hold pictures: each is an argument, and another with `_path` behind its name."""

    image: str = Field("", description="The picture, PNG, JPEG or WebP: base64, or a data: URL.")
    image_path: str = Field("", description="The picture as a file of this machine, in place of image.")
    save_to: str = Field(
        "", description="A new file for the result, .png, .webp or .jpg; then the result is written and not returned."
    )
    format: Literal["png", "webp", "jpg"] | None = Field(
        None, description="Encoding of the result, png without it. jpg only for an opaque result."
    )
    output: Literal["rgba", "mask"] | None = Field(
        None, description="The picture (rgba), or the subject's alpha alone as one grey channel (mask)."
    )
    crop: bool | None = Field(None, description="Whether the result is cut to the subject.")
    crop_margin: str | None = Field(
        None, description="Space left around the subject where crop is true: 1, 2 or 4 lengths as in CSS, 20px or 10%."
    )
    size: str | None = Field(
        None, description="Longer side of the result in pixels, which enlarges nothing, or exactly WIDTHxHEIGHT."
    )
    scale: str | None = Field(None, description="Share of the result that the subject takes, as 80%, or original.")
    position: str | None = Field(
        None, description="Where the subject is put: center, original, or shares across and down, as 30% 70%."
    )
    model: str | None = Field(None, description="Name of the matting model; the service's own choice without it.")

    def fields(self) -> dict[str, str]:
        """All but the pictures, as fields of a form."""
        pictures = {*self.files, *LOCAL}
        chosen = self.model_dump(exclude=pictures, exclude_none=True)
        return {name: _write(value) for name, value in chosen.items()}


class Looks(Arguments):
    """How a shadow looks."""

    offset_x: int | None = Field(
        None, ge=-2000, le=2000, description=f"How far the shadow falls to the right, {_PIXELS}"
    )
    offset_y: int | None = Field(None, ge=-2000, le=2000, description=f"How far the shadow falls down, {_PIXELS}")
    blur_radius: int | None = Field(None, ge=0, le=500, description=f"Softness of the shadow {_PIXELS}")
    shadow_color: str | None = Field(None, description=f"Color of the shadow: {_COLOR}")


class Shaded(Looks):
    """Any background, before which the subject may cast a shadow."""

    shadow: Literal["none", "drop", "contact"] | None = Field(
        None,
        description="The subject's shadow: its outline moved and softened (drop), or laid on the ground (contact).",
    )


class Shadow(Looks):
    """A shadow on transparency."""

    mode: Literal["drop", "contact"] | None = Field(None, description="The outline moved, or laid on the ground.")


class Blur(Shaded):
    """The background itself, out of focus."""

    radius: int | None = Field(None, ge=1, le=100, description="Strength of the blur; it grows with the picture.")
    kind: Literal["gaussian", "lens"] | None = Field(
        None, description="Soft, or as of a wide open lens, where lights become discs."
    )


class Color(Shaded):
    """One color."""

    color: str = Field(description=f"Color of the background: {_COLOR}")


class Gradient(Shaded):
    """Two colors."""

    top_color: str = Field(description=f"Color where the gradient begins: {_COLOR}")
    bottom_color: str = Field(description=f"Color where the gradient ends: {_COLOR}")
    angle: float | None = Field(
        None, ge=-360, le=360, description="Where a linear gradient runs to, in degrees: 0 up, 90 right, 180 down."
    )
    kind: Literal["linear", "radial"] | None = Field(
        None, description="Along a line, or from the centre to the corners."
    )


class Scene(Shaded):
    """Another picture."""

    files = ("image", "background")

    background: str = Field("", description="The new background, PNG, JPEG or WebP: base64, or a data: URL.")
    background_path: str = Field("", description="The background as a file of this machine, in place of background.")
    bg_image_url: str | None = Field(
        None,
        max_length=2048,
        description="Public address of the background, which the service fetches, in place of background.",
    )
    fit: Literal["cover", "contain"] | None = Field(
        None, description="Fill the result and cut what stands over, or show the whole background."
    )
    color: str | None = Field(None, description=f"What is around a background that is shown whole: {_COLOR}")


class Painted(Shaded):
    """A background in words."""

    prompt: str = Field(min_length=1, max_length=1000, description="What is to be seen behind the subject, in words.")
    negative_prompt: str | None = Field(None, max_length=1000, description="What is not to be seen.")
    seed: int | None = Field(
        None, ge=0, le=18446744073709551615, description="The same seed brings the same background."
    )
    steps: int | None = Field(None, ge=1, le=100, description="Steps of a diffusion model; its own number without it.")
    generation_model: str | None = Field(
        None, description="Name of the generation model; the service's own choice without it."
    )


def describe(arguments: type[Arguments], *, local: bool) -> dict[str, Any]:
    """The JSON schema of a tool's arguments; `local`: for callers on this machine, who have files here."""
    schema = arguments.model_json_schema()
    properties = {name: _simplify(value) for name, value in schema["properties"].items() if local or name not in LOCAL}
    required = [*schema.get("required", ()), *(() if local else ("image",))]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _simplify(value: dict[str, Any]) -> dict[str, Any]:
    """A property without what only Python needs: that nothing is given is said by giving nothing."""
    one: dict[str, Any] = next((arm for arm in value.get("anyOf", ()) if arm != {"type": "null"}), {})
    return {key: told for key, told in {**value, **one}.items() if key not in {"anyOf", "default", "title"}}


def _write(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
