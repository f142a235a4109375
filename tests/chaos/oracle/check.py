"""The checker: reads what a run has left behind, recomputes it, and counts what is wrong.

    python3 check.py RUN_DIR

One JSON object of counters goes to standard output, every finding to standard error.
"""

import json
import sys

import identity
import ledger
import routing
import scores
import tables
from findings import Findings


def judge(world):
    findings = Findings()
    ledger.check(world, findings)
    identity.check(world, findings)
    results = scores.check(world, findings)
    routing.check(world, results, findings)
    return findings


def main():
    findings = judge(tables.load(sys.argv[1]))
    for counter, detail in findings.details:
        print(f"{counter}: {detail}", file=sys.stderr)
    print(json.dumps(findings.counts))


if __name__ == "__main__":
    main()
