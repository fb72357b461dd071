"""Where the traffic of a Service goes."""

from __future__ import annotations

import asyncio
from typing import Any

from pipeline.local.kubelet.endpoints import Route, build_routes, list_cluster_ips
from pipeline.local.kubelet.service_proxy import Balancer, ServiceProxy
from pipeline.local.readiness import choose_ports, is_open, wait_until
from pipeline.local.streams import close

A, B, C = ("127.244.1.2", 8080), ("127.244.1.3", 8080), ("127.244.1.4", 8080)


def service(name: str = "shop", cluster_ip: str = "10.96.4.5", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "voice-agent", "name": name},
        "spec": {"clusterIP": cluster_ip, "ports": [{"name": "http", "port": 80}], **spec},
    }


def endpoint(address: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


def slice_of(*endpoints: dict[str, Any], of: str = "shop") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "voice-agent", "labels": {"kubernetes.io/service-name": of}},
        "endpoints": list(endpoints),
        "ports": [{"name": "http", "port": 8080}, {"name": "other", "port": 9}],
    }


def test_traffic_goes_to_the_endpoints_that_are_ready() -> None:
    """At the Service's address on loopback; what says nothing counts as ready."""
    slices = [slice_of(endpoint("10.244.1.2", ready=True), endpoint("10.244.1.3", ready=False))]

    routes = build_routes([service()], [*slices, slice_of(endpoint("10.244.1.4")), slice_of(of="another")])

    assert routes == {("127.96.4.5", 80): Route((A, C))}


def test_who_ends_still_serves_when_nobody_is_ready() -> None:
    """As kube-proxy does in a rollout that has nobody new yet."""
    ends = {"ready": False, "serving": True, "terminating": True}
    gone = {"ready": False, "serving": False, "terminating": True}

    routes = build_routes(
        [service()], [slice_of(endpoint("10.244.1.2", **ends), endpoint("10.244.1.3", **gone))]
    )

    assert routes == {("127.96.4.5", 80): Route((A,))}


def test_a_service_without_an_address_or_an_endpoint_has_no_route() -> None:
    """A headless one has no address to resolve either."""
    headless = service("headless", "None")

    assert build_routes([headless, service()], [slice_of(endpoint("10.244.1.2"), of="headless")]) == {}
    assert list_cluster_ips([headless, service()]) == {("voice-agent", "shop"): "10.96.4.5"}


def test_a_client_stays_with_its_endpoint_as_long_as_it_has_one() -> None:
    """ClientIP affinity: until the endpoint is gone, or the client was away for too long."""
    balancer = Balancer(Route((A, B, C), affinity_s=10))
    first = balancer.choose("127.0.0.1", now=0)

    assert {balancer.choose("127.0.0.1", now=9 * count) for count in range(20)} == {first}
    assert len({balancer.choose(f"127.0.0.{client}", now=0) for client in range(2, 100)}) == 3

    others = tuple(backend for backend in (A, B, C) if backend != first)
    balancer.follow(Route(others, affinity_s=10))
    assert balancer.choose("127.0.0.1", now=172) in others


def test_the_affinity_of_a_service_is_read() -> None:
    """Its own time, or three hours."""
    config = {"clientIP": {"timeoutSeconds": 60}}
    slices = [slice_of(endpoint("10.244.1.2"))]

    [own] = build_routes([service(sessionAffinity="ClientIP", sessionAffinityConfig=config)], slices).values()
    [default] = build_routes([service(sessionAffinity="ClientIP")], slices).values()

    assert (own.affinity_s, default.affinity_s) == (60, 10800)


async def test_an_open_connection_outlives_its_route_and_new_ones_are_refused() -> None:
    """What runs drains; who comes later finds nobody listening."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        await close(writer)

    port, backend_port = choose_ports(2)
    backend = await asyncio.start_server(echo, "127.0.0.1", backend_port)
    proxy = ServiceProxy()
    running = asyncio.create_task(proxy.run())
    proxy.route({("127.0.0.1", port): Route((("127.0.0.1", backend_port),))})
    assert await wait_until(lambda: is_open(port), 30)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"one")
    assert await reader.readexactly(3) == b"one"

    async def is_closed() -> bool:
        return not await is_open(port)

    proxy.route({})
    assert await wait_until(is_closed, 30)
    writer.write(b"two")
    assert await reader.readexactly(3) == b"two"
    writer.write_eof()
    assert await reader.read() == b""

    await close(writer)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    backend.close()
    await backend.wait_closed()
