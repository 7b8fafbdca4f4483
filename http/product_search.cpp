#include "http/product_search.hpp"

#include <algorithm>
#include <filesystem>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/server/async_reply.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/log.hpp"

// What is kept and how it gets into the index. Answers: product_search_queries.cpp.
namespace omnicart::http {
namespace {

constexpr std::size_t pending_per_apply = 200;   // more than these are indexed at once
constexpr std::size_t documents_per_slice = 50;  // between two looks at what else is to be done

using suggestions = result<std::vector<suggestion>>;
using category_tree = result<std::vector<search::category_node>>;
using product_ids = result<std::vector<std::string>>;
using variant_list = result<std::vector<product_variant>>;

search::document document_of(const std::string& id, const product::details& content,
                             timestamp_ms created_at) {
  return {.id = id,
          .name = content.name,
          .brand = content.brand,
          .category = content.category,
          .description = content.description,
          .codes = content.gtin,
          .attributes = content.attributes,
          .price = content.price,
          .rating_centi = content.rating_centi.value_or(-1),
          .created_at = created_at,
          .other_prices = content.prices,
          .family = content.family,
          .options = content.options};
}

std::string rating_key(const std::string& id) { return "r" + id; }

template <class T>
void set_at(std::vector<T>& of, std::size_t at, T value) {
  if (at >= of.size()) of.resize(at + 1);
  of[at] = value;
}

template <class T>
T at_or_zero(const std::vector<T>& of, std::size_t at) {
  return at < of.size() ? of[at] : T{};
}

}  // namespace

// --- what is kept
// -----------------------------------------------------------------------------------------------

void product_search::open(projection_rows& rows) {
  beginning_ = true;
  facts_.clear();
  slots_.clear();
  free_.clear();
  shelves_.clear();
  wanted_.clear();
  pending_.clear();
  live_ = false;
  rows.scan("s", "t", [this](std::string_view key, std::string_view value) {
    if (const auto stored = codec::decode<stocked>(value))
      shelves_[std::string(key.substr(1))] = *stored;
    return true;
  });
  rows.scan("d", "e", [this](std::string_view, std::string_view value) {
    if (const auto stored = codec::decode<stored_document>(value)) remember(*stored);
    return true;
  });
  for (search::slot at = 0; at < facts_.slots(); ++at) {
    if (!facts_.find(at)) free_.insert(at);
  }
  if (slots_.empty()) begin_anew();
}

void product_search::remember(const stored_document& stored) {
  const auto& [at, about] = stored;
  slots_[about.id] = at;
  facts_.put(at, about);
  const auto shelf = shelves_.find(about.id);
  if (shelf != shelves_.end()) facts_.stock(at, shelf->second.at.available, shelf->second.sold);
  set_at(wanted_, at, search::text_hash(about));
  if (at_or_zero(indexed_, at) != wanted_[at]) pending_.insert(at);
}

search::slot product_search::slot_for(const std::string& id) {
  if (const auto known = slots_.find(id); known != slots_.end()) return known->second;
  if (free_.empty()) return static_cast<search::slot>(facts_.slots());
  return free_.extract(free_.begin()).value();
}

void product_search::forget(const std::string& id, projection_rows& rows) {
  rows.erase(document_key(id));
  const auto known = slots_.find(id);
  if (known == slots_.end()) return;
  const search::slot at = known->second;
  facts_.erase(at);
  free_.insert(at);
  slots_.erase(known);
  set_at(wanted_, at, std::uint64_t{0});
  pending_.insert(at);
}

void product_search::apply(const entity_ref& entity, std::uint64_t version,
                           const event_record& record, projection_rows& rows) {
  if (entity.kind == "stock") return apply_stock(entity.id, version, record, rows);
  apply_product(entity.id, record, rows);
  if (live_ && pending_.size() >= pending_per_apply) index_some(pending_per_apply, rows);
}

void product_search::apply_product(const std::string& id, const event_record& record,
                                   projection_rows& rows) {
  const auto event = product::decode_event(record.event);
  if (!event) return;
  if (std::holds_alternative<product::retired>(*event)) return forget(id, rows);
  const auto* created = std::get_if<product::created>(&*event);
  const auto* replaced = std::get_if<product::replaced>(&*event);
  if (const auto* rated = std::get_if<product::rated>(&*event))
    return apply_rating(id, rated->average_centi, rows);
  if (!created && !replaced) return;
  const auto known = slots_.find(id);
  const auto* before = known == slots_.end() ? nullptr : facts_.find(known->second);
  const timestamp_ms since = created ? created->at : before ? before->created_at : replaced->at;
  stored_document now{
      .slot = slot_for(id),
      .about = document_of(id, created ? created->content : replaced->content, since)};
  if (const auto rating = rows.get(rating_key(id)))
    now.about.rating_centi = codec::decode<std::int64_t>(*rating).value_or(-1);
  rows.put(document_key(id), codec::encode(now));
  remember(now);
}

void product_search::apply_rating(const std::string& id, std::int64_t rating_centi,
                                  projection_rows& rows) {
  rows.put(rating_key(id), codec::encode(rating_centi));
  const auto bytes = rows.get(document_key(id));
  auto stored = bytes ? codec::decode<stored_document>(*bytes)
                      : result<stored_document>(fail(base_errc::not_found));
  if (!stored) return;
  stored->about.rating_centi = rating_centi;
  rows.put(document_key(id), codec::encode(*stored));
  remember(*stored);
}

void product_search::apply_stock(const std::string& id, std::uint64_t version,
                                 const event_record& record, projection_rows& rows) {
  stocked& of = shelves_[id];
  if (version <= of.at.version) return;
  of.at.version = version;
  if (const auto event = stock::decode_event(record.event)) {
    const std::int64_t reserved = of.at.reserved;
    put_on_shelf(of.at, id, *event, rows);
    if (std::holds_alternative<stock::settled>(*event)) of.sold += reserved - of.at.reserved;
    if (const auto* back = std::get_if<stock::restocked>(&*event)) of.sold -= back->quantity;
  }
  rows.put("s" + id, codec::encode(of));
  if (const auto known = slots_.find(id); known != slots_.end())
    facts_.stock(known->second, of.at.available, of.sold);
}

// --- the index
// --------------------------------------------------------------------------------------------------

void product_search::begin_anew() {
  index_.reset();
  indexed_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
  pending_.clear();
  for (const auto& [id, at] : slots_) pending_.insert(at);
}

void product_search::open_index() {
  if (!index_) {
    auto opened = search::text_index::open(folder_);
    if (!opened)
      return log::error("search index cannot be opened", {{"why", opened.error().detail}});
    index_ = std::move(*opened);
    auto stored = index_->hashes();
    indexed_ = stored ? std::move(*stored) : std::vector<std::uint64_t>();
  }
  pending_.clear();
  for (search::slot at = 0; at < std::max(indexed_.size(), wanted_.size()); ++at) {
    if (at_or_zero(indexed_, at) != at_or_zero(wanted_, at)) pending_.insert(at);
  }
  live_ = true;
}

bool product_search::idle(projection_rows& rows) {
  beginning_ = false;
  if (!live_) open_index();
  if (!live_) return false;
  index_some(documents_per_slice, rows);
  return live_ && !pending_.empty();  // what failed is tried again with the next event
}

void product_search::index_some(std::size_t count, projection_rows& rows) {
  for (; count > 0 && !pending_.empty(); --count) {
    const search::slot at = *pending_.begin();
    if (!index_one(at, rows)) {
      begin_anew();
      live_ = false;
      return;
    }
    pending_.erase(at);
  }
}

bool product_search::index_one(search::slot at, projection_rows& rows) {
  const std::uint64_t wanted = at_or_zero(wanted_, at);
  if (wanted == at_or_zero(indexed_, at)) return true;
  status done;
  if (const auto* row = facts_.find(at)) {
    const auto bytes = rows.get(document_key(row->id));
    const auto stored = bytes ? codec::decode<stored_document>(*bytes)
                              : result<stored_document>(fail(base_errc::not_found));
    if (!stored) return true;  // its row does not read: it cannot be found
    done = index_->put(at, stored->about, wanted);
  } else {
    done = index_->erase(at);
  }
  if (!done) {
    log::error("search index cannot be written; it begins anew", {{"why", done.error().detail}});
    return false;
  }
  set_at(indexed_, at, wanted);
  return true;
}

status product_search::be_ready() {
  beginning_ = false;
  if (!live_) open_index();
  if (!live_) return fail(base_errc::unavailable, "the search index cannot be opened");
  if (pending_.size() <= behind_max) return {};
  return fail(base_errc::unavailable, "the search index is being made; try again");
}

status product_search::catch_up(projection_rows& rows) {
  if (auto ready = be_ready(); !ready) return ready;
  index_some(behind_max, rows);
  if (pending_.empty()) return {};
  return fail(base_errc::unavailable, "the search index is being made; try again");
}

// --- from other threads
// -----------------------------------------------------------------------------------------

task<result<search_page>> product_search::page(search_query query) {
  co_return co_await async_reply<result<search_page>>([&](auto done) {
    current_->query(
        name(), [this, query, done](projection_rows& rows) { done(find(query, rows)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

task<result<std::vector<suggestion>>> product_search::suggest(std::string text, std::size_t limit) {
  co_return co_await async_reply<suggestions>([&](auto done) {
    own_->query(
        name(), [this, text, limit, done](projection_rows&) { done(complete(text, limit)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

task<result<std::vector<search::category_node>>> product_search::categories() {
  co_return co_await async_reply<category_tree>([&](auto done) {
    current_->query(
        name(), [this, done](projection_rows&) { done(facts_.category_tree()); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

task<result<std::vector<std::string>>> product_search::related(std::string product,
                                                               std::size_t limit) {
  co_return co_await async_reply<product_ids>([&](auto done) {
    own_->query(
        name(),
        [this, product, limit, done](projection_rows& rows) { done(alike(product, limit, rows)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

task<result<std::vector<product_variant>>> product_search::variants(std::string product,
                                                                    std::string family,
                                                                    std::size_t limit) {
  if (beginning_) co_return fail(base_errc::unavailable, "the search index is being made");
  co_return co_await async_reply<variant_list>([&](auto done) {
    own_->query(
        name(),
        [this, product, family, limit, done](projection_rows& rows) {
          done(variants_of(product, family, limit, rows));
        },
        [done](error why) { done(fail(std::move(why))); });
  });
}

}  // namespace omnicart::http
