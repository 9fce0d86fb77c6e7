"""A broker with a second listener, for those who log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billtide.app.broker_config import HOST, properties

if TYPE_CHECKING:
    from collections.abc import Callable

USER, PASSWORD = "clerk", "an-example"


def secured(
    port: int, protocol: str = "SASL_PLAINTEXT", more: dict[str, str] | None = None
) -> Callable[[int, int, str, str], dict[str, str]]:
    """Properties of a broker with Kafka's standard authorizer: one listener for the test, one for whoever logs in."""

    def made(plain: int, controller: int, bind: str, data: str) -> dict[str, str]:
        base = properties(plain, controller, bind, data)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        return base | {
            "listeners": f"{base['listeners']},SECURED://{bind}:{port}",
            "advertised.listeners": f"{base['advertised.listeners']},SECURED://{HOST}:{port}",
            "listener.security.protocol.map": f"{base['listener.security.protocol.map']},SECURED:{protocol}",
            "listener.name.secured.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secured.plain.sasl.jaas.config": f'{login} user_{USER}="{PASSWORD}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "false",
            **(more or {}),
        }

    return made
