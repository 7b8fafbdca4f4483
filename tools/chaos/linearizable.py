"""Whether a history of one register-like object could have come from one copy that takes one operation at a time.

The search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory of what was tried: an
operation may come next when no other one that is still open ended before it began. One with an unknown outcome has no end
and may also never have happened."""

FOREVER = float("inf")


class Undecided(Exception):
    """The search was given up."""


class Operation:
    """`end` None: the outcome is unknown. `what` is for the model."""

    __slots__ = ("begin", "end", "what", "result")

    def __init__(self, begin, end, what, result=None):
        self.begin, self.end, self.what, self.result = begin, end, what, result

    @property
    def last(self):
        return FOREVER if self.end is None else self.end


def search(model, operations, tries_max=2_000_000):
    """None when there is an order; else the operations that fitted no order that came furthest.

    `model.initial`: a hashable state. `model.step(state, operation)`: the state after it, or None when its result cannot be.
    `model.bound(operation)`: no state before it may have a larger model.height(state); None when it says nothing."""
    ordered = sorted(operations, key=lambda each: each.begin)
    bounds = sorted((bound, i) for i, each in enumerate(ordered) if (bound := model.bound(each)) is not None)
    known = sum(1 << i for i, each in enumerate(ordered) if each.end is not None)
    seen, furthest, tries = set(), 0, 0
    stack = [(0, model.initial, candidates(ordered, 0))]
    while stack:
        done, state, nexts = stack[-1]
        if done & known == known:
            return None
        furthest = max(furthest, done & known, key=int.bit_count)
        index = next(nexts, None)
        if index is None:
            stack.pop()
            continue
        tries += 1
        if tries > tries_max:
            raise Undecided(f"{len(ordered)} operations, {tries_max} tries")
        after = model.step(state, ordered[index])
        if after is None:
            continue
        done |= 1 << index
        if (done, after) not in seen and not too_high(model.height(after), bounds, done):
            seen.add((done, after))
            stack.append((done, after, candidates(ordered, done)))
    return [each for i, each in enumerate(ordered) if known >> i & 1 and not furthest >> i & 1]


def too_high(height, bounds, done):
    """Whether an operation that has yet to come shows a lower state."""
    for bound, i in bounds:
        if bound >= height:
            return False
        if not done >> i & 1:
            return True
    return False


def candidates(ordered, done):
    """Numbers of the operations that may come next: those with a known outcome first."""
    first_end, found, unknown = FOREVER, [], []
    low = (~done & (done + 1)).bit_length() - 1
    for i in range(low, len(ordered)):
        each = ordered[i]
        if each.begin > first_end:
            break
        if done >> i & 1:
            continue
        (unknown if each.end is None else found).append(i)
        first_end = min(first_end, each.last)
    return iter([i for i in found if ordered[i].begin <= first_end] + [i for i in unknown if ordered[i].begin <= first_end])


class CartModel:
    """A cart that is not checked out: its version, and units by product. Opening it counts as a version; the session does it
    at some time after its own beginning, or the first who puts something in. Operations are ("open",), ("set", product,
    units), ("add", product, units), ("remove", product) and ("read",). Results: ("none",) where there is no such line; ("done",) when only
    that much is known; (version, units of that line, units of all lines); of a read (version, ((product, units), ...))."""

    initial = (0, ())

    @staticmethod
    def height(state):
        return state[0]

    @staticmethod
    def bound(operation):
        return operation.result[0] if operation.result and isinstance(operation.result[0], int) else None

    @staticmethod
    def step(state, operation):
        version, lines = state
        kind, *more = operation.what
        result = operation.result
        if kind == "open":
            return state if version else (1, lines)
        if kind == "read":
            return state if result in (None, (version, lines)) else None
        units = dict(lines)
        product, before = more[0], units.get(more[0], 0)
        if kind != "add" and not before:
            return state if result in (None, ("none",)) else None
        after = {"set": more[-1], "add": before + more[-1] if kind == "add" else 0, "remove": 0}[kind]
        units[product] = after
        if not after:
            del units[product]
        made = (version + (after != before) + (not version), tuple(sorted(units.items())))
        fits = result is None or result == ("done",) or result == (made[0], after, sum(units.values()))
        return made if fits else None
