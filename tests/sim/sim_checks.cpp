#include "tests/sim/sim_checks.hpp"

#include <algorithm>

#include "actors/product/product_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "persistence/shard_log.hpp"
#include "tests/sim/order_laws.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/stock_sum.hpp"

namespace omnicart::sim {
namespace {

bool starts_with(const std::string& name, std::string_view kind) { return name.starts_with(kind); }

std::string id_of(const std::string& name) { return name.substr(name.find('/') + 1); }

template <class Kind>
typename Kind::state fold(const std::vector<recorded>& events) {
  typename Kind::state state{};
  for (const auto& each : events) {
    if (auto event = Kind::decode_event(each.record.event)) Kind::apply(state, *event);
  }
  return state;
}

}  // namespace

status append_to(history& past, const persistence::logged_item& part) {
  const std::string name = part.kind + '/' + part.id;
  auto& events = past[name];
  auto version = part.first_version;
  if (version != events.size() + 1) {
    return fail(base_errc::io, name + ": version " + std::to_string(version) + " follows " +
                                   std::to_string(events.size()));
  }
  for (const auto& bytes : part.records) {
    auto record = persistence::decode_event_record(bytes);
    if (!record) return fail(record.error());
    if (!events.empty() && record->at < events.back().record.at) {
      return fail(base_errc::io,
                  name + ": its log time goes back at version " + std::to_string(version));
    }
    events.push_back({version++, std::move(*record)});
  }
  return {};
}

result<history> read_history(persistence::store& data) {
  history past;
  persistence::shard_log log(data);
  for (std::uint16_t shard = 0; shard < data.shard_count(); ++shard) {
    auto entries = log.read(shard, 1, SIZE_MAX, SIZE_MAX);
    if (!entries) return fail(entries.error());
    for (const auto& each : *entries) {
      for (const auto& part : each.entry.items) {
        if (auto added = append_to(past, part); !added) return fail(added.error());
      }
    }
  }
  return past;
}

std::optional<broken_law> compare_stored(const persistence::reader_pool& reads,
                                         const entity_ref& entity,
                                         const std::vector<recorded>& events) {
  const auto name = entity.str();
  const auto* kind = sim_node::kinds().find(entity.kind);
  const auto found = reads.load_now(entity);
  if (!found) return broken_law{"stored records read", name + ": " + found.error().detail};
  auto stored = kind->make(), replayed = kind->make();
  if (found->state && !stored->restore(found->state->state))
    return broken_law{"snapshots read", name};
  for (const auto& each : found->events) static_cast<void>(stored->replay(each.event));
  for (const auto& each : events) static_cast<void>(replayed->replay(each.record.event));
  const auto versions = (found->state ? found->state->version : 0) + found->events.size();
  if (versions != events.size() || stored->describe() != replayed->describe() ||
      stored->encode_state() != replayed->encode_state()) {
    return broken_law{"a snapshot is what its events make",
                      name + " at version " + std::to_string(versions)};
  }
  return std::nullopt;
}

void sim_checks::violate(const std::string& law, const std::string& detail) {
  if (broken_) return;
  const auto step = time_ ? " (step " + std::to_string(time_->steps()) + ')' : std::string();
  broken_ = broken_law{law, detail + step};
}

// Carts, products, stocks, coupons and gift cards owe nobody.
void sim_checks::follow(const std::string& name, const std::string& event) {
  constexpr std::size_t all = 10'000;
  const auto* kind = sim_node::kinds().find(name.substr(0, name.find('/')));
  for (const auto& owes_nobody : {"cart", "product", "stock", "coupon", "gift_card"}) {
    if (kind->name == owes_nobody) return;
  }
  auto& record = records_[name];
  if (!record.state) record.state = kind->make();
  if (!record.state->replay(event)) return violate("stored events read", name);
  for (auto& owed : record.state->pending(all))
    record.owed.insert(owed.to.str() + ' ' + owed.command);
}

void sim_checks::effect_sent(const entity_ref& from, const envelope& what) {
  const auto at = records_.find(from.str());
  if (at != records_.end() && at->second.owed.contains(what.to.str() + ' ' + what.command)) return;
  violate("nothing leaves before it is durable",
          from.str() + " asks " + what.to.str() + " too early");
}

void sim_checks::committed(const persistence::committed_batch& batch) {
  for (const auto& each : batch.entries) {
    for (const auto& part : each.entry.items) {
      const std::string name = part.kind + '/' + part.id;
      committed_[name] = part.first_version + part.records.size() - 1;
      auto version = part.first_version;
      for (const auto& bytes : part.records) {
        if (auto record = persistence::decode_event_record(bytes)) {
          follow(name, record->event);
          books_.add(name, {version, std::move(*record)});
        }
        ++version;
      }
    }
  }
}

void sim_checks::answered(const entity_ref& entity, const answer& got, bool storage_failed) {
  const std::string name = entity.str();
  if (storage_failed && got.ok()) violate("a failed write is final", name + " still answers");
  if (got.failure && is_fault(got.failure->number)) return;  // says nothing of the record
  if (got.version > committed_[name]) {
    violate("nothing leaves before it is durable",
            name + " spoke of version " + std::to_string(got.version) + ", " +
                std::to_string(committed_[name]) + " is on disk");
  }
  auto& seen = seen_[name];
  seen = std::max(seen, got.version);
}

std::uint64_t sim_checks::seen(const entity_ref& entity) const {
  const auto at = seen_.find(entity.str());
  return at == seen_.end() ? 0 : at->second;
}

void sim_checks::restarted(persistence::store& data) {
  const auto past = read_history(data);
  if (!past) return violate("the log reads without a gap", past.error().detail);
  records_.clear();
  for (const auto& [name, events] : *past) {
    committed_[name] = events.size();
    for (const auto& each : events) follow(name, each.record.event);
  }
  nothing_lost(*past);
  books_.add_all(*past);
}

void sim_checks::nothing_lost(const history& past) {
  for (const auto& [name, version] : seen_) {
    const auto at = past.find(name);
    const std::size_t kept = at == past.end() ? 0 : at->second.size();
    if (kept < version) {
      violate("nothing acknowledged is lost", name + " was seen at version " +
                                                  std::to_string(version) + ", " +
                                                  std::to_string(kept) + " are left");
    }
  }
}

void sim_checks::added_to_cart(const std::string& cart, const std::string& tag) {
  acked_adds_[tag] = cart;
  books_.added_to_cart(cart, tag);
}

void sim_checks::refused_to_add(const std::string& tag) {
  refused_adds_.insert(tag);
  books_.refused_to_add(tag);
}

void sim_checks::cancelled(const std::string& order_id) {
  cancelled_.insert(order_id);
  books_.cancelled(order_id);
}

void sim_checks::told(const told_order& order) {
  books_.told(order);
  const auto [at, fresh] = told_.try_emplace(order.id, order);
  if (fresh) return;
  if (!may_become(at->second.view.status, order.view.status)) {
    violate("what was told of an order stays true",
            order.id + " was " + order::to_string(at->second.view.status) + " and became " +
                order::to_string(order.view.status));
  }
  if (at->second.view.total != order.view.total ||
      sorted_lines(at->second.view.lines) != sorted_lines(order.view.lines)) {
    violate("an order keeps its lines and total", order.id);
  }
  at->second = order;
}

// --- at the end --------------------------------------------------------------------------------

void sim_checks::at_rest(const history& past, const std::vector<pay::entry>& ledger,
                         timestamp_ms until) {
  read_prices(past);
  for (const auto& [name, events] : past) {
    if (starts_with(name, "order/")) check_order(name, events);
  }
  for (const auto& [name, events] : past) {
    if (starts_with(name, "stock/")) check_stock(name, events, until);
    if (starts_with(name, "cart/")) check_cart(name, events);
  }
  check_adds(past);
  check_ledger(ledger);
  for (const auto& [id, order] : told_) check_told(order);
  for (const auto& id : cancelled_) {
    const auto at = orders_.find(id);
    if (at == orders_.end() || at->second.status != order::order_status::cancelled) {
      violate("an acknowledged cancellation holds", id);
    }
  }
  if (!broken_) check_sales();
  if (!broken_) books_.at_rest();
}

// Goods that left, against orders that were not taken back; and no reference twice.
void sim_checks::check_sales() {
  std::map<std::string, std::int64_t> bought;
  std::set<std::string> references;
  for (const auto& [id, order] : orders_) {
    if (!references.insert(order.content.reference).second)
      violate("an order exists once", order.content.reference);
    if (!sells(order.status)) continue;
    std::set<std::string> products;
    for (const auto& line : order.lines) {
      bought[line.product.str()] += line.quantity;
      products.insert(line.product.str());
    }
    for (const auto& product : products) bought[product] -= books_.shelved(id, product);
  }
  for (const auto& [product, units] : sold_) bought.try_emplace(product, 0);
  for (const auto& [product, units] : bought) {
    if (sold_[product] == units) continue;
    violate("what was sold is what orders say", product + ": stock sold " +
                                                    std::to_string(sold_[product]) + ", orders " +
                                                    std::to_string(units));
  }
}

void sim_checks::read_prices(const history& past) {
  for (const auto& [name, events] : past) {
    if (!starts_with(name, "product/")) continue;
    product::state state{};
    for (const auto& each : events) {
      if (auto event = product::kind::decode_event(each.record.event))
        product::apply(state, *event);
      prices_.add(id_of(name), each.record.at, state.content.price.amount_minor);
    }
  }
}

void sim_checks::check_stock(const std::string& name, const std::vector<recorded>& events,
                             timestamp_ms until) {
  stock_sum sum([this](const std::string& id) {
    const auto at = orders_.find(id);
    return stock_sum::order_facts{.customer = at == orders_.end() ? "" : customer_of(at->second)};
  });
  for (const auto& each : events) {
    const auto event = stock::kind::decode_event(each.record.event);
    if (!event) return violate("stored events read", name);
    sum.add(*event);
    if (!sum.broken()) continue;
    return violate(sum.broken()->law, name + " at version " + std::to_string(each.version) + ": " +
                                          sum.broken()->detail);
  }
  for (const auto& [id, hold] : sum.holds) {
    if (hold.expires_at < until)
      violate("no hold outlives its expiry", name + ", reservation " + id);
  }
  for (const auto& [claim, units] : sum.claims) {
    const auto at = orders_.find(stock_sum::order_of(claim));
    const bool alive = at != orders_.end() && order::in_progress(at->second);
    if (!alive) violate("no hold outlives its order", name + ", order " + claim);
  }
  if (const auto text = sum.difference(fold<stock::kind>(events)); !text.empty())
    violate("stock adds up", name + ": the record's own figures differ: " + text);
  sold_[id_of(name)] = sum.sold - sum.returned;
}

void sim_checks::check_order(const std::string& name, const std::vector<recorded>& events) {
  order::state state{};
  timestamp_ms priced_at{};
  for (const auto& each : events) {
    const auto event = order::kind::decode_event(each.record.event);
    if (!event) return violate("stored events read", name);
    order::apply(state, *event);
    if (std::holds_alternative<order::totalled>(*event)) priced_at = each.record.at;
  }
  if (order::in_progress(state) || !order::pending(state, 1).empty()) {
    violate("an order in doubt ends", name + " still owes: " + order::to_string(state.at));
  }
  if (priced_at != timestamp_ms{}) {
    if (const auto fault = prices_.fault_of(state, priced_at); !fault.empty())
      violate("an order has the shop's prices", name + ", " + fault);
  }
  orders_.emplace(id_of(name), std::move(state));
}

void sim_checks::check_cart(const std::string& name, const std::vector<recorded>& events) {
  const auto state = fold<cart::kind>(events);
  if (!state.seal()) return;
  const auto at = orders_.find(state.seal()->order.str());
  const bool alive = at != orders_.end() && order::in_progress(at->second);
  if (!alive) violate("no seal outlives its order", name);
}

void sim_checks::check_adds(const history& past) {
  std::map<std::string, int> times;
  for (const auto& [name, events] : past) {
    if (!starts_with(name, "cart/")) continue;
    for (const auto& each : events) {
      const auto event = cart::kind::decode_event(each.record.event);
      const auto* added = event ? std::get_if<cart::lines_added>(&*event) : nullptr;
      if (!added || added->lines.empty()) continue;
      ++times[added->lines.front().name];
    }
  }
  for (const auto& [tag, count] : times) {
    if (count > 1) violate("a command id never runs twice", tag);
    if (refused_adds_.contains(tag)) violate("a refused command changes nothing", tag);
  }
  for (const auto& [tag, cart] : acked_adds_) {
    if (!times.contains(tag)) violate("every acknowledged cart write is there", cart + ", " + tag);
  }
}

void sim_checks::check_told(const told_order& told) {
  const auto at = orders_.find(told.id);
  if (at == orders_.end()) return violate("an acknowledged order exists", told.id);
  const auto now = order::view(at->second);
  if (!may_become(told.view.status, now.status)) {
    violate("what was told of an order stays true", told.id + " was " +
                                                        order::to_string(told.view.status) +
                                                        " and is " + order::to_string(now.status));
  }
  if (told.view.total != now.total || sorted_lines(told.view.lines) != sorted_lines(now.lines)) {
    violate("an order keeps its lines and total", told.id);
  }
}

void sim_checks::check_ledger(const std::vector<pay::entry>& ledger) {
  struct account {
    std::int64_t captures = 0, captured = 0, refunded = 0;
  };
  std::map<std::string, account> accounts;
  for (const auto& each : ledger) {
    auto& of = accounts[each.key];
    if (each.kind == pay::entry_kind::capture) {
      ++of.captures;
      of.captured += each.amount.amount_minor;
    }
    if (each.kind == pay::entry_kind::refund) of.refunded += each.amount.amount_minor;
  }
  for (const auto& [key, of] : accounts) {
    if (of.captures > 1) violate("at most one capture per order", key);
    const auto at = orders_.find(key);
    if (at == orders_.end()) {
      violate("both ledgers agree", key + " is charged but no order");
      continue;
    }
    const auto& order = at->second;
    if (order.captured.amount_minor != of.captured || order.refunded.amount_minor != of.refunded) {
      violate("both ledgers agree", key + ": captured " + std::to_string(of.captured) +
                                        " against " + std::to_string(order.captured.amount_minor) +
                                        ", refunded " + std::to_string(of.refunded) + " against " +
                                        std::to_string(order.refunded.amount_minor));
    }
    // Of one that stands it is looked at what came back (running_books::at_rest).
    if (!sells(order.status) && of.captured != of.refunded)
      violate("captures less refunds are what paid orders cost", key);
  }
  for (const auto& [id, order] : orders_) {
    if (order.captured.amount_minor != 0 && !accounts.contains(id))
      violate("both ledgers agree", id + " is unpaid");
  }
}

}  // namespace omnicart::sim
