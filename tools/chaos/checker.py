"""Reads a healed shop back from every node and holds it against what its customers were told."""

import collections
import concurrent.futures
import json
import time
import urllib.parse

import wire
from linearizable import CartModel, Operation, Undecided, search
from local_cluster import Trouble, wait_for

RESOLVED_MAX = 150  # checkouts that are asked for once more with their key
SHOWN_MAX = 5  # examples of one kind of violation
LAWS_WAIT = "60s"
TOKEN_S = 240  # a customer's token is good for a little longer


def read_history(paths):
    """Entries as in clients.py, of all customers, by their begin."""
    entries = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            entries += [json.loads(line) for line in file]
    return sorted(entries, key=lambda each: each[1])


class Checker:
    """`stock`: what each product had at the start. `violations`: (law, what was seen); `facts`: counts for the table."""

    def __init__(self, cluster, history, stock):
        self.cluster, self.history, self.stock = cluster, history, stock
        self.addresses = {index: cluster.node(index)["http"] for index in cluster.indexes()}
        self.admin = cluster.ctl(cluster.indexes()[0], "token", "issue", "--role", "admin", "--ttl", "3600").strip()
        self.violations, self.facts = [], {}

    def wrong(self, law, *what):
        self.violations.append((law, " ".join(shown(each) for each in what)))

    def of(self, kind):
        return [dict(zip(("begin", "end", "node", "outcome", "status"), entry[1:6])) | entry[6]
                for entry in self.history if entry[0] == kind]

    def get(self, index, path, token=None):
        return wire.ask(self.addresses[index], wire.request("GET", path, None, token or self.admin), 30)

    def run(self):
        self.sessions()
        self.carts()
        told = self.resolve(self.of("order"))
        self.laws()
        orders = self.orders(told)
        self.shelves(orders)
        self.ledger(orders)
        for entry in self.of("look"):
            if entry["outcome"] == "ok" and entry["total"] != entry["wanted"]:
                self.wrong("acknowledged orders are unchanged", entry)
        return self.violations

    # --- sessions -----------------------------------------------------------------------------------------------

    def sessions(self):
        ended = [each for each in self.of("revoke") if each["outcome"] == "ok"]
        for entry in self.of("dead"):
            if entry["outcome"] == "ok":
                self.wrong("revoked sessions are dead at once", entry)
        for index in self.addresses:
            connection = wire.Connection(self.addresses[index], 30)
            for each in ended:
                status = connection.exchange(wire.request("GET", "/api/cart", None, each["token"]), 30).status
                if status != 401:
                    self.wrong("revoked sessions are dead on every node", "node", index, "answers", status, each)
            connection.close()
        self.facts["revoked"] = len(ended)

    # --- carts --------------------------------------------------------------------------------------------------

    def carts(self):
        carts = collections.defaultdict(list)
        begun = {each["id"]: each["begin"] for each in self.of("session")}  # a guest's cart has its session's id
        for each in self.of("cart"):
            if each["cart"] not in carts:
                carts[each["cart"]].append(Operation(begun.get(each["cart"], 0.0), None, ("open",)))
            if each["what"][0] == "read" and each["outcome"] == "unknown":
                continue
            result = as_tuple(each["result"])
            carts[each["cart"]].append(Operation(each["begin"], each["end"], tuple(each["what"]), result))
        end = max((each[2] or each[1] for each in self.history), default=0) + 1
        for index in self.addresses:
            self.read_carts(index, carts, end)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            for cart, found in zip(carts, pool.map(judge, carts.values(), chunksize=8)):
                if found:
                    self.wrong("carts are linearizable", cart, found)
        self.facts["carts"] = len(carts)

    def read_carts(self, index, carts, end):
        connection = wire.Connection(self.addresses[index], 30)
        for cart, operations in carts.items():
            answer = connection.exchange(wire.request("GET", f"/api/carts/{cart}", None, self.admin), 30)
            said = answer.json
            result = ("refused", answer.status)
            if answer.status == 200:
                result = (said["version"], tuple(sorted((each["product_id"], each["quantity"]) for each in said["items"])))
            operations.append(Operation(end, end + 1, ("read",), result))
        connection.close()

    # --- orders -------------------------------------------------------------------------------------------------

    def resolve(self, told):
        """Asks some checkouts once more, with their keys: what was acknowledged must come back, the unknown must end."""
        ended = {each["token"] for each in self.of("revoke")}
        oldest = time.monotonic() - TOKEN_S
        may_ask = [each for each in told if each["token"] not in ended and each["begin"] > oldest]
        unknown = [each for each in may_ask if each["outcome"] == "unknown"]
        known = [each for each in may_ask if each["outcome"] == "ok"]
        addresses = list(self.addresses.values())
        chosen = unknown[::2][:RESOLVED_MAX] + known[::max(1, len(known) // 50)]
        for number, each in enumerate(chosen):
            sent = wire.request("POST", "/api/orders", each["body"], each["token"], each["key"])
            answer = self.until_clear(addresses[number % len(addresses)], sent)
            said = answer.json or {}
            if each["outcome"] == "ok" and (answer.status != 201 or said["order_id"] != each["order"]):
                self.wrong("an acknowledged order comes back for its key", answer.status, answer.body[:300], each)
            if each["outcome"] == "unknown":
                each.update(outcome="ok" if answer.status == 201 else "refused", code=answer.code, late=True,
                            order=said.get("order_id"))
                if answer.status == 201:
                    each.update(status=said["status"], total=said["total"]["amount"],
                                lines={line["product_id"]: line["quantity"] for line in said["items"]})
        return told

    @staticmethod
    def until_clear(address, sent):
        def clear():
            try:
                answer = wire.ask(address, sent, 15)
            except OSError:
                return None
            return answer if answer.status < 500 and answer.code != "in_progress" else None
        return wait_for("a checkout gets a clear answer", clear, 60, 0.1)

    def list_orders(self, index):
        orders, cursor = [], ""
        while True:
            page = self.get(index, "/api/orders?limit=100" + cursor).expect(200).json
            orders += page["items"]
            if not page["next_cursor"]:
                return orders
            cursor = "&cursor=" + urllib.parse.quote(page["next_cursor"], safe="")

    def orders(self, told):
        lists = {index: self.list_orders(index) for index in self.addresses}
        first = min(lists)
        for index, orders in lists.items():
            if seen_of(orders) != seen_of(lists[first]):
                differ = [key for key in seen_of(orders).keys() | seen_of(lists[first]).keys()
                          if seen_of(orders).get(key) != seen_of(lists[first]).get(key)]
                self.wrong("every node lists the same orders", "nodes", first, index, "differ in", differ[:SHOWN_MAX])
        orders = {each["order_id"]: each for each in lists[first]}
        if len(orders) != len(lists[first]):
            self.wrong("an order is listed once", len(lists[first]) - len(orders), "are listed twice")
        by_key = collections.defaultdict(list)
        for each in orders.values():
            by_key[each["reference"]].append(each)
        for each in told:
            self.one_order(each, by_key.pop(each["key"], []))
        for key, found in by_key.items():
            self.wrong("there is no order that nobody asked for", key, [each["order_id"] for each in found])
        self.facts["orders"] = sum(1 for each in orders.values() if each["status"] == "paid")
        return orders

    def one_order(self, told, found):
        if len(found) > 1:
            self.wrong("a checkout makes one order", told["key"], [each["order_id"] for each in found])
        if told["outcome"] == "unknown" or (told["outcome"] == "refused" and not told["order"]):
            if told["outcome"] == "refused" and any(each["status"] == "paid" for each in found):
                self.wrong("a refused checkout sells nothing", told)
            if any(each["status"] == "pending" for each in found):
                self.wrong("an order in doubt ends", told["key"])
            return
        if not found or found[0]["order_id"] != told["order"]:
            self.wrong("an acknowledged order exists", told, [each["order_id"] for each in found])
            return
        made = found[0]
        if told["outcome"] == "refused":
            if made["status"] not in ("declined", "rejected"):
                self.wrong("a refused order stays refused", told, made["status"])
            return
        lines = {each["product_id"]: each["quantity"] for each in made["items"]}
        if (made["total"]["amount"], lines) != (told["total"], told["lines"]) or told["lines"] != told["wanted"]:
            self.wrong("acknowledged orders are unchanged", told, made)
        ends = ("paid", "declined", "rejected") if told["status"] == "pending" else (told["status"],)
        if made["status"] not in ends:
            self.wrong("acknowledged orders are unchanged", told, made["status"])

    # --- stock and money ----------------------------------------------------------------------------------------

    def shelves(self, orders):
        sold = collections.Counter()
        for each in orders.values():
            if each["status"] == "paid":
                for line in each["items"]:
                    sold[line["product_id"]] += line["quantity"]
        for product, stocked in self.stock.items():
            wanted = {"on_hand": stocked - sold[product], "sold": sold[product], "reserved": 0,
                      "available": stocked - sold[product], "received": stocked}
            for index in self.addresses:
                self.one_shelf(index, product, wanted)

    def one_shelf(self, index, product, wanted):
        seen = {}

        def agrees():
            seen.update(self.get(index, f"/api/inventory/{product}").expect(200).json)
            return wanted.items() <= seen.items()
        try:
            wait_for("the stock agrees", agrees, 10, 0.2)
        except Trouble:
            law = "nothing is oversold" if seen["available"] < 0 or wanted["on_hand"] < 0 else "stock is conserved"
            self.wrong(law, "node", index, {each: seen[each] for each in wanted}, "wanted", wanted, product)

    def ledger(self, orders):
        address = self.cluster.state["pay"]["url"].removeprefix("http://")
        entries, at = [], 1
        while True:
            page = wire.ask(address, wire.request("GET", f"/ledger?from={at}&limit=1000"), 30).expect(200).json["entries"]
            entries += page
            if len(page) < 1000:
                break
            at = page[-1]["seq"] + 1
        captured = collections.Counter(each["key"] for each in entries if each["kind"] == "capture")
        for key, count in captured.items():
            if count > 1:
                self.wrong("an order is captured once", key, count)
        paid = {each["order_id"]: each["total"]["amount"] for each in orders.values() if each["status"] == "paid"}
        amounts = {each["key"]: each["amount"] for each in entries if each["kind"] == "capture"}
        if amounts != paid:
            differ = [key for key in amounts.keys() | paid.keys() if amounts.get(key) != paid.get(key)]
            self.wrong("both ledgers agree", len(differ), "orders differ", differ[:SHOWN_MAX])
        self.facts["captured"] = sum(amounts.values())

    def laws(self):
        for index in self.addresses:
            said, code = self.cluster.ctl(index, "--json", "laws", "--wait", LAWS_WAIT, check=False, seconds=180)
            if code != 0:
                self.wrong("omnicartctl laws", "node", index, "exit", code, said[:1500])


def shown(what):
    """Without what is long and tells nothing."""
    if isinstance(what, dict):
        what = {key: value for key, value in what.items() if key not in ("token", "body", "payment", "shipping_address")}
    return str(what)


def as_tuple(result):
    """JSON knows lists only; a state is a tuple of tuples."""
    if isinstance(result, list):
        return tuple(as_tuple(each) for each in result)
    return result


def seen_of(orders):
    return {each["order_id"]: (each["status"], each["total"]["amount"], each["version"]) for each in orders}


def judge(operations):
    """What does not fit in the history of a cart; None when all does."""
    try:
        stuck = search(CartModel, operations)
    except Undecided as wrong:
        return f"undecided: {wrong}"
    if stuck is None:
        return None
    began = min(each.begin for each in operations)
    return "; ".join(f"{each.what} -> {each.result} [{each.begin - began:.3f}, "
                     f"{'?' if each.end is None else f'{each.end - began:.3f}'}]"
                     for each in sorted(operations, key=lambda each: each.begin)
                     if each in stuck[:3] or abs(each.begin - stuck[0].begin) < 0.5)
