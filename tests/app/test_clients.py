"""A broker that does not let a client in is not an absent one: nobody should wait for it, and what is wrong is said."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import SaslAuthenticationFailed

from billtide.app import broker as brokers
from billtide.app import broker_docker, broker_local, clients
from billtide.app.broker_config import HOST, free_port
from billtide.app.settings import load

from .secured import PASSWORD, USER, secured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from billtide.app.broker import Broker

pytestmark = pytest.mark.kafka

TLS_END_SECONDS = 0.2
"""In which both sides say good-bye; the test's loop closes after it."""
STORE_PASSWORD = "an-example-of-a-store"


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a key store for the broker's address, and its certificate, which signs itself."""
    store, made = directory / "broker.p12", directory / "broker.pem"
    common = ["-alias", "broker", "-keystore", str(store), "-storepass", STORE_PASSWORD]
    pair = ["-genkeypair", "-keyalg", "RSA", "-dname", "CN=broker", "-ext", f"san=ip:{HOST}", "-storetype", "PKCS12"]
    subprocess.run(["keytool", *pair, *common], check=True, capture_output=True)
    subprocess.run(["keytool", "-exportcert", "-rfc", "-file", str(made), *common], check=True, capture_output=True)
    return store, made


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Settings that let a client in at a broker of its own, over TLS."""
    directory, port = tmp_path_factory.mktemp("secured"), free_port()
    store, made = certificate(directory)
    keys = {"ssl.keystore.type": "PKCS12", "ssl.keystore.location": str(store), "ssl.keystore.password": STORE_PASSWORD}
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv(brokers.BOOTSTRAP_VARIABLE, raising=False)
        patched.setattr(broker_docker, "engine_runs", lambda: False)
        patched.setattr(broker_local, "properties", secured(port, "SASL_SSL", keys))
        running = brokers.start(directory / "kafka")
    yield {
        "kafka_bootstrap": f"{HOST}:{port}",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_username": USER,
        "kafka_password": PASSWORD,
        "kafka_ca_file": str(made),
    }
    brokers.discard(running)


async def started(given: dict[str, Any]) -> None:
    """Connect and leave again."""
    settings = load(**given)
    admin = AIOKafkaAdminClient(**settings.connection())
    try:
        await clients.start(admin, admin.close, settings)
        await admin.close()
    finally:
        await asyncio.sleep(TLS_END_SECONDS)


async def test_who_is_let_in(login: dict[str, Any]) -> None:
    """With the right name, password and authority a client starts."""
    await started(login)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(
            {"kafka_password": "another"},
            r"Kafka at \S+ refuses the login: .*Invalid username or password; set BILLTIDE_KAFKA_USERNAME, BILLTIDE_",
            id="password",
        ),
        pytest.param(
            {"kafka_sasl_mechanism": "SCRAM-SHA-512"},
            r"Kafka at \S+ refuses the login: .* does not support the requested SASL mechanism\.; set .*BILLTIDE_KAFKA_SASL_MECHANISM as the broker knows them",
            id="mechanism",
        ),
        pytest.param(
            {"kafka_ca_file": None},
            r"the certificate of Kafka at \S+ cannot be trusted: self-signed certificate; set BILLTIDE_KAFKA_CA_FILE to",
            id="authority",
        ),
    ],
)
async def test_who_is_refused_is_told_why(login: dict[str, Any], wrong: dict[str, str | None], said: str) -> None:
    """The setting to mend is named, and waiting would not help."""
    with pytest.raises(clients.BrokerAbsentError, match=said) as refused:
        await started(login | wrong)

    assert not clients.may_pass(refused.value)


async def test_a_port_without_tls_is_told_with_the_protocol(broker: Broker) -> None:
    """It ends the connection as a broker does that is just being started: waiting is right, and the setting is named."""
    said = r"no Kafka at \S+ with BILLTIDE_KAFKA_SECURITY_PROTOCOL=SSL; "
    with pytest.raises(clients.BrokerAbsentError, match=said) as absent:
        await started({"kafka_bootstrap": broker.bootstrap, "kafka_security_protocol": "SSL"})

    assert clients.may_pass(absent.value)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        pytest.param(ssl.SSLError(1, "wrong version number"), True, id="another protocol"),
        pytest.param(ssl.SSLEOFError(8, "EOF"), False, id="an end in the middle"),
        pytest.param(ConnectionResetError(), False, id="nobody"),
        pytest.param(SaslAuthenticationFailed(), True, id="login"),
    ],
)
def test_what_waiting_may_mend(error: Exception, *, refused: bool) -> None:
    """A broker that answers and says no says it again."""
    assert clients.may_pass(error) is not refused


async def test_an_absent_broker_may_come(login: dict[str, Any]) -> None:
    """Where nobody listens nothing says that the login is wrong."""
    nobody = f"{HOST}:{free_port()}"
    with pytest.raises(
        clients.BrokerAbsentError,
        match=f"no Kafka at {nobody} with BILLTIDE_KAFKA_SECURITY_PROTOCOL=SASL_SSL; start one",
    ) as absent:
        await started(login | {"kafka_bootstrap": nobody})

    assert clients.may_pass(absent.value)
