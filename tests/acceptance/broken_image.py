"""The image of the small services that break: plain Python, SQLAlchemy, and a certificate that has expired."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy
import typing_extensions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .broken_for_real import BROKEN_IMAGE

SERVICES = Path(__file__).with_name("broken")
EXPIRED = datetime(2025, 11, 20, tzinfo=UTC)


def build_broken_image() -> None:
    """Build the image out of what this machine has: nothing is fetched."""
    with TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copy(SERVICES / "Dockerfile", context)
        shutil.copytree(SERVICES, context / "services", ignore=shutil.ignore_patterns("Dockerfile", "__pycache__"))
        _copy_packages(context / "packages")
        _write_certificate(context / "certificates")
        build(BROKEN_IMAGE, context)


def build(tag: str, context: Path, *options: str) -> None:
    """Build an image from a folder."""
    command = ["docker", "build", "--quiet", f"--tag={tag}", *options, str(context)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert built.returncode == 0, built.stderr


def _copy_packages(folder: Path) -> None:
    """Copy SQLAlchemy without its compiled parts: they are for this machine's Python, and it does without."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.so", "testing")
    shutil.copytree(Path(sqlalchemy.__file__).parent, folder / "sqlalchemy", ignore=unwanted)
    shutil.copy(Path(typing_extensions.__file__), folder)


def _write_certificate(folder: Path) -> None:
    """Write a certificate for the host `gateway` that was good for a day, signed by itself, and its key."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(EXPIRED - timedelta(days=1)).not_valid_after(EXPIRED)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("gateway")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
