"""Which statements of the store's schema are applied, and which are left out."""

from __future__ import annotations

from parcours.events.store import schema

BUCKETS = "0010_properties_in_buckets/1"


def test_a_setting_that_the_engine_does_not_know_is_left_out_and_remembered() -> None:
    run: list[str] = []

    def engine(known: str) -> list[str]:
        def answer(statement: str) -> str:
            run.append(statement)
            if "merge_tree_settings" in statement:
                return known
            return "\n".join(name for name, _ in schema.statements() if name != BUCKETS)

        return schema.migrate(answer)

    assert engine("index_granularity\n") == [BUCKETS]
    assert not any("ALTER TABLE" in statement for statement in run)
    assert f"INSERT INTO migrations (name) VALUES ('{BUCKETS}')" in run
    assert engine("index_granularity\nmap_serialization_version\n") == [BUCKETS]
    assert any(statement.startswith("--") and "ALTER TABLE events" in statement for statement in run)
