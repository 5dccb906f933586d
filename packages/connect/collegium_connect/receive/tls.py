"""DICOM over TLS: the BCP 195 profile (PS3.15 annex B.12; RFC 9325), with or without senders' certificates."""

import ssl
from typing import Final

from collegium_connect.errors import SettingsInvalid
from collegium_connect.peer_tls import SUITES
from collegium_connect.settings import ReceiveSettings

UNFIT: Final = (
    "receive.tls_certificate_file, tls_key_file or tls_client_ca_file cannot be read or do not fit."
)


def server_context(settings: ReceiveSettings) -> ssl.SSLContext:
    """What the TLS port speaks, where there is a certificate.

    Raises:
        SettingsInvalid: a file is missing, or is not what it must be.
    """
    assert settings.tls_certificate_file is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        # A key with a passphrase is one that cannot be read: nobody is there to be asked.
        context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file, password="")
        if settings.tls_client_ca_file is not None:
            context.load_verify_locations(settings.tls_client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(UNFIT) from error
    return context
