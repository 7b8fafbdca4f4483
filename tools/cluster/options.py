"""Command lines of scripts whose help stands at the top of a shell script."""

import argparse

from local_cluster import Trouble


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as Trouble; `script --help` says the rest."""

    def __init__(self, script):
        super().__init__(prog=script, add_help=False, allow_abbrev=False)

    def error(self, message):
        raise Trouble(f"{message}; {self.prog} --help says what there is")


def number(least, most):
    """An integer between two, as a type for add_argument."""
    def read(text):
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return value
    return read
