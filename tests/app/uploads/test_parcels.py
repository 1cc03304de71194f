"""Uploads in pieces, over real HTTP: what comes together is read, and read again with other choices."""

import json

import pytest

from app.uploads import sets
from tests.app.uploads.arriving import serving
from tests.app.uploads.sets import NOISE, ONE, PETS, SQUARE, encoded, left, packed


def begun(client, count, size=1000, **named):
    answer = client.post("/explorer-parcels", params={"files": count, "bytes": size, **named}).json()
    assert answer["ok"], answer
    return answer["parcel"]


def send(client, parcel, files, more=False):
    names = json.dumps([name for name, _ in files])
    parts = [("files", ("x", data)) for _, data in files]
    return client.post(f"/explorer-parcels/{parcel}?more={int(more)}", data={"names": names}, files=parts).json()


def become(client, parcel, **options):
    answer = client.post(f"/explorer-parcels/{parcel}/set", params=options)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    *news, last = map(json.loads, answer.text.splitlines())
    assert all(set(one) == {"done", "total"} for one in news)
    return last


def test_many_files_come_in_several_requests_and_are_read_again_with_other_choices(tmp_path):
    files = [*PETS.items(), ('my pets/cats/a "b".png', ONE), ("my pets/cats/torn.png", ONE[:-900])]
    with serving(tmp_path) as client:
        anna = client("anna")
        parcel = begun(anna, len(files), title="Pets")
        assert send(anna, parcel, files[:5])["ok"] and send(anna, parcel, files[5:])["ok"]
        refused = become(anna, parcel)
        assert not refused["ok"] and "torn.png" in refused["sentence"] and "--leave-out" not in refused["sentence"]
        assert [(offer["name"], offer["given"]) for offer in refused["offers"]] == [("leave_out", ["1"])]
        small = become(anna, parcel, leave_out="1", resolution="16")
        large = become(anna, parcel, leave_out="1", resolution="64")
        assert small["dataset"]["shape"] == [3, 16, 16] and large["dataset"]["shape"] == [3, 64, 64]
        assert small["sheet"]["class_names"] == ["cats", "dogs"] and small["sheet"]["counts"] == [4, 3]
        shown = anna.get(f"/explorer-uploads/{small['dataset']['name'].removeprefix('own:')}").json()
        assert shown == small
        ben = client("ben")
        assert not ben.get(f"/explorer-uploads/{small['dataset']['name'].removeprefix('own:')}").json()["ok"]
        assert ben.post(f"/explorer-parcels/{parcel}/set").status_code == 404
        assert anna.delete(f"/explorer-parcels/{parcel}").json()["ok"]
        assert "choose them again" in anna.post(f"/explorer-parcels/{parcel}/set").json()["sentence"]
        assert [name for name in left(tmp_path / "runs") if name.startswith(".")] == []


def test_a_large_file_comes_in_pieces(tmp_path):
    ((name, whole),) = packed(PETS)
    data = whole.getvalue()
    with serving(tmp_path, own=True) as client:
        own = client("me")
        parcel = begun(own, 1, len(data))
        for at in range(0, len(data), 1500):
            assert send(own, parcel, [(name, data[at : at + 1500])], more=at > 0)["ok"]
        answer = become(own, parcel)
        assert answer["dataset"]["title"] == "pets, 6 images" and answer["sheet"]["count"] == 6
        before = left(tmp_path / "runs")
        begun(own, 2)
        assert len(left(tmp_path / "runs")) == len(before), "of each visitor the last one stays"


def test_what_is_not_as_was_announced_is_refused(tmp_path):
    with serving(tmp_path) as client:
        anna = client("anna")
        for wrong in ({"files": 0, "bytes": 1}, {"files": "x", "bytes": 1}, {"files": 1}, {"files": 1, "bytes": "1e3"}):
            assert anna.post("/explorer-parcels", params=wrong).status_code == 400
        for much, status in (({"files": 20_001, "bytes": 1}, 413), ({"files": 1, "bytes": 64_000_001}, 413)):
            answer = anna.post("/explorer-parcels", params=much)
            assert answer.status_code == status and "python -m edm train --path FILE" in answer.json()["sentence"]
        parcel = begun(anna, 2)
        assert "as it was announced" in send(anna, parcel, [("a.png", ONE)], more=True)["sentence"]
        assert send(anna, parcel, [("a.png", ONE)])["ok"]
        assert "0001" not in become(anna, parcel)["sentence"] and "1 of 2 files" in become(anna, parcel)["sentence"]
        assert "twice" in send(anna, parcel, [("a.png", ONE)])["sentence"]
        assert "more files have come" in send(anna, parcel, [("b.png", encoded(NOISE[1])), ("c.png", ONE)])["sentence"]
        for names in ("[]", "{}", "[1]", "nonsense"):
            answer = anna.post(f"/explorer-parcels/{parcel}", data={"names": names}, files={"files": ("x", ONE)})
            assert answer.status_code == 400, names


@pytest.mark.parametrize("own", [True, False])
def test_the_limits_of_one_s_own_machine_are_the_disk_s(tmp_path, own):
    with serving(tmp_path, own=own) as client:
        answer = client("anna").post("/explorer-parcels", params={"files": 25_000, "bytes": 300_000_000})
        assert answer.json()["ok"] == own
        assert client("anna").post("/explorer-uploads", json={"points": SQUARE}).json()["ok"]
    assert len(sets.listed(tmp_path / "runs")) == 1
