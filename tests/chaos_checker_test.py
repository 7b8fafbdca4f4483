#!/usr/bin/env python3
"""What tools/chaos.sh relies on to find a lie: histories of carts that could be and that could not be, made by hand and at
random."""

import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "e2e"), os.path.join(os.path.dirname(HERE), "tools", "chaos"),
             os.path.join(os.path.dirname(HERE), "tools", "cluster")]
from harness import Suite, check, equal  # noqa: E402
from linearizable import CartModel, Operation, search  # noqa: E402
from shard_of import xxh3  # noqa: E402

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


suite.run()
suite.end()
