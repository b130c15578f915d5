"""The containers as the engine runs them: what they may, what they are told, and what they say."""

from typing import Any

import httpx
import pytest
from stack import REST, Stack, eventually

SERVICES = ("web", "server")


@pytest.fixture(params=SERVICES)
def container(request: pytest.FixtureRequest, stack: Stack) -> dict[str, Any]:
    """What the engine knows of a container of each service."""
    return stack.engine.inspect(stack.containers(request.param)[0])


def test_it_may_nothing_but_its_work(container: dict[str, Any]) -> None:
    host = container["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["CapAdd"], host["Privileged"]) == (True, ["ALL"], None, False)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]


def test_its_resources_and_its_logs_have_an_end(container: dict[str, Any]) -> None:
    host = container["HostConfig"]
    assert host["Memory"] in (256 * 1024 * 1024, 512 * 1024 * 1024)
    assert (host["NanoCpus"], host["PidsLimit"] in (64, 256)) == (1_000_000_000, True)
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}


def test_it_comes_back_says_whether_it_is_well_and_gets_time_to_end(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert container["State"]["Health"]["Status"] == "healthy"
    assert container["Config"]["StopTimeout"] == 30


def test_only_the_web_is_published_and_only_to_this_machine(stack: Stack) -> None:
    published = {
        service: [
            binding
            for name in stack.containers(service)
            for bindings in stack.engine.inspect(name)["HostConfig"]["PortBindings"].values()
            for binding in bindings
        ]
        for service in SERVICES
    }
    assert published == {"web": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}], "server": []}


def test_inside_it_is_nobody_and_can_write_nothing(stack: Stack) -> None:
    for service, user in (("web", "10002"), ("server", "10001")):
        [name, *_] = stack.containers(service)
        status = stack.engine.docker(
            "exec", name, "sh", "-c", "cat /proc/self/status; id -u; touch /x /etc/x /app/x 2>&1; true"
        )
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert (fields["CapEff"], fields["CapBnd"], fields["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
        assert f"\n{user}\n" in status
        assert status.count("Read-only file system") + status.count("No such file") == 3


def test_what_is_mounted_and_what_may_be_written(stack: Stack) -> None:
    [server, _] = stack.containers("server")
    mounts = stack.engine.inspect(server)["Mounts"]
    assert {(mount["Destination"], mount["RW"]) for mount in mounts} == {
        ("/app/database", True), ("/run/secrets/jwt_secret", False), ("/run/secrets/jwks", False),
    }  # fmt: skip


def test_both_say_the_same_id_of_a_request_and_so_does_the_answer(stack: Stack) -> None:
    with stack.client() as client:
        answer = client.get(f"{REST}/films?limit=1")
    identity = answer.headers["x-request-id"]

    def told(service: str) -> list[dict[str, Any]]:
        lines = [line for name in stack.containers(service) for line in stack.logs(name)]
        return [line for line in lines if identity in (line.get("requestId"), line.get("reqId"))]

    eventually(lambda: told("web") and told("server"))
    [web], [server] = told("web"), told("server")
    assert (web["method"], web["path"], web["status"], web["service"]) == ("GET", f"{REST}/films", 200, "web")
    assert (server["req"]["method"], server["req"]["url"]) == ("GET", f"{REST}/films?limit=1")
    assert server["res"]["statusCode"] == 200
    assert server["req"]["remoteAddress"] == web["remoteAddress"], "both know who asked"
    assert answer.headers.get_list("x-request-id") == [identity]


def test_all_that_they_say_on_standard_output_is_json(stack: Stack) -> None:
    for service in SERVICES:
        for name in stack.containers(service):
            assert len(stack.logs(name)) > 1


def test_probes_are_not_in_the_logs(stack: Stack) -> None:
    [web] = stack.containers("web")
    httpx.get(f"{stack.url}/healthz", trust_env=False)
    assert [line for line in stack.logs(web) if line.get("path") == "/healthz"] == []


def test_neither_keys_nor_secrets_are_in_the_logs(stack: Stack) -> None:
    token = stack.token()
    with stack.client(role=None) as client:
        client.get(f"{REST}/films?limit=1&apikey={token}", headers={"referer": f"https://app.example.org/?key={token}"})
    for service in SERVICES:
        for name in stack.containers(service):
            said = stack.engine.docker("logs", name)
            assert token not in said
            assert stack.secret not in said


def test_the_metrics_of_each_replica_are_asked_inside_the_network(stack: Stack) -> None:
    """As Prometheus does, which looks the name `server` up and asks each address."""
    code = (
        "import socket, urllib.request as r; "
        "found = {a[4][0] for a in socket.getaddrinfo('server', 4000, socket.AF_INET, socket.SOCK_STREAM)}; "
        "said = [r.urlopen(f'http://{a}:4000/metrics').read().decode() for a in found]; "
        "print(sum('wherry_build_info' in text for text in said), len(found))"
    )
    assert stack.execute(code) == "2 2"


def test_the_memory_of_each(stack: Stack, measured: dict[str, Any]) -> None:
    for service in SERVICES:
        [name, *_] = stack.containers(service)
        used = stack.engine.docker("stats", "--no-stream", "--format", "{{.MemUsage}}", name).split(" ")[0]
        measured[f"memory of {service}"] = used
        amount, unit = float(used[:-3]), used[-3:]
        assert unit == "MiB"
        assert amount < 200


def test_an_unhealthy_server_keeps_the_web_from_starting(make_stack: Any) -> None:
    """And says in its log why: here the database is not there."""
    broken = make_stack(variables={"DATABASE_URL": "/app/database/none/dev.db"})
    with pytest.raises(AssertionError):
        broken.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "20")
    [server] = broken.compose("ps", "--all", "--quiet", "server").split()
    said = broken.compose("logs", "server")

    assert "/app/database/none/dev.db cannot be made: No such file or directory." in said
    assert broken.engine.inspect(server)["State"]["Health"]["Status"] != "healthy"
    assert broken.containers("web") == []
    broken.down("--volumes")
