"""A small world that is right, for the tests to make it wrong."""

import tables

NOW = 20_000 * 86_400_000
DAY = 86_400_000
ADA, ACME, FORM, QUOTE, LEAD, OFFER = "ada", "acme", "form-row", "quote-row", "lead-1", "offer-1"


def rule(id, when, points, **more):
    return {"id": id, "when": when, "points_milli": points, **more}


MODEL = {
    "window_ms": 365 * DAY,
    "max_activities": 1000,
    "reopen_after_ms": 90 * DAY,
    "shares_milli": {"same": 1000, "below": 0, "above": 0, "none": 500},
    "activity_types": [
        {"name": "form", "opens": True},
        {"name": "quote", "opens": True},
        {"name": "page", "opens": False},
    ],
    "engagement": {
        "cap_milli": 60_000,
        "rules": [
            rule("quote", 'activity.type == "quote"', 25_000, half_life_ms=30 * DAY, fast_track_ms=14 * DAY),
            rule("form", 'activity.type == "form"', 10_000, once_per="contact"),
        ],
    },
    "fit": {"cap_milli": 20_000, "rules": [rule("large", "account.employees >= 100", 5_000)]},
    "qualification": {"cap_milli": 20_000, "rules": [rule("budget", "answers.budget >= 1000", 4_000)]},
    "thresholds": {
        "default": {
            "hot": {"score_milli": 90_000, "contacts": 1, "channels": 1, "activities": 1},
            "warm": {"score_milli": 20_000},
        },
        "categories": {},
    },
}
CONFIGURATION = {
    "reps": {"jo": {"active": True, "capacity": 2}, "kim": {"active": True}, "lee": {"active": False}},
    "pools": {
        "german": {"members": [{"rep": "jo", "weight": 1}, {"rep": "lee", "weight": 1}]},
        "rest": {"members": [{"rep": "kim", "weight": 1}]},
    },
    "territories": {
        "world": {},
        "german": {"parent": "world", "priority": 1, "condition": 'account.country == "DE"', "pool": "german"},
        "rest": {"parent": "world", "priority": 9, "pool": "rest"},
    },
}
FACTS = {"name": "Acme", "country": "DE", "employees": 500, "relation": "prospect"}


def sent(id, type="form", category="hplc", **more):
    activity = {
        "type": type,
        "channel": "web",
        "product_category": category,
        "occur_time": NOW - DAY,
        "identity": {"email": "Ada@acme.de"},
        "attributes": {},
        "answers": {},
        "object_id": None,
    }
    base = {"source": "web", "source_event_id": id, "door": "grpc", "sends": 2, "outcome": "acked", "poison": False}
    return {**base, "activity_id": f"{id}-row", "activity": activity, **more}


def recorded(one, **more):
    activity = one["activity"]
    base = {
        "activity_id": f"{one['source_event_id']}-row",
        "source": one["source"],
        "source_event_id": one["source_event_id"],
        "activity_type": activity["type"],
        "payload": {"identity": {"email": "Ada@acme.de"}, "attributes": {}, "answers": activity["answers"]},
        "record_time": NOW,
        "contact_id": ADA,
        "account_id": ACME,
        "account_revision": 1,
        "state": "identified",
    }
    same = {field: activity[field] for field in ("channel", "product_category", "occur_time", "object_id")}
    return {**base, **same, **more}


def evidence(row, disposition="scored"):
    payload = row["payload"]
    return {
        **{key: value for key, value in row.items() if key not in ("payload", "state", "account_revision")},
        "attributes": payload["attributes"] or None,
        "answers": payload["answers"] or None,
        "reclassify_time": None,
        "disposition": disposition,
    }


def company(id, **more):
    base = {"account_id": id, "reference": None, "owner_rep": "", "region": "", "parent_account_id": None}
    return {**base, "roll_up": False, **more}


def line(kind, group, rule, milli, activity=None):
    return {"kind": kind, "group": group, "rule": rule, "activity_id": activity, "milli": milli}


def right():
    """Ada of Acme has sent a form and asked for a quotation: hot by the fast track, handed over, with Jo."""
    asked = [sent("form"), sent("quote", "quote")]
    rows = [recorded(one) for one in asked]
    quote = round(25_000 * 2 ** (-1 / 30))
    lines = [
        line("activity", "engagement", "quote", quote, QUOTE),
        line("activity", "engagement", "form", 10_000, FORM),
        line("fit", "fit", "large", 5_000),
    ]
    validations = {"contacts": 1, "channels": 1, "activities": 2}
    of = {None: None, **{row["activity_id"]: {"activity_id": row["activity_id"], "contact_id": ADA} for row in rows}}
    explained = [{"line": one, "activity": of[one["activity_id"]]} for one in lines]
    score = {"milli": quote + 15_000, "lines": lines, "validations": validations, "band": "hot"}
    explanation = {"at": NOW, "model_version": 1, "score": score, "lines": explained}
    account = {"account_id": ACME, "revision": 1, "owner_rep": "", "region": "", **FACTS}
    candidate = {"exclusion": None, "live_assignments": 0, "balance_before": 0.0}
    lead = {"lead_id": LEAD, "account_id": ACME, "product_category": "hplc", "round": 1, "status": "offered"}
    stored = {"band": "hot", "score_milli": score["milli"], "score_time": NOW}
    seen = {"contacts": 1, "channels": 1, "valid_activities": 2}
    ended = {"hand_over": 1, "reject_time": None, "close_time": None, "close_reason": None, "model_version": 1}
    trace = {
        "account": account,
        "configuration_version": 1,
        "product_category": "hplc",
        "score_milli": score["milli"],
        "owner": None,
        "candidates": [{"rep": "jo", **candidate}, {"rep": "lee", **candidate}],
    }
    offer = {"assignment_id": OFFER, "lead_id": LEAD, "hand_over": 1, "state": "offered", "offer_time": NOW}
    given = {"rep": "jo", "territory": "german", "pool": "german"}
    hand_over = {"lead_id": LEAD, "hand_over": 1, "state": "assigned", "reason": None, "deadline_time": None}
    return tables.World(
        asked,
        activities=rows,
        evidence=[evidence(row) for row in rows],
        accounts=[company(ACME, **FACTS)],
        account_revisions=[{"account_id": ACME, "revision": 1, "record_time": NOW, "facts": FACTS}],
        contacts=[{"contact_id": ADA, "country": "DE"}],
        identities=[{"kind": "email", "value": "ada@acme.de", "contact_id": ADA}],
        models=[{"version": 1, "content": MODEL}],
        categories=[{"name": "hplc", "parent": None}],
        leads=[{**lead, **stored, **seen, **ended, "assignment_id": OFFER, "assigned_rep": "jo"}],
        frozen=[{"lead_id": LEAD, "hand_over": 1, "explanation": explanation}],
        hand_overs=[{**hand_over, "assignment_id": OFFER, "trace": trace}],
        assignments=[{**offer, **given}],
        configurations=[{"version": 1, "content": CONFIGURATION}],
    )
