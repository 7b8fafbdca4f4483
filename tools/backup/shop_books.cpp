#include "tools/backup/shop_books.hpp"

#include <utility>

#include "actors/order/order_codec.hpp"
#include "persistence/key_layout.hpp"

namespace omnicart::backup {
namespace {

constexpr std::size_t version_bytes = 8;

// As in the check of the laws (http/laws.cpp).
bool stands(const order::order_view& view) {
  using s = order::order_status;
  switch (view.status) {
    case s::authorised:
    case s::paid:
    case s::processing:
    case s::shipped:
    case s::delivered:
      return true;
    case s::pending:
      return view.method == payment::method_type::invoice && !view.owes && !view.lines.empty();
    case s::rejected:
    case s::declined:
    case s::cancelled:
      return false;
  }
  return false;
}

}  // namespace

status shop_books::take(persistence::family which, std::string_view key, std::string_view value) {
  if (which != persistence::family::events || key.size() < version_bytes) return {};
  const auto prefix = key.substr(0, key.size() - version_bytes);
  if (prefix != prefix_) {
    if (auto begun = begin(prefix); !begun) return begun;
  }
  if (kind_ == entity_kind::other) return {};
  const auto version = persistence::decode_u64(key.substr(prefix.size()));
  if (version == persistence::timer_marker_version) return {};
  return replay(*version, value);
}

status shop_books::begin(std::string_view prefix) {
  finish();
  prefix_ = prefix;
  const auto entity = persistence::parse_entity_key(prefix);
  if (!entity) return fail(base_errc::malformed, "a key names no entity");
  kind_ = entity->entity.kind == "order"   ? entity_kind::order
          : entity->entity.kind == "stock" ? entity_kind::stock
                                           : entity_kind::other;
  id_ = entity->entity.id;
  version_ = 0;
  return {};
}

status shop_books::replay(std::uint64_t version, std::string_view value) {
  const auto wrong = [&](const std::string& what) {
    const char* const kind = kind_ == entity_kind::order ? "order/" : "stock/";
    return fail(base_errc::malformed,
                kind + id_ + ", version " + std::to_string(version) + ": " + what);
  };
  if (version != version_ + 1) return wrong("events before it are missing");
  version_ = version;
  const auto record = persistence::decode_event_record(value);
  if (!record) return wrong(record.error().detail);
  if (kind_ == entity_kind::order) {
    const auto event = order::decode_event(record->event);
    if (!event) return wrong(event.error().detail);
    order::apply(order_, *event);
  } else {
    const auto event = stock::decode_event(record->event);
    if (!event) return wrong(event.error().detail);
    stock::apply(stock_, *event);
  }
  return {};
}

void shop_books::finish() {
  if (kind_ == entity_kind::order && version_ > 0) {
    add(order_);
    if (each_order_) each_order_(order_id{id_}, order_);
    order_ = {};
  } else if (kind_ == entity_kind::stock && version_ > 0) {
    add(stock_);
    stock_ = {};
  }
  kind_ = entity_kind::other;
}

void shop_books::add(const order::state& what) {
  const auto view = order::view(what);
  ++totals_.orders;
  ++totals_.orders_by_status[to_string(view.status)];
  if (view.owes) ++totals_.in_flight;
  const std::string currency(view.total.currency.text());
  if (stands(view)) totals_.gross[currency] += view.total.amount_minor;
  if (view.captured.amount_minor > 0) {
    ++totals_.captures;
    totals_.captured[currency] += view.captured.amount_minor;
  }
  if (view.refunded.amount_minor > 0) totals_.refunded[currency] += view.refunded.amount_minor;
}

void shop_books::add(const stock::state& what) {
  ++totals_.products;
  totals_.on_hand += what.units.on_hand;
  totals_.reserved += what.units.reserved;
  totals_.sold += what.units.sold;
  totals_.returned += what.units.returned;
}

const cluster::cut_totals& shop_books::totals() {
  finish();
  return totals_;
}

}  // namespace omnicart::backup
