"""What files are wrapped in: compression, archives, encodings and marks; and files that are no tables at all."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pytest

from builders.sources import COLUMNS, N, csv_text, load, rows
from gauntlet.errors import DataError

TEXT = csv_text(**COLUMNS, city=(["Zürich", "Łódź", "東京"] * 67)[:N])
LINES = "\n".join(f'{{"id": {n}, "y": {n % 2}, "city": "Łódź"}}' for n in range(60))


def zipped(content, *names, folder=True):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if folder:
            archive.writestr("__MACOSX/._a.csv", b"of macOS")
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def zstd(content):
    return pa.compress(content, "zstd", asbytes=True)


def imported(folder, name, content):
    (folder / name).write_bytes(content)
    return load(folder / name, folder / f"{name}-out")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return {name: rows(imported(tmp_path_factory.mktemp("plain"), name, text.encode()))
            for name, text in (("a.csv", TEXT), ("a.jsonl", LINES))}  # fmt: skip


PACKED = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize(("name", "text"), [("a.csv", TEXT), ("a.jsonl", LINES)])
def test_compressed_files_are_read_whatever_their_name(tmp_path, plain, kind, name, text):
    packed = PACKED[kind](text.encode())
    assert rows(imported(tmp_path, f"{name}.{kind}", packed)) == plain[name]
    assert rows(imported(tmp_path, name, packed)) == plain[name]
    assert rows(imported(tmp_path, "nameless", packed)) == plain[name]


@pytest.mark.parametrize(("name", "text"), [("a.csv", TEXT), ("a.jsonl", LINES)])
def test_an_archive_of_one_file_is_that_file(tmp_path, plain, name, text):
    assert rows(imported(tmp_path, "all.zip", zipped(text.encode(), f"deep/{name}"))) == plain[name]


ENCODINGS = ["utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("name", "text"), [("a.csv", TEXT), ("a.jsonl", LINES)])
def test_a_byte_order_mark_says_how_text_is_encoded(tmp_path, plain, encoding, name, text):
    assert rows(imported(tmp_path, name, text.encode(encoding))) == plain[name]
    assert rows(imported(tmp_path, f"{name}.gz", gzip.compress(text.encode(encoding)))) == plain[name]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE])
def test_both_orders_of_bytes_are_read(tmp_path, plain, mark):
    encoding = "utf-16-be" if mark == codecs.BOM_UTF16_BE else "utf-16-le"
    assert rows(imported(tmp_path, "a.csv", mark + TEXT.encode(encoding))) == plain["a.csv"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_character_without_a_mark_name_the_setting_that_reads_them(tmp_path, plain, encoding):
    with pytest.raises(DataError) as refused:
        imported(tmp_path, "a.csv", TEXT.encode(encoding))
    assert f'reader.encoding: "{encoding}"' in refused.value.mend
    assert rows(load(tmp_path / "a.csv", tmp_path / "out", reader={"encoding": encoding})) == plain["a.csv"]


def test_comments_are_left_out_of_recoded_text(tmp_path, plain):
    (tmp_path / "a.csv").write_bytes(("# written by hand\n" + TEXT).encode("utf-16"))
    assert rows(load(tmp_path / "a.csv", tmp_path / "out", reader={"comment": "#"})) == plain["a.csv"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.zip", zipped(b"x,y\n1,0\n", "a.csv", "b.csv"), "archive of 2 files"),
        ("a.zip", zipped(b"", folder=True), "archive of 0 files"),
        ("a.csv", zipped(b"", "[Content_Types].xml", "xl/workbook.xml"), "Excel workbook"),
        ("a.csv", zipped(TEXT.encode(), "a.csv")[:-30], "damaged zip archive"),
        ("a.csv", b"PK\x03\x04 no archive", "damaged zip archive"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel workbook"),
        ("a.csv", b"  <!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page"),
        ("a.json", b"<html><head></head></html>", "web page"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "pointer of Git LFS"),
        ("a.csv", b"SQLite format 3\x00" + bytes(200), "SQLite database"),
        ("a.csv", b"\x93NUMPY\x01\x00", "NumPy array"),
        ("a.csv", b"\x80\x04\x95\x10\x00\x00\x00\x00", "pickle"),
        ("a.feather", b"ARROW1\x00\x00" + bytes(100), "Arrow (Feather) file"),
        ("a.csv", b"\x1f\x8b" + b"no gzip", "cannot be read as csv"),
        ("a.csv", bz2.compress(TEXT.encode())[:-40], "cannot be read as csv"),
        ("a.csv", lzma.compress(TEXT.encode())[:-40], "cannot be read as csv"),
        ("a.csv", zstd(TEXT.encode())[:-40], "cannot be read as csv"),
        ("a.parquet", gzip.compress(b"PAR1"), "Parquet inside a compressed file"),
        ("a.csv", bytes(257) + b"ustar\x0000" + bytes(200), "tar archive"),
        ("a.jsonl", b'{"x": "\\ud800", "y": 0}\n', "half of a character"),
        ("a.jsonl", b'{"\\udfff": 1, "y": 0}\n', "half of a character"),
    ],
)
def test_what_is_no_table_is_refused_by_what_it_is(tmp_path, name, content, says):
    with pytest.raises(DataError) as refused:
        imported(tmp_path, name, content)
    assert says in str(refused.value)
    assert refused.value.mend
    assert not (tmp_path / f"{name}-out").exists()


def test_an_archive_with_a_password_is_refused(tmp_path):
    content = bytearray(zipped(TEXT.encode(), "a.csv", folder=False))
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the archive's directory
    with pytest.raises(DataError, match="password"):
        imported(tmp_path, "a.zip", bytes(content))
