"""Every score a second time, from the ledger. The arithmetic is that of `tests/oracle`."""

from collections import defaultdict

import frozen
import ledger
from arithmetic import latest_answers, share_of
from book import EVER, Book, account_of

DAY = 24 * 3_600_000


def check(world, findings):
    """Judges all scores; returns what each open lead's comes to, by lead."""
    book = Book(world)
    check_leads(book, world, findings)
    results = {}
    for lead in world.leads:
        if lead["close_time"] is None and book.newest is not None:
            scorer = book.live(lead)
            result = scorer.score(lead["score_time"], EVER)
            result["last_positive_time"] = last_positive_time(result, scorer.case["activities"])
            results[lead["lead_id"]] = result
            compare_live(lead, book, scorer, result, findings)
    check_dispositions(book, world, findings)
    frozen.check(book, world, findings)
    return results


def last_positive_time(result, activities):
    positive = {line["activity_id"] for line in result["lines"] if line["milli"] > 0} - {None}
    return max((one["occur_time"] for one in activities if one["activity_id"] in positive), default=0)


def check_leads(book, world, findings):
    """Who has done what opens a lead has one; nobody has two open ones in a category."""
    present = defaultdict(list)
    for lead in world.leads:
        present[book.top(lead["account_id"]), lead["product_category"]].append(lead)
    for key, leads in present.items():
        if sum(lead["close_time"] is None for lead in leads) > 1:
            findings.add("duplicate_effects", f"account {key[0]} has two open leads in {key[1]}")
    if book.newest is None:
        return
    model = book.models[book.newest]
    # A version of mid-run may have opened what the newest would not.
    opening = {kind["name"] for kind in model["activity_types"] if kind["opens"]}
    ever = {kind["name"] for one in book.models.values() for kind in one["activity_types"] if kind["opens"]}
    now = max((row["record_time"] for row in world.activities), default=0)
    opened = set()
    for account, activities in book.activities.items():
        for one in activities:
            key = account, one["product_category"]
            if one["type"] in ever:
                opened.add(key)
            recent = one["occur_time"] > now - model["window_ms"] + DAY
            if one["type"] in opening and one["product_category"] and recent and key not in present:
                findings.add("score_mismatches", f"{ledger.name(one)} opens a lead in {key[1]}, and there is none")
    for key in present.keys() - opened:
        findings.add("unexplained", f"account {key[0]} has a lead in {key[1]} that nothing has opened")


def compare_live(lead, book, scorer, result, findings):
    findings.count("scores_compared")
    wrong = []
    # What has no share in a lead does not make it scored again, unless it takes another's place: then the score is wrong.
    about = (one for one in scorer.case["activities"] if share_of(scorer.case, one["product_category"]))
    if lead["score_time"] < max((one["occur_time"] for one in about), default=0):
        wrong.append("it was not scored since the latest activity")
    if lead["model_version"] != book.newest:
        wrong.append(f"it was scored by model {lead['model_version']}, the newest is {book.newest}")
    ties = sum(line["near_tie"] for line in result["lines"])
    if abs(lead["score_milli"] - result["score_milli"]) > ties:
        wrong.append(f"the score is {lead['score_milli']}, not {result['score_milli']}")
    seen = {"contacts": lead["contacts"], "channels": lead["channels"], "activities": lead["valid_activities"]}
    if not ties and seen != result["validations"]:
        wrong.append(f"the validations are {seen}, not {result['validations']}")
    if not ties and lead["band"] != result["band"]:
        wrong.append(f"the band is {lead['band']}, not {result['band']}")
    if wrong:
        findings.add("score_mismatches", f"lead {lead['lead_id']}: {'; '.join(wrong)}")


def check_dispositions(book, world, findings):
    """What became of each activity, where no closed round has a say in it."""
    leads = defaultdict(list)
    for lead in world.leads:
        leads[book.top(lead["account_id"])].append(lead)
    said = {row["activity_id"]: row["disposition"] for row in world.evidence}
    for row in world.evidence:
        if not row["account_id"] and row["disposition"] != "no_account":
            findings.add("unexplained", f"{ledger.name(row)} of no account is {row['disposition']}")
    for account, activities in book.activities.items():
        of_account = leads[account]
        if book.newest is None or any(lead["close_time"] for lead in of_account):
            continue
        scorers = [(lead, book.live(lead)) for lead in of_account]
        if len(activities) > book.models[book.newest]["max_activities"]:
            continue
        for one in activities:
            if any(leaves_window(one, lead, scorer) for lead, scorer in scorers):
                continue
            expected = disposition(one, scorers)
            stored = said.get(one["activity_id"])
            if stored is not None and stored != expected:
                findings.add("unexplained", f"{ledger.name(one)} is {stored}, not {expected}")


def leaves_window(one, lead, scorer):
    """What has left the window stays as it was said last, whenever that was; up to a day after the lead's last score."""
    begin = lead["score_time"] - scorer.case["model"]["window_ms"]
    return begin - DAY < one["occur_time"] <= begin + DAY


def disposition(one, scorers):
    if one["reclassify_time"] is not None:
        return "reclassified"
    matches = None
    for lead, scorer in scorers:
        model = scorer.case["model"]
        at = lead["score_time"]
        in_window = at - model["window_ms"] < one["occur_time"] <= at
        if in_window and share_of(scorer.case, one["product_category"]) > 0:
            scope = scorer.scope(one, account_of(scorer), latest_answers(scorer.case, at, EVER), EVER)
            here = any(scorer.holds[rule["id"]](scope) for rule in model["engagement"]["rules"])
            matches = here or bool(matches)
    return {None: "no_open_lead", True: "scored", False: "no_rule"}[matches]


def account_of(scorer):
    return scorer.case["account_revisions"][0]["facts"]
