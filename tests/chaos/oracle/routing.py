"""Where each lead has gone: recomputed from the facts and the configuration that its decision names."""

import math
from collections import defaultdict

from arithmetic import compile_condition

LIVE = ("offered", "accepted")
TEXTS = ("name", "country", "region", "postal_code", "industry", "relation", "owner_rep")
NUMBERS = ("employees", "revenue")


def check(world, results, findings):
    """Judges every hand-over; `results` are the recomputed scores of the open leads."""
    hand_overs = {(row["lead_id"], row["hand_over"]): row for row in world.hand_overs}
    frozen = {(row["lead_id"], row["hand_over"]) for row in world.frozen}
    check_assignments(world, hand_overs, findings)
    for key in frozen - hand_overs.keys():
        findings.add("unrouted", f"lead {key[0]} was handed over ({key[1]}), and routing has nothing of it")
    for key in hand_overs.keys() - frozen:
        findings.add("unexplained", f"routing has hand-over {key[1]} of lead {key[0]}, which scoring has not")
    assigned = {row["assignment_id"]: row for row in world.assignments}
    for row in world.hand_overs:
        check_end(row, assigned, findings)
    live = {row["lead_id"]: row for row in world.assignments if row["state"] in LIVE}
    for lead in world.leads:
        check_lead(lead, hand_overs, live.get(lead["lead_id"]), results.get(lead["lead_id"]), findings)
    check_decisions(world, assigned, findings)


def check_assignments(world, hand_overs, findings):
    """One live assignment of a lead, and one of each hand-over, ever: what is given back comes with another number."""
    live, offers = defaultdict(list), defaultdict(list)
    for row in world.assignments:
        offers[row["lead_id"], row["hand_over"]].append(row)
        if row["state"] in LIVE:
            live[row["lead_id"]].append(row)
    for lead, rows in live.items():
        if len(rows) > 1:
            findings.add("double_assigned", f"lead {lead} is with {', '.join(row['rep'] for row in rows)} at once")
    for key, rows in offers.items():
        if len(rows) > 1 and len(live[key[0]]) < 2:
            findings.add("double_assigned", f"hand-over {key[1]} of lead {key[0]} was offered {len(rows)} times")
        if key not in hand_overs:
            findings.add("unexplained", f"an assignment of hand-over {key[1]} of lead {key[0]}, which there is not")


def check_end(row, assigned, findings):
    label = f"hand-over {row['hand_over']} of lead {row['lead_id']}"
    if row["state"] == "held" and not (row["reason"] and row["deadline_time"]):
        findings.add("unrouted", f"{label} is held without a reason or a deadline")
    if row["state"] in ("assigned", "rejected") and row["assignment_id"] not in assigned:
        findings.add("unrouted", f"{label} is {row['state']}, and there is no assignment")
    if row["state"] == "assigned" and row["assignment_id"] in assigned:
        state = assigned[row["assignment_id"]]["state"]
        if state not in LIVE:
            findings.add("unexplained", f"{label} is assigned, and its assignment {state}")


def check_lead(lead, hand_overs, live, result, findings):
    """A finally hot lead is assigned, held or latched, and scoring's copy says what routing says."""
    label = f"lead {lead['lead_id']}"
    if lead["close_time"] is not None:
        if live is not None:
            findings.add("unexplained", f"{label} is closed, and {live['rep']} still has it")
        return
    status = lead["status"]
    current = hand_overs.get((lead["lead_id"], lead["hand_over"]))
    if status == "handed_over":
        findings.add("unrouted", f"{label} was handed over, and nobody has decided on it")
    elif status == "incubating":
        if result and result["band"] == "hot" and has_news(lead, result):
            findings.add("unrouted", f"{label} is hot and was not handed over")
    elif status == "held":
        if current is None or current["state"] != "held":
            findings.add("unrouted", f"{label} is held, and routing does not hold it")
    elif live is None:
        findings.add("unrouted", f"{label} is {status}, and nobody has it")
    elif (live["state"], live["rep"], live["assignment_id"]) != (status, lead["assigned_rep"], lead["assignment_id"]):
        here = f"{live['state']} to {live['rep']}"
        findings.add("unexplained", f"{label} is {status} to {lead['assigned_rep']}, but {here}")
    if live is not None and status not in LIVE:
        findings.add("unexplained", f"{label} is {status}, and {live['rep']} has it")


def has_news(lead, result):
    """A rejected lead waits for an activity with points that is later than the rejection."""
    rejected = lead["reject_time"]
    return rejected is None or result["last_positive_time"] > rejected


def check_decisions(world, assigned, findings):
    configurations = {row["version"]: row["content"] for row in world.configurations}
    facts = {(row["account_id"], row["revision"]): row["facts"] for row in world.account_revisions}
    rounds = {lead["lead_id"]: lead["round"] for lead in world.leads}
    needed = needed_revisions(world)
    for row in world.hand_overs:
        trace, assignment = row["trace"], assigned.get(row["assignment_id"])
        label = f"hand-over {row['hand_over']} of lead {row['lead_id']}"
        if trace is None:
            if assignment is not None:
                findings.add("misrouted", f"{label}: nobody knows why it is with {assignment['rep']}")
            continue
        account = trace["account"]
        key = account["account_id"], account["revision"]
        if known_as(account) != told(facts.get(key, {})):
            findings.add("misrouted", f"{label} was decided by facts of the account that never were: {account}")
        elif account["revision"] < needed[row["lead_id"], row["hand_over"], account["account_id"]]:
            findings.add("misrouted", f"{label} was decided by older facts than its activities were resolved with")
        configuration = configurations.get(trace["configuration_version"], {})
        expected = decide(trace, configuration, rounds.get(row["lead_id"]))
        if assignment is not None:
            given = assignment["rep"], assignment["territory"], assignment["pool"]
            if given != expected:
                findings.add("misrouted", f"{label} went to {given} and not to {expected}")
        elif row["state"] == "held" and expected[0] is not None:
            findings.add("misrouted", f"{label} is held, and {expected} is free")


def needed_revisions(world):
    """By hand-over and account: the revision that the activities behind the hand-over were resolved with."""
    resolved = {row["activity_id"]: (row["account_id"], row["account_revision"]) for row in world.activities}
    needed = defaultdict(int)
    for row in world.frozen:
        for line in row["explanation"]["score"]["lines"]:
            account, revision = resolved.get(line["activity_id"], (None, 0))
            key = row["lead_id"], row["hand_over"], account
            needed[key] = max(needed[key], revision)
    return needed


def known_as(account):
    """The account as the decision saw it; what is unknown is absent."""
    seen = {field: account.get(field) for field in TEXTS + NUMBERS}
    return {field: value for field, value in seen.items() if value not in (None, "")}


def told(facts):
    return {field: value for field, value in facts.items() if field in TEXTS + NUMBERS}


def decide(trace, configuration, number):
    """(rep, territory, pool): who has to get it, with as many leads on each desk as the decision saw."""
    desks = {one["rep"]: one["live_assignments"] for one in [trace["owner"] or {}, *trace["candidates"]] if one}
    owed = {one["rep"]: one["balance_before"] for one in trace["candidates"]}
    reps = configuration.get("reps", {})

    def has_room(name):
        rep = reps.get(name)
        capacity = rep.get("capacity", 0) if rep else 0
        return rep is not None and rep["active"] and (capacity == 0 or desks.get(name, 0) < capacity)

    owner = trace["account"].get("owner_rep")
    if owner and has_room(owner):
        return owner, None, None
    scope = {
        "account": known_as(trace["account"]),
        "lead": {
            "product_category": trace["product_category"],
            "score": trace["score_milli"] / 1000,
            "round": number,
        },
    }
    territory, pool = descend(configuration.get("territories", {}), scope)
    members = configuration.get("pools", {}).get(pool, {}).get("members", [])
    free = [member for member in members if has_room(member["rep"])]
    eligible = [(member["rep"], member["weight"], owed.get(member["rep"], 0.0)) for member in free]
    return (turn(eligible), territory, pool) if eligible else (None, None, None)


def descend(territories, scope):
    """From the root down: the first by priority whose condition holds; the one without a condition takes the rest."""
    below = defaultdict(list)
    for name, territory in territories.items():
        below[territory.get("parent")].append((territory.get("priority", 0), name))
    here = below[None][0][1] if below[None] else None
    while below[here] and here is not None:
        children = [name for _, name in sorted(below[here])]
        conditional = [name for name in children if territories[name].get("condition")]
        catch_all = next((name for name in children if name not in conditional), None)
        holding = (name for name in conditional if compile_condition(territories[name]["condition"])(scope))
        here = next(holding, catch_all)
    return here, territories.get(here, {}).get("pool")


def turn(eligible):
    """Whose turn it is: Tijdeman's solution of the chairman assignment problem, in billionths of a lead."""
    eligible = sorted(eligible)
    if len(eligible) == 1:
        return eligible[0][0]
    total = float(sum(weight for _, weight, _ in eligible))
    credited = [(name, weight / total, balance + weight / total) for name, weight, balance in eligible]
    theta = 1.0 / (2 * len(eligible) - 2)
    most = max(credited, key=lambda one: blur(one[2]))
    if blur(most[2]) > blur(1.0 - theta):
        return most[0]
    due = [one for one in credited if blur(one[2]) >= blur(theta)]
    return min(due, key=lambda one: blur((1.0 - theta - one[2]) / one[1]), default=most)[0]


def blur(leads):
    return math.floor(leads * 1e9 + 0.5)
