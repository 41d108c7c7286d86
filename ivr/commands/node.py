"""`ivr`: one IVR node. Give each its own SIP port, RTP range and name to run several on one machine."""

import asyncio

import click

from ivr.logs import set_up_logs
from ivr.node import NodeRefused, NodeSettings, run
from settings import Settings, Strangers, Unmatched, load
from store.errors import SecretKeyError
from store.secret import load_keys


@click.command()
def ivr() -> None:
    """Run one IVR node: answers calls, needs no database."""
    settings = load()
    set_up_logs()
    try:
        asyncio.run(run(node_settings(settings)))
    except (NodeRefused, SecretKeyError) as refused:
        raise click.UsageError(str(refused)) from refused


def node_settings(settings: Settings) -> NodeSettings:
    """The part of the settings that a node runs by."""
    assert settings.secret_key_file is not None
    return NodeSettings(
        node=settings.node,
        sip_bind=settings.sip_bind,
        sip_trunks=settings.sip_trunks,
        silent_to_strangers=settings.sip_strangers is Strangers.SILENCE,
        sip_users=frozenset(user.lower() for user in settings.sip_users),
        media_address=settings.media_address or None,
        rtp_ports=settings.rtp_ports,
        max_calls=settings.max_calls,
        media_timeout_seconds=settings.media_timeout_seconds,
        drain_seconds=settings.drain_seconds,
        refuse_unmatched=settings.unmatched is Unmatched.REFUSE,
        flow=settings.flow,
        prompts=settings.prompts,
        language=settings.language or None,
        proofs_dir=settings.data_dir / "proofs",
        journal_dir=settings.journal_dir,
        journal_max_bytes=settings.journal_max_mib * 1024 * 1024,
        keys=load_keys(settings.secret_key_file, settings.field_cipher),
    )
