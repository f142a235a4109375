"""Examples worked out by hand, one for each sentence of the definition."""

import unittest

from score import HOUR, round_half_away, solve

DAY = 24 * HOUR
NOW = 20_000 * DAY


def rule(id="form", when='activity.type == "form"', points=10_000, **more):
    return {"id": id, "when": when, "points_milli": points, **more}


def activity(id="a1", ago=0, **more):
    base = {
        "activity_id": id, "source": "web", "source_event_id": id, "type": "form", "channel": "web",
        "product_category": "hplc", "occur_time": NOW - ago, "record_time": NOW - ago, "contact_id": "c1",
        "object_id": None, "attributes": {}, "answers": {}, "reclassify_time": None,
    }
    return {**base, **more}


def case(activities, rules=None, **more):
    thresholds = {"hot": {"score_milli": 50_000, "contacts": 2, "channels": 1, "activities": 2}, "warm": {"score_milli": 10_000}}
    model = {
        "window_ms": 365 * DAY, "max_activities": 1000, "reopen_after_ms": 90 * DAY,
        "shares_milli": {"same": 1000, "below": 0, "above": 0, "none": 500},
        "engagement": {"cap_milli": None, "rules": rules or [rule()]},
        "fit": {"cap_milli": None, "rules": []}, "qualification": {"cap_milli": None, "rules": []},
        "thresholds": {"default": thresholds, "categories": {}},
    }
    base = {
        "at": NOW, "known_at": NOW, "lead": {"product_category": "hplc"},
        "categories": {"chromatography": None, "hplc": "chromatography", "ms": None},
        "model": model, "activities": activities, "account_revisions": [], "contact_revisions": {}, "adjustments": [],
    }
    return {**base, **more}


class Oracle(unittest.TestCase):
    def score(self, *args, **more):
        return solve(case(*args, **more))["score_milli"]

    def test_points_fade_by_half_in_a_half_life(self):
        self.assertEqual(self.score([activity(ago=30 * DAY)], [rule(half_life_ms=30 * DAY)]), 5_000)
        self.assertEqual(self.score([activity(ago=15 * DAY)], [rule(half_life_ms=30 * DAY)]), 7_071)

    def test_rounding_is_half_away_from_zero(self):
        self.assertEqual([round_half_away(x) for x in (0.5, -0.5, 1.4, 2.5, -2.5)], [1, -1, 1, 3, -3])

    def test_the_share_follows_the_category(self):
        self.assertEqual(self.score([activity(product_category=None)]), 5_000)
        self.assertEqual(self.score([activity(product_category="chromatography")]), 0)
        self.assertEqual(self.score([activity(product_category="ms")]), 0)

    def test_the_window_is_open_at_its_begin_and_closed_at_its_end(self):
        self.assertEqual(self.score([activity(ago=365 * DAY)]), 0)
        self.assertEqual(self.score([activity(ago=365 * DAY - 1)]), 10_000)
        self.assertEqual(self.score([activity(ago=-1, record_time=NOW)]), 0)

    def test_once_per_contact_only_the_latest_counts_whatever_its_share(self):
        twice = [activity("a1", ago=DAY), activity("a2", product_category=None)]
        self.assertEqual(self.score(twice, [rule(once_per="contact")]), 5_000)
        unrelated = [activity("a1", ago=DAY), activity("a2", product_category="ms")]
        self.assertEqual(self.score(unrelated, [rule(once_per="contact")]), 0)

    def test_a_missing_key_is_a_key_of_its_own(self):
        nobody = [activity("a1", contact_id=None), activity("a2", contact_id=None), activity("a3")]
        self.assertEqual(self.score(nobody, [rule(once_per="contact")]), 20_000)

    def test_caps_clip_rules_and_groups_to_both_sides(self):
        three = [activity("a1"), activity("a2"), activity("a3")]
        self.assertEqual(self.score(three, [rule(cap_milli=25_000)]), 25_000)
        self.assertEqual(self.score(three, [rule(points=-10_000, cap_milli=25_000)]), -25_000)

    def test_hot_needs_its_validations_and_unknown_contacts_count_as_none(self):
        rules = [rule(points=30_000)]
        self.assertEqual(solve(case([activity("a1"), activity("a2")], rules))["band"], "warm")
        self.assertEqual(solve(case([activity("a1"), activity("a2", contact_id=None)], rules))["band"], "warm")
        self.assertEqual(solve(case([activity("a1"), activity("a2", contact_id="c2")], rules))["band"], "hot")

    def test_a_fast_track_is_hot_at_once_and_not_for_long(self):
        rules = [rule(points=1_000, fast_track_ms=14 * DAY)]
        result = solve(case([activity(ago=DAY)], rules))
        self.assertEqual((result["band"], result["next_check_time"]), ("hot", NOW + 13 * DAY + HOUR))
        self.assertEqual(solve(case([activity(ago=14 * DAY + 1)], rules))["band"], "cold")

    def test_what_was_not_known_does_not_count(self):
        late = activity(ago=5 * DAY, record_time=NOW - DAY)
        self.assertEqual(self.score([late], known_at=NOW - 2 * DAY), 0)
        self.assertEqual(self.score([late], known_at=NOW), 10_000)
        self.assertEqual(self.score([activity(reclassify_time=NOW)]), 0)

    def test_an_answer_in_the_category_beats_a_later_account_wide_one(self):
        answers = [
            activity("a1", ago=DAY, answers={"budget": 5}),
            activity("a2", product_category=None, answers={"budget": 50}),
        ]
        some = case(answers)
        some["model"]["qualification"]["rules"] = [rule("small", "answers.budget < 10", 7_000)]
        self.assertEqual(solve(some)["score_milli"], 10_000 + 5_000 + 7_000)

    def test_answers_have_no_window_but_belong_to_their_round(self):
        old = case([activity(ago=400 * DAY, answers={"budget": 5})])
        old["model"]["qualification"]["rules"] = [rule("small", "answers.budget < 10", 7_000)]
        self.assertEqual(solve(old)["score_milli"], 7_000)
        old["lead"]["previous_close_time"] = NOW - 400 * DAY
        self.assertEqual(solve(old)["score_milli"], 0)
        old["lead"] = {"product_category": "hplc", "close_time": NOW - 400 * DAY - 1}
        self.assertEqual(solve(old)["score_milli"], 0)

    def test_adjustments_count_until_they_expire(self):
        adjustment = {"adjustment_id": "x", "points_milli": -3_000, "create_time": NOW - 1, "expire_time": NOW + 1}
        self.assertEqual(self.score([activity()], adjustments=[adjustment]), 7_000)
        self.assertEqual(self.score([activity()], adjustments=[{**adjustment, "expire_time": NOW}]), 10_000)

    def test_the_next_change_is_found_on_the_hour(self):
        result = solve(case([activity()], [rule(points=20_000, half_life_ms=DAY)]))
        self.assertEqual((result["band"], result["next_check_time"]), ("warm", NOW + 25 * HOUR))

    def test_activities_beyond_the_limit_are_one_line_of_nothing(self):
        some = case([activity("a1", ago=DAY), activity("a2")])
        some["model"]["max_activities"] = 1
        result = solve(some)
        self.assertEqual([line["kind"] for line in result["lines"]], ["limit", "activity"])
        self.assertEqual(result["score_milli"], 10_000)


if __name__ == "__main__":
    unittest.main()
