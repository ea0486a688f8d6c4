"""A rival of the matching engine on one set of cases: python3 matching_rivals.py rapidfuzz|splink CASES

Prints one JSON object: seconds from reading the files to the last decision, peak memory, and for each provider account
its first three accounts with a score, and whether the rival would map it. What a rival needs is not in the standard
library (pip install rapidfuzz splink numpy pyarrow); without it the script ends with exit code 3 and says what is missing.
"""

import json
import re
import resource
import sys
import time
import unicodedata

LEGAL = set(
    "ltd limited inc corp corporation co company llc plc llp gmbh ag kg sa sas sarl bv nv ab as oy spa srl sl lda pty pvt"
    " private pte sdn bhd tbk kk group holding holdings".split()
)
PUBLIC = {
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "aol.com",
    "gmx.de", "gmx.net", "web.de", "t-online.de", "mail.ru", "qq.com", "163.com", "protonmail.com", "proton.me",
}
SECOND = {"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "go"}


def lines(folder, name):
    with open(f"{folder}/{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def plain(text):
    folded = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", " ", folded).split()
    return " ".join([word for word in words if word not in LEGAL] or words)


def domain(address):
    """The registrable domain of a host, a web or a mail address; None where it is nobody's own."""
    if not address:
        return None
    host = re.sub(r"^[a-z]+://", "", address.strip().lower()).split("/")[0].split("@")[-1].split(":")[0]
    parts = host.removeprefix("www.").split(".")
    keep = 3 if len(parts) > 2 and parts[-2] in SECOND and len(parts[-1]) == 2 else 2
    name = ".".join(parts[-keep:])
    return name if "." in name and name not in PUBLIC and not name.endswith("onmicrosoft.com") else None


def read(folder):
    """Both sides as records of plain name, domains, their labels, country, city and postal code."""
    hosts = {}
    for contact in lines(folder, "crm_contacts"):
        if found := domain(contact["email"]):
            hosts.setdefault(contact["account_id"], set()).add(found)

    def record(key, name, domains, labels, of):
        labels = labels | {found.split(".")[0] for found in domains}
        return {
            "unique_id": key, "name": plain(name) or None, "domains": sorted(domains) or None,
            "labels": sorted(labels) or None, "country": of["country"], "city": plain(of["city"]) or None,
            "postcode": of["postcode"],
        }

    accounts = []
    for of in lines(folder, "crm_accounts"):
        own = {found for found in (domain(of["website"]), domain(of["email"])) if found}
        accounts.append(record(of["id"], of["name"], own | hosts.get(of["id"], set()), set(), of))
    customers = []
    for of in lines(folder, "provider_accounts"):
        named = [name.lower() for name in of["domains"]]
        tenants = {name.split(".")[0] for name in named if name.endswith(".onmicrosoft.com")}
        own = {found for found in map(domain, [*named, of["billing_email"]]) if found}
        customers.append(record(of["id"], of["company_name"], own, tenants, of))
    return accounts, customers


def rapidfuzz(folder):
    """The most alike name, mapped from a likeness of 90 on."""
    import numpy
    from rapidfuzz import fuzz, process

    accounts, customers = read(folder)
    keys = [account["unique_id"] for account in accounts]
    names = [" ".join(sorted((account["name"] or "").split())) for account in accounts]
    for start in range(0, len(customers), 256):
        part = customers[start : start + 256]
        wanted = [" ".join(sorted((customer["name"] or "").split())) for customer in part]
        scores = process.cdist(wanted, names, scorer=fuzz.ratio, workers=-1, score_cutoff=60, dtype=numpy.uint8)
        best = numpy.argpartition(scores, -3, axis=1)[:, -3:]
        for customer, row, top in zip(part, scores, best):
            top = sorted(top, key=lambda at: -int(row[at]))
            yield customer["unique_id"], [(keys[at], int(row[at])) for at in top if row[at]], int(row[top[0]]) >= 90


def splink(folder):
    """Fellegi-Sunter weights learned from the cases themselves, mapped from a weight of 12 on."""
    import logging

    import pyarrow
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    database = DuckDBAPI()

    def table(records):
        text, several = pyarrow.string(), pyarrow.list_(pyarrow.string())
        columns = {
            key: pyarrow.array([record[key] for record in records], type=several if key in ("domains", "labels") else text)
            for key in records[0]
        }
        return database.register(pyarrow.table(columns))

    by_domain = block_on("domains", arrays_to_explode=["domains"])
    by_label = block_on("labels", arrays_to_explode=["labels"])
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="unique_id",
        comparisons=[
            compare.JaroWinklerAtThresholds("name", [0.97, 0.9, 0.8]).configure(term_frequency_adjustments=True),
            compare.ArrayIntersectAtSizes("domains", [1]),
            compare.ArrayIntersectAtSizes("labels", [1]),
            compare.ExactMatch("country"),
            compare.JaroWinklerAtThresholds("city", [0.9]),
            compare.ExactMatch("postcode"),
        ],
        blocking_rules_to_generate_predictions=[by_domain, by_label, block_on("name"), block_on("postcode", "city")],
        retain_intermediate_calculation_columns=False,
    )
    accounts, customers = read(folder)
    linker = Linker([table(accounts), table(customers)], settings)
    linker.training.estimate_probability_two_random_records_match([block_on("name"), by_domain], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (block_on("name"), block_on("postcode", "country")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=0.001).as_duckdbpyrelation()
    found = {}
    for one, other, weight in pairs.project("unique_id_l, unique_id_r, match_weight").fetchall():
        account, customer = (other, one) if one.startswith("P") else (one, other)
        found.setdefault(customer, []).append((account, weight))
    for customer in customers:
        best = sorted(found.get(customer["unique_id"], []), key=lambda pair: -pair[1])[:3]
        yield customer["unique_id"], best, bool(best) and best[0][1] >= 12


def main():
    rival, folder = {"rapidfuzz": rapidfuzz, "splink": splink}[sys.argv[1]], sys.argv[2]
    start = time.monotonic()
    try:
        decisions = [
            {"provider_id": key, "auto": auto, "accounts": [account for account, _ in best]}
            for key, best, auto in rival(folder)
        ]
    except ImportError as missing:
        print(f"{missing}: pip install rapidfuzz splink numpy pyarrow", file=sys.stderr)
        sys.exit(3)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    json.dump({"seconds": time.monotonic() - start, "megabytes": megabytes, "decisions": decisions}, sys.stdout)


main()
