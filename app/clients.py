"""Start a Kafka client, or say in one way for every command that no broker answers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, Final, Protocol

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from .refusal import RefusedError
from .settings import variable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .settings import Settings


REFUSAL_SECONDS_MAX: Final = 5.0
"""How long brokers that did not let us in may take to say why."""
LOGIN_REFUSED: Final = (SaslAuthenticationFailed, UnsupportedSaslMechanismError)


class BrokerAbsentError(RefusedError):
    """No broker answers where the settings say, or none that lets this client in: see may_pass."""


class Client(Protocol):
    """A client of aiokafka; producers and consumers `stop`, admin clients `close`."""

    async def start(self) -> None:
        """Connect."""


async def start(client: Client, end: Callable[[], Awaitable[None]], settings: Settings) -> None:
    """Connect a client; `end` frees it when that fails. Raises BrokerAbsentError."""
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await end()
        # A connection error is all that a client says of brokers that do not let it in.
        refusal = await _refusal(settings) if isinstance(error, KafkaConnectionError) else None
        cause = refusal or error
        raise BrokerAbsentError(_sentence(cause, settings)) from cause


async def _refusal(settings: Settings) -> Exception | None:
    """Why a broker that answers does not let us in. None for any other cause."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return None
    login = settings.connection()
    del login["metadata_max_age_ms"]

    async def tried(host: str, port: int) -> None:
        (await create_conn(host, port, **login)).close()

    tries = [tried(host, port) for host, port, _ in collect_hosts(login.pop("bootstrap_servers"))]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REFUSAL_SECONDS_MAX):
            found = await asyncio.gather(*tries, return_exceptions=True)
            return next((error for error in found if isinstance(error, Exception) and _is_refusal(error)), None)
    return None


def _is_refusal(error: BaseException | None) -> bool:
    """Whether a broker answers and says no. A connection that ends in the middle may be one that is restarted."""
    if isinstance(error, ssl.SSLError):
        return not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    return isinstance(error, LOGIN_REFUSED)


def _sentence(error: Exception, settings: Settings) -> str:
    where = settings.kafka_bootstrap
    if isinstance(error, LOGIN_REFUSED):
        said = next((one for one in error.args if isinstance(one, str)), error.description)
        names = [variable(name) for name in ("kafka_username", "kafka_password", "kafka_sasl_mechanism")]
        return f"Kafka at {where} refuses the login: {said}; set {', '.join(names)} as the broker knows them"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of Kafka at {where} cannot be trusted: {error.verify_message}; "
            f"set {variable('kafka_ca_file')} to that of its authority, and the address to a name it is made for"
        )
    protocol = f"{variable('kafka_security_protocol')}={settings.kafka_security_protocol}"
    if _is_refusal(error):
        return f"no TLS with Kafka at {where}: {error}; set a port that {protocol} is for, or another protocol"
    # What aiokafka says of a failed connection is the addresses again, as Python objects.
    reason = "" if isinstance(error, KafkaConnectionError) else f": {error}"
    # A port of another protocol only ends the connection, as a broker that is just being started does.
    spoken = "" if settings.kafka_security_protocol == "PLAINTEXT" else f" with {protocol}"
    return f"no Kafka at {where}{spoken}{reason}; start one with `billtide up`, or set {variable('kafka_bootstrap')}"


def may_pass(error: BaseException | None) -> bool:
    """Whether an error says no more than that no broker serves now."""
    if isinstance(error, BrokerAbsentError):
        return may_pass(error.__cause__)
    if _is_refusal(error):
        return False
    return isinstance(error, OSError) or (isinstance(error, KafkaError) and error.retriable)
