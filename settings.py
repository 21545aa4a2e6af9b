"""Every setting of the hub, read once from the environment. docs/operating.md describes each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from starlette.config import Config

from models import errors

HOME = Path(__file__).parent
PREFIX = "GREENWAY_"
_SECRET_PREFIX = f"{PREFIX}SECRET_"
_OTHERS = (_SECRET_PREFIX, f"{PREFIX}TEST_")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, each with its default; ``GREENWAY_<NAME>`` in the environment sets it."""

    host: str = "127.0.0.1"
    port: int = 8000
    #: How many processes answer.
    processes: int = 1
    #: Valkey or Redis, by which processes tell each other of partners: ``redis://host:port/0``,
    #: ``rediss://`` or ``unix://``. Without it each has its own breakers and its own memory.
    shared_url: str = ""
    #: Where state is kept that is no database: keys that are made the first time.
    data: Path = HOME / ".greenway"
    #: A JWK set of private P-256 keys for receipts, the signing one first; else one in ``data``.
    receipt_keys: Path | None = None
    #: Where signing keys are kept outside the database: ``file:///path`` or ``https://…``.
    keys_url: str = field(default="", repr=False)
    #: ``sqlite:///path`` or ``postgresql://user:password@host/database``.
    database_url: str = f"sqlite:///{HOME / '.greenway' / 'greenway.db'}"
    menu: Path = HOME / "menu"
    #: A further folder of partner files.
    partners: Path | None = None
    #: Networks inside where partners and the issuer may be: ``10.1.0.0/16, 10.2.0.5:8443``.
    egress_allow: str = ""
    #: Demo data, sandbox partners and the development issuer. Never where real people are.
    demo: bool = False
    sandbox_port: int = 8100
    #: The hub's address as others reach it; it signs cards under it. Else its host and port.
    public_url: str = ""
    #: The district that issues the cards, by code.
    district: str = "changning"
    #: The header in which a proxy hands on clients' certificates (RFC 9440), if one does.
    client_cert_header: str = ""
    #: The URL of the OpenID Connect issuer whose tokens are accepted.
    issuer: str = ""
    audience: str = "greenway"
    #: The longest a query waits for its partners, whatever they allow themselves.
    deadline_seconds: float = 5.0
    #: Ask partners for every query, whatever is freshly remembered.
    always_live: bool = False
    introspection: bool = True
    ide: bool = True
    log_level: str = "INFO"
    #: Values of the secrets that partner files name: ``GREENWAY_SECRET_FIRST_KEY`` is `first-key`.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of an environment.

    Raises:
        HubError: there is no such setting, or a value is not of its setting's sort.
    """
    _refuse_unknown(environ)
    try:
        return _settings(environ)
    except ValueError as wrong:
        raise errors.HubError(f"{wrong}", "See docs/operating.md.") from wrong


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [f"{PREFIX}{one.name.upper()}" for one in fields(Settings) if one.name != "secrets"]
    for name in environ:
        if name.startswith(PREFIX) and name not in known and not name.startswith(_OTHERS):
            hint = errors.did_you_mean(errors.nearest(name, known))
            raise errors.HubError(f"There is no setting {name}.", hint)


def _settings(environ: Mapping[str, str]) -> Settings:
    config = Config(environ=environ, env_prefix=PREFIX)
    default = Settings()
    partners, receipt_keys = config("PARTNERS", default=""), config("RECEIPT_KEYS", default="")
    return Settings(
        host=config("HOST", default=default.host),
        port=config("PORT", cast=int, default=default.port),
        processes=config("PROCESSES", cast=int, default=default.processes),
        shared_url=config("SHARED_URL", default=default.shared_url),
        data=config("DATA", cast=Path, default=default.data),
        receipt_keys=Path(receipt_keys) if receipt_keys else None,
        keys_url=config("KEYS_URL", default=default.keys_url),
        database_url=config("DATABASE_URL", default=default.database_url),
        menu=config("MENU", cast=Path, default=default.menu),
        partners=Path(partners) if partners else None,
        egress_allow=config("EGRESS_ALLOW", default=default.egress_allow),
        demo=config("DEMO", cast=bool, default=default.demo),
        sandbox_port=config("SANDBOX_PORT", cast=int, default=default.sandbox_port),
        public_url=config("PUBLIC_URL", default=default.public_url).rstrip("/"),
        district=config("DISTRICT", default=default.district),
        client_cert_header=config("CLIENT_CERT_HEADER", default=default.client_cert_header),
        issuer=config("ISSUER", default=default.issuer),
        audience=config("AUDIENCE", default=default.audience),
        deadline_seconds=config("DEADLINE_SECONDS", cast=float, default=default.deadline_seconds),
        always_live=config("ALWAYS_LIVE", cast=bool, default=default.always_live),
        introspection=config("INTROSPECTION", cast=bool, default=default.introspection),
        ide=config("IDE", cast=bool, default=default.ide),
        log_level=config("LOG_LEVEL", default=default.log_level),
        secrets={
            name.removeprefix(_SECRET_PREFIX).lower().replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith(_SECRET_PREFIX)
        },
    )
