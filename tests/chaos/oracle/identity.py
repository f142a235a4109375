"""Who did it, from what each activity says of itself.

A strong identity leads to one contact and a company's domain to one account: two of them for one is a second effect
(`duplicate_effects`). Two addresses that share a contact, or two domains that share an account without anybody having
said so, were joined by a machine (`unexplained`).
"""

from collections import defaultdict

FREE_MAIL = {
    "aol.com", "bluewin.ch", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net", "googlemail.com",
    "hotmail.com", "icloud.com", "laposte.net", "live.com", "mail.com", "orange.fr", "outlook.com", "protonmail.com",
    "t-online.de", "web.de", "yahoo.com",
}  # fmt: skip
# Under a country, these are where others register: `x.co.uk`.
SECOND_LEVEL = {"ac", "co", "com", "edu", "gov", "net", "or", "org"}


def check(world, findings):
    identified = [row for row in world.activities if row["state"] == "identified"]
    contacts, accounts = defaultdict(set), defaultdict(set)
    for row in identified:
        key = person(row)
        if key:
            contacts[key].add(row["contact_id"])
        domain = organisation(row["payload"]["identity"])
        if domain:
            accounts[domain].add(row["account_id"])
    for what, leads_to in (("contacts", contacts), ("accounts", accounts)):
        for key, found in leads_to.items():
            if None in found:
                findings.add("unexplained", f"{key} leads to none of the {what}")
            if len(found - {None}) > 1:
                findings.add("duplicate_effects", f"{key} leads to {len(found - {None})} {what}")
    check_joined(world, contacts, accounts, findings)
    check_phantoms(world, identified, findings)


def person(row):
    """The strongest identity, where it is one; weaker ones beside it may lead elsewhere."""
    identity = row["payload"]["identity"]
    if identity.get("email"):
        return "email", identity["email"].strip().lower()
    if identity.get("external_id"):
        return "external_id", row["source"], identity["external_id"]
    if identity.get("anonymous_id"):
        return "anonymous_id", identity["anonymous_id"]
    return None


def organisation(identity):
    told = identity.get("email", "").rpartition("@")[2]
    for host in (told, identity.get("domain", "")):
        domain = registrable(host)
        if domain and domain not in FREE_MAIL:
            return domain
    return None


def registrable(host):
    labels = host.strip().lower().rstrip(".").split(".")
    if len(labels) < 2:
        return None
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL
    return ".".join(labels[-3:] if deep else labels[-2:])


def check_joined(world, contacts, accounts, findings):
    addresses, domains = defaultdict(set), defaultdict(set)
    for key, found in contacts.items():
        if key[0] == "email":
            for contact in found - {None}:
                addresses[contact].add(key[1])
    for domain, found in accounts.items():
        for account in found - {None}:
            domains[account].add(domain)
    named = {row["account_id"] for row in world.accounts if row["reference"]}
    for contact, joined in addresses.items():
        if len(joined) > 1:
            findings.add("unexplained", f"contact {contact} has the addresses of several people: {sorted(joined)}")
    for account, joined in domains.items():
        if len(joined) > 1 and account not in named:
            findings.add("unexplained", f"account {account} has the domains of several companies: {sorted(joined)}")


def check_phantoms(world, identified, findings):
    """Contacts and accounts come of activities, or of the configuration."""
    contacts = {row["contact_id"] for row in identified}
    accounts = {row["account_id"] for row in identified}
    for row in world.identities:
        if row["kind"] == "email" and row["contact_id"] not in contacts:
            findings.add("unexplained", f"contact {row['contact_id']} has come of no activity")
    for row in world.accounts:
        if not row["reference"] and row["account_id"] not in accounts:
            findings.add("unexplained", f"account {row['account_id']} has come of no activity")
