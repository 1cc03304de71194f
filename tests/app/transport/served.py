"""Who has logged in, and what is mounted, for tests."""

import httpx


def inside(address, name="edm", password="open sesame"):
    client = httpx.Client(base_url=address, timeout=30)
    assert client.post("/login", data={"username": name, "password": password}).status_code == 200
    return client
