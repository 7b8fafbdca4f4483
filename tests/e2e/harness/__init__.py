"""What the end-to-end scripts share: real nodes, real sockets, a small runner. Python's standard library only."""

from . import contract, metrics
from .client import Answer, Client, Gone
from .group import alone, at_every_node, fresh_shop, serving, soon
from .node import Node, programs, run_ctl
from .raw import exchange
from .shop import Shop
from .suite import Suite, check, equal, poll

__all__ = ["alone", "Answer", "at_every_node", "Client", "Gone", "Node", "Shop", "Suite", "check", "contract", "equal", "exchange",
           "fresh_shop", "metrics", "poll", "programs", "run_ctl", "serving", "soon"]
