"""Java's key stores: diag reads PEM, and says how to make it of what is there."""

from __future__ import annotations

import shlex
from pathlib import Path

from diag.config.kafka.found import refuse
from diag.errors import SettingsError

_PEM = b"-----BEGIN"
_JKS = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
_LONGEST = 1 << 20


def check_pem(path: str, place: str, *, is_keystore: bool) -> None:
    """Raise `SettingsError` if the file is no PEM, with the command that makes one of it.

    Args:
        path: of the file.
        place: the setting that names it, for what is said of it.
        is_keystore: whether a key is wanted with the certificate.
    """
    try:
        with Path(path).open("rb") as file:
            begin = file.read(_LONGEST)
    except (OSError, ValueError) as error:
        raise _unreadable(path, place, error) from error
    if _PEM in begin:
        return
    if not begin.startswith((*_JKS, b"\x30")):
        raise refuse(place, f"{path} is neither PEM nor a key store", "a PEM file begins with -----BEGIN")
    kind = "a JKS key store" if begin.startswith(_JKS) else "a PKCS#12 key store"
    raise refuse(place, f"{path} is {kind}, and diag reads PEM", _make_pem(path, is_keystore=is_keystore))


def _make_pem(path: str, *, is_keystore: bool) -> str:
    quoted = shlex.quote(path)
    if not is_keystore:
        return f"make it: keytool -list -rfc -keystore {quoted} > ca.pem, and name ca.pem instead"
    return (
        f"make it: keytool -importkeystore -srckeystore {quoted} -destkeystore client.p12"
        " -deststoretype PKCS12 && (umask 077; openssl pkcs12 -in client.p12 -nodes -out client.pem),"
        " and name client.pem instead"
    )


def _unreadable(path: str, place: str, error: Exception) -> SettingsError:
    why = error.strerror if isinstance(error, OSError) else "no file name"
    return SettingsError(f"{place}: {path}: {why}", hint="check the path; it is seen from the current folder")
