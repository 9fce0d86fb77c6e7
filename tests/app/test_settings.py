"""Settings: what is unknown or cannot be is refused with a sentence that helps."""

from __future__ import annotations

import pytest

from billtide.app.settings import Settings, SettingsError, load


def test_the_defaults_are_sound() -> None:
    """An empty environment gives a worker of a local broker."""
    settings = load()
    assert settings.topic("billing") == "billtide.billing"
    assert settings.kafka_bootstrap


def test_an_unknown_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting never silently does nothing."""
    monkeypatch.setenv("BILLTIDE_PARTITION", "4")
    with pytest.raises(SettingsError, match="BILLTIDE_PARTITION is not a setting; did you mean BILLTIDE_PARTITIONS"):
        load()


@pytest.mark.parametrize("name", ["billtide_partitions", "Billtide_Partitions", "BILLTIDE_partitions"])
def test_case_counts(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A variable in other letters is refused, so that no value comes from where nobody looks."""
    monkeypatch.setenv(name, "4")
    with pytest.raises(SettingsError, match=f"{name} is not a setting; did you mean BILLTIDE_PARTITIONS"):
        load()


def test_variables_of_tests_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """BILLTIDE_TEST_* belongs to the test suite."""
    monkeypatch.setenv("BILLTIDE_TEST_ANYTHING", "1")
    load()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PARTITIONS", "0", "BILLTIDE_PARTITIONS: .*greater than or equal to 1"),
        ("KAFKA_BOOTSTRAP", "nowhere", "'nowhere' is not host:port"),
        (
            "TRANSACTION_TIMEOUT_MILLISECONDS",
            "25000",
            r"BILLTIDE_TRANSACTION_TIMEOUT_MILLISECONDS \(25000\) must not exceed BILLTIDE_SESSION_TIMEOUT_MILLISECONDS \(20000\)",
        ),
        ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL", "SASL_SSL needs BILLTIDE_KAFKA_USERNAME and BILLTIDE_KAFKA_PASSWORD"),
        ("LOG_LEVEL", "LOUD", "BILLTIDE_LOG_LEVEL"),
        ("STANDBYS", "-1", "BILLTIDE_STANDBYS: .*greater than or equal to 0"),
        ("STANDBYS", "9", "BILLTIDE_STANDBYS: .*less than or equal to 8"),
        ("STANDBY_RECORDS_PER_SECOND_MAX", "0", "BILLTIDE_STANDBY_RECORDS_PER_SECOND_MAX: .*or equal to 1000"),
        (
            "STANDBY_LAGGED_MILLISECONDS_MAX",
            "86400001",
            "BILLTIDE_STANDBY_LAGGED_MILLISECONDS_MAX: .*equal to 86400000",
        ),
        ("POISON_RUN_RECORDS_MAX", "0", "BILLTIDE_POISON_RUN_RECORDS_MAX: .*greater than or equal to 1"),
        ("POISON_SHARE_PERCENT_MAX", "101", "BILLTIDE_POISON_SHARE_PERCENT_MAX: .*less than or equal to 100"),
        (
            "POISON_WINDOW_RECORDS",
            "100",
            r"BILLTIDE_POISON_RUN_RECORDS_MAX \(200\) must not exceed BILLTIDE_POISON_WINDOW_RECORDS \(100\)",
        ),
        (
            "KAFKA_CA_FILE",
            "/no/such.pem",
            "BILLTIDE_KAFKA_CA_FILE: /no/such.pem cannot be read as certificates: No such file",
        ),
        ("KAFKA_CA_FILE", "x" * 70_000, r"BILLTIDE_KAFKA_CA_FILE: x{500} \.\.\. cannot be read as certificates"),
        ("KAFKA_BOOTSTRAP", "x" * 70_000, r"'x{500} \.\.\.' is not host:port"),
        ("KAFKA_CA_FILE", __file__, "BILLTIDE_KAFKA_CA_FILE: .* cannot be read as certificates"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    """The message names the variable and what it may be."""
    monkeypatch.setenv(f"BILLTIDE_{name}", value)
    with pytest.raises(SettingsError, match=sentence) as caught:
        load()
    assert len(caught.value.message) < 2_000


def test_every_setting_says_what_it_is() -> None:
    """The configuration table of the docs is made from these sentences."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_do_not_change() -> None:
    """A running worker has one set of settings."""
    with pytest.raises(ValueError, match="frozen"):
        load().partitions = 3  # type: ignore[misc]


def test_a_password_stays_out_of_sight() -> None:
    """Settings can be logged."""
    assert "hunter2" not in repr(load(kafka_password="hunter2"))
