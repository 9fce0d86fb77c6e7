"""The requests that ask what we may do with topics and groups (KIP-430), which aiokafka does not have.

Shapes as in Kafka's MetadataRequest.json and MetadataResponse.json, version 8. aiokafka reads the answer about groups
as version 2, without the rights.
"""

from __future__ import annotations

from typing import Final

from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

_KEY: Final = 3
_VERSION: Final = 8
_BROKER: Final = Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8")))
_PARTITION: Final = Array(
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", Array(Int32)),
    ("isr", Array(Int32)),
    ("offline_replicas", Array(Int32)),
)
_TOPIC: Final = Array(
    ("error_code", Int16),
    ("topic", String("utf-8")),
    ("is_internal", Boolean),
    ("partitions", _PARTITION),
    ("allowed", Int32),
)


class RightsResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    """topics: by each its `error_code`, and in `allowed` a bit for each operation, as AclOperation counts them."""

    API_KEY = _KEY
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", _BROKER),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        ("topics", _TOPIC),
        ("cluster_allowed", Int32),
    )


class RightsStruct(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    """The request as it goes out."""

    API_KEY = _KEY
    API_VERSION = _VERSION
    RESPONSE_TYPE = RightsResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class RightsRequest(Request[RightsStruct]):  # type: ignore[misc]  # aiokafka has no types
    """Ask what we may do with some topics; none is made by asking."""

    API_KEY = _KEY

    def __init__(self, topics: list[str]) -> None:
        """Name the topics."""
        self._topics: Final = topics

    def build(self, request_struct_class: type[RightsStruct]) -> RightsStruct:
        """Make what goes out."""
        return request_struct_class(self._topics, False, False, True)  # noqa: FBT003 - fields of the protocol, in order


class GroupRightsStruct(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    """The request about groups as it goes out."""

    API_KEY = DescribeGroupsRequest_v3.API_KEY
    API_VERSION = DescribeGroupsRequest_v3.API_VERSION
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


class GroupRightsRequest(Request[GroupRightsStruct]):  # type: ignore[misc]  # aiokafka has no types
    """Ask a group's coordinator what we may do with the group."""

    API_KEY = DescribeGroupsRequest_v3.API_KEY

    def __init__(self, group: str) -> None:
        """Name the group."""
        self._group: Final = group

    def build(self, request_struct_class: type[GroupRightsStruct]) -> GroupRightsStruct:
        """Make what goes out."""
        return request_struct_class([self._group], True)  # noqa: FBT003 - fields of the protocol, in order
