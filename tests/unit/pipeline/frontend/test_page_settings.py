"""The page server's settings: addresses for a browser."""

from __future__ import annotations

import pytest

from pipeline.frontend.page_settings import read_page_settings, to_origin
from pipeline.wire.environment import Environment, SettingsError

GIVEN = {"PORT": "8000", "WHIP_URL": "http://127.0.0.1:8001/whip", "WS_URL": "ws://127.0.0.1:8002/ws"}


def test_addresses_are_handed_to_the_page_as_they_are() -> None:
    """Of them the policy names the origins."""
    settings = read_page_settings(Environment(GIVEN))

    assert (settings.whip_url, settings.ws_url) == (GIVEN["WHIP_URL"], GIVEN["WS_URL"])
    assert to_origin(settings.ws_url) == "ws://127.0.0.1:8002"


def test_a_deployment_names_its_own_host() -> None:
    """Only where it is told to go beyond this machine."""
    cloud = {**GIVEN, "WHIP_URL": "https://voice.example.com/whip", "WS_URL": "wss://voice.example.com/ws"}
    with pytest.raises(SettingsError, match="WHIP_URL"):
        read_page_settings(Environment(cloud))
    settings = read_page_settings(Environment({**cloud, "LISTEN_BEYOND_LOOPBACK": "yes"}))

    assert to_origin(settings.whip_url) == "https://voice.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1:1/whip",
        "http://127.0.0.1/whip",
        "http://user:word@127.0.0.1:1/whip",
        "http://127.0.0.1:1/whip; script-src *",
        "http://127.0.0.1:99999/whip",
        "",
    ],
)
def test_an_address_that_no_page_should_have_is_refused(url: str) -> None:
    """Nor may one add a directive to the page's policy."""
    with pytest.raises(SettingsError, match="WHIP_URL"):
        read_page_settings(Environment({**GIVEN, "WHIP_URL": url}))
