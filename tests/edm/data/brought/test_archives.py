"""Zips and tars as systems make them: what is read, lazily and within limits, and what is refused or left out."""

import io
import os
import pickle
import stat
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

import edm
from edm.data.brought import Limits


def encoded(seed=0, kind="PNG", size=(9, 9)) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)).save(file, kind)
    return file.getvalue()


PETS = {f"{pet}/{number}.png": encoded(number) for pet in ("cat", "dog") for number in range(2)}


def zipped(path, files, method=zipfile.ZIP_DEFLATED, change=lambda entry: None):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            change(entry)
            archive.writestr(entry, data)
    return path


def tarred(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def pets(path, **how):
    found = edm.data.bring(path, **how)
    assert (found.kind, found.count, found.class_names) == ("images", 4, ("cat", "dog"))
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_is_read_however_it_is_packed(tmp_path, method):
    path = zipped(tmp_path / "pets.zip", PETS, method)
    source, same = pets(path).source(), pets(zipped(tmp_path / "stored.zip", PETS, zipfile.ZIP_STORED)).source()
    assert source.names == tuple(sorted(PETS)) and np.array_equal(source.marks, same.marks)
    assert np.array_equal(source.read([3, 0])[0], same.read([3, 0])[0])


@pytest.mark.parametrize(
    ("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tgz", "w:gz"), ("tar.bz2", "w:bz2"), ("tar.xz", "w:xz")]
)
def test_a_tar_is_read_however_it_is_packed_and_its_temporary_file_goes(tmp_path, monkeypatch, ending, mode):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tarred(tmp_path / f"pets.{ending}", {f"./pets/{name}": data for name, data in PETS.items()}, mode)
    found = pets(path)
    source = pickle.loads(pickle.dumps(found.source()))
    assert np.array_equal(source.read([2])[0][0].permute(1, 2, 0), Image.open(io.BytesIO(PETS["dog/0.png"])))
    del found, source
    assert os.listdir(tmp_path) == [path.name]


def test_archives_are_known_by_what_is_in_them(tmp_path):
    pets(tarred(tmp_path / "really_a_tar.zip", PETS, "w:gz"))
    pets(zipped(tmp_path / "really_a_zip.tar", PETS))
    (tmp_path / "set.zip").write_bytes(b"Rar!\x1a\x07\x01")
    with pytest.raises(edm.Refused, match=r"is a RAR archive, which is not read: unpack it"):
        edm.data.bring(tmp_path / "set.zip")


def test_common_tops_dots_and_backslashes_say_nothing(tmp_path):
    for number, form in enumerate(["./{}", "photos/2024/{}", "photos\\{}"]):
        files = {form.format(name.replace("/", "\\" if "\\" in form else "/")): data for name, data in PETS.items()}
        pets(zipped(tmp_path / f"{number}.zip", files))


def test_what_systems_add_is_left_out_and_told(tmp_path):
    extra = {"__MACOSX/cat/._0.png": b"?", ".DS_Store": b"?", "cat/Thumbs.db": b"?", "readme.txt": b"?", "a.txt": b""}
    found = pets(zipped(tmp_path / "pets.zip", PETS | extra))
    assert {one.name for one in found.left_out} == set(extra)
    assert "2 .txt files (is no image that is read)" in found.told()


def test_names_without_a_flag_are_utf_8_or_else_those_of_dos(tmp_path):
    files = {f"K#tzchen/{number}.png": encoded(number) for number in range(2)} | {"dog/1.png": encoded()}
    whole = zipped(tmp_path / "plain.zip", files).read_bytes()
    for bytes_of_name in ("K\u00e4".encode(), b"K\x84"):
        (tmp_path / "set.zip").write_bytes(whole.replace(b"K#" if len(bytes_of_name) == 2 else b"K#t", bytes_of_name))
        assert edm.data.bring(tmp_path / "set.zip").class_names[0].startswith("Kä")


class Stream(io.RawIOBase):
    """A pipe, into which a zip is written with data descriptors, for nothing in it can be changed afterwards."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def test_data_descriptors_are_no_obstacle(tmp_path):
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in PETS.items():
            archive.writestr(name, data)
    assert archive.infolist()[0].flag_bits & 8
    (tmp_path / "pets.zip").write_bytes(stream.data)
    pets(tmp_path / "pets.zip").source().read([1])


def test_a_picture_of_few_colours_is_no_bomb_and_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    flat = io.BytesIO()
    Image.new("RGB", (1200, 1200), "white").save(flat, "BMP")
    path = zipped(tmp_path / "flat.zip", {"a.bmp": flat.getvalue()})
    assert len(flat.getvalue()) > 200 * path.stat().st_size and edm.data.bring(path).shape == (3, 1200, 1200)
    for packed in (path, tarred(tmp_path / "flat.tgz", {"a.bmp": flat.getvalue()}, "w:gz")):
        with pytest.raises(edm.Refused, match=r"'a.bmp' in .* unpacks to 4,320,054 bytes; at most 1,000,000"):
            edm.data.bring(packed, limits=Limits(each=1_000_000))
        with pytest.raises(edm.Refused, match=r"unpack.* 4,320,054 bytes"):
            edm.data.bring(packed, limits=Limits(unpacked=1_000_000))


def test_a_file_that_is_more_or_less_than_it_claims_is_broken(tmp_path):
    for claimed in (10, 10_000):
        path = zipped(tmp_path / "pets.zip", PETS)
        data = bytearray(path.read_bytes())
        at = data.rindex(b"PK\1\2") + 24
        data[at : at + 4] = claimed.to_bytes(4, "little")
        path.write_bytes(data)
        with pytest.raises(edm.Refused, match=r"'dog/1.png' .*(not of the size that it claims|damaged|whole zip)"):
            edm.data.bring(path).source().read([3])


def link(entry):
    if entry.filename == "cat/1.png":
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16


def test_links_are_left_out_and_names_that_lead_away_are_refused(tmp_path):
    found = edm.data.bring(zipped(tmp_path / "links.zip", PETS, change=link))
    assert found.count == 3 and found.left_out[0].name == "cat/1.png" and "link" in found.left_out[0].reason
    for name in ("../x.png", "/x.png", "C:\\x.png", "a/../../x.png"):
        with pytest.raises(edm.Refused, match="points out of the set"):
            edm.data.bring(zipped(tmp_path / "evil.zip", PETS | {name: encoded()}))
        with pytest.raises(edm.Refused, match="points out of the set"):
            edm.data.bring(tarred(tmp_path / "evil.tgz", PETS | {name: encoded()}, "w:gz"))


def test_an_archive_within_is_named_as_such(tmp_path):
    inner = zipped(tmp_path / "inner.zip", PETS).read_bytes()
    found = pets(zipped(tmp_path / "outer.zip", PETS | {"more.zip": inner}))
    assert found.left_out[0].name == "more.zip" and "archive" in found.left_out[0].reason
    with pytest.raises(edm.Refused, match=r"holds no images, but the archive 'a.zip'; unpack it"):
        edm.data.bring(zipped(tmp_path / "nested.zip", {"a.zip": inner, "b.zip": inner}))


def test_files_that_were_sent_are_read_as_those_of_a_folder(tmp_path):
    pets([(name, io.BytesIO(data)) for name, data in PETS.items()])
    pets([("pets.zip", io.BytesIO(zipped(tmp_path / "pets.zip", PETS).read_bytes()))]).source().read([0])
    with pytest.raises(edm.Refused, match="is there twice"):
        edm.data.bring([("a.png", io.BytesIO(encoded()))] * 2)
