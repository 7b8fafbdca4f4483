#include "http/catalogue_list.hpp"

#include <utility>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/key_list.hpp"
#include "http/search_cursor.hpp"
#include "http/search_query.hpp"
#include "http/server/async_reply.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::http {
namespace {

struct row {
  std::string name, category, brand;
  std::int64_t price_minor = 0;
  std::int64_t rating_centi = -1;
  timestamp_ms created_at;
  currency_code currency;
  std::vector<money> prices;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string family;
  std::vector<std::pair<std::string, std::string>> options;
  OMNICART_FIELDS(name, category, brand, price_minor, rating_centi, created_at, currency, prices, attributes, family,
                  options)
};

std::string encode_row(const product::details& content, timestamp_ms created_at) {
  return codec::encode(row{.name = content.name,
                           .category = content.category,
                           .brand = content.brand,
                           .price_minor = content.price.amount_minor,
                           .rating_centi = content.rating_centi.value_or(-1),
                           .created_at = created_at,
                           .currency = content.price.currency,
                           .prices = content.prices,
                           .attributes = content.attributes,
                           .family = content.family,
                           .options = content.options});
}

}  // namespace

void catalogue_list::remember(const std::string& id, std::string_view bytes) {
  auto stored = codec::decode<row>(bytes);
  if (!stored) return;
  auto known = slots_.find(id);
  if (known == slots_.end()) {
    auto at = static_cast<search::slot>(facts_.slots());
    if (!free_.empty()) {
      at = free_.back();
      free_.pop_back();
    }
    known = slots_.emplace(id, at).first;
  }
  facts_.put(known->second, {.id = id,
                             .name = std::move(stored->name),
                             .brand = std::move(stored->brand),
                             .category = std::move(stored->category),
                             .attributes = std::move(stored->attributes),
                             .price = {stored->price_minor, stored->currency},
                             .rating_centi = stored->rating_centi,
                             .created_at = stored->created_at,
                             .other_prices = std::move(stored->prices),
                             .family = std::move(stored->family),
                             .options = std::move(stored->options)});
  counted_.reset();
  if (const auto at = shelves_.find(id); at != shelves_.end()) put_stock(known->second, at->second.available);
}

// Of a product that is on sale. Facets tell only whether there is any.
void catalogue_list::put_stock(search::slot at, std::int64_t available) {
  const bool was_there = facts_.find(at)->available > 0;
  if (was_there != (available > 0)) counted_.reset();
  facts_.stock(at, available, 0);
}

void catalogue_list::forget(const std::string& id) {
  const auto known = slots_.find(id);
  if (known == slots_.end()) return;
  counted_.reset();
  facts_.erase(known->second);
  free_.push_back(known->second);
  slots_.erase(known);
}

void catalogue_list::open(projection_rows& rows) {
  counted_.reset();
  facts_.clear();
  slots_.clear();
  free_.clear();
  shelves_.clear();
  low_.clear();
  rows.scan("s", "t", [this](std::string_view key, std::string_view value) {
    const auto stored = codec::decode<shelf>(value);
    if (!stored) return true;
    const std::string id(key.substr(1));
    shelves_[id] = *stored;
    mark_low(id, *stored);
    return true;
  });
  rows.scan("p", "q", [this](std::string_view key, std::string_view value) {
    remember(std::string(key.substr(1)), value);
    return true;
  });
}

void catalogue_list::mark_low(const std::string& id, const shelf& at) {
  if (at.is_low()) {
    low_.insert(id);
  } else {
    low_.erase(id);
  }
}

void catalogue_list::apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
                           projection_rows& rows) {
  entity.kind == "stock" ? apply_stock(entity, version, record, rows) : apply_product(entity, record, rows);
}

void catalogue_list::apply_stock(const entity_ref& entity, std::uint64_t version, const event_record& record,
                                 projection_rows& rows) {
  shelf& at = shelves_[entity.id];
  if (version <= at.version) return;
  at.version = version;
  if (const auto event = stock::decode_event(record.event)) put_on_shelf(at, entity.id, *event, rows);
  mark_low(entity.id, at);
  if (const auto known = slots_.find(entity.id); known != slots_.end()) put_stock(known->second, at.available);
  rows.put("s" + entity.id, codec::encode(at));
}

void catalogue_list::apply_product(const entity_ref& entity, const event_record& record, projection_rows& rows) {
  const auto event = product::decode_event(record.event);
  if (!event) return;
  const std::string key = "p" + entity.id;
  if (std::holds_alternative<product::retired>(*event)) {
    forget(entity.id);
    return rows.erase(key);
  }
  const auto* created = std::get_if<product::created>(&*event);
  const auto* replaced = std::get_if<product::replaced>(&*event);
  const auto known = slots_.find(entity.id);
  if (const auto* rated = std::get_if<product::rated>(&*event)) return apply_rating(entity.id, rated->average_centi, rows);
  if (!created && !replaced) return;
  const timestamp_ms since =
      created ? created->at : known == slots_.end() ? replaced->at : facts_.find(known->second)->created_at;
  const auto reviewed = rows.get("r" + entity.id);
  auto content = created ? created->content : replaced->content;
  if (reviewed) content.rating_centi = codec::decode<std::int64_t>(*reviewed).value_or(-1);
  std::string bytes = encode_row(content, since);
  remember(entity.id, bytes);
  rows.put(key, std::move(bytes));
}

void catalogue_list::apply_rating(const std::string& id, std::int64_t rating_centi, projection_rows& rows) {
  rows.put("r" + id, codec::encode(rating_centi));
  const auto stored = rows.get("p" + id);
  auto about = stored ? codec::decode<row>(*stored) : result<row>(fail(base_errc::not_found));
  if (!about) return;
  about->rating_centi = rating_centi;
  std::string bytes = codec::encode(*about);
  remember(id, bytes);
  rows.put("p" + id, std::move(bytes));
}

result<search_page> catalogue_list::find(const search_query& query) const {
  const query_times::running timed(times_);
  const bool is_whole = is_plain_list(query);
  const bool known = is_whole && counted_ && counted_->currency == query.only.currency;
  auto list = key_list::begin(facts_, query, known ? facet_counting::left_out : facet_counting::wanted);
  if (!list) return fail(list.error());
  for (search::slot at = 0; at < facts_.slots(); ++at) list->offer(at);
  search_page page = list->page();
  if (known) {
    page.total = facts_.size();
    page.counts = counted_->counts;
  } else if (is_whole) {
    counted_ = counted{query.only.currency, page.counts};
  }
  return page;
}

result<low_page> catalogue_list::find_low(const std::string& cursor, std::size_t limit) const {
  std::string after;
  if (!cursor.empty()) {
    auto last = read_search_cursor(cursor);
    if (!last) return fail(base_errc::malformed, "not a cursor of this list");
    after = std::move(last->id);
  }
  low_page page;
  for (auto id = low_.upper_bound(after); id != low_.end(); ++id) {
    const auto product = slots_.find(*id);
    if (product == slots_.end()) continue;
    if (page.items.size() == limit) {
      page.next_cursor = to_text({.key = {}, .id = page.items.back().id});
      break;
    }
    const shelf& at = shelves_.at(*id);
    page.items.push_back({*id, facts_.find(product->second)->name, at.available, at.promised.low_stock});
  }
  return page;
}

task<result<low_page>> catalogue_list::low(std::string cursor, std::size_t limit) const {
  co_return co_await async_reply<result<low_page>>([&](auto done) {
    host_->query(
        name(), [this, cursor, limit, done](projection_rows&) { done(find_low(cursor, limit)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

task<result<search_page>> catalogue_list::page(search_query query) const {
  co_return co_await async_reply<result<search_page>>([&](auto done) {
    host_->query(
        name(), [this, query, done](projection_rows&) { done(find(query)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

}  // namespace omnicart::http
