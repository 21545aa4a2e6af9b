from __future__ import annotations

from pathlib import Path

import pytest

import settings
from models import errors
from models.document import Trust
from models.log import Format
from settings import Settings

#: A value of each setting that is not its default, as the environment spells it.
SET = {
    "host": ("0.0.0.0", "0.0.0.0"),  # noqa: S104 - nothing is bound
    "processes": ("2", 2),
    "connections": ("64", 64),
    "connections_per_address": ("8", 8),
    "head_seconds": ("2.5", 2.5),
    "head_bytes": ("8192", 8192),
    "idle_seconds": ("30", 30.0),
    "streams": ("50", 50),
    "streams_per_address": ("0", 0),
    "socket_init_seconds": ("1.5", 1.5),
    "socket_idle_seconds": ("30", 30.0),
    "leaving_seconds": ("0", 0.0),
    "cors_origins": ("https://app.example", "https://app.example"),
    "hsts_seconds": ("3600", 3600),
    "shared_url": ("redis://h/0", "redis://h/0"),
    "port": ("8020", 8020),
    "data": ("/elsewhere", Path("/elsewhere")),
    "receipt_keys": ("/keys.json", Path("/keys.json")),
    "keys_url": ("https://keys.example/set", "https://keys.example/set"),
    "public_url": ("https://hub.example/", "https://hub.example"),
    "district": ("putuo", "putuo"),
    "database_url": ("postgresql://u@h/d", "postgresql://u@h/d"),
    "menu": ("/menu", Path("/menu")),
    "partners": ("/partners", Path("/partners")),
    "egress_allow": ("10.1.0.0/16", "10.1.0.0/16"),
    "demo": ("1", True),
    "sandbox_port": ("8300", 8300),
    "trusted_proxies": ("10.0.0.0/8", "10.0.0.0/8"),
    "points_per_second": ("100.5", 100.5),
    "points_burst": ("0", 0),
    "client_cert_header": ("client-cert", "client-cert"),
    "issuer": ("https://issuer.example", "https://issuer.example"),
    "audience": ("portal", "portal"),
    "deadline_seconds": ("2.5", 2.5),
    "always_live": ("true", True),
    "documents": ("trusted", Trust.TRUSTED),
    "response_cache": ("0", False),
    "introspection": ("0", False),
    "ide": ("false", False),
    "log_level": ("DEBUG", "DEBUG"),
    "log_format": ("json", Format.JSON),
    "slow_seconds": ("0.2", 0.2),
    "traces_url": ("http://collector.example/v1/traces", "http://collector.example/v1/traces"),
    "traces_share": ("0.01", 0.01),
    "gateway_traces": ("1", True),
}


def test_an_empty_environment_is_the_defaults():
    assert settings.read({}) == Settings()


@pytest.mark.parametrize("name", [one for one in Settings.__slots__ if one != "secrets"])
def test_each_setting_is_read_from_its_own_variable(name):
    text, value = SET[name]

    found = settings.read({f"GREENWAY_{name.upper()}": text})

    assert getattr(found, name) == value != getattr(Settings(), name)


def test_secrets_are_named_as_partner_files_name_them_and_not_shown():
    found = settings.read({"GREENWAY_SECRET_FIRST_BANK_KEY": "s3cret"})

    assert found.secrets == {"first-bank-key": "s3cret"}
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "many"), ("DEMO", "perhaps"), ("DEADLINE_SECONDS", "soon")),
        *(("SANDBOX_PORT", ""), ("LOG_FORMAT", "xml"), ("DOCUMENTS", "some")),
    ],
)
def test_a_value_of_the_wrong_sort_is_refused_by_the_settings_name(name, value):
    with pytest.raises(errors.HubError, match=name):
        settings.read({f"GREENWAY_{name}": value})


def test_a_misspelt_setting_is_refused_with_the_nearest():
    with pytest.raises(errors.HubError) as refused:
        settings.read({"GREENWAY_DEOM": "1", "PATH": "/bin"})

    assert refused.value.hint.startswith("Did you mean “GREENWAY_DEMO”")
