"""Cards are verified: by whom, by what they are shown, what came of it and what left by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_WORD = sa.String(40)


def _key(name: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=f"pk_{name}")


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def upgrade() -> None:
    _cards()
    _verifiers()
    _holders()
    _checks()
    _others()


def _cards() -> None:
    with op.batch_alter_table("card") as card:
        card.add_column(
            sa.Column("sandbox", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("card") as card:
        card.alter_column("sandbox", server_default=None)
    op.create_table(
        "card_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("change", _WORD, nullable=False),
        sa.Column("reason", _WORD, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        _foreign("card_event", "card_id", "card"),
        _key("card_event"),
    )
    op.create_index("ix_card_event_card_id", "card_event", ["card_id"])
    op.execute(
        "INSERT INTO card_event (card_id, change, reason, at, by) "
        "SELECT id, 'ISSUED', 'ENTITLED', recorded_at, source FROM card ORDER BY id"
    )
    _redemptions()


def _redemptions() -> None:
    op.drop_index("ix_redemption_card_id_area_used_at", "redemption")
    with op.batch_alter_table("redemption") as redemption:
        redemption.add_column(sa.Column("subject", sa.Text(), nullable=True))
        redemption.add_column(sa.Column("handle", sa.Text(), nullable=True))
        redemption.add_column(sa.Column("state", _WORD, nullable=True))
        redemption.add_column(sa.Column("expires_at", _MOMENT, nullable=True))
        redemption.add_column(sa.Column("service", sa.Text(), nullable=True))
        redemption.add_column(sa.Column("verifier", sa.Text(), nullable=True))
    op.execute(
        "UPDATE redemption SET state = 'USED', handle = 'before-' || id, subject = (SELECT "
        "talent.handle FROM card JOIN talent ON talent.id = card.talent_id "
        "WHERE card.id = redemption.card_id)"
    )
    with op.batch_alter_table("redemption") as redemption:
        redemption.drop_constraint("fk_redemption_card_id_card", type_="foreignkey")
        redemption.drop_column("card_id")
        for name, kind in (("subject", sa.Text()), ("handle", sa.Text()), ("state", _WORD)):
            redemption.alter_column(name, existing_type=kind, nullable=False)
        redemption.create_unique_constraint("uq_redemption_handle_area", ["handle", "area"])
    op.create_index(
        "ix_redemption_subject_area_used_at", "redemption", ["subject", "area", "used_at"]
    )


def _verifiers() -> None:
    op.create_table(
        "verifier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("suspended_at", _MOMENT, nullable=True),
        _key("verifier"),
        sa.UniqueConstraint("code", name="uq_verifier_code"),
    )
    op.create_table(
        "verifier_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("verifier_id", sa.Integer(), nullable=False),
        sa.Column("sort", _WORD, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        _foreign("verifier_key", "verifier_id", "verifier"),
        _key("verifier_key"),
        sa.UniqueConstraint("name", name="uq_verifier_key_name"),
    )
    op.create_index("ix_verifier_key_verifier_id", "verifier_key", ["verifier_id"])
    op.create_table(
        "spent",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("scope", "value", name="pk_spent"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_spent_until", "spent", ["until"])


def _holders() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("talent_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("partner_name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("text_digest", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        _foreign("consent", "talent_id", "talent"),
        _foreign("consent", "member_id", "member"),
        _key("consent"),
        sa.UniqueConstraint("handle", name="uq_consent_handle"),
    )
    op.create_index("ix_consent_talent_id", "consent", ["talent_id"])
    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("talent_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("public", sa.JSON(), nullable=True),
        sa.Column("linked_at", _MOMENT, nullable=False),
        sa.Column("unlinked_at", _MOMENT, nullable=True),
        _foreign("device", "talent_id", "talent"),
        _key("device"),
        sa.UniqueConstraint("handle", name="uq_device_handle"),
    )
    op.create_index("ix_device_talent_id", "device", ["talent_id"])
    op.create_table(
        "ticket",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=True),
        sa.Column("minted_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        _foreign("ticket", "card_id", "card"),
        _foreign("ticket", "consent_id", "consent"),
        sa.PrimaryKeyConstraint("digest", name="pk_ticket"),
    )
    op.create_index("ix_ticket_expires_at", "ticket", ["expires_at"])
    op.create_table(
        "challenge",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("nonce", name="pk_challenge"),
    )
    op.create_index("ix_challenge_expires_at", "challenge", ["expires_at"])
    op.create_table(
        "status_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        _foreign("status_entry", "card_id", "card"),
        _foreign("status_entry", "device_id", "device"),
        _key("status_entry"),
        sa.UniqueConstraint("list_number", "place", name="uq_status_entry_list_number_place"),
    )
    for column in ("card_id", "device_id", "expires_at", "ended_at"):
        op.create_index(f"ix_status_entry_{column}", "status_entry", [column])


def _checks() -> None:
    op.create_table(
        "verification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("terminal", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("outcome", _WORD, nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("card_id", sa.Integer(), nullable=True),
        sa.Column("checked_at", _MOMENT, nullable=False),
        sa.Column("status_as_of", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.Column("follows", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        _key("verification"),
        sa.UniqueConstraint("handle", name="uq_verification_handle"),
        sa.UniqueConstraint("follows", name="uq_verification_follows"),
        sa.UniqueConstraint("position", name="uq_verification_position"),
        sa.UniqueConstraint(
            "verifier",
            "live",
            "idempotency_key",
            name="uq_verification_verifier_live_idempotency_key",
        ),
    )
    op.create_index("ix_verification_subject", "verification", ["subject"])
    waits = sa.text("position IS NULL")
    op.create_index(
        "ix_verification_waiting",
        "verification",
        ["id"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_table(
        "access_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("category", _WORD, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("partner_name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("verification", sa.Text(), nullable=True),
        sa.Column("consent", sa.Text(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=True),
        _key("access_entry"),
    )
    op.create_index("ix_access_entry_subject", "access_entry", ["subject"])
    op.create_index("ix_access_entry_verification", "access_entry", ["verification"])
    op.create_table(
        "ledger_node",
        sa.Column("level", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name="pk_ledger_node"),
        sqlite_with_rowid=False,
    )
    is_leaf = sa.text("level = 0")
    op.create_index(
        "ix_ledger_node_leaf",
        "ledger_node",
        ["hash"],
        sqlite_where=is_leaf,
        postgresql_where=is_leaf,
    )
    op.create_table(
        "ledger_head",
        sa.Column("size", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("signed_at", _MOMENT, nullable=False),
        sa.Column("cosigned", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_ledger_head"),
    )


def _others() -> None:
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("published_at", _MOMENT, nullable=False),
        sa.Column("signs_from", _MOMENT, nullable=False),
        sa.Column("signs_until", _MOMENT, nullable=False),
        sa.Column("public_until", _MOMENT, nullable=False),
        sa.Column("compromised_at", _MOMENT, nullable=True),
        _key("signing_key"),
    )
    op.create_table(
        "issuer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("vcts", sa.JSON(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("trusted_from", _MOMENT, nullable=False),
        sa.Column("trusted_until", _MOMENT, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        _key("issuer"),
        sa.UniqueConstraint("url", name="uq_issuer_url"),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        _key("webhook"),
        sa.UniqueConstraint("handle", name="uq_webhook_handle"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("delivered_at", _MOMENT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        _foreign("delivery", "webhook_id", "webhook"),
        _foreign("delivery", "event_id", "card_event"),
        _key("delivery"),
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_delivery_webhook_id_event_id"),
    )
    op.create_index("ix_delivery_next_at", "delivery", ["next_at"])


def downgrade() -> None:
    for table in (
        "delivery",
        "webhook",
        "issuer",
        "signing_key",
        "ledger_head",
        "ledger_node",
        "access_entry",
        "verification",
        "status_entry",
        "challenge",
        "ticket",
        "device",
        "consent",
        "spent",
        "verifier_key",
        "verifier",
        "card_event",
    ):
        op.drop_table(table)
    with op.batch_alter_table("redemption") as redemption:
        redemption.add_column(sa.Column("card_id", sa.Integer(), nullable=True))
    # What was used with a card that was issued anew goes to the newest card of its holder.
    op.execute(
        "UPDATE redemption SET card_id = (SELECT max(card.id) FROM card JOIN talent ON "
        "talent.id = card.talent_id WHERE talent.handle = redemption.subject)"
    )
    op.execute("DELETE FROM redemption WHERE card_id IS NULL OR state <> 'USED'")
    op.drop_index("ix_redemption_subject_area_used_at", "redemption")
    with op.batch_alter_table("redemption") as redemption:
        redemption.drop_constraint("uq_redemption_handle_area", type_="unique")
        for name in ("subject", "handle", "state", "expires_at", "service", "verifier"):
            redemption.drop_column(name)
        redemption.alter_column("card_id", existing_type=sa.Integer(), nullable=False)
        redemption.create_foreign_key("fk_redemption_card_id_card", "card", ["card_id"], ["id"])
    op.create_index(
        "ix_redemption_card_id_area_used_at", "redemption", ["card_id", "area", "used_at"]
    )
    with op.batch_alter_table("card") as card:
        card.drop_column("sandbox")
