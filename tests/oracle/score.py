"""The scoring arithmetic a second time, so that the first can be held against it.

Reads cases as JSON Lines on standard input and writes a result line for each. Times are Unix milliseconds, points are
thousandths. The rules are those of the README of services/scoring; nothing here was taken from its code.
"""

import json
import sys
from decimal import Decimal, getcontext

from condition import compile_condition

HOUR = 3_600_000
getcontext().prec = 60


def lineage(categories, name):
    chain = []
    while name is not None and name not in chain:
        chain.append(name)
        name = categories.get(name)
    return chain


def share_of(case, category):
    own, shares = case["lead"]["product_category"], case["model"]["shares_milli"]
    if category is None:
        return shares["none"]
    if category == own:
        return shares["same"]
    if own in lineage(case["categories"], category):
        return shares["below"]
    if category in lineage(case["categories"], own):
        return shares["above"]
    return 0


def order(activity):
    return (activity["occur_time"], activity["source"].encode(), activity["source_event_id"].encode())


def known(activity, known_at):
    reclassified = activity.get("reclassify_time")
    return activity["record_time"] <= known_at and (reclassified is None or reclassified > known_at)


def in_round(case, activity):
    after, until = case["lead"].get("previous_close_time"), case["lead"].get("close_time")
    return (after is None or activity["occur_time"] > after) and (until is None or activity["occur_time"] <= until)


def candidates(case, at, known_at):
    """The activities that may count, the latest first, and how many were cut off."""
    model = case["model"]
    found = [
        a
        for a in case["activities"]
        if known(a, known_at) and in_round(case, a) and at - model["window_ms"] < a["occur_time"] <= at
    ]
    found.sort(key=order, reverse=True)
    limit = model["max_activities"]
    return found[:limit], max(0, len(found) - limit)


def profile(revisions, known_at):
    seen = [r for r in revisions or [] if r["record_time"] <= known_at]
    return max(seen, key=lambda r: r["revision"])["facts"] if seen else {}


def latest_answers(case, at, known_at):
    """Of the whole round, without a window; an answer in the category beats an account-wide one."""
    best = {}
    own = case["lead"]["product_category"]
    for a in case["activities"]:
        if a["occur_time"] > at or not known(a, known_at) or not in_round(case, a):
            continue
        if a["product_category"] not in (own, None):
            continue
        rank = (a["product_category"] is not None, order(a))
        for question, answer in a["answers"].items():
            if question not in best or rank > best[question][0]:
                best[question] = (rank, answer)
    return {question: answer for question, (_, answer) in best.items()}


def round_half_away(value):
    whole = int(abs(value) + 0.5)
    # 0.49999999999999994 + 0.5 rounds up in floats; the definition does not.
    if abs(value) - int(abs(value)) < 0.5:
        whole = int(abs(value))
    return -whole if value < 0 else whole


def points(rule, share, age):
    value = rule["points_milli"] * share / 1000
    if rule.get("half_life_ms"):
        value = value * 2 ** (-age / rule["half_life_ms"])
    return round_half_away(value)


def near_tie(rule, share, age):
    exact = Decimal(rule["points_milli"]) * share / 1000
    if rule.get("half_life_ms"):
        exact *= Decimal(2) ** (Decimal(-age) / Decimal(rule["half_life_ms"]))
    fraction = abs(exact) % 1
    return abs(fraction - Decimal("0.5")) <= Decimal("1e-6")


def clip(lines, begin, cap, group, rule=None):
    if cap is None:
        return
    total = sum(line["milli"] for line in lines[begin:])
    clipped = max(-cap, min(cap, total))
    if clipped != total:
        lines.append(make("cap", group, rule, None, clipped - total))


def make(kind, group, rule, activity, milli, tie=False):
    return {"kind": kind, "group": group, "rule": rule, "activity_id": activity, "milli": milli, "near_tie": tie}


class Scorer:
    """One case, with its conditions compiled."""

    def __init__(self, case):
        self.case = case
        model = case["model"]
        self.holds = {
            rule["id"]: compile_condition(rule["when"])
            for group in ("engagement", "fit", "qualification")
            for rule in model[group]["rules"]
        }

    def score(self, at, known_at):
        case, model = self.case, self.case["model"]
        counted, beyond = candidates(case, at, known_at)
        account = profile(case["account_revisions"], known_at)
        answers = latest_answers(case, at, known_at)
        lines = [make("limit", "engagement", None, None, 0)] if beyond else []
        begin, positive, fast = len(lines), [], False
        for rule in model["engagement"]["rules"]:
            rule_begin, seen = len(lines), set()
            for a in counted:
                if not self.holds[rule["id"]](self.scope(a, account, answers, known_at)):
                    continue
                share, age = share_of(case, a["product_category"]), at - a["occur_time"]
                limit = rule.get("fast_track_ms")
                fast = fast or (limit is not None and share > 0 and age <= limit)
                if rule.get("once_per", "none") != "none":
                    key = a["contact_id"] if rule["once_per"] == "contact" else a["object_id"]
                    if key in seen:
                        continue
                    seen.add(key)
                if share == 0:
                    continue
                milli = points(rule, share, age)
                if milli > 0:
                    positive.append(a)
                tie = near_tie(rule, share, age)
                lines.append(make("activity", "engagement", rule["id"], a["activity_id"], milli, tie))
            clip(lines, rule_begin, rule.get("cap_milli"), "engagement", rule["id"])
        clip(lines, begin, model["engagement"]["cap_milli"], "engagement")
        for group, scope in (("fit", {"account": account}), ("qualification", {"account": account, "answers": answers})):
            begin = len(lines)
            for rule in model[group]["rules"]:
                if self.holds[rule["id"]](scope):
                    lines.append(make(group, group, rule["id"], None, rule["points_milli"]))
            clip(lines, begin, model[group]["cap_milli"], group)
        for adjustment in sorted(case["adjustments"], key=lambda a: (a["create_time"], a["adjustment_id"])):
            end = adjustment["expire_time"]
            if adjustment["create_time"] <= min(at, known_at) and (end is None or at < end):
                lines.append(make("adjustment", "adjustments", None, None, adjustment["points_milli"]))
        validations = {
            "contacts": len({a["contact_id"] for a in positive} - {None}),
            "channels": len({a["channel"] for a in positive}),
            "activities": len({a["activity_id"] for a in positive}),
        }
        total = sum(line["milli"] for line in lines)
        return {
            "score_milli": total,
            "band": self.band(total, validations, fast),
            "fast_track": fast,
            "validations": validations,
            "lines": lines,
        }

    def scope(self, activity, account, answers, known_at):
        revisions = self.case["contact_revisions"].get(activity["contact_id"] or "")
        return {
            "activity": {**activity, "attributes": activity["attributes"]},
            "contact": profile(revisions, known_at),
            "account": account,
            "answers": answers,
        }

    def band(self, total, validations, fast):
        table = self.case["model"]["thresholds"]
        own = [n for n in lineage(self.case["categories"], self.case["lead"]["product_category"]) if n in table["categories"]]
        limits = table["categories"][own[0]] if own else table["default"]
        hot = limits["hot"]
        enough = all(validations[name] >= hot[name] for name in ("contacts", "channels", "activities"))
        if fast or (total >= hot["score_milli"] and enough):
            return "hot"
        return "warm" if total >= limits["warm"]["score_milli"] else "cold"

    def next_check(self, at, known_at, now):
        """The first whole hour with another band; see "next_check_time" in the README."""
        case = self.case
        at_hour = lambda hour: self.score(hour * HOUR, known_at)["band"]
        first = at // HOUR + 1
        may_rise = (
            any(line["kind"] != "cap" and line["milli"] < 0 for line in now["lines"])
            or any(a["occur_time"] > at for a in case["activities"])
            or any(
                a["create_time"] <= known_at
                and (a["create_time"] > at or (a["expire_time"] is not None and a["expire_time"] > at))
                for a in case["adjustments"]
            )
        )
        if may_rise:
            for hour in range(first, first + 48):
                if at_hour(hour) != now["band"]:
                    return hour * HOUR
            return (first + 47) * HOUR
        counted, _ = candidates(case, at, known_at)
        if not counted:
            return None
        low, high = first - 1, (counted[0]["occur_time"] + case["model"]["window_ms"]) // HOUR + 1
        if high <= low or at_hour(high) == now["band"]:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if at_hour(middle) == now["band"]:
                low = middle
            else:
                high = middle
        return high * HOUR


def solve(case):
    scorer = Scorer(case)
    result = scorer.score(case["at"], case["known_at"])
    result["next_check_time"] = scorer.next_check(case["at"], case["known_at"], result)
    return result


def main():
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(solve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
