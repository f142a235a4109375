"""The tables of one run as plain rows: ids are text, JSON is read. Only the columns that are judged."""

import json
import sqlite3
import subprocess
import uuid
from pathlib import Path

# By the name of the list in `World`: the role, the table, its columns.
TABLES = {
    "activities": (
        "activity-ingest",
        "activities",
        "activity_id source source_event_id activity_type channel product_category occur_time record_time object_id"
        " payload contact_id account_id account_revision state",
    ),
    "quarantined": (
        "activity-ingest",
        "quarantined_activities",
        "quarantine_id source door reason activity raw activity_id",
    ),
    "accounts": (
        "contact",
        "accounts",
        "account_id reference name country region postal_code industry relation owner_rep employees revenue"
        " parent_account_id roll_up",
    ),
    "account_keys": ("contact", "account_keys", "kind value account_id"),
    "contacts": ("contact", "contacts", "contact_id role function seniority stage country"),
    "identities": ("contact", "identities", "kind value contact_id"),
    "evidence": (
        "scoring",
        "evidence",
        "activity_id account_id contact_id source source_event_id activity_type channel product_category occur_time"
        " record_time object_id attributes answers reclassify_time disposition",
    ),
    "leads": (
        "scoring",
        "leads",
        "lead_id account_id product_category round status band score_milli score_time contacts channels"
        " valid_activities hand_over reject_time assignment_id assigned_rep close_time close_reason model_version",
    ),
    "frozen": ("scoring", "hand_overs", "lead_id hand_over hand_over_time explanation"),
    "adjustments": ("scoring", "adjustments", "adjustment_id lead_id points_milli create_time expire_time"),
    "account_revisions": ("scoring", "account_revisions", "account_id revision record_time facts"),
    "models": ("scoring", "scoring_models", "version content"),
    "categories": ("scoring", "product_categories", "name parent"),
    "hand_overs": ("routing", "hand_overs", "lead_id hand_over state reason deadline_time assignment_id trace"),
    "assignments": ("routing", "assignments", "assignment_id lead_id hand_over rep territory pool state offer_time"),
    "configurations": ("routing", "configurations", "version content"),
}
ROLES = ("contact", "activity-ingest", "scoring", "routing")
JSON = {"payload", "attributes", "answers", "explanation", "facts", "content", "trace"}
BYTES = {"activity", "raw"}


class World:
    """Everything that a run has left behind: what was sent, and the rows of each table."""

    def __init__(self, sent=(), **rows):
        self.sent = list(sent)
        for name in [*TABLES, "waiting_events", "set_aside_events"]:
            setattr(self, name, list(rows.pop(name, ())))
        assert not rows, f"no such table: {rows}"


def load(folder):
    """The world of a run's folder: `run.json`, `sent.jsonl`, and the databases that the first one names."""
    folder = Path(folder)
    databases = json.loads((folder / "run.json").read_text())["databases"]
    sent = [json.loads(line) for line in (folder / "sent.jsonl").read_text().splitlines() if line]
    rows = {
        name: read(databases[role], folder, table, columns.split()) for name, (role, table, columns) in TABLES.items()
    }
    for name, table, columns in (
        ("waiting_events", "outbox_batches", ["id", "messages"]),
        ("set_aside_events", "quarantined_events", ["event_id", "consumer", "reason"]),
    ):
        rows[name] = [
            {"role": role, **row} for role in ROLES for row in read(databases[role], folder, table, columns)
        ]
    return World(sent, **rows)


def read(url, folder, table, columns):
    if url.startswith("postgres"):
        return [row(json.loads(line)) for line in from_postgres(url, table, columns)]
    path = folder / url.removeprefix("sqlite:").removeprefix("//").split("?")[0]
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        found = connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    return [row(dict(zip(columns, values))) for values in found]


def from_postgres(url, table, columns):
    query = f"SELECT row_to_json(t) FROM (SELECT {', '.join(columns)} FROM {table}) AS t"
    # As it is written, so that a text with a line break stays in one line.
    output = subprocess.run(["psql", "-XAtq", url, "-c", query], check=True, capture_output=True, text=True)
    return output.stdout.splitlines()


def row(values):
    return {column: value(column, one) for column, one in values.items()}


def value(column, one):
    if column in BYTES:
        return bytes.fromhex(one.removeprefix("\\x")) if isinstance(one, str) else one
    if isinstance(one, bytes):
        return str(uuid.UUID(bytes=one))
    if column in JSON and isinstance(one, str):
        return json.loads(one)
    return one
