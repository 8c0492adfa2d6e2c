"""From a file to its text: what is compressed is unpacked, what is in another encoding becomes UTF-8.

Compression is recognised by a file's first bytes, not by its name. A file of another kind altogether (a workbook, a web
page, a model) is refused by what it is: as text it would give an error about some line.
"""

from __future__ import annotations

import codecs
import io
import json
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import zipfile

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
DAMAGED = (OSError, EOFError, UnicodeError, zlib.error)
"""What reading a damaged file may raise; ``lzma`` and ``zipfile`` have errors of their own, see ``is_damage``."""
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE = "Save the table as CSV or Parquet"
_UNPACK = "Unpack it first, and name what is in it"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (or another file of Microsoft Office)", _SAVE),
    (b"%PDF", "a PDF document", _SAVE),
    (b"SQLite format 3", "an SQLite database", _SAVE),
    (b"ARROW1", "an Arrow (Feather) file", "Write it as Parquet"),
    (b"Obj\x01", "an Avro file", "Write it as Parquet"),
    (b"ORC", "an ORC file", "Write it as Parquet"),
    (b"\x89HDF", "an HDF5 file", "Write it as Parquet"),
    (b"\x93NUMPY", "a NumPy array", "Write it as CSV or Parquet, with names of columns"),
    (b"\x80\x04\x95", "a pickle, a program that runs when it is read", "Write it as CSV or Parquet"),
    (b"\x80\x05\x95", "a pickle, a program that runs when it is read", "Write it as CSV or Parquet"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file it stands for", "Run git lfs pull"),
    (b"<!doctype html", "a web page, as a login or an error gives", "Open it in a browser to see what it says"),
    (b"<html", "a web page, as a login or an error gives", "Open it in a browser to see what it says"),
    (b"<?xml", "an XML document", _SAVE),
)
_START = 512
_TAR = b"ustar"
_TAR_AT = 257


def plain_name(path: Path, shown: str) -> str:
    """A file's name without what says how it is packed; of an archive, that of the one file in it.

    Raises:
        DataError: as ``open_text``, of an archive.
    """
    if _kind(path) == "zip":
        with _archive(path, shown) as archive:
            return _member(archive, shown).lower()
    name = shown.lower()
    for suffix in PACKED:
        name = name.removesuffix(suffix)
    return name


def is_packed(path: Path) -> bool:
    """Whether a file is compressed, by its first bytes."""
    return _kind(path) != ""


def start_of(path: Path, shown: str) -> bytes:
    """The first bytes of what is in a file, after unpacking.

    Raises:
        DataError: as ``open_text``.
    """
    with _unpacked(path, shown) as stream:
        return stream.read(_START)


def open_text(path: Path, shown: str, encoding: str) -> IO[bytes]:
    """Open a file of text for reading, unpacked and as UTF-8 without a byte order mark.

    Args:
        path: the file.
        shown: the name the user knows it by.
        encoding: of its text. Where it is ``utf-8``, a byte order mark that says otherwise decides.

    Raises:
        DataError: it is no text, an archive of several files, locked, or of an encoding that it does not say.
    """
    start = start_of(path, shown)
    _refuse_foreign(start, shown)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    is_default = codecs.lookup(encoding).name == "utf-8"
    if is_default and marked is None and _looks_like_utf16(start):
        guess = "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
        raise DataError(
            "is text of two bytes a character, without a mark that says so",
            field=shown,
            mend=f"Set reader.encoding: {json.dumps(guess)}",
        )
    stream = _unpacked(path, shown)
    if is_default and marked == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
        return stream
    if is_default and marked is None:
        return stream
    return io.BufferedReader(_Recoded(stream, marked if is_default and marked else encoding))


def is_damage(error: Exception) -> bool:
    """Whether an error says that a file's content is broken."""
    import lzma
    import zipfile

    return isinstance(error, (*DAMAGED, lzma.LZMAError, zipfile.BadZipFile))


def _looks_like_utf16(start: bytes) -> bool:
    """Western text has every second byte zero."""
    return len(start) > 3 and max(start[::2].count(0), start[1::2].count(0)) > len(start) // 4


def _refuse_foreign(start: bytes, shown: str) -> None:
    head = start.lstrip().lower()
    for magic, what, mend in _FOREIGN:
        if start.startswith(magic) or head.startswith(magic):
            raise DataError(f"is {what}", field=shown, mend=mend)
    if start[_TAR_AT:].startswith(_TAR):
        raise DataError("is a tar archive", field=shown, mend=_UNPACK)


def _kind(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(8)
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")


def _unpacked(path: Path, shown: str) -> IO[bytes]:
    kind = _kind(path)
    if kind == "gzip":
        import gzip

        return gzip.open(path, "rb")  # type: ignore[return-value]  # GzipFile is binary IO
    if kind == "bz2":
        import bz2

        return bz2.open(path, "rb")
    if kind == "xz":
        import lzma

        return lzma.open(path, "rb")
    if kind == "zstd":
        import pyarrow as pa

        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")  # type: ignore[no-any-return]
    if kind == "zip":
        archive = _archive(path, shown)
        return archive.open(_member(archive, shown))
    return path.open("rb")


def _archive(path: Path, shown: str) -> zipfile.ZipFile:
    import zipfile

    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise DataError("is a damaged zip archive", field=shown, value=str(error), mend="Write it again") from error


def _member(archive: zipfile.ZipFile, shown: str) -> str:
    """Name of the one file in an archive; what macOS adds to it is none."""
    files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    names = [file.filename for file in files]
    if "[Content_Types].xml" in names:
        raise DataError("is an Excel workbook (or another document of Office)", field=shown, mend=_SAVE)
    if len(files) != 1:
        raise DataError(
            f"is an archive of {len(files):,} files; one was meant", field=shown, value=names[:5], mend=_UNPACK
        )
    if files[0].flag_bits & 1:
        raise DataError("is an archive with a password", field=shown, mend=_UNPACK)
    return names[0]


class _Recoded(io.RawIOBase):
    """A stream of text in some encoding, as UTF-8; what cannot be decoded raises ``UnicodeDecodeError``."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and not self._ended:
            chunk = self._stream.read(max(len(buffer), _START))
            self._ended = not chunk
            self._rest = self._decoder.decode(chunk, final=self._ended).encode("utf-8")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
