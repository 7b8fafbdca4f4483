#include "http/catalogue_list.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_map>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/server/async_reply.hpp"
#include "runtime/base/category_path.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t facets_max = 20;

struct row {
  std::string name, category, brand;
  std::int64_t price_minor = 0;
  std::int64_t rating_centi = -1;
  timestamp_ms created_at;
  currency_code currency;
  OMNICART_FIELDS(name, category, brand, price_minor, rating_centi, created_at, currency)
};

std::string fold(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : fold(text) + ' ') {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

// A number as text that sorts as it does.
std::string sortable(std::int64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%020llu",
                static_cast<unsigned long long>(static_cast<std::uint64_t>(number) + (std::uint64_t{1} << 63)));
  return text;
}

std::vector<facet> most_frequent(const std::unordered_map<std::string, std::uint64_t>& counts) {
  std::vector<facet> facets;
  for (const auto& [value, count] : counts) {
    if (!value.empty()) facets.push_back({value, count});
  }
  std::sort(facets.begin(), facets.end(), [](const facet& a, const facet& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  facets.resize(std::min(facets.size(), facets_max));
  return facets;
}

// Cursor: hexadecimal of sort key, NUL, id.
std::string to_cursor(const std::pair<std::string, std::string>& place) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : place.first + '\0' + place.second) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::optional<std::pair<std::string, std::string>> from_cursor(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (text.size() % 2 != 0 || text.size() > 4'000) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) return std::nullopt;
    bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  const auto cut = bytes.rfind('\0');
  if (cut == bytes.npos) return std::nullopt;
  return std::pair{bytes.substr(0, cut), bytes.substr(cut + 1)};
}

std::string encode_row(const product::details& content, timestamp_ms created_at) {
  return codec::encode(row{.name = content.name,
                           .category = content.category,
                           .brand = content.brand,
                           .price_minor = content.price.amount_minor,
                           .rating_centi = content.rating_centi.value_or(-1),
                           .created_at = created_at,
                           .currency = content.price.currency});
}

}  // namespace

void catalogue_list::remember(const std::string& id, std::string_view bytes) {
  auto stored = codec::decode<row>(bytes);
  if (!stored) return;
  entry product{.name = std::move(stored->name),
                .category = std::move(stored->category),
                .brand = std::move(stored->brand),
                .folded = {},
                .price_minor = stored->price_minor,
                .currency = stored->currency,
                .rating_centi = stored->rating_centi,
                .created_at = stored->created_at};
  product.folded = fold(product.name + '\n' + product.brand + '\n' + product.category);
  products_[id] = std::move(product);
}

void catalogue_list::open(projection_rows& rows) {
  products_.clear();
  shelves_.clear();
  low_.clear();
  rows.scan("p", "q", [this](std::string_view key, std::string_view value) {
    remember(std::string(key.substr(1)), value);
    return true;
  });
  rows.scan("s", "t", [this](std::string_view key, std::string_view value) {
    const auto stored = codec::decode<shelf>(value);
    if (!stored) return true;
    const std::string id(key.substr(1));
    shelves_[id] = *stored;
    mark_low(id, *stored);
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
  rows.put("s" + entity.id, codec::encode(at));
}

void catalogue_list::apply_product(const entity_ref& entity, const event_record& record, projection_rows& rows) {
  const auto event = product::decode_event(record.event);
  if (!event) return;
  const std::string key = "p" + entity.id;
  if (std::holds_alternative<product::retired>(*event)) {
    products_.erase(entity.id);
    return rows.erase(key);
  }
  const auto* created = std::get_if<product::created>(&*event);
  const auto* replaced = std::get_if<product::replaced>(&*event);
  const auto known = products_.find(entity.id);
  if (const auto* rated = std::get_if<product::rated>(&*event)) return apply_rating(entity.id, rated->average_centi, rows);
  if (!created && !replaced) return;
  const timestamp_ms since = created ? created->at : known == products_.end() ? replaced->at : known->second.created_at;
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

catalogue_list::place catalogue_list::place_of(const catalogue_query& query, const std::string& id,
                                               const entry& product) {
  const auto priced = [&](std::int64_t amount_minor) {
    const bool own = product.currency == query.currency;
    return (own ? std::string() : std::string(product.currency.text())) + ' ' + sortable(amount_minor);
  };
  switch (query.sort) {
    case catalogue_sort::id: return {"", id};
    case catalogue_sort::name: return {product.folded.substr(0, product.folded.find('\n')), id};
    case catalogue_sort::price_up: return {priced(product.price_minor), id};
    case catalogue_sort::price_down: return {priced(-product.price_minor), id};
    case catalogue_sort::rating: return {sortable(-product.rating_centi), id};
    case catalogue_sort::newest: return {sortable(-product.created_at.time_since_epoch().count()), id};
  }
  return {"", id};
}

bool catalogue_list::matches(const catalogue_query& query, const std::vector<std::string>& words, const std::string& id,
                             const entry& product) const {
  if (!query.category.empty() && !lies_in(product.category, query.category)) return false;
  if (!query.brand.empty() && fold(product.brand) != fold(query.brand)) return false;
  if ((query.min_price || query.max_price) && product.currency != query.currency) return false;
  if (query.min_price && product.price_minor < *query.min_price) return false;
  if (query.max_price && product.price_minor > *query.max_price) return false;
  if (query.min_rating_centi && product.rating_centi < *query.min_rating_centi) return false;
  if (query.in_stock) {
    const auto at = shelves_.find(id);
    if (*query.in_stock != (at != shelves_.end() && at->second.available > 0)) return false;
  }
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return product.folded.find(word) != std::string::npos; });
}

result<catalogue_page> catalogue_list::find(const catalogue_query& query) const {
  std::optional<place> after;
  if (!query.cursor.empty()) {
    after = from_cursor(query.cursor);
    if (!after) return fail(base_errc::malformed, "not a cursor of this list");
  }
  const auto words = words_of(query.text);
  catalogue_page page;
  std::unordered_map<std::string, std::uint64_t> categories, brands;
  std::vector<place> behind;  // a heap of the first limit + 1 places behind the cursor, the last on top
  for (const auto& [id, product] : products_) {
    if (!matches(query, words, id, product)) continue;
    ++page.total;
    each_level(product.category, [&](std::string_view path) {
      if (lies_in(path, query.category)) ++categories[std::string(path)];
    });
    ++brands[product.brand];
    place at = place_of(query, id, product);
    if (after && at <= *after) continue;
    if (behind.size() > query.limit && at >= behind.front()) continue;
    behind.push_back(std::move(at));
    std::push_heap(behind.begin(), behind.end());
    if (behind.size() > query.limit + 1) {
      std::pop_heap(behind.begin(), behind.end());
      behind.pop_back();
    }
  }
  std::sort_heap(behind.begin(), behind.end());
  const bool more = behind.size() > query.limit;
  if (more) behind.pop_back();
  for (const auto& at : behind) page.ids.push_back(at.second);
  if (more) page.next_cursor = to_cursor(behind.back());
  page.categories = most_frequent(categories);
  page.brands = most_frequent(brands);
  return page;
}

result<low_page> catalogue_list::find_low(const std::string& cursor, std::size_t limit) const {
  std::string after;
  if (!cursor.empty()) {
    const auto last = from_cursor(cursor);
    if (!last) return fail(base_errc::malformed, "not a cursor of this list");
    after = last->second;
  }
  low_page page;
  for (auto id = low_.upper_bound(after); id != low_.end(); ++id) {
    const auto product = products_.find(*id);
    if (product == products_.end()) continue;
    if (page.items.size() == limit) {
      page.next_cursor = to_cursor({"", page.items.back().id});
      break;
    }
    const shelf& at = shelves_.at(*id);
    page.items.push_back({*id, product->second.name, at.available, at.promised.low_stock});
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

task<result<catalogue_page>> catalogue_list::page(catalogue_query query) const {
  co_return co_await async_reply<result<catalogue_page>>([&](auto done) {
    host_->query(
        name(), [this, query, done](projection_rows&) { done(find(query)); },
        [done](error why) { done(fail(std::move(why))); });
  });
}

}  // namespace omnicart::http
