"""Values held against schemas as OpenAPI 3.0.3 has them (section Schema Object): the keywords in the tables below, and no other.

Our own and no library's: a package of Debian reaches only Debian's own Python, these scripts run with any; python3-jsonschema
took six times as long over the same answers, and `nullable`, the formats and the refusal of what is not known would have been
ours all the same. tests/contract_test.py compares the two where that package is there."""

import json
import re

FORMATS = {"date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")}  # RFC 3339 as every answer writes it
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
NUMBER = TYPES["number"]


def same(one, other):
    """JSON's equality: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def is_a(value, kind):
    """Whether a value has this JSON type; true and false are no numbers, whatever Python says."""
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def is_unique(values):
    return len({json.dumps(each, sort_keys=True) for each in values}) == len(values)


# Of one value by itself. Keyword: (the types it speaks of; whether a value holds; what one that does not is).
PLAIN = {
    "enum": (object, lambda v, wanted, _: any(same(v, each) for each in wanted), "is none of"),
    "minimum": (NUMBER, lambda v, least, s: v > least if s.get("exclusiveMinimum") else v >= least, "is less than"),
    "maximum": (NUMBER, lambda v, most, s: v < most if s.get("exclusiveMaximum") else v <= most, "is more than"),
    "minLength": (str, lambda v, least, _: len(v) >= least, "is shorter than"),
    "maxLength": (str, lambda v, most, _: len(v) <= most, "is longer than"),
    "pattern": (str, lambda v, wanted, _: re.search(wanted, v), "does not match"),
    "format": (str, lambda v, wanted, _: FORMATS[wanted].fullmatch(v), "is no"),
    "minItems": (list, lambda v, least, _: len(v) >= least, "has fewer items than"),
    "maxItems": (list, lambda v, most, _: len(v) <= most, "has more items than"),
    "uniqueItems": (list, lambda v, wanted, _: not wanted or is_unique(v), "has an item twice; uniqueItems:"),
    "minProperties": (dict, lambda v, least, _: len(v) >= least, "has fewer members than"),
    "maxProperties": (dict, lambda v, most, _: len(v) <= most, "has more members than"),
}
# Of several schemas: how many must hold.
CHOICES = {"oneOf": lambda held, _: held == 1, "anyOf": lambda held, _: held > 0, "allOf": lambda held, of: held == of}
# Read by Checker itself, or beside the keyword they belong to.
STRUCTURE = {"type", "nullable", "items", "properties", "required", "additionalProperties", "exclusiveMinimum", "exclusiveMaximum"}
SAID_TO_READERS = {"title", "description", "default", "example", "deprecated"}
KNOWN = PLAIN.keys() | CHOICES.keys() | STRUCTURE | SAID_TO_READERS


class Checker:
    """`resolve`: what a node with a $ref stands for."""

    def __init__(self, resolve):
        self.resolve = resolve

    def faults(self, value, schema, at=""):
        """Where a value is not as its schema says: texts, each with its JSON Pointer."""
        schema = self.resolve(schema)
        if value is None and schema.get("nullable"):
            return []
        kind = schema.get("type")
        if kind and not is_a(value, kind):
            return [f"{at or '/'}: {value!r} is no {kind}"]
        found = [f"{at or '/'}: {value!r} {PLAIN[name][2]} {wanted!r}" for name, wanted in schema.items()
                 if name in PLAIN and is_spoken_of(value, name) and not PLAIN[name][1](value, wanted, schema)]
        for how in CHOICES.keys() & schema.keys():
            found += self.choice_faults(value, how, schema[how], at)
        if isinstance(value, list) and "items" in schema:
            for i, each in enumerate(value):
                found += self.faults(each, schema["items"], f"{at}/{i}")
        if isinstance(value, dict):
            found += self.member_faults(value, schema, at)
        return found

    def choice_faults(self, value, how, schemas, at):
        tried = [self.faults(value, each, at) for each in schemas]
        held = sum(not each for each in tried)
        if CHOICES[how](held, len(tried)):
            return []
        return [f"{at or '/'}: holds for {held} of {len(tried)} of {how}", *(fault for each in tried for fault in each)]

    def member_faults(self, value, schema, at):
        found = [f"{at}/{name}: missing" for name in schema.get("required", []) if name not in value]
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, each in value.items():
            if name in known:
                found += self.faults(each, known[name], f"{at}/{name}")
            elif more is False:
                found.append(f"{at}/{name}: the document has no such member")
            elif isinstance(more, dict):
                found += self.faults(each, more, f"{at}/{name}")
        return found


def is_spoken_of(value, keyword):
    """Whether a keyword speaks of values of this type: a maximum says nothing of a text."""
    kinds = PLAIN[keyword][0]
    return isinstance(value, kinds) and not (kinds is NUMBER and isinstance(value, bool))


def unknown_in(schema, at=""):
    """What a schema, and those in it, say that a Checker would not see: texts."""
    if "$ref" in schema:
        return [f"{at}/{name} beside a $ref" for name in schema.keys() - {"$ref"}]
    found = [f"{at}/{name}" for name in schema.keys() - KNOWN]
    found += [f"{at}/type: {schema['type']!r}"] if schema.get("type", "object") not in TYPES else []
    found += [f"{at}/format: {schema['format']!r}"] if schema.get("format", "date-time") not in FORMATS else []
    inner = [(name, schema[name]) for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    inner += [(f"{how}/{i}", each) for how in CHOICES for i, each in enumerate(schema.get(how, []))]
    inner += [(f"properties/{name}", each) for name, each in schema.get("properties", {}).items()]
    for name, each in inner:
        found += unknown_in(each, f"{at}/{name}")
    return found
