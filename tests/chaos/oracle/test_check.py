"""For each counter, the smallest things that make a world wrong that was right."""

import copy
import sqlite3
import tempfile
import unittest
from pathlib import Path

import identity
import tables
from check import judge
from right import ACME, DAY, MODEL, NOW, company, evidence, line, recorded, right, sent
from routing import turn

class Case(unittest.TestCase):
    def setUp(self):
        self.world = copy.deepcopy(right())

    def found(self, counter):
        return judge(self.world).of(counter)

    def assertOnly(self, counter, words):
        findings = judge(self.world)
        self.assertEqual({found for found, _ in findings.details}, {counter}, findings.details)
        self.assertIn(words, "; ".join(findings.of(counter)))


class Whole(Case):
    def test_a_world_that_is_right_has_no_finding(self):
        findings = judge(self.world)
        self.assertEqual(findings.details, [])
        self.assertEqual(findings.counts["scores_compared"], 2)


class Lost(Case):
    def test_an_acknowledged_activity_that_is_nowhere(self):
        self.world.sent.append(sent("third"))
        self.assertOnly("lost", "web/third was acknowledged")

    def test_what_was_not_acknowledged_may_be_there_or_not(self):
        self.world.sent.append(sent("third", outcome="indeterminate"))
        self.world.sent[0]["outcome"] = "indeterminate"
        self.assertEqual(judge(self.world).details, [])

    def test_what_scoring_has_never_taken_in(self):
        silent = sent("silent", "page", "ms")
        self.world.sent.append(silent)
        self.world.activities.append(recorded(silent))
        self.assertOnly("lost", "scoring has never taken it in")

    def test_what_was_set_aside_in_the_ledger_and_is_not_in_the_quarantine(self):
        self.world.sent.append(sent("bad", poison=True))
        self.world.activities.append(recorded(sent("bad"), state="quarantined", contact_id=None, account_id=None))
        self.assertOnly("lost", "is not in the quarantine")


class Quarantine(Case):
    def keep(self, one, **more):
        content = b"\x0a\x03web\x12" + one["source_event_id"].encode()
        base = {"quarantine_id": "q1", "source": "web", "door": "nats", "reason": "WRONG_TYPE", "activity": content}
        self.world.quarantined.append({**base, "raw": None, "activity_id": None, **more})

    def test_poison_that_is_kept_is_not_lost_and_counts_as_quarantined(self):
        self.world.sent.append(sent("bad", poison=True, activity_id=None))
        self.keep(sent("bad"))
        findings = judge(self.world)
        self.assertEqual(findings.details, [])
        self.assertEqual(findings.counts["quarantined"], 1)

    def test_poison_that_was_promised_to_be_kept_and_is_not(self):
        self.world.sent.append(sent("bad", poison=True, activity_id=None))
        self.assertOnly("lost", "nor in the quarantine")

    def test_what_was_no_activity_at_all_is_kept_without_an_id(self):
        self.world.sent.append(sent("", poison=True, activity_id=None))
        self.assertOnly("lost", "nor in the quarantine")
        self.keep(sent(""), activity=None, raw=b"\xff no activity")
        self.assertEqual(judge(self.world).details, [])

    def test_another_id_that_begins_alike_is_not_it(self):
        self.world.sent += [sent("bad-1", poison=True, activity_id=None), sent("bad-12", poison=True, activity_id=None)]
        self.keep(sent("bad-12"))
        self.assertOnly("lost", "web/bad-1 was")

    def test_the_healthy_in_the_quarantine(self):
        self.world.sent.append(sent("good", activity_id=None))
        self.keep(sent("good"))
        self.assertOnly("unexplained", "was no poison")

    def test_poison_in_the_ledger(self):
        self.world.sent[0]["poison"] = True
        self.assertOnly("unexplained", "is poison and went through")


class DuplicateEffects(Case):
    def test_an_activity_that_is_counted_twice(self):
        again = {**self.world.evidence[0], "activity_id": "another"}
        self.world.evidence.append(again)
        self.assertEqual(self.found("duplicate_effects"), ["scoring counts web/form 2 times"])

    def test_an_activity_that_is_twice_in_the_ledger(self):
        self.world.activities.append({**self.world.activities[0], "activity_id": "another"})
        self.assertIn("the ledger has web/form", self.found("duplicate_effects")[0])

    def test_two_open_leads_for_one_interest(self):
        self.world.leads.append({**self.world.leads[0], "lead_id": "lead-2", "round": 2, "status": "incubating"})
        self.assertEqual(self.found("duplicate_effects"), ["account acme has two open leads in hplc"])

    def test_two_contacts_for_one_address(self):
        self.world.activities[0]["contact_id"] = "ada-2"
        self.assertIn("leads to 2 contacts", self.found("duplicate_effects")[0])

    def test_two_accounts_for_one_domain(self):
        self.world.activities[0]["account_id"] = "acme-2"
        self.assertIn("acme.de leads to 2 accounts", self.found("duplicate_effects")[0])


class ScoreMismatches(Case):
    def test_a_score_that_does_not_come_out(self):
        self.world.leads[0]["score_milli"] += 1
        self.assertOnly("score_mismatches", "the score is")

    def test_a_band_that_does_not_come_out(self):
        self.world.leads[0]["band"] = "warm"
        self.assertOnly("score_mismatches", "the band is warm, not hot")

    def test_validations_that_do_not_come_out(self):
        self.world.leads[0]["contacts"] = 2
        self.assertOnly("score_mismatches", "the validations are")

    def test_an_activity_that_came_after_the_last_score(self):
        self.world.leads[0]["score_time"] = NOW - 2 * DAY
        self.assertIn("not scored since the latest activity", self.found("score_mismatches")[0])

    def test_an_activity_that_is_not_about_a_lead_may_come_after_its_last_score(self):
        other = sent("other", "page", "ms")
        other["activity"]["occur_time"] = NOW + 1
        row = recorded(other)
        self.world.sent.append(other)
        self.world.activities.append(row)
        self.world.evidence.append(evidence(row, "no_open_lead"))
        self.assertEqual(judge(self.world).details, [])

    def test_a_lead_that_the_newest_model_has_not_scored(self):
        self.world.models.append({"version": 2, "content": MODEL})
        self.assertOnly("score_mismatches", "scored by model 1, the newest is 2")

    def test_frozen_lines_that_do_not_come_out_again(self):
        score = self.world.frozen[0]["explanation"]["score"]
        score["lines"][0]["milli"] += 7
        score["milli"] += 7
        self.assertOnly("score_mismatches", "do not come out again")

    def test_frozen_lines_that_do_not_add_up(self):
        self.world.frozen[0]["explanation"]["score"]["milli"] += 1
        self.assertOnly("score_mismatches", "do not add up")

    def test_frozen_lines_of_an_activity_that_came_later_still_hold(self):
        late = sent("late", "quote")
        row = recorded(late, record_time=NOW - 1)
        self.world.sent.append(late)
        self.world.activities.append(row)
        self.world.evidence.append(evidence(row))
        self.world.leads[0]["score_milli"] += round(25_000 * 2 ** (-1 / 30))
        self.world.leads[0]["valid_activities"] += 1
        self.assertEqual(judge(self.world).details, [])

    def test_frozen_lines_from_which_some_answers_were_still_on_their_way_hold(self):
        for id, budget in (("known", 5000), ("on-the-way", 10)):
            answer = sent(id, "page")
            answer["activity"]["answers"] = {"budget": budget}
            row = recorded(answer, record_time=NOW - 1)
            self.world.sent.append(answer)
            self.world.activities.append(row)
            self.world.evidence.append(evidence(row, "no_rule"))
        score = self.world.frozen[0]["explanation"]["score"]
        score["lines"].append(line("qualification", "qualification", "budget", 4_000))
        score["milli"] += 4_000
        self.assertEqual(judge(self.world).details, [])

    def test_a_lead_that_nobody_has_opened(self):
        self.world.leads.clear()
        self.world.frozen.clear()
        self.world.hand_overs.clear()
        self.world.assignments.clear()
        self.assertIn("opens a lead in hplc, and there is none", self.found("score_mismatches")[0])


class RolledUp(Case):
    """Acme Works, which belongs to Acme and whose leads go up to it, has looked at a page; and so has its laboratory."""

    def setUp(self):
        super().setUp()
        for place, (id, parent) in enumerate((("works", ACME), ("lab", "works"))):
            facts = {"parent_account_id": parent, "roll_up": True, "employees": 5}
            self.world.accounts.append(company(id, name=id, **facts))
            form = sent(f"form-of-{id}")
            form["activity"]["identity"] = identity = {"email": f"bo@{id}.de"}
            payload = {"identity": identity, "attributes": {}, "answers": {}}
            row = recorded(form, account_id=id, contact_id=f"bo-{id}", payload=payload, account_revision=9)
            self.world.sent.append(form)
            self.world.activities.append(row)
            self.world.evidence.append(evidence(row))
        self.world.leads[0] |= {"contacts": 3, "valid_activities": 4}
        self.world.leads[0]["score_milli"] += 2 * 10_000

    def test_what_is_done_at_a_subsidiary_counts_for_the_parents_lead(self):
        self.frozen_before()
        self.assertEqual(judge(self.world).details, [])

    def test_a_lead_that_a_subsidiary_has_opened_is_the_parents(self):
        self.frozen_before()
        self.world.leads[0]["account_id"] = "works"
        self.assertEqual(judge(self.world).details, [])

    def test_a_lead_of_the_subsidiarys_own_beside_it(self):
        self.frozen_before()
        own = {**self.world.leads[0], "lead_id": "lead-2", "account_id": "works", "status": "incubating"}
        self.world.leads.append({**own, "assignment_id": None, "assigned_rep": "", "hand_over": 1})
        self.assertIn(f"account {ACME} has two open leads in hplc", self.found("duplicate_effects"))

    def test_what_counts_for_itself_again_and_was_not_scored_so(self):
        self.frozen_before()
        self.world.accounts[1]["roll_up"] = False
        self.assertIn("the score is", "; ".join(self.found("score_mismatches")))

    def frozen_before(self):
        """The hand-over was before anything was known of the subsidiaries."""
        for row in self.world.activities[2:]:
            row["record_time"] = NOW + 1
        for row in self.world.evidence[2:]:
            row["record_time"] = NOW + 1


class Unrouted(Case):
    def test_a_hand_over_that_routing_has_dropped(self):
        self.world.hand_overs.clear()
        self.world.assignments.clear()
        self.assertIn("routing has nothing of it", self.found("unrouted")[0])

    def test_a_hand_over_that_nobody_has_decided_on(self):
        self.world.leads[0] |= {"status": "handed_over", "assignment_id": None, "assigned_rep": ""}
        self.assertIn("nobody has decided on it", self.found("unrouted")[0])

    def test_a_hot_lead_that_was_not_handed_over(self):
        self.world.leads[0]["status"] = "incubating"
        self.assertIn("is hot and was not handed over", self.found("unrouted")[0])

    def test_a_rejected_lead_without_news_waits(self):
        self.world.leads[0] |= {"status": "incubating", "hand_over": 2, "reject_time": NOW}
        self.world.hand_overs[0]["state"] = self.world.assignments[0]["state"] = "rejected"
        self.assertEqual(judge(self.world).details, [])
        self.world.leads[0]["reject_time"] = NOW - 2 * DAY
        self.assertOnly("unrouted", "is hot and was not handed over")

    def test_one_that_is_held_without_a_deadline(self):
        self.world.assignments.clear()
        self.world.leads[0] |= {"status": "held", "assignment_id": None, "assigned_rep": ""}
        held = self.world.hand_overs[0]
        held |= {"state": "held", "assignment_id": None, "reason": "no_eligible_rep", "deadline_time": NOW}
        held["trace"]["candidates"][0]["live_assignments"] = 2
        self.assertEqual(judge(self.world).details, [])
        held["deadline_time"] = None
        self.assertOnly("unrouted", "held without a reason or a deadline")


class DoubleAssigned(Case):
    def test_two_reps_with_one_lead(self):
        self.world.assignments.append({**self.world.assignments[0], "assignment_id": "offer-2", "rep": "kim"})
        self.assertIn("is with jo, kim at once", self.found("double_assigned")[0])

    def test_one_hand_over_that_was_offered_twice(self):
        self.world.assignments.append({**self.world.assignments[0], "assignment_id": "offer-2", "state": "withdrawn"})
        self.assertOnly("double_assigned", "was offered 2 times")


class Misrouted(Case):
    def give(self, **more):
        self.world.assignments[0] |= more
        self.world.leads[0]["assigned_rep"] = self.world.assignments[0]["rep"]

    def test_a_rep_of_another_territory(self):
        self.give(rep="kim", territory="rest", pool="rest")
        self.assertOnly("misrouted", "went to ('kim', 'rest', 'rest') and not to ('jo', 'german', 'german')")

    def test_a_rep_who_is_not_at_work(self):
        self.give(rep="lee")
        self.assertOnly("misrouted", "and not to ('jo', 'german', 'german')")

    def test_another_than_the_owner(self):
        for facts in (self.world.account_revisions[0]["facts"], self.world.hand_overs[0]["trace"]["account"]):
            facts["owner_rep"] = "kim"
        self.assertOnly("misrouted", "and not to ('kim', None, None)")

    def test_facts_that_never_were(self):
        self.world.hand_overs[0]["trace"]["account"]["region"] = "Bayern"
        self.assertOnly("misrouted", "facts of the account that never were")

    def test_facts_that_are_older_than_the_activities(self):
        self.world.activities[0]["account_revision"] = 2
        self.assertOnly("misrouted", "older facts")

    def test_one_that_is_held_while_somebody_is_free(self):
        self.world.assignments.clear()
        self.world.leads[0] |= {"status": "held", "assignment_id": None, "assigned_rep": ""}
        held = {"state": "held", "assignment_id": None, "reason": "no_eligible_rep", "deadline_time": NOW}
        self.world.hand_overs[0] |= held
        self.assertOnly("misrouted", "is free")

    def test_whose_turn_it_is(self):
        self.assertEqual(turn([("a", 1, 0.0), ("b", 1, 0.0)]), "a")
        self.assertEqual(turn([("a", 1, -0.5), ("b", 1, 0.5)]), "b")
        self.assertEqual(turn([("a", 2, 0.0), ("b", 1, 0.0)]), "a")


class Unexplained(Case):
    def test_a_row_that_nobody_has_sent(self):
        row = recorded(sent("phantom", "page", "ms"))
        self.world.activities.append(row)
        self.world.evidence.append(evidence(row, "no_open_lead"))
        self.assertOnly("unexplained", "nobody has sent web/phantom")

    def test_a_row_that_was_refused(self):
        self.world.sent[0]["outcome"] = "rejected"
        self.assertOnly("unexplained", "was refused and is in the ledger all the same")

    def test_a_row_that_is_not_what_was_sent(self):
        self.world.sent[0]["activity"]["object_id"] = "/price-list"
        self.assertOnly("unexplained", "not in the ledger as it was sent: object_id")

    def test_words_of_a_form_are_numbers_in_the_ledger(self):
        self.world.sent[0]["activity"]["attributes"] = {"minutes": "12", "wanted": "on"}
        self.world.activities[0]["payload"]["attributes"] = {"minutes": 12.0, "wanted": True}
        self.world.evidence[0]["attributes"] = {"minutes": 12.0, "wanted": True}
        self.assertEqual(judge(self.world).details, [])

    def test_evidence_that_differs_from_the_ledger(self):
        self.world.evidence[0]["occur_time"] += 1
        self.assertOnly("unexplained", "otherwise than the ledger: occur_time")

    def test_a_disposition_that_does_not_come_out(self):
        self.world.evidence[0]["disposition"] = "no_rule"
        self.assertOnly("unexplained", "is no_rule, not scored")

    def test_two_people_who_share_a_contact(self):
        self.world.sent[0]["activity"]["identity"] = {"email": "bob@acme.de"}
        self.world.activities[0]["payload"]["identity"] = {"email": "bob@acme.de"}
        self.assertOnly("unexplained", "the addresses of several people")

    def test_a_contact_that_has_come_of_nothing(self):
        self.world.identities.append({"kind": "email", "value": "eve@acme.de", "contact_id": "eve"})
        self.assertOnly("unexplained", "has come of no activity")

    def test_an_event_that_waits_or_was_set_aside(self):
        self.world.waiting_events.append({"role": "scoring", "id": 1, "messages": 2})
        self.world.set_aside_events.append({"role": "scoring", "event_id": "e", "consumer": "c", "reason": "INTERNAL"})
        self.assertEqual(len(self.found("unexplained")), 2)

    def test_a_copy_of_the_assignment_that_is_another(self):
        self.world.leads[0]["assigned_rep"] = "kim"
        self.assertOnly("unexplained", "is offered to kim, but offered to jo")


class Reading(unittest.TestCase):
    def test_registrable_domains(self):
        for host, domain in (("mail.x.co.uk", "x.co.uk"), ("x.de", "x.de"), ("a.b.x.com", "x.com"), ("x.co", "x.co")):
            self.assertEqual(identity.registrable(host), domain)
        self.assertIsNone(identity.registrable("localhost"))

    def test_sqlite_gives_ids_as_text_and_json_as_values(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scoring.sqlite"
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE t (lead_id BLOB, facts TEXT, raw BLOB, name TEXT)")
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (bytes(range(16)), '{"a": 1}', b"\0x", "x"))
            connection.commit()
            connection.close()
            rows = tables.read("sqlite:scoring.sqlite", Path(folder), "t", ["lead_id", "facts", "raw", "name"])
        expected = {"lead_id": "00010203-0405-0607-0809-0a0b0c0d0e0f", "facts": {"a": 1}, "raw": b"\0x", "name": "x"}
        self.assertEqual(rows, [expected])

    def test_postgres_gives_the_same(self):
        line = {"lead_id": "00010203-0405-0607-0809-0a0b0c0d0e0f", "facts": {"a": 1}, "raw": "\\x0078"}
        self.assertEqual(tables.row(line), {**line, "raw": b"\0x"})


if __name__ == "__main__":
    unittest.main()
