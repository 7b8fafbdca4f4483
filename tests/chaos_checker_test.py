#!/usr/bin/env python3
"""What tools/chaos.sh relies on to find a lie: histories of carts that could be and that could not be, made by hand and at
random; and a shop on two nodes that tells the truth, but for one thing, which the law about it must see."""

import copy
import os
import random
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "e2e"), os.path.join(os.path.dirname(HERE), "tools", "chaos"),
             os.path.join(os.path.dirname(HERE), "tools", "cluster")]
from checker import Checker  # noqa: E402
from harness import Suite, check, equal  # noqa: E402
from linearizable import CartModel, Operation, search  # noqa: E402
from shard_of import xxh3  # noqa: E402
from shop import Replicas, wait_until_equal  # noqa: E402
from table import all_in_a_row, in_a_row  # noqa: E402

suite = Suite()
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))

ADDED = Operation(0, 1, ("add", "a", 2), (2, 2, 2))


def read(begin, end, version, **units):
    return Operation(begin, end, ("read",), (version, tuple(sorted(units.items()))))


TABLE = {  # name: (whether it could be, history)
    "an_empty_history": (True, []),
    "what_was_acknowledged_is_read": (True, [ADDED, read(2, 3, 2, a=2)]),
    "a_lost_write": (False, [ADDED, read(2, 3, 0)]),
    "a_read_beside_a_write_may_miss_it": (True, [ADDED, read(0.5, 3, 0)]),
    "a_write_that_was_read_and_then_gone": (False, [ADDED, read(0.1, 0.2, 2, a=2), read(0.3, 0.4, 0)]),
    "a_write_done_twice": (False, [ADDED, read(2, 3, 3, a=4)]),
    "an_unknown_write_may_have_happened": (True, [ADDED, Operation(2, None, ("set", "a", 5)), read(3, 4, 3, a=5)]),
    "an_unknown_write_may_not_have_happened": (True, [ADDED, Operation(2, None, ("set", "a", 5)), read(3, 4, 2, a=2)]),
    "an_unknown_write_may_happen_later": (True, [ADDED, Operation(2, None, ("set", "a", 5)), read(3, 4, 2, a=2),
                                                 read(5, 6, 3, a=5)]),
    "an_unknown_write_does_not_unhappen": (False, [ADDED, Operation(2, None, ("set", "a", 5)), read(3, 4, 3, a=5),
                                                   read(5, 6, 2, a=2)]),
    "an_unknown_write_does_not_happen_before_it_began": (False, [ADDED, read(1.5, 1.6, 3, a=5),
                                                                 Operation(2, None, ("set", "a", 5))]),
    "a_line_that_is_not_there_cannot_be_set": (True, [Operation(0, 1, ("set", "a", 1), ("none",)), read(2, 3, 0)]),
    "a_line_that_is_there_is_not_refused": (False, [ADDED, Operation(2, 3, ("set", "a", 1), ("none",))]),
    "a_removed_line_stays_away": (False, [ADDED, Operation(2, 3, ("remove", "a"), (3, 0, 0)), read(4, 5, 2, a=2)]),
    "a_session_opens_its_cart_when_it_likes": (True, [Operation(0, None, ("open",)), read(1, 2, 0), read(3, 4, 1)]),
    "an_open_cart_is_not_opened_again": (False, [Operation(0, None, ("open",)), ADDED, read(2, 3, 3, a=2)]),
    "the_same_quantity_again_changes_no_version": (True, [ADDED, Operation(2, 3, ("set", "a", 2), (2, 2, 2))]),
    "a_repeated_write_tells_only_that_it_is_done": (True, [Operation(0, 5, ("add", "a", 2), ("done",)), read(6, 7, 2, a=2)]),
    "two_writers_may_be_taken_in_either_order": (True, [
        ADDED, Operation(2, 5, ("set", "a", 3), (4, 3, 3)), Operation(2, 5, ("set", "a", 4), (3, 4, 4))]),
}

for title, (could_be, history) in TABLE.items():
    suite.add(title, lambda could_be=could_be, history=history: equal(search(CartModel, history) is None, could_be))


def made_history(chance, count):
    """What a true cart with one copy would show: each operation takes effect at a moment between its begin and its end."""
    moments = sorted(chance.uniform(0, count) for _ in range(count))
    state, made = CartModel.initial, []
    for moment in moments:
        what = chance.choice([("set", chance.choice("ab"), chance.randint(0, 3)), ("add", chance.choice("ab"), 1),
                              ("remove", chance.choice("ab")), ("read",)])
        begin, end = moment - chance.random(), moment + chance.random()
        lost = chance.random() < 0.1
        operation = Operation(begin, None if lost else end, what)
        if not lost or chance.random() < 0.5:
            before, state = state, CartModel.step(state, operation)
            operation.result = None if lost else result_of(what, before, state)
        made.append(operation)
    return made, state


def result_of(what, before, after):
    if what[0] == "read":
        return after
    if what[0] != "add" and what[1] not in dict(before[1]):
        return ("none",)
    return (after[0], dict(after[1]).get(what[1], 0), sum(dict(after[1]).values()))


@suite.case
def true_histories_are_believed():
    print(f"       seed {SEED}")
    for round_ in range(100):
        chance = random.Random(SEED + round_)
        history, state = made_history(chance, 60)
        check(search(CartModel, history) is None, "not believed", SEED + round_)


@suite.case
def a_history_with_one_lie_is_not_believed():
    found = 0
    for round_ in range(20):
        chance = random.Random(SEED + round_)
        history, (version, lines) = made_history(chance, 40)
        late = max(each.begin for each in history) + 2
        # No order of anything gives a version that many writes could not have reached.
        history.append(Operation(late, late + 1, ("read",), (version + 1000, lines)))
        found += search(CartModel, history) is not None
    equal(found, 20)


@suite.case
def ids_are_found_in_their_shard():
    equal(xxh3("6h5c1hbhey5wt71rq604gtxd7p"), 787676269895487091)
    equal(xxh3("12345678901234567890123456789012"), 9333202125660361393)


# --- the whole shop --------------------------------------------------------------------------------------------------


def order(status="paid", **more):
    return {"order_id": "o1", "reference": "key-1", "status": status, "total": {"amount": 300}, "version": 5,
            "items": [{"product_id": "tea", "quantity": 3}]} | more


class ToldShop:
    """Two nodes, of which each has its own truth in `says`."""

    def __init__(self):
        truth = {
            "sessions": {"t-bought": 200, "t-kept": 200, "t-ended": 401, "t-doubt": 200, "t-refused": 200},
            "carts": {"couple": (2, (("tea", 2),)), "bought": (4, ()), "kept": (2, (("tea", 2),)),
                      "refused": (2, (("tea", 1),))},
            "orders": [order(), order("declined", order_id="o2", reference="key-2")],
            "stock": {"tea": {"on_hand": 97, "available": 97, "reserved": 0, "sold": 3, "received": 100}},
            "laws": (0, "")}
        self.nodes = [1, 2]
        self.says = {node: copy.deepcopy(truth) for node in self.nodes}
        self.entries = [{"kind": "capture", "key": "o1", "amount": 300}, {"kind": "decline", "key": "o2", "amount": 300}]
        self.again = {"status": 201, "json": order()}

    def session(self, node, token):
        return self.says[node]["sessions"][token]

    def cart(self, node, cart):
        return self.says[node]["carts"][cart]

    def order_again(self, _number, _body, _token, _key):
        return types.SimpleNamespace(code="", body=b"", **self.again)

    def orders(self, node):
        return self.says[node]["orders"]

    def stock(self, node, product, _wanted):
        return self.says[node]["stock"][product]

    def ledger(self):
        return self.entries

    def laws(self, node):
        return self.says[node]["laws"]


def true_history():
    def session(number, cart, token, of):
        return ["session", number, number + 0.5, "1", "ok", 201, {"id": cart, "cart": cart, "token": token, "of": of}]

    def placed(outcome, key, cart, token, **more):
        data = {"key": key, "cart": cart, "token": token, "body": {}, "wanted": {"tea": 3}, "order": None} | more
        return ["order", 20, 21 if outcome != "unknown" else None, "1", outcome, 201 if outcome == "ok" else 402, data]

    def ended(outcome, token):
        return ["revoke", 30, 31 if outcome == "ok" else None, "1", outcome, 204, {"session": token, "token": token}]

    def filled(cart, units, outcome="ok"):
        return ["fill", 10, 11, "1", outcome, 201, {"cart": cart, "product": "tea", "units": units}]
    return [
        session(1, "couple", "t-couple", "CartUser"), session(2, "bought", "t-bought", "Buyer"),
        session(3, "kept", "t-kept", "Buyer"), session(4, "ended", "t-ended", "Buyer"), session(5, "doubt", "t-doubt", "Buyer"),
        session(6, "refused", "t-refused", "Buyer"), filled("bought", 3), filled("kept", 2), filled("refused", 1),
        filled("kept", 4, "unknown"),
        ["cart", 10, 11, "1", "ok", 201, {"cart": "couple", "what": ["add", "tea", 2], "result": [2, 2, 2]}],
        placed("ok", "key-1", "bought", "t-bought", order="o1", status="paid", total=300, lines={"tea": 3}),
        placed("refused", "key-2", "refused", "t-refused", order="o2", code="payment_declined"),
        ["look", 22, 23, "1", "ok", 200, {"order": "o1", "total": 300, "wanted": 300}],
        ended("ok", "t-ended"), ["dead", 32, 33, "2", "refused", 401, {"session": "t-ended"}], ended("unknown", "t-doubt")]


def laws_broken(change):
    shop, history = ToldShop(), true_history()
    change(shop, history)
    return sorted({law for law, _ in Checker(shop, history, {"tea": 100}, now=lambda: 100.0).run()})


def find(history, kind, **wanted):
    return next(entry for entry in history if entry[0] == kind and wanted.items() <= entry[6].items())


def on(node, name, value):
    """Changes what a node says."""
    return lambda shop, _: shop.says[node].update({name: value})


def everywhere(name, value):
    return lambda shop, _: [says.update({name: copy.deepcopy(value)}) for says in shop.says.values()]


def cart_shows(cart, *nodes, **lines):
    return lambda shop, _: [shop.says[node]["carts"].update({cart: (3, tuple(lines.items()))}) for node in nodes]


def one_node_answers(token, status):
    return lambda shop, _: shop.says[2]["sessions"].update({token: status})


def shelf(node, **figures):
    return lambda shop, _: shop.says[node]["stock"]["tea"].update(figures)


def told(kind, at, value, **which):
    """Changes what a customer was told."""
    return lambda _, history: find(history, kind, **which).__setitem__(at, value)


def told_data(kind, **change):
    return lambda _, history: find(history, kind)[6].update(change)


DECLINED = order("declined", order_id="o2", reference="key-2")
LIES = {  # name: (the law that must see it, what is changed)
    "a_revoked_session_is_let_in_right_after": ("revoked sessions are dead at once", told("dead", 4, "ok")),
    "a_revoked_session_lives_on_one_node": ("revoked sessions are dead on every node", one_node_answers("t-ended", 200)),
    "an_ending_in_doubt_is_known_to_one_node_only": ("an ending in doubt is one thing on every node",
                                                     one_node_answers("t-doubt", 401)),
    "an_opened_session_is_gone": ("an opened session lives", everywhere("sessions", {
        "t-bought": 200, "t-kept": 401, "t-ended": 401, "t-doubt": 200, "t-refused": 200})),
    "a_cart_forgot_a_write": ("carts are linearizable", cart_shows("couple", 2)),
    "a_basket_forgot_a_line": ("no acknowledged write is lost", cart_shows("kept", 1, 2)),
    "a_basket_forgot_a_line_on_one_node": ("no acknowledged write is lost", cart_shows("kept", 2)),
    "a_basket_is_gone": ("no acknowledged write is lost",
                         lambda shop, _: shop.says[1]["carts"].update(kept=("refused", 404))),
    "a_basket_of_an_hour_ago_forgot_a_line": ("no acknowledged write is lost", lambda shop, history: (
        cart_shows("kept", 1, 2)(shop, history), find(history, "session", cart="kept").__setitem__(1, -3600))),
    "a_basket_got_a_line_twice": ("no acknowledged write is lost", cart_shows("kept", 1, 2, tea=4)),
    "a_basket_kept_what_was_bought": ("no acknowledged write is lost", cart_shows("bought", 1, 2, tea=3)),
    "a_basket_lost_what_was_not_bought": ("no acknowledged write is lost", cart_shows("refused", 1, 2)),
    "an_acknowledged_order_is_gone": ("an acknowledged order exists", everywhere("orders", [DECLINED])),
    "one_node_lists_other_lines": ("every node lists the same orders",
                                   on(2, "orders", [order(items=[{"product_id": "tea", "quantity": 2}]), DECLINED])),
    "one_node_has_not_heard_of_an_order": ("every node lists the same orders", on(2, "orders", [DECLINED])),
    "an_order_is_listed_twice": ("an order is listed once", everywhere("orders", [order(), order(), DECLINED])),
    "one_checkout_made_two_orders": ("a checkout makes one order", everywhere("orders", [order(), order(order_id="o3"), DECLINED])),
    "an_order_came_from_nowhere": ("there is no order that nobody asked for",
                                   everywhere("orders", [order(), DECLINED, order("rejected", order_id="o3", reference="x")])),
    "an_order_costs_something_else": ("acknowledged orders are unchanged",
                                      everywhere("orders", [order(total={"amount": 200}), DECLINED])),
    "an_order_has_other_lines": ("acknowledged orders are unchanged",
                                 everywhere("orders", [order(items=[{"product_id": "tea", "quantity": 2}]), DECLINED])),
    "an_order_was_not_what_the_cart_held": ("acknowledged orders are unchanged", told_data("order", wanted={"tea": 1})),
    "a_paid_order_became_declined": ("acknowledged orders are unchanged", everywhere("orders", [order("declined"), DECLINED])),
    "a_look_at_an_order_shows_another_total": ("acknowledged orders are unchanged", told("look", 6, {"total": 1, "wanted": 300})),
    "a_refused_checkout_was_paid": ("a refused checkout sells nothing",
                                    everywhere("orders", [order(), order(order_id="o2", reference="key-2")])),
    "a_refused_order_is_gone": ("an acknowledged order exists", everywhere("orders", [order()])),
    "an_order_stays_in_doubt": ("an order in doubt ends", everywhere("orders", [order("pending"), DECLINED])),
    "a_key_gives_another_order": ("an acknowledged order comes back for its key",
                                  lambda shop, _: shop.again.update(json=order(order_id="o9"))),
    "a_key_is_forgotten": ("an acknowledged order comes back for its key", lambda shop, _: shop.again.update(status=409)),
    "more_was_sold_than_there_was": ("nothing is oversold", shelf(2, available=-1)),
    "a_unit_is_gone": ("stock is conserved", shelf(1, on_hand=96)),
    "a_unit_was_never_taken": ("stock is conserved", shelf(2, on_hand=98, available=98)),
    "a_hold_outlives_its_order": ("stock is conserved", shelf(2, reserved=1, available=96)),
    "an_order_was_captured_twice": ("an order is captured once", lambda shop, _: shop.entries.append(dict(shop.entries[0]))),
    "a_paid_order_was_never_captured": ("both ledgers agree", lambda shop, _: shop.entries.clear()),
    "a_declined_order_was_captured": ("both ledgers agree",
                                      lambda shop, _: shop.entries.append({"kind": "capture", "key": "o2", "amount": 300})),
    "money_went_back_unasked": ("nobody's money is given back",
                                lambda shop, _: shop.entries.append({"kind": "refund", "key": "o1", "amount": 300})),
    "a_node_finds_a_broken_law": ("omnicartctl laws", on(2, "laws", (1, "BROKEN"))),
}


@suite.case
def a_true_shop_is_believed():
    equal(laws_broken(lambda *_: None), [])


@suite.case
def a_checkout_in_doubt_may_end_either_way():
    def unknown(shop, history):
        entry = find(history, "order", key="key-1")
        entry[2:5] = [None, "1", "unknown"]
        entry[6].update(order=None)
        shop.again = {"status": 201, "json": order()}

    def never_paid(shop, history):
        unknown(shop, history)
        shop.again = {"status": 402, "json": {"order_id": "o1"}}
        everywhere("orders", [order("declined"), DECLINED])(shop, history)
        cart_shows("bought", 1, 2, tea=3)(shop, history)
        for node in shop.nodes:
            shop.says[node]["stock"]["tea"].update(on_hand=100, available=100, sold=0)
        shop.entries.clear()
    equal(laws_broken(unknown), [])
    equal(laws_broken(never_paid), [])


@suite.case
def an_order_that_nobody_was_told_of_holds_what_its_cart_held():
    def twice(shop, history):
        entry = find(history, "order", key="key-1")
        entry[2:5] = [None, "1", "unknown"]
        entry[6].update(order=None, token="t-ended")  # nobody asks for it again
        everywhere("orders", [order(items=[{"product_id": "tea", "quantity": 3}] * 2), DECLINED])(shop, history)
        for node in shop.nodes:
            shop.says[node]["stock"]["tea"].update(on_hand=94, available=94, sold=6)
    equal(laws_broken(twice), ["an order holds what its cart held"])


@suite.case
def an_unknown_write_to_a_basket_may_be_there():
    equal(laws_broken(cart_shows("kept", 1, 2, tea=6)), [])


for title, (law, change) in LIES.items():
    def seen(law=law, change=change):
        broken = laws_broken(change)
        check(law in broken, f"not seen; instead: {broken}")
    suite.add(title, seen)


@suite.case
def replicas_that_differ_are_seen():
    def contents(through, value):
        return [{"shard": 7, "through": through, "receipts_after": "x", "records": 3, "hash": value}]
    replicas, voters = Replicas(None), {7: {1, 2}, 8: {1, 2}}
    replicas.note(1, contents(10, "aa"))
    equal(replicas.unequal(voters), [7, 8])
    replicas.note(2, contents(9, "bb"))
    equal((replicas.unequal(voters), replicas.differ), ([7, 8], []))
    replicas.note(2, contents(10, "aa"))
    equal((replicas.unequal(voters), replicas.differ), ([8], []))
    equal(replicas.unequal({9: {1, 2}}), [9])  # nobody shows it
    replicas.note(1, contents(9, "cc"))
    equal(len(replicas.differ), 1)


class SlowReplicas(Replicas):
    """Equal once the clock says `equal_at`."""

    def __init__(self, equal_at):
        super().__init__(None)
        self.equal_at, self.time = equal_at, 0.0

    def look(self):
        self.time += 1.0

    def voters(self):
        return {7: {1, 2}}

    def unequal(self, voters):
        return [] if self.time >= self.equal_at else sorted(voters)


@suite.case
def replicas_that_are_equal_too_late_are_seen():
    def found(equal_at):
        replicas = SlowReplicas(equal_at)
        return wait_until_equal(replicas, 5.0, 0.0, lambda: replicas.time)
    equal(found(4.0), ([], 4.0))
    equal([law for law, _ in found(6.0)[0]], ["replicas are equal within 5 s"])
    equal([law for law, _ in found(1e9)[0]], ["replicas are equal within 5 s"])


def run_of(build="b", laws=(), skipped=None):
    return {"build": build, "laws_broken": laws, "notes": [], "skipped": skipped}


@suite.case
def passes_in_a_row_are_of_one_build():
    equal(in_a_row([run_of("a"), run_of(), run_of()]), 2)
    equal(in_a_row([run_of(), run_of(laws=("stock",)), run_of()]), 1)
    equal(in_a_row([run_of(), run_of(skipped="no nft")]), 0)


@suite.case
def the_page_says_how_many_of_the_passes_in_a_row_are_of_one_build():
    twice = [run_of(), run_of()]
    equal(all_in_a_row([twice, [run_of("a"), *twice]]), "Each cell passed 2 times in a row with one build.")
    equal(all_in_a_row([[run_of("a"), run_of("a"), run_of()]]),
          "Each cell passed 3 times in a row; with the last of the builds 1 of 3.")
    equal(all_in_a_row([twice, [run_of(), run_of(laws=("stock",)), run_of()]]),
          "Not each cell passed more than once in a row.")


suite.run()
suite.end()
