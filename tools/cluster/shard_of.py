"""Which shard holds an id: XXH3-64 of it, modulo their number (runtime/base/ids.hpp). Only for ids of 17 to 32 characters,
as the engine makes them: the part of the hash for that length is short (xxhash.com, XXH3_len_17to128_64b)."""

MASK = (1 << 64) - 1
SECRET = bytes.fromhex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f")


def word(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def mixed(data, at, secret):
    product = (word(data, at) ^ word(SECRET, secret)) * (word(data, at + 8) ^ word(SECRET, secret + 8))
    return (product & MASK) ^ (product >> 64)


def xxh3(text):
    data = text.encode()
    if not 17 <= len(data) <= 32:
        raise ValueError(f"{len(data)} characters")
    acc = (len(data) * 0x9E3779B185EBCA87 + mixed(data, 0, 0) + mixed(data, len(data) - 16, 16)) & MASK
    acc = ((acc ^ acc >> 37) * 0x165667919E3779F9) & MASK
    return acc ^ acc >> 32


def shard_of(text, count=64):
    return xxh3(text) % count
