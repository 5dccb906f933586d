"""TLS towards a PACS, for associations that this gateway opens: the profile of the door, seen from the other side."""

import ssl
from pathlib import Path
from typing import Final, TypeAlias

from collegium_connect.errors import SettingsInvalid
from collegium_connect.settings import PeerTlsSettings

# What pynetdicom calls `tls_args`: the context, and the name that the certificate must hold.
TlsArguments: TypeAlias = tuple[ssl.SSLContext, str]
# The BCP 195 profile (PS3.15 annex B.12; RFC 9325) for TLS 1.2; TLS 1.3 has only suites that it allows.
SUITES: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


def towards(tls: PeerTlsSettings | None, host: str) -> TlsArguments | None:
    """For one association with `host`; None speaks in clear. The files are read each time.

    Raises:
        SettingsInvalid: a file cannot be read, or is not what it must be.
    """
    if tls is None:
        return None
    context = _context(tls.ca_file)
    if tls.certificate_file is not None:
        try:
            context.load_cert_chain(tls.certificate_file, tls.key_file, password="")
        except (OSError, ssl.SSLError) as error:
            raise SettingsInvalid(
                "The certificate file for TLS or its key cannot be read, or they do not fit."
            ) from error
    return context, tls.name or host


def pinned(certificate_file: Path, host: str) -> TlsArguments:
    """Trust this one certificate, whatever name it holds: that of a gateway on this machine.

    Raises:
        SettingsInvalid: the file cannot be read, or is no certificate.
    """
    context = _context(certificate_file)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context, host


def _context(trusted: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_verify_locations(trusted)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid("The file of trusted certificates cannot be read as PEM.") from error
    return context
