"""Holds what customers were told against what every node of the healed shop tells of it (shop.py)."""

import collections
import concurrent.futures
import json
import time

from linearizable import CartModel, Operation, Undecided, search

RESOLVED_MAX = 150  # checkouts in doubt that are asked for once more with their key; the others must end by themselves
SHOWN_MAX = 5  # examples of one kind of violation
TOKEN_S = 240  # a customer's token is good for a little longer


def read_history(paths):
    """Entries as in clients.py, of all customers, by their begin."""
    entries = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            entries += [json.loads(line) for line in file if line.endswith("\n")]  # it may still be written to
    return sorted(entries, key=lambda each: each[1])


class Checker:
    """`stock`: what each product had at the start. `violations`: (law, what was seen); `facts`: counts for the table."""

    def __init__(self, shop, history, stock, now=time.monotonic):
        self.shop, self.history, self.stock = shop, history, stock
        self.oldest = now() - TOKEN_S  # tokens of before may be over
        self.violations, self.facts = [], {}

    def wrong(self, law, *what):
        self.violations.append((law, " ".join(shown(each) for each in what)))

    def of(self, kind):
        return [dict(zip(("begin", "end", "node", "outcome", "status"), entry[1:6])) | entry[6]
                for entry in self.history if entry[0] == kind]

    def on_each_node(self, ask):
        """{node: ask(node)}, all nodes at the same time."""
        with concurrent.futures.ThreadPoolExecutor(len(self.shop.nodes)) as pool:
            return dict(zip(self.shop.nodes, pool.map(ask, self.shop.nodes)))

    def run(self):
        told = self.resolve(self.of("order"))
        self.laws()
        orders = self.orders(told)
        self.sessions()
        self.carts()
        self.baskets(told, orders)
        self.shelves(orders)
        self.ledger(orders)
        for entry in self.of("look"):
            if entry["outcome"] == "ok" and entry["total"] != entry["wanted"]:
                self.wrong("acknowledged orders are unchanged", entry)
        return self.violations

    # --- sessions -----------------------------------------------------------------------------------------------

    def sessions(self):
        """Those that were ended are over on every node; the others live, of which each node is asked for some."""
        ended = [each for each in self.of("revoke") if each["outcome"] == "ok"]
        doubtful = [each for each in self.of("revoke") if each["outcome"] == "unknown" and each["begin"] > self.oldest]
        for entry in self.of("dead"):
            if entry["outcome"] == "ok":
                self.wrong("revoked sessions are dead at once", entry)
        seen = self.on_each_node(lambda node: [self.shop.session(node, each["token"]) for each in ended + doubtful])
        for number, each in enumerate(ended):
            for node, statuses in seen.items():
                if statuses[number] != 401:
                    self.wrong("revoked sessions are dead on every node", "node", node, "answers", statuses[number], each)
        for number, each in enumerate(doubtful, len(ended)):
            statuses = {node: answers[number] for node, answers in seen.items()}
            if set(statuses.values()) not in ({200}, {401}):
                self.wrong("an ending in doubt is one thing on every node", statuses, each)
        self.facts["revoked"] = len(ended)
        left = {each["token"] for each in self.of("revoke")}
        alive = [each for each in self.buyers() if each["token"] not in left and each["begin"] > self.oldest]
        nodes = self.shop.nodes
        seen = self.on_each_node(lambda node: [self.shop.session(node, each["token"])
                                               for each in alive[nodes.index(node)::len(nodes)]])
        for at, node in enumerate(nodes):
            for each, status in zip(alive[at::len(nodes)], seen[node]):
                if status != 200:
                    self.wrong("an opened session lives", "node", node, "answers", status, each)

    def buyers(self):
        """Sessions that buyers opened."""
        return [each for each in self.of("session") if each["outcome"] == "ok" and each["of"] == "Buyer"]

    # --- carts --------------------------------------------------------------------------------------------------

    def carts(self):
        """Those that couples fill and nobody buys."""
        carts = collections.defaultdict(list)
        begun = {each["cart"]: each["begin"] for each in self.of("session")}
        for each in self.of("cart"):
            if each["cart"] not in carts:
                carts[each["cart"]].append(Operation(begun.get(each["cart"], 0.0), None, ("open",)))
            if each["what"][0] == "read" and each["outcome"] == "unknown":
                continue
            result = as_tuple(each["result"])
            carts[each["cart"]].append(Operation(each["begin"], each["end"], tuple(each["what"]), result))
        end = max((each[2] or each[1] for each in self.history), default=0) + 1
        for found in self.on_each_node(lambda node: [self.shop.cart(node, each) for each in carts]).values():
            for operations, result in zip(carts.values(), found):
                operations.append(Operation(end, end + 1, ("read",), result))
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            for cart, stuck in zip(carts, pool.map(judge, carts.values(), chunksize=8)):
                if stuck:
                    self.wrong("carts are linearizable", cart, stuck)
        self.facts["carts"] = len(carts)

    def baskets(self, told, orders):
        """Those of buyers, as every node shows them: what was acknowledged is there, or was bought."""
        filled, maybe = collections.defaultdict(collections.Counter), collections.defaultdict(list)
        for each in self.of("fill"):
            if each["outcome"] == "ok":
                filled[each["cart"]][each["product"]] += each["units"]
            elif each["outcome"] == "unknown":
                maybe[each["cart"]].append((each["product"], each["units"]))
        bought = {each["reference"] for each in orders.values() if each["status"] == "paid"}
        empty = {each["cart"] for each in told if each["key"] in bought}
        left = {each["token"] for each in self.of("revoke")}
        opened = [each for each in self.buyers() if each["token"] not in left]
        for node, carts in self.on_each_node(lambda node: [self.shop.cart(node, each["cart"]) for each in opened]).items():
            for each, (version, lines) in zip(opened, carts):
                held = {} if each["cart"] in empty else filled[each["cart"]]
                if version == "refused" or not could_be(dict(lines), held, maybe[each["cart"]]):
                    self.wrong("no acknowledged write is lost", "node", node, "shows", version, lines, "told", dict(held),
                               maybe[each["cart"]], "bought:", each["cart"] in empty, each)
        self.facts["baskets"] = len(opened)

    # --- orders -------------------------------------------------------------------------------------------------

    def resolve(self, told):
        """Asks some checkouts once more, with their keys: what was acknowledged must come back, the unknown must end."""
        ended = {each["token"] for each in self.of("revoke")}
        may_ask = [each for each in told if each["token"] not in ended and each["begin"] > self.oldest]
        unknown = [each for each in may_ask if each["outcome"] == "unknown"]
        known = [each for each in may_ask if each["outcome"] == "ok"]
        chosen = unknown[::2][:RESOLVED_MAX] + known[::max(1, len(known) // 50)]
        for number, each in enumerate(chosen):
            answer = self.shop.order_again(number, each["body"], each["token"], each["key"])
            said = answer.json or {}
            if each["outcome"] == "ok" and (answer.status != 201 or said["order_id"] != each["order"]):
                self.wrong("an acknowledged order comes back for its key", answer.status, answer.body[:300], each)
            if each["outcome"] == "unknown":
                each.update(outcome="ok" if answer.status == 201 else "refused", code=answer.code, late=True,
                            order=said.get("order_id"))
                if answer.status == 201:
                    each.update(status=said["status"], total=said["total"]["amount"],
                                lines=lines_of(said))
        return told

    def orders(self, told):
        lists = self.on_each_node(self.shop.orders)
        first = min(lists)
        for node, orders in lists.items():
            if seen_of(orders) != seen_of(lists[first]):
                differ = [key for key in seen_of(orders).keys() | seen_of(lists[first]).keys()
                          if seen_of(orders).get(key) != seen_of(lists[first]).get(key)]
                self.wrong("every node lists the same orders", "nodes", first, node, "differ in", differ[:SHOWN_MAX])
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
        if any(each["status"] == "pending" for each in found):
            self.wrong("an order in doubt ends", told["key"])
        if told["outcome"] == "unknown":
            for each in found:
                self.same_lines(told, each)
            return
        if told["outcome"] == "refused":
            if any(each["status"] not in ("pending", "declined", "rejected") for each in found):
                self.wrong("a refused checkout sells nothing", told, [each["status"] for each in found])
            if not told["order"]:
                return
        if not found or found[0]["order_id"] != told["order"]:
            self.wrong("an acknowledged order exists", told, [each["order_id"] for each in found])
            return
        if told["outcome"] == "ok":
            self.acknowledged_order(told, found[0])

    def same_lines(self, told, made):
        """Of an order that nobody was told of: its cart's content was acknowledged."""
        if lines_of(made) != told["wanted"] and (made["items"] or made["status"] != "rejected"):
            self.wrong("an order holds what its cart held", told, made)

    def acknowledged_order(self, told, made):
        lines = lines_of(made)
        if (made["total"]["amount"], lines) != (told["total"], told["lines"]) or told["lines"] != told["wanted"]:
            self.wrong("acknowledged orders are unchanged", told, made)
        ends = ("paid", "declined", "rejected", "pending") if told["status"] == "pending" else (told["status"],)
        if made["status"] not in ends:
            self.wrong("acknowledged orders are unchanged", told, made["status"])

    # --- stock and money ----------------------------------------------------------------------------------------

    def shelves(self, orders):
        sold = collections.Counter()
        for each in orders.values():
            if each["status"] == "paid":
                sold.update(lines_of(each))
        wanted = {product: {"on_hand": stocked - sold[product], "sold": sold[product], "reserved": 0,
                            "available": stocked - sold[product], "received": stocked}
                  for product, stocked in self.stock.items()}
        seen = self.on_each_node(lambda node: [self.shop.stock(node, *each) for each in wanted.items()])
        for node, shelves in seen.items():
            for (product, should), shelf in zip(wanted.items(), shelves):
                self.one_shelf(node, product, should, shelf)

    def one_shelf(self, node, product, wanted, seen):
        if wanted.items() <= seen.items():
            return
        law = "nothing is oversold" if seen["available"] < 0 or wanted["on_hand"] < 0 else "stock is conserved"
        self.wrong(law, "node", node, {each: seen[each] for each in wanted}, "wanted", wanted, product)

    def ledger(self, orders):
        entries = self.shop.ledger()
        captured = collections.Counter(each["key"] for each in entries if each["kind"] == "capture")
        for key, count in captured.items():
            if count > 1:
                self.wrong("an order is captured once", key, count)
        paid = {each["order_id"]: each["total"]["amount"] for each in orders.values() if each["status"] == "paid"}
        amounts = {each["key"]: each["amount"] for each in entries if each["kind"] == "capture"}
        if amounts != paid:
            differ = [key for key in amounts.keys() | paid.keys() if amounts.get(key) != paid.get(key)]
            self.wrong("both ledgers agree", len(differ), "orders differ", differ[:SHOWN_MAX])
        back = [each for each in entries if each["kind"] == "refund"]
        if back:
            self.wrong("nobody's money is given back", len(back), "refunds that nobody asked for", back[:SHOWN_MAX])
        self.facts["captured"] = sum(amounts.values())

    def laws(self):
        for node, (code, said) in self.on_each_node(self.shop.laws).items():
            if code != 0:
                self.wrong("omnicartctl laws", "node", node, "exit", code, said[:1500])


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
    return {each["order_id"]: (each["status"], each["total"]["amount"], each["version"], each["items"]) for each in orders}


def lines_of(order):
    """Units by product: of each product all of its lines."""
    units = collections.Counter()
    for line in order["items"]:
        units[line["product_id"]] += line["quantity"]
    return dict(units)


def could_be(lines, told, maybe):
    """Whether a cart with these lines can come of what was told done, and of some of what was not."""
    reached = [collections.Counter(told)]
    for product, units in maybe:
        reached += [each + collections.Counter({product: units}) for each in reached]
    return any(dict(each) == lines for each in reached)


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
