"""What was handed over is history: the lines that were frozen then, a second time."""

from itertools import combinations

from arithmetic import Scorer, order
from book import EVER, account_of

# How long an event may be on its way to scoring while things break, and how many of one account.
ON_THE_WAY = 5 * 60_000
MOST_ON_THE_WAY = 8


def check(book, world, findings):
    leads = {lead["lead_id"]: lead for lead in world.leads}
    for row in world.frozen:
        compare(leads.get(row["lead_id"]), row, book, findings)
    kept = {(row["lead_id"], row["hand_over"]) for row in world.frozen}
    for lead in world.leads:
        for number in range(1, lead["hand_over"]):
            if (lead["lead_id"], number) not in kept:
                findings.add("score_mismatches", f"lead {lead['lead_id']}: no lines of hand-over {number} are kept")


def compare(lead, row, book, findings):
    findings.count("scores_compared")
    label = f"hand-over {row['hand_over']} of lead {row['lead_id']}"
    if lead is None:
        findings.add("unexplained", f"{label}: there is no such lead")
        return
    explanation = row["explanation"]
    score = explanation["score"]
    if score["milli"] != sum(line["milli"] for line in score["lines"]):
        findings.add("score_mismatches", f"{label}: the lines do not add up to {score['milli']}")
    elif score["band"] != "hot":
        findings.add("score_mismatches", f"{label}: it was {score['band']}")
    elif not any(agrees(score, attempt) for attempt in attempts(lead, explanation, book)):
        findings.add("score_mismatches", f"{label}: its lines do not come out again: {score['lines']}")


def attempts(lead, explanation, book):
    """The score from all that can have been known then. A hand-over is history: nobody has written down which events
    had come by then. Mostly all; those that have left a line for certain; and one without a line may have hidden one
    of a rule that counts once, or brought an answer.
    """
    at = explanation["at"]
    ledger_has = {one["activity_id"]: one for one in book.activities[book.top(lead["account_id"])]}
    with_lines = [
        # Whose it was then; it may have become known better since.
        {**ledger_has[line["activity"]["activity_id"]], "contact_id": line["activity"]["contact_id"]}
        for line in explanation["lines"]
        if line["activity"] and line["activity"]["activity_id"] in ledger_has
    ]
    with_lines = list({one["activity_id"]: one for one in with_lines}.values())
    seen = {one["activity_id"] for one in with_lines}
    others = [
        one
        for one in ledger_has.values()
        if one["activity_id"] not in seen and one["record_time"] <= at and one["occur_time"] <= at
    ]
    revisions = sorted(book.revisions[book.top(lead["account_id"])], key=lambda known: -known["revision"])
    for facts in [known["facts"] for known in revisions] or [{}]:
        case = book.case(lead, explanation["model_version"], with_lines, facts)
        yield Scorer({**case, "activities": with_lines + others}).score(at, EVER)
        silent = [one for one in others if not speaks(one, case)]
        # One that would speak was known too, if a later one has hidden it; otherwise its line tells that it was not.
        for answering in choices([one for one in others if one["answers"]], at):
            yield hide(explanation, case, with_lines + answering, silent)


def choices(answering, at):
    """Which of these may have been known at a moment: what is older for certain, of the latest each choice."""
    answering = sorted(answering, key=lambda one: one["record_time"])
    latest = [one for one in answering if one["record_time"] > at - ON_THE_WAY][-MOST_ON_THE_WAY:]
    for count in range(len(latest), -1, -1):
        for missing in combinations(latest, len(latest) - count):
            yield [one for one in answering if one not in missing]
    yield []


def speaks(one, case):
    """Whether it would have left a line, had it been known."""
    result = Scorer({**case, "activities": [one]}).score(one["occur_time"], EVER)
    return any(line["activity_id"] for line in result["lines"])


def hide(explanation, case, activities, silent):
    """The score of these activities, after what counts once is hidden by a later one, if there is any."""
    kept = {(line["rule"], line["activity_id"]) for line in explanation["score"]["lines"]}
    while True:
        scorer = Scorer({**case, "activities": activities})
        result = scorer.score(explanation["at"], EVER)
        hiding = next(
            (
                later
                for line in result["lines"]
                if line["activity_id"] and (line["rule"], line["activity_id"]) not in kept
                for later in silent
                if later not in activities and hides(later, line, scorer)
            ),
            None,
        )
        if hiding is None:
            return result
        activities = [*activities, hiding]


def hides(later, line, scorer):
    rule = next(one for one in scorer.case["model"]["engagement"]["rules"] if one["id"] == line["rule"])
    earlier = next(one for one in scorer.case["activities"] if one["activity_id"] == line["activity_id"])
    key = {"contact": "contact_id", "object": "object_id"}.get(rule.get("once_per"))
    if key is None or later[key] != earlier[key] or order(later) <= order(earlier):
        return False
    return scorer.holds[rule["id"]](scorer.scope(later, account_of(scorer), {}, EVER))


def agrees(score, result):
    ties = sum(line["near_tie"] for line in result["lines"])
    if len(score["lines"]) != len(result["lines"]) or score["validations"] != result["validations"]:
        return False
    for stored, computed in zip(score["lines"], result["lines"]):
        tolerance = ties if computed["near_tie"] or computed["kind"] == "cap" else 0
        same = all(stored[field] == computed[field] for field in ("kind", "group", "rule", "activity_id"))
        if not same or abs(stored["milli"] - computed["milli"]) > tolerance:
            return False
    return result["band"] == "hot" or ties > 0
