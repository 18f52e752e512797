"""Names inside a hall's data directory; pure path arithmetic."""

from __future__ import annotations

from pathlib import Path


class HallLayout:
    """Everything a hall keeps. Directories are 0700, files 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = root / "hall.toml"
        self.lock = root / "hall.lock"
        self.admin_socket = root / "admin.sock"
        self.database = root / "hall.db"
        self.blobs = root / "blobs"
        self.keys = root / "keys"
        self.root_key = self.keys / "root.key"
        self.root_certificate = self.keys / "root.pem"
        self.issuing_key = self.keys / "issuing.key"
        self.issuing_certificate = self.keys / "issuing.pem"
        self.server = root / "server"
        self.server_certificate = self.server / "server.pem"
        """Private key, leaf, then issuing CA: one file, so that the key never lies beside another's certificate."""
        self.server_key = self.server / "server.key"
        """The key once more, for programs that want it apart."""
        self.document_key = self.keys / "document_seal.key"
        self.document_certificate = self.keys / "document_seal.pem"
        self.signing_key = self.keys / "sign.key"
        self.sealing_key = self.keys / "seal.key"
        self.recovery_key = self.keys / "recovery.key"
        """Belongs in a safe: in production it is moved off this machine after `hall init`."""
        self.recovery_public = self.keys / "recovery.pub"
        self.former_keys = self.keys / "former"
        """Sealing and signing keys that were rotated out: they still open and still are believed."""
        self.data_key = self.keys / "data.key"
