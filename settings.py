"""Every setting of the hub, read once from the environment. docs/operating.md describes each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from starlette.config import Config

from models import document, errors, log

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
    #: Connections to a process, and of them those of one address (0: any number).
    connections: int = 1024
    connections_per_address: int = 0
    #: How long the head of a request may be on its way, and how large it may be.
    head_seconds: float = 10.0
    head_bytes: int = 32 * 1024
    #: How long a connection may be there without a request.
    idle_seconds: float = 65.0
    #: Sockets and streams open at once, and of them those of one address; 0 is any number.
    streams: int = 1000
    streams_per_address: int = 100
    #: How long a socket may be there without saying who it is, and then without asking anything.
    socket_init_seconds: float = 3.0
    socket_idle_seconds: float = 60.0
    #: How long everything is still answered after SIGTERM.
    leaving_seconds: float = 1.0
    #: Whose pages may ask the graph from a browser: ``https://app.example, https://…``, or ``*``.
    cors_origins: str = ""
    #: For so long browsers are told to ask by https alone; 0 says nothing.
    hsts_seconds: int = 0
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
    #: Addresses and networks of proxies whose `X-Forwarded-For` is believed, commas between them.
    trusted_proxies: str = ""
    #: Points of cost that one caller may spend, in the long run and at once; 0 is no end of them.
    points_per_second: float = 50_000.0
    points_burst: int = 2_000_000
    #: The header in which a proxy hands on clients' certificates (RFC 9440), if one does.
    client_cert_header: str = ""
    #: The URL of the OpenID Connect issuer whose tokens are accepted.
    issuer: str = ""
    audience: str = "greenway"
    #: The longest a query waits for its partners, whatever they allow themselves.
    deadline_seconds: float = 5.0
    #: Ask partners for every query, whatever is freshly remembered.
    always_live: bool = False
    #: Which documents are run: ``any``, or those alone that were published: ``trusted``.
    documents: document.Trust = document.Trust.ANY
    #: Keep answers that are the same for everybody until what they tell of is another.
    response_cache: bool = True
    introspection: bool = True
    ide: bool = True
    log_level: str = "INFO"
    #: How lines of the log are written: ``text``, or ``json``.
    log_format: log.Format = log.Format.TEXT
    #: An operation that takes longer has a line in the log.
    slow_seconds: float = 1.0
    #: Where spans are sent by OTLP over HTTP: ``http://collector:4318/v1/traces``.
    traces_url: str = ""
    #: Of the traces that begin here, how many are sent: from 0 to 1.
    traces_share: float = 1.0
    #: Tell gateways that ask how long each field took (``ftv1``).
    gateway_traces: bool = False
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
        connections=config("CONNECTIONS", cast=int, default=default.connections),
        connections_per_address=config(
            "CONNECTIONS_PER_ADDRESS", cast=int, default=default.connections_per_address
        ),
        head_seconds=config("HEAD_SECONDS", cast=float, default=default.head_seconds),
        head_bytes=config("HEAD_BYTES", cast=int, default=default.head_bytes),
        idle_seconds=config("IDLE_SECONDS", cast=float, default=default.idle_seconds),
        streams=config("STREAMS", cast=int, default=default.streams),
        streams_per_address=config(
            "STREAMS_PER_ADDRESS", cast=int, default=default.streams_per_address
        ),
        socket_init_seconds=config(
            "SOCKET_INIT_SECONDS", cast=float, default=default.socket_init_seconds
        ),
        socket_idle_seconds=config(
            "SOCKET_IDLE_SECONDS", cast=float, default=default.socket_idle_seconds
        ),
        leaving_seconds=config("LEAVING_SECONDS", cast=float, default=default.leaving_seconds),
        cors_origins=config("CORS_ORIGINS", default=default.cors_origins),
        hsts_seconds=config("HSTS_SECONDS", cast=int, default=default.hsts_seconds),
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
        trusted_proxies=config("TRUSTED_PROXIES", default=default.trusted_proxies),
        points_per_second=config(
            "POINTS_PER_SECOND", cast=float, default=default.points_per_second
        ),
        points_burst=config("POINTS_BURST", cast=int, default=default.points_burst),
        client_cert_header=config("CLIENT_CERT_HEADER", default=default.client_cert_header),
        issuer=config("ISSUER", default=default.issuer),
        audience=config("AUDIENCE", default=default.audience),
        deadline_seconds=config("DEADLINE_SECONDS", cast=float, default=default.deadline_seconds),
        always_live=config("ALWAYS_LIVE", cast=bool, default=default.always_live),
        documents=config("DOCUMENTS", cast=document.Trust, default=default.documents),
        response_cache=config("RESPONSE_CACHE", cast=bool, default=default.response_cache),
        introspection=config("INTROSPECTION", cast=bool, default=default.introspection),
        ide=config("IDE", cast=bool, default=default.ide),
        log_level=config("LOG_LEVEL", default=default.log_level),
        log_format=config("LOG_FORMAT", cast=log.Format, default=default.log_format),
        slow_seconds=config("SLOW_SECONDS", cast=float, default=default.slow_seconds),
        traces_url=config("TRACES_URL", default=default.traces_url),
        traces_share=config("TRACES_SHARE", cast=float, default=default.traces_share),
        gateway_traces=config("GATEWAY_TRACES", cast=bool, default=default.gateway_traces),
        secrets={
            name.removeprefix(_SECRET_PREFIX).lower().replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith(_SECRET_PREFIX)
        },
    )
