import struct
import zlib
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from orders.photos import MAX_BYTES, PHOTO_SIDE, check_photo
from tests.unit.orders.making import picture

ORIENTATION, GPS, TURNED = 0x0112, 0x8825, 6
SECRET = "48.2082 N"


def check(content: bytes) -> Image.Image:
    """What is stored for an upload."""
    return Image.open(check_photo(SimpleUploadedFile("evil.php", content)))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_any_of_them_becomes_a_jpeg(kind: str) -> None:
    photo = check(picture(kind))
    assert (photo.format, photo.size) == ("JPEG", (60, 40))


def test_a_large_photo_is_made_smaller() -> None:
    assert check(picture(size=(4000, 3000))).size == (PHOTO_SIDE, PHOTO_SIDE * 3 // 4)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK"])
def test_other_colours_are_taken(mode: str) -> None:
    kind = "PNG" if mode == "P" else "JPEG"
    photo = Image.new("RGB", (8, 8), "red").convert(mode)
    file = BytesIO()
    photo.save(file, kind)
    assert check(file.getvalue()).mode == "RGB"


def test_transparent_becomes_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(file, "PNG")
    assert check(file.getvalue()).getpixel((4, 4)) == (255, 255, 255)


def test_exif_is_dropped_and_its_orientation_applied() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    exif[GPS] = {1: "N", 2: (48.0, 12.0, 29.0)}
    original = picture(exif=exif, comment=SECRET)
    assert Image.open(BytesIO(original)).getexif().get_ifd(GPS)

    photo = check(original)
    assert photo.size == (40, 60)
    assert not photo.getexif()
    assert "comment" not in photo.info


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_metadata_is_dropped(kind: str) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET)
    original = picture(kind, pnginfo=text, xmp=SECRET.encode(), icc_profile=SECRET.encode())
    assert SECRET.encode() in original
    assert SECRET.encode() not in check_photo(SimpleUploadedFile("a.png", original)).read()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        picture("GIF", mode="P"),
        picture("TIFF"),
        picture("PDF"),
        picture(size=(600, 600))[:500],
        picture("PNG")[:60],
        picture("PNG").replace(b"IDAT", b"IDAX"),
    ],
)
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        check(content)


@pytest.mark.parametrize("claim", [(5001, 5000), (20_000, 20_000), (60_000, 60_000)])
def test_bombs_are_refused_by_their_header(claim: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="megapixels"):
        check(png_that_claims(*claim))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(ValidationError, match="8 MB"):
        check(picture() + bytes(MAX_BYTES))
