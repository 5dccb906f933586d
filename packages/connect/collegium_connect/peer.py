"""Open an association towards a peer, and release it in the end: the one way in which this gateway calls anybody."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from collegium_connect.errors import ConnectError
from collegium_connect.peer_tls import TlsArguments
from collegium_connect.undisturbed import undisturbed

if TYPE_CHECKING:
    from pynetdicom.association import Association

# SOP class and transfer syntax; None for the uncompressed ones, where no pixels are sent.
Context: TypeAlias = tuple[str, str | None]

LOST: Final = (RuntimeError, ValueError)
"""What pynetdicom raises where the association was lost, or no context was accepted for what is asked."""
CONNECT_S: Final = 15.0
"""A machine that has not taken a connection by then is not there."""
_ENDS_S: Final = 10.0


@dataclass(frozen=True)
class Peer:
    """Whom to call, as whom, and how long each answer may take."""

    host: str
    port: int
    called_ae: str
    calling_ae: str
    tls: TlsArguments | None = None
    timeout_s: float = 30.0


class NoAssociation(ConnectError):
    code = "connect.peer.no_association"
    message = "The peer cannot be reached, or refuses this caller."

    def __init__(self, refusal: tuple[int, int, int] | None) -> None:
        """`refusal`: result, source and reason, where the peer rejected the association (PS3.8 table 9-21)."""
        super().__init__(self.message)
        self.refusal = refusal


@contextmanager
def associated(
    peer: Peer, contexts: Iterable[Context], *, as_provider: bool = False
) -> Iterator["Association"]:
    """An association on which to send requests, of the user's role or of the provider's.

    Raises:
        NoAssociation: none came about.
    """
    association = _called(peer, contexts, as_provider=as_provider)
    try:
        if not association.is_established:
            raise NoAssociation(_refusal(association))
        with undisturbed(association):
            yield association
    finally:
        _end(association)


def _called(peer: Peer, contexts: Iterable[Context], *, as_provider: bool) -> "Association":
    from pynetdicom import AE, build_role  # noqa: PLC0415 - most gateways call nobody; it is 8 MB

    ae = AE(ae_title=peer.calling_ae)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = peer.timeout_s
    ae.connection_timeout = min(peer.timeout_s, CONNECT_S)
    roles = []
    for sop_class, syntax in contexts:
        ae.add_requested_context(sop_class, syntax)
        if as_provider:
            roles.append(build_role(sop_class, scp_role=True))
    return ae.associate(peer.host, peer.port, ae_title=peer.called_ae, ext_neg=[*roles], tls_args=peer.tls)


def _refusal(association: "Association") -> tuple[int, int, int] | None:
    from pynetdicom.pdu_primitives import A_ASSOCIATE  # noqa: PLC0415 - as above

    # A rejection that comes faster than pynetdicom looks is taken for a lost line, and left in its queue.
    answer = association.acceptor.primitive or association.dul.receive_pdu(wait=False)
    if not isinstance(answer, A_ASSOCIATE) or not answer.result:
        return None
    return answer.result, answer.result_source or 0, answer.diagnostic or 0


def _end(association: "Association") -> None:
    association.release()
    if association.is_alive():  # one that never came about has no thread
        association.join(_ENDS_S)
    if association.dul.socket is not None:
        association.dul.socket.close()  # pynetdicom leaves it open when the peer went away first
