"""What scores are computed from: the ledger, and what is known of accounts and contacts."""

from collections import defaultdict

import ledger
from arithmetic import Scorer

EVER = 2**63 - 1


class Book:
    """By account and by lead."""

    def __init__(self, world):
        self.categories = {row["name"]: row["parent"] for row in world.categories}
        self.models = {row["version"]: row["content"] for row in world.models}
        self.newest = max(self.models, default=None)
        reclassified = {row["activity_id"]: row["reclassify_time"] for row in world.evidence}
        self.activities = defaultdict(list)
        for row in world.activities:
            if row["state"] == "identified" and row["account_id"]:
                counted = ledger.as_counted(row) | {"reclassify_time": reclassified.get(row["activity_id"])}
                self.activities[row["account_id"]].append(counted)
        self.facts = {row["account_id"]: without_nothing(row) for row in world.accounts}
        self.contacts = {row["contact_id"]: [revision(without_nothing(row))] for row in world.contacts}
        self.revisions = grouped(world.account_revisions, "account_id")
        self.adjustments = grouped(world.adjustments, "lead_id")
        self.rounds = {round_of(lead): lead for lead in world.leads}

    def case(self, lead, version, activities, facts):
        account, category, number = round_of(lead)
        before = self.rounds.get((account, category, number - 1), {})
        return {
            "lead": {"product_category": category, "previous_close_time": before.get("close_time")},
            "categories": self.categories,
            "model": self.models[version],
            "activities": activities,
            "account_revisions": [revision(facts)],
            "contact_revisions": self.contacts,
            "adjustments": self.adjustments[lead["lead_id"]],
        }

    def live(self, lead):
        """The scorer of an open lead, with all that is known by now."""
        account = lead["account_id"]
        case = self.case(lead, self.newest, self.activities[account], self.facts.get(account, {}))
        return Scorer(case)


def round_of(lead):
    return lead["account_id"], lead["product_category"], lead["round"]


def grouped(rows, key):
    groups = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def without_nothing(row):
    return {name: value for name, value in row.items() if value not in (None, "")}


def revision(facts):
    return {"revision": 1, "record_time": 0, "facts": facts}


def account_of(scorer):
    return scorer.case["account_revisions"][0]["facts"]
