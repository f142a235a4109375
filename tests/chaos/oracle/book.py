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
        self.above = {row["account_id"]: row["parent_account_id"] for row in world.accounts if row["roll_up"]}
        self.activities = defaultdict(list)
        for row in world.activities:
            if row["state"] == "identified" and row["account_id"]:
                counted = ledger.as_counted(row) | {"reclassify_time": reclassified.get(row["activity_id"])}
                self.activities[self.top(row["account_id"])].append(counted)
        self.facts = {row["account_id"]: without_nothing(row) for row in world.accounts}
        self.contacts = {row["contact_id"]: [revision(without_nothing(row))] for row in world.contacts}
        self.revisions = grouped(world.account_revisions, "account_id")
        self.adjustments = grouped(world.adjustments, "lead_id")
        self.closed = [lead for lead in world.leads if lead["close_time"] and lead["close_reason"] != "merged"]

    def top(self, account):
        """The account that has the leads: the topmost that is reached by those that go up to their parents."""
        while account in self.above:
            account = self.above[account]
        return account

    def case(self, lead, version, activities, facts):
        category = lead["product_category"]
        before = (
            one["close_time"]
            for one in self.closed
            if one["lead_id"] != lead["lead_id"] and self.together(one, lead) and not ended_before(lead, one)
        )
        return {
            "lead": {"product_category": category, "previous_close_time": max(before, default=None)},
            "categories": self.categories,
            "model": self.models[version],
            "activities": activities,
            "account_revisions": [revision(facts)],
            "contact_revisions": self.contacts,
            "adjustments": self.adjustments[lead["lead_id"]],
        }

    def together(self, one, other):
        """Whether two leads are of one interest, whosever activity has opened them."""
        same = one["product_category"] == other["product_category"]
        return same and self.top(one["account_id"]) == self.top(other["account_id"])

    def live(self, lead):
        """The scorer of an open lead, with all that is known by now."""
        account = self.top(lead["account_id"])
        case = self.case(lead, self.newest, self.activities[account], self.facts.get(account, {}))
        return Scorer(case)


def ended_before(lead, other):
    return lead["close_time"] is not None and lead["close_time"] <= other["close_time"]


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
