"""Signed updates, by an account of their own and in a moment when nothing is received or sent.

`repository` finds and checks a release (The Update Framework), `program` keeps the versions side by
side, `lease` is what updater and gateway say to each other, `updater` is the whole act. The gateway's
own account cannot write its program; the updater's cannot read what the gateway keeps.
"""

from collegium_connect.updates.lease import Lease, LeasedGate, LeaseFolder

__all__ = ["Lease", "LeaseFolder", "LeasedGate"]
