"""TLS inside the container: docker-compose.tls.yml."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from engine import give
from stack import REST, Stack, ask, eventually, free_port, is_problem


def make_certificate(folder: Path) -> None:
    """Write a certificate for localhost that is signed with its own key, for the user of the web."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tls.key").write_bytes(private)
    (folder / "tls.key").chmod(0o400)
    give(folder / "tls.key", 10002)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    return folder


@pytest.fixture(scope="module")
def encrypted(make_stack: Any, trust: Path) -> Iterator[Stack]:
    """A stack with the overlay."""
    port = free_port()
    stack: Stack = make_stack(
        files=("docker-compose.yml", "docker-compose.tls.yml"),
        variables={"TLS_DIR": str(trust), "TLS_PORT": str(port)},
    )
    stack.compose("run", "--rm", "--no-deps", "server", "wherry", "demo", "/app/database/dev.db")
    stack.up(replicas=1)
    yield stack
    stack.down("--volumes")


def context(trust: Path) -> ssl.SSLContext:
    """Trust the certificate, and nothing else."""
    return ssl.create_default_context(cafile=str(trust / "tls.crt"))


def connect(stack: Stack, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Shake hands."""
    plain = socket.create_connection(("127.0.0.1", int(stack.variables["TLS_PORT"])), timeout=20)
    return context.wrap_socket(plain, server_hostname="localhost")


def test_pages_and_the_api_are_served_by_tls_and_say_that_they_stay_there(encrypted: Stack, trust: Path) -> None:
    base = f"https://localhost:{encrypted.variables['TLS_PORT']}"
    with httpx.Client(base_url=base, verify=context(trust), trust_env=False) as client:
        page = client.get("/")
        films = client.get(f"{REST}/films?limit=1", headers={"authorization": f"Bearer {encrypted.token()}"})

    assert (page.status_code, films.status_code) == (200, 200)
    assert page.headers["strict-transport-security"] == films.headers["strict-transport-security"] == "max-age=31536000"


def test_http_2_is_spoken(encrypted: Stack, trust: Path) -> None:
    speaks = context(trust)
    speaks.set_alpn_protocols(["h2", "http/1.1"])
    with connect(encrypted, speaks) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        spoken, frame = connection.selected_alpn_protocol(), connection.recv(9)

    assert (spoken, frame[3]) == ("h2", 4), "its first frame is SETTINGS"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(encrypted: Stack, trust: Path, version: ssl.TLSVersion) -> None:
    one = context(trust)
    one.minimum_version = one.maximum_version = version
    with connect(encrypted, one) as connection:
        assert connection.version() == version.name.replace("TLSv1_", "TLSv1.")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_older_tls_is_refused(encrypted: Stack, trust: Path) -> None:
    old = context(trust)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError) as caught:
        connect(encrypted, old)

    assert "ALERT_PROTOCOL_VERSION" in str(caught.value)


def test_who_comes_without_tls_is_sent_there_but_for_the_health(encrypted: Stack) -> None:
    words = f"GET {REST}/films?limit=1 HTTP/1.1\r\nhost: app.example.org:{encrypted.port}\r\nconnection: close\r\n\r\n"
    status, headers, _ = ask(encrypted.port, words.encode())
    health = httpx.get(f"{encrypted.url}/healthz", trust_env=False)

    port = encrypted.variables["TLS_PORT"]
    assert (status, headers["location"]) == (308, f"https://app.example.org:{port}{REST}/films?limit=1")
    assert health.status_code == 200


def test_a_renewed_certificate_is_read_without_a_new_start(encrypted: Stack, trust: Path) -> None:
    renewed = trust / "renewed"
    renewed.mkdir()
    make_certificate(renewed)
    for name in ("tls.crt", "tls.key"):
        with (trust / name).open("wb") as file:  # into the file that is mounted, not another in its place
            file.write((renewed / name).read_bytes())

    def presents() -> str:
        return ssl.get_server_certificate(("127.0.0.1", int(encrypted.variables["TLS_PORT"])))

    assert presents() != (renewed / "tls.crt").read_text(encoding="ascii")
    encrypted.compose("exec", "-T", "web", "nginx", "-e", "stderr", "-s", "reload")
    eventually(lambda: presents() == (renewed / "tls.crt").read_text(encoding="ascii"))


def test_words_without_tls_at_its_port_are_a_problem_in_the_apis_shape(encrypted: Stack) -> None:
    port = int(encrypted.variables["TLS_PORT"])
    status, headers, body = ask(port, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")

    assert is_problem(httpx.Response(status, headers=headers, content=body), 400, "PGRST100")
