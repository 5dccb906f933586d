"""Signed tree heads (RFC 9162, section 2.1): what even the database's owner cannot rewrite unseen.

A head states, for one chain, its size and the Merkle root over its link hashes, signed
with the installation's Ed25519 key and kept in files outside the database.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collegium.kit import clock
from collegium.trust.audit import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A signed statement: this chain had `size` entries with this root at this time."""

    chain: str
    size: int
    root: str
    at: str
    key: str
    signature: str

    @property
    def signed_text(self) -> bytes:
        return "\n".join(("collegium-head-1", self.chain, str(self.size), self.root, self.at)).encode()

    def is_signed(self) -> bool:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
        try:
            key.verify(bytes.fromhex(self.signature), self.signed_text)
        except InvalidSignature:
            return False
        return True


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of the leaves in order. Source: RFC 9162, section 2.1.1."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def sign_heads(
    chains: Mapping[str, int], signer: Ed25519PrivateKey, folder: Path, alias: str = "default"
) -> list[TreeHead]:
    """Sign the present head of each chain that grew since its last one; add it to `folder`, durably.

    Args:
        chains: names of chains and how many entries each has, as `verify.chains` tells.
        signer: the installation's head key.
        folder: one file a chain, one line a head.
        alias: connection.
    """
    public = signer.public_key().public_bytes_raw().hex()
    heads = []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for chain, size in chains.items():
        path = folder / f"{chain.replace(':', '-')}.jsonl"
        kept = _kept(path)
        if kept and (kept[-1].size, kept[-1].key) == (size, public):
            continue
        leaves = verify.link_hashes(chain, alias)
        at = clock.now().isoformat(timespec="seconds")
        unsigned = TreeHead(chain, len(leaves), merkle_root(leaves).hex(), at, public, "")
        head = replace(unsigned, signature=signer.sign(unsigned.signed_text).hex())
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(head)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        heads.append(head)
    return heads


def _kept(path: Path) -> list[TreeHead]:
    """The heads in one chain's file, oldest first."""
    return (
        [TreeHead(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
        if path.exists()
        else []
    )


def check_heads(folder: Path, signer: Ed25519PrivateKey, alias: str = "default") -> Iterator[verify.Fault]:
    """Every kept head that the database no longer agrees with."""
    public = signer.public_key().public_bytes_raw().hex()
    for path in sorted(folder.glob("*.jsonl")):
        heads = _kept(path)
        leaves = verify.link_hashes(heads[0].chain, alias) if heads else []
        for head in heads:
            if head.key != public or not head.is_signed():
                yield verify.Fault(
                    head.chain,
                    head.size,
                    "-",
                    f"the tree head of {head.at} is not signed by this installation",
                )
            elif len(leaves) < head.size or merkle_root(leaves[: head.size]).hex() != head.root:
                yield verify.Fault(
                    head.chain,
                    head.size,
                    "-",
                    f"the entries before the tree head of {head.at} were rewritten or removed",
                )
