"""What was found wrong: counted, and told one by one."""

COUNTERS = (
    "lost",
    "duplicate_effects",
    "scores_compared",
    "score_mismatches",
    "unrouted",
    "double_assigned",
    "misrouted",
    "quarantined",
    "unexplained",
)


class Findings:
    def __init__(self):
        self.counts = dict.fromkeys(COUNTERS, 0)
        self.details = []

    def count(self, counter, number=1):
        """For what is no fault: how much was looked at."""
        self.counts[counter] += number

    def add(self, counter, detail):
        self.count(counter)
        self.details.append((counter, detail))

    def of(self, counter):
        return [detail for found, detail in self.details if found == counter]
