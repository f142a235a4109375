"""What was sent against the ledger, the quarantine, and what scoring has taken in."""

import re
from collections import Counter


def check(world, findings):
    by_event, by_id = index(world, findings)
    kept = Kept(world)
    sent = {}
    for one in world.sent:
        row = by_event.get(event_of(one)) or by_id.get(one.get("activity_id"))
        if row:
            sent[row["activity_id"]] = one
        check_sent(one, row, kept, findings)
    for row in world.activities:
        if row["activity_id"] not in sent:
            findings.add("unexplained", f"nobody has sent {name(row)}")
        check_state(row, sent.get(row["activity_id"]), kept, findings)
    kept.check(sent, findings)
    check_evidence(world, findings)
    for event in world.waiting_events:
        findings.add("unexplained", f"{event['role']}: {event['messages']} events still wait in the outbox")
    for event in world.set_aside_events:
        findings.add("unexplained", f"{event['consumer']} has set an event aside: {event['reason']}")


def event_of(one):
    return one["source"], one["source_event_id"]


def name(row):
    return f"{row['source']}/{row['source_event_id']} ({row['activity_id']})"


def index(world, findings):
    by_event = {}
    for row in world.activities:
        if by_event.setdefault(event_of(row), row) is not row:
            findings.add("duplicate_effects", f"the ledger has {name(row)} twice")
    return by_event, {row["activity_id"]: row for row in world.activities}


def check_sent(one, row, kept, findings):
    label = f"{one['source']}/{one['source_event_id']}"
    acknowledged = one["outcome"] == "acked"
    if row is None:
        if acknowledged and not kept.holds(one):
            findings.add("lost", f"{label} was acknowledged and is neither in the ledger nor in the quarantine")
        return
    if one["outcome"] == "rejected":
        findings.add("unexplained", f"{label} was refused and is in the ledger all the same")
    differing = [field for field, said in said_in(one) if not same(said, stored_in(row, field))]
    if differing:
        findings.add("unexplained", f"{label} is not in the ledger as it was sent: {', '.join(differing)}")
    told = one.get("activity_id")
    if acknowledged and told and told != row["activity_id"]:
        findings.add("unexplained", f"{label} was acknowledged as {told} and is {row['activity_id']}")


def said_in(one):
    """What the sender has said; what was left open is the ledger's to fill in."""
    activity = one["activity"]
    for field in ("type", "channel", "product_category", "occur_time", "object_id"):
        if activity.get(field):
            yield field, activity[field]
    for group in ("identity", "attributes", "answers"):
        for key, said in (activity.get(group) or {}).items():
            if said not in (None, ""):
                yield f"{group}.{key}", said


def stored_in(row, field):
    if field == "type":
        return row["activity_type"]
    if "." not in field:
        return row[field]
    group, key = field.split(".", 1)
    payload = row["payload"]
    stored = payload.get(group, {}).get(key)
    return payload.get(f"undeclared_{group}", {}).get(key) if stored is None else stored


def same(said, stored):
    """A form says everything in words; the ledger has what the source declares as numbers and truths."""
    if said == stored:
        return True
    if isinstance(said, str) and isinstance(stored, (int, float)) and not isinstance(stored, bool):
        return float(said) == stored
    if isinstance(stored, bool):
        return (str(said).lower() in ("true", "on", "yes", "1")) is stored
    return str(said).strip().lower() == str(stored).lower()


class Kept:
    """The quarantine. Whatever form something was kept in, the sender's id of the event stands in it; of what was no
    activity at all, not even that.
    """

    def __init__(self, world):
        self.rows = world.quarantined
        self.set_aside = {row["activity_id"] for row in self.rows if row["door"] is None}
        self.sent = {event_of(one): one for one in world.sent}
        self.events = {row["quarantine_id"]: self.events_in(row) for row in self.rows}
        self.kept = {event for events in self.events.values() for event in events}
        self.kept |= {(row["source"], "") for row in self.rows if not self.events[row["quarantine_id"]]}

    def events_in(self, row):
        words = re.findall(rb"[A-Za-z0-9_-]+", (row["activity"] or b"") + (row["raw"] or b""))
        events = {(row["source"], word.decode()) for word in words}
        return events & self.sent.keys()

    def holds(self, one):
        return event_of(one) in self.kept

    def check(self, sent, findings):
        findings.count("quarantined", len(self.rows))
        for row in self.rows:
            label = f"{row['quarantine_id']} ({row['reason']})"
            if not row["reason"]:
                findings.add("unexplained", f"{label} is quarantined without a reason")
            if row["door"] is None:
                behind = [sent.get(row["activity_id"])]
            else:
                events = self.events[row["quarantine_id"]] or {(row["source"], "")}
                behind = [self.sent.get(event) for event in events]
            if not all(one is not None and one["poison"] for one in behind):
                findings.add("unexplained", f"{label} is quarantined and was no poison")


def check_state(row, one, kept, findings):
    if row["state"] == "pending":
        findings.add("unexplained", f"{name(row)} still waits to be identified")
    if row["state"] == "quarantined" and row["activity_id"] not in kept.set_aside:
        findings.add("lost", f"{name(row)} was set aside and is not in the quarantine")
    if row["state"] == "identified" and one is not None and one["poison"]:
        findings.add("unexplained", f"{name(row)} is poison and went through")


def check_evidence(world, findings):
    identified = {row["activity_id"]: row for row in world.activities if row["state"] == "identified"}
    taken_in = {row["activity_id"]: row for row in world.evidence}
    for event, count in Counter(event_of(row) for row in world.evidence).items():
        if count > 1:
            findings.add("duplicate_effects", f"scoring counts {'/'.join(event)} {count} times")
    for activity_id, row in identified.items():
        evidence = taken_in.get(activity_id)
        if evidence is None:
            findings.add("lost", f"{name(row)} is in the ledger, and scoring has never taken it in")
            continue
        expected = as_counted(row)
        counted = as_counted_by_scoring(evidence)
        differing = [field for field, one in expected.items() if counted[field] != one]
        if differing:
            findings.add("unexplained", f"scoring has {name(row)} otherwise than the ledger: {', '.join(differing)}")
    for row in world.evidence:
        if row["activity_id"] not in identified:
            findings.add("unexplained", f"scoring counts {name(row)}, which the ledger has not identified")


def as_counted(row):
    """A row of the ledger as conditions see it."""
    payload = row["payload"]
    call = payload.get("call") or {}
    attributes = dict(payload.get("attributes") or {})
    if call:
        attributes |= {"call_direction": call["direction"], "call_disposition": call["disposition"]}
        if call.get("duration_ms") is not None:
            attributes["call_duration_seconds"] = call["duration_ms"] / 1000
    fields = "activity_id source source_event_id channel product_category occur_time record_time contact_id account_id"
    return {
        **{field: row[field] for field in [*fields.split(), "object_id"]},
        "type": row["activity_type"],
        "attributes": attributes,
        "answers": payload.get("answers") or {},
    }


def as_counted_by_scoring(row):
    return {
        **row,
        "type": row["activity_type"],
        "attributes": row["attributes"] or {},
        "answers": row["answers"] or {},
    }
