"""Observations go to everyone who listens."""

from wherry.observe import Notice, Observation, fan_out, ignore


def test_every_sink_gets_every_observation_in_order() -> None:
    heard: list[tuple[str, Observation]] = []
    emit = fan_out(lambda o: heard.append(("log", o)), lambda o: heard.append(("metrics", o)), ignore)
    emit(Notice("one"))
    emit(Notice("two"))
    assert heard == [
        ("log", Notice("one")),
        ("metrics", Notice("one")),
        ("log", Notice("two")),
        ("metrics", Notice("two")),
    ]


def test_a_single_sink_is_called_without_a_detour() -> None:
    assert fan_out(ignore) is ignore
