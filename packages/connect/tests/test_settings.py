"""The configuration file: strict, safe by default, documented."""

import dataclasses
from pathlib import Path
from typing import get_type_hints

import pytest

from collegium_connect import settings
from collegium_connect.errors import SettingsInvalid

MINIMAL = '[gateway]\nname = "A"\ndata_dir = "/tmp/a"\n[server]\nurl = "https://collegium.example.org"\n'
DOCS = Path(__file__).parents[3] / "docs" / "operate" / "connect" / "settings.md"


def load(folder: Path, content: str) -> settings.Settings:
    path = folder / "connect.toml"
    path.write_text(content, encoding="utf-8")
    return settings.load(path)


def test_a_minimal_file_gets_the_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path, MINIMAL)

    assert loaded.receive.port == 11112
    assert loaded.receive.allowed_callers == ()
    assert loaded.local.host == "127.0.0.1"


@pytest.mark.requirement("C16")
def test_the_server_hears_of_a_gateway_at_least_twice_a_minute(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL).server.heartbeat_s <= 30


def test_callers_are_listed_by_title_and_network(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, MINIMAL + '[receive]\nallowed_callers = [{ae = "PACS", address = "10.2.0.0/16"}]\n'
    )

    (caller,) = loaded.receive.allowed_callers
    assert caller.covers("PACS", "10.2.3.4")
    assert not caller.covers("PACS", "10.3.3.4")
    assert not caller.covers("OTHER", "10.2.3.4")


def test_tls_towards_a_pacs_is_a_table_of_its_own(tmp_path: Path) -> None:
    source = (
        'name = "m", ae = "P", host = "pacs", port = 104, calling_ae = "C", tls = {ca_file = "/etc/ca.pem"}'
    )

    loaded = load(tmp_path, MINIMAL + f"[pull]\nsources = [{{{source}}}]\n")

    (found,) = loaded.pull.sources
    assert found.tls == settings.PeerTlsSettings(ca_file=Path("/etc/ca.pem"))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (MINIMAL + "[limits]\nspool_byte = 1\n", "limits.spool_byte is not a setting"),
        (MINIMAL + "[limit]\n", "limit is not a setting"),
        (MINIMAL + '[limits]\nspool_bytes = "1 GB"\n', "limits.spool_bytes must be of type int"),
        (MINIMAL + "[receive]\nport = true\n", "receive.port must be of type int"),
        (MINIMAL + '[receive]\nallowed_callers = [{ae = "A"}]\n', "allowed_callers.address is missing"),
        (MINIMAL + '[receive]\nallowed_callers = [{ae = "A", address = "pacs"}]\n', "no IP address"),
        (
            MINIMAL
            + '[receive]\nallowed_callers = [{ae = "A", address = "1.2.3.4", commit_tls = {name = "A"}}]\n',
            "commit_tls.ca_file is missing",
        ),
        (
            MINIMAL
            + '[receive]\nallowed_callers = [{ae = "A", address = "1.2.3.4",'
            + ' commit_tls = {ca_file = "a", key_file = "b"}}]\n',
            "belong together",
        ),
        (MINIMAL + '[local]\nhost = "0.0.0.0"\n', "local.host"),
        (MINIMAL.replace("https", "http"), "server.url must start with https://"),
        (MINIMAL.replace("https://collegium.example.org", "ftp://a"), "server.url"),
        (MINIMAL + '[updates]\npin = "newest"\n', "updates.pin"),
        (MINIMAL + '[updates]\nurl = "http://a.example.org"\nroot_file = "r"\n', "updates.url must start"),
        (MINIMAL + '[updates]\nurl = "https://a.example.org"\n', "updates.root_file"),
        ('[gateway]\nname = "A"\n', "missing"),
        ("[gateway", "is not TOML"),
    ],
)
def test_a_mistake_stops_the_start_and_is_named(tmp_path: Path, content: str, word: str) -> None:
    with pytest.raises(SettingsInvalid, match=word):
        load(tmp_path, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        settings.load(tmp_path / "nothing.toml")


@pytest.mark.requirement("C02")
def test_http_is_for_this_machine_only(tmp_path: Path) -> None:
    loaded = load(tmp_path, MINIMAL.replace("https://collegium.example.org", "http://127.0.0.1:8000"))

    assert loaded.server.url == "http://127.0.0.1:8000"


def test_every_setting_is_in_the_guide() -> None:
    guide = DOCS.read_text("utf-8")

    fields = [
        (f"{section}.{item.name}", item.metadata["doc"])
        for section, table in get_type_hints(settings.Settings).items()
        for item in dataclasses.fields(table)
    ]

    assert [name for name, _ in fields if f"`{name}`" not in guide] == []
    assert [name for name, doc in fields if doc not in guide] == []
