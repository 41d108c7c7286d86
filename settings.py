"""Every setting of a Pingjia process, read once at the edge: environment over `pingjia.toml` over defaults.

The defaults open nothing to the network. Only commands and the composition root read this module; what
lies below receives plain values.
"""

import tomllib
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Self

import click
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from store.grade import Grade
from store.privacy import Suite

ROOT = Path(__file__).resolve().parent
PREFIX = "PINGJIA_"

Network = IPv4Network | IPv6Network


class Unmatched(StrEnum):
    """What a call without a valid token meets."""

    ASK = "ask"
    REFUSE = "refuse"


class Strangers(StrEnum):
    """What a source outside SIP_TRUNKS meets."""

    FORBID = "forbid"
    SILENCE = "silence"


class Repeat(StrEnum):
    """What a second call with the token of a contact already evaluated becomes."""

    FOLLOW_UP = "follow_up"
    REFUSE = "refuse"


def _networks(value: object) -> object:
    """Take `10.0.0.0/8, ::1` from the environment and a list from TOML."""
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    return tuple(ip_network(str(part), strict=False) for part in parts) if isinstance(parts, list | tuple) else parts


def _words(value: object) -> object:
    """Take `survey,12345` from the environment and a list from TOML."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _address(value: object) -> object:
    """Check an IP address, brackets allowed: media goes to it, so no name is ever looked up."""
    return str(ip_address(value.strip("[]"))) if isinstance(value, str) and value else value


def _port_range(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, _, last = value.partition("-")
    return (int(first), int(last or first))


def _host_port(value: object) -> object:
    """Split `127.0.0.1:5060` or `[::1]:5060`."""
    if not isinstance(value, str):
        return value
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("write it as ADDRESS:PORT, an IPv6 address in [brackets]")
    return (host.strip("[]"), int(port))


def _joined(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


HostPort = Annotated[tuple[str, int], NoDecode, BeforeValidator(_host_port)]


class Settings(BaseSettings):
    """Names are the public interface: `DATA_DIR` is set by `PINGJIA_DATA_DIR` or `data_dir` in pingjia.toml."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, toml_file="pingjia.toml", extra="forbid")

    data_dir: Path = Field(Path("var"), description="journal, embedded database, secret key, metrics")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in DATA_DIR")
    node: str = Field("node-1", pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="this IVR node's name in records")

    sip_bind: HostPort = Field(("127.0.0.1", 5060), description="address and port for SIP, UDP and TCP")
    sip_trunks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1/128")), description="CIDR list of peers that may call"
    )
    sip_strangers: Strangers = Field(Strangers.FORBID, description="403 or silence for all other sources")
    sip_users: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        (), description="user parts that reach the survey without a token; empty: any (others: 404)"
    )
    sip_public: str = Field(
        "", pattern=r"^[^\s@<>]*$", description="HOST:PORT in transfer URIs, as the PBX reaches it; empty: SIP_BIND"
    )
    media_address: Annotated[str, BeforeValidator(_address)] = Field(
        "", description="address written into SDP; empty: our own as the caller reaches it"
    )
    rtp_ports: Annotated[tuple[int, int], NoDecode, BeforeValidator(_port_range)] = Field(
        (20000, 29999), description="first-last, even ports carry RTP"
    )
    max_calls: int = Field(1000, ge=1, description="concurrent calls; further ones are answered 503")
    media_timeout_seconds: float = Field(20.0, gt=0, description="hang up after so long without any media")
    drain_seconds: float = Field(30.0, ge=0, description="how long running calls may finish after SIGTERM")

    flow: Path = Field(ROOT / "callflows" / "post_call_survey.yaml", description="the call flow")
    prompts: Path = Field(ROOT / "prompts", description="folder with catalogue.yaml and the recordings")
    language: str = Field("", description="spoken when the contact names no language; empty: the flow's first")
    unmatched: Unmatched = Field(Unmatched.ASK, description="calls without a valid token: ask or refuse (403)")
    repeat: Repeat = Field(Repeat.FOLLOW_UP, description="a second call with one token: follow_up or refuse")
    token_hours: float = Field(24.0, gt=0, description="how long a hand-over token is good")

    journal_max_mib: int = Field(1024, ge=1, description="size limit of the node's journal")

    http_bind: HostPort = Field(("127.0.0.1", 8080), description="address and port of the API and pages")
    api_per_minute: int = Field(30_000, ge=1, description="requests of a channel whose key has no rate of its own")
    public_url: str = Field("", description="how citizens and systems reach HTTP_BIND; empty: http://HTTP_BIND")

    index_weights: Annotated[tuple[float, float, float, float, float], NoDecode, BeforeValidator(_words)] = Field(
        (100.0, 75.0, 50.0, 25.0, 0.0), description="weights of the five grades in the index, the best grade first"
    )
    appraisal_minimum: int = Field(30, ge=10, description="under so many evaluations an operator has no rates")
    publish_after_days: int = Field(
        20, ge=0, description="days after a month's end before its public table is made, for good"
    )

    deemed: bool = Field(True, description="on: seven days without an evaluation are deemed basically satisfied (6.4)")
    roll_forward: bool = Field(False, description="on: a last day that is not worked rolls to the next worked one")
    calendars: Path | None = Field(None, description="folder of the site's year files; default DATA_DIR/calendars")
    objection_decision_days: int = Field(5, ge=1, le=60, description="working days to decide an objection")
    remind_call_back_hours: float = Field(12.0, ge=0, description="how long before the 48 h are over")
    remind_rectify_days: float = Field(3.0, ge=0, description="how long before the 15 days are over")
    remind_objection_hours: float = Field(24.0, ge=0, description="how long before objecting or deciding must be done")
    low_index: float = Field(60.0, ge=0, le=100, description="departments with a lower index in a month are warned")
    low_index_minimum: int = Field(30, ge=1, description="but none on fewer given evaluations than this")
    jobs_seconds: float = Field(60.0, gt=0, description="how often the jobs look for what is due")
    export_targets: str = Field("", description="TOML file of the platforms to report to; empty: nothing is sent")
    attachment_max_mib: int = Field(10, ge=1, le=100, description="size limit of one file of evidence")

    retention_caller_days: int = Field(
        365, ge=0, description="numbers go after so many days, unless a case is open; 0: never"
    )
    retention_comment_days: int = Field(1095, ge=0, description="the same for what evaluators wrote")
    retention_note_days: int = Field(1095, ge=0, description="the same for what was noted on cases")

    secret_key_file: Path | None = Field(None, description="made on first run, mode 0600; default DATA_DIR/secret.key")
    field_cipher: Suite = Field(
        Suite.AES_GCM, description="seals numbers, comments, notes and files: aes-gcm or sm4-gcm (then db rekey)"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        first, last = self.rtp_ports
        if not 1024 <= first < last <= 65535:
            raise ValueError("RTP_PORTS: write it as FIRST-LAST within 1024-65535")
        if not self.database_url:
            self.database_url = f"sqlite:///{(self.data_dir / 'pingjia.db').absolute()}"
        if self.secret_key_file is None:
            self.secret_key_file = self.data_dir / "secret.key"
        if not self.public_url:
            self.public_url = f"http://{_joined(self.http_bind)}"
        if not self.sip_public:
            self.sip_public = _joined(self.sip_bind)
        return self

    @property
    def weights(self) -> dict[Grade, float]:
        """INDEX_WEIGHTS by grade."""
        return dict(zip(Grade, self.index_weights, strict=True))

    @property
    def journal_dir(self) -> Path:
        """Where this node's journal lies."""
        return self.data_dir / "journal" / self.node


def load() -> Settings:
    """Read the settings or stop the command with one line that names the setting and the mistake (exit 2)."""
    try:
        return Settings()
    except ValidationError as error:
        raise click.UsageError("; ".join(_sentence(dict(mistake)) for mistake in error.errors())) from error
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"pingjia.toml is not TOML: {error}") from error


def _sentence(mistake: dict[str, object]) -> str:
    path = mistake["loc"]
    name = ".".join(str(part) for part in path) if isinstance(path, tuple) else ""
    message = str(mistake["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()}={mistake.get('input')!s}: {message}" if name else message
