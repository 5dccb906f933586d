"""Heads of the audit chains are signed by themselves, so that the trail never rests on a person's memory."""

from __future__ import annotations

from collegium.kit import keyring
from collegium.kit.database import anonymous
from collegium.kit.jobs import periodic
from collegium.settings.installation import installation
from collegium.trust.audit import heads, verify


@periodic("audit.seal", cron="5 * * * *")
def seal(timestamp: int) -> None:  # noqa: ARG001  every periodic job is told when it was due
    """Sign the head of every chain that grew, once an hour, as the app role."""
    settings = installation()
    with anonymous():
        heads.sign_heads(verify.chains(), keyring.load(settings.keys_dir).signer, settings.data_dir / "heads")
