#pragma once

#include <vector>

#include "http/operator_server.hpp"

namespace omnicart {
class router;
}
namespace omnicart::cluster {
class replicated_journal;
}
namespace omnicart::http {
class catalogue_list;
class password_hasher;
class payment_gateway;
class product_search;
class server;
}  // namespace omnicart::http
namespace omnicart::persistence {
class projection_set;
class reader_pool;
class store;
}  // namespace omnicart::persistence

namespace omnicart::node {

class ledger_duty;
class pay_supervisor;
class peers;

struct figure_sources {
  const router& entities;
  const cluster::replicated_journal& log;
  const persistence::projection_set& projections;
  const persistence::store& data;
  const http::payment_gateway& payments;
  const pay_supervisor& provider;
  const http::password_hasher& passwords;
  const persistence::reader_pool& readers;
  const http::catalogue_list& catalogue;
  const http::product_search& finder;
  const http::server* front;  // null while it is not up
  peers* others;              // null: a node that stays alone
  const ledger_duty* ledger;  // null: nobody looks
};

// What every part of the node says of itself, for /metrics and /status.
std::vector<http::figure> node_figures(const figure_sources& from);

std::vector<http::projection_state> projection_states(const persistence::projection_set& all);

}  // namespace omnicart::node
