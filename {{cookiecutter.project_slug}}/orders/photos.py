"""Whatever is uploaded, what is stored is a JPEG that we made."""

from io import BytesIO
from typing import IO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 25_000_000  # a small file can unpack to gigabytes
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PHOTO_SIDE = 1600
THUMBNAIL_SIDE = 320


def check_photo(upload: UploadedFile[bytes]) -> ContentFile[bytes]:
    if (upload.size or 0) > MAX_BYTES:
        raise ValidationError(f"This photo is too large. Choose one below {MAX_BYTES // 1024**2} MB.")
    try:
        with Image.open(upload, formats=list(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            return _jpeg(image, PHOTO_SIDE)
    except Image.DecompressionBombError:
        raise ValidationError(f"This photo is too large. Choose one below {MAX_PIXELS // 10**6} megapixels.") from None
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        raise ValidationError("This photo cannot be read. Choose a JPEG, PNG or WebP file.") from error


def make_thumbnail(photo: IO[bytes]) -> ContentFile[bytes]:
    with Image.open(photo, formats=["JPEG"]) as image:
        return _jpeg(image, THUMBNAIL_SIDE)


def _jpeg(image: Image.Image, side: int) -> ContentFile[bytes]:
    """Upright, at most `side` wide and high, on white where it was transparent, without any metadata."""
    image.draft("RGB", (side, side))
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    upright.thumbnail((side, side))
    plain = Image.new("RGB", upright.size, "white")
    plain.paste(upright, mask=upright)
    out = BytesIO()
    plain.save(out, "JPEG", quality=85, optimize=True)
    return ContentFile(out.getvalue(), name="photo.jpg")
