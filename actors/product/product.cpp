#include "actors/product/product.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "runtime/base/assert.hpp"
#include "runtime/base/heap_size.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::product {
namespace {

using events = std::vector<event>;

constexpr std::size_t name_bytes_max = 500;
constexpr std::size_t description_bytes_max = 20'000;
constexpr std::size_t category_bytes_max = 500;
constexpr std::size_t brand_bytes_max = 200;
constexpr std::size_t gtin_count_max = 200;
constexpr std::size_t gtin_bytes_max = 64;
constexpr std::size_t attribute_count_max = 300;
constexpr std::size_t attribute_name_bytes_max = 200;
constexpr std::size_t attribute_value_bytes_max = 8'000;  // some makers write prose here
constexpr std::size_t image_count_max = 50;
constexpr std::size_t price_count_max = 30;
constexpr std::size_t image_bytes_max = 2'000;
constexpr std::int64_t rating_centi_max = 500;
constexpr std::size_t family_bytes_max = 64;
constexpr std::size_t option_count_max = 10;
constexpr std::size_t option_name_bytes_max = 50;
constexpr std::size_t option_value_bytes_max = 100;

bool is_label(const std::string& text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_single_line(text);
}

bool is_gtin(const std::string& text) {
  return !text.empty() && text.size() <= gtin_bytes_max && is_printable_ascii(text);
}

bool is_attribute(const std::pair<std::string, std::string>& attribute) {
  return !attribute.first.empty() && is_label(attribute.first, attribute_name_bytes_max) &&
         is_label(attribute.second, attribute_value_bytes_max);
}

bool is_image(const std::string& text) { return !text.empty() && is_label(text, image_bytes_max); }

template <class Items, class Rule>
bool holds_for_all(const Items& items, std::size_t count_max, Rule rule) {
  return items.size() <= count_max && std::all_of(items.begin(), items.end(), rule);
}

// The product's price in that currency; nothing when it has none.
std::optional<money> price_in(const details& content, currency_code currency) {
  if (content.price.currency == currency) return content.price;
  const auto at = std::find_if(content.prices.begin(), content.prices.end(),
                               [&](const money& m) { return m.currency == currency; });
  return at == content.prices.end() ? std::nullopt : std::optional(*at);
}

// One price per currency, the product's own among them.
bool is_price_list(const details& content) {
  std::set<std::string_view> seen{content.price.currency.text()};
  return content.prices.size() <= price_count_max &&
         std::all_of(content.prices.begin(), content.prices.end(), [&](const money& m) {
           return m.amount_minor >= 0 && seen.insert(m.currency.text()).second;
         });
}

bool is_option(const std::pair<std::string, std::string>& option) {
  return !option.first.empty() && is_label(option.first, option_name_bytes_max) && !option.second.empty() &&
         is_label(option.second, option_value_bytes_max);
}

// What tells a product from the others of its family: without one it has none.
bool is_option_list(const details& content) {
  std::set<std::string_view> seen;
  return (content.options.empty() || !content.family.empty()) &&
         holds_for_all(content.options, option_count_max, is_option) &&
         std::all_of(content.options.begin(), content.options.end(),
                     [&](const auto& option) { return seen.insert(option.first).second; });
}

// The first member beyond its limit; nullptr when all are within.
const char* first_bad_member(const details& content) {
  if (content.description.size() > description_bytes_max || !is_plain_text(content.description)) {
    return "description";
  }
  if (!is_label(content.category, category_bytes_max)) return "category";
  if (!is_label(content.brand, brand_bytes_max)) return "brand";
  if (!holds_for_all(content.gtin, gtin_count_max, is_gtin)) return "gtin";
  if (!holds_for_all(content.attributes, attribute_count_max, is_attribute)) return "attributes";
  if (!holds_for_all(content.images, image_count_max, is_image)) return "images";
  if (!is_price_list(content)) return "prices";
  if (content.weight_g && *content.weight_g < 0) return "weight_g";
  const auto rating = content.rating_centi.value_or(0);
  if (rating < 0 || rating > rating_centi_max) return "rating_centi";
  if (!content.family.empty() && !is_family(content.family)) return "family";
  if (!is_option_list(content)) return "options";
  return nullptr;
}

// The refusal of commands that need a product on sale.
status must_live(const state& now) {
  switch (now.life) {
    case lifecycle::unknown:
      return fail(errc::no_such_product);
    case lifecycle::retired:
      return fail(errc::retired);
    case lifecycle::living:
      return {};
  }
  bug("a product's life is one of three");
}

struct decider {
  const state& now;
  const context& ctx;

  result<events> operator()(const create& c) const {
    if (now.life == lifecycle::living) return fail(errc::already_exists);
    if (auto valid = validate(c.content); !valid) return fail(valid.error());
    return events{created{c.content, ctx.now}};
  }

  result<events> operator()(const replace& c) const {
    if (auto lives = must_live(now); !lives) return fail(lives.error());
    if (auto valid = validate(c.content); !valid) return fail(valid.error());
    details content = c.content;
    if (!content.rating_centi) content.rating_centi = now.content.rating_centi;
    return replaced_unless_equal(std::move(content));
  }

  result<events> operator()(const import& c) const {
    if (auto valid = validate(c.content); !valid) return fail(valid.error());
    if (now.life != lifecycle::living) return events{created{c.content, ctx.now}};
    return replaced_unless_equal(c.content);
  }

  result<events> operator()(const retire&) const {
    if (now.life == lifecycle::unknown) return fail(errc::no_such_product);
    if (now.life == lifecycle::retired) return events{};
    return events{retired{ctx.now}};
  }

  result<events> operator()(const rate& c) const {
    if (auto lives = must_live(now); !lives) return fail(lives.error());
    if (c.count < 1 || c.average_centi < 100 || c.average_centi > rating_centi_max) return fail(base_errc::malformed);
    if (c.revision <= now.review_revision) return events{};
    return events{rated{.average_centi = c.average_centi, .count = c.count, .revision = c.revision, .at = ctx.now}};
  }

  result<events> operator()(const get&) const { return read(); }
  result<events> operator()(const quote& c) const {
    if (auto lives = must_live(now); !lives) return fail(lives.error());
    if (c.currency && !price_in(now.content, *c.currency)) return fail(errc::no_such_price);
    return events{};
  }

 private:
  result<events> read() const {
    if (auto lives = must_live(now); !lives) return fail(lives.error());
    return events{};
  }

  events replaced_unless_equal(details content) const {
    if (content == now.content) return {};
    return {replaced{std::move(content), ctx.now}};
  }
};

struct applier {
  state& now;

  void operator()(const created& e) const {
    now.life = lifecycle::living;
    now.content = e.content;
    now.created_at = now.updated_at = e.at;
  }
  void operator()(const replaced& e) const {
    now.content = e.content;
    now.updated_at = e.at;
  }
  void operator()(const retired& e) const {
    now.life = lifecycle::retired;
    now.updated_at = e.at;
  }
  void operator()(const rated& e) const {
    now.review_average_centi = e.average_centi;
    now.review_count = e.count;
    now.review_revision = e.revision;
    now.updated_at = e.at;
  }
};

product_view view_of(const state& now) {
  product_view made{.content = now.content,
                    .retired = now.life == lifecycle::retired,
                    .created_at = now.created_at,
                    .updated_at = now.updated_at,
                    .review_count = now.review_count};
  if (now.review_count > 0) made.content.rating_centi = now.review_average_centi;
  return made;
}

std::size_t heap_bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = vector_heap_bytes(texts);
  for (const auto& text : texts) bytes += heap_bytes(text);
  return bytes;
}

std::size_t heap_bytes_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t bytes = vector_heap_bytes(pairs);
  for (const auto& [name, value] : pairs) bytes += heap_bytes(name) + heap_bytes(value);
  return bytes;
}

}  // namespace

bool is_family(std::string_view text) {
  return !text.empty() && text.size() <= family_bytes_max && is_printable_ascii(text) &&
         text.find('/') == text.npos && text.front() != ' ' && text.back() != ' ';
}

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid_name:
      return "invalid_name";
    case errc::invalid_price:
      return "invalid_price";
    case errc::retired:
      return "retired";
    case errc::already_exists:
      return "already_exists";
    case errc::invalid_details:
      return "invalid_details";
    case errc::no_such_product:
      return "no_such_product";
    case errc::no_such_price:
      return "no_such_price";
  }
  return "";
}

status validate(const details& content) {
  if (content.name.empty() || !is_label(content.name, name_bytes_max)) {
    return fail(errc::invalid_name, "a name is 1-500 bytes of UTF-8 without control characters");
  }
  if (content.price.amount_minor < 0) return fail(errc::invalid_price, "a price is not negative");
  if (const char* member = first_bad_member(content)) return fail(errc::invalid_details, member);
  return {};
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check(const state& now) {
  ensure(now.content.price.amount_minor >= 0, "a product's price is not negative");
  ensure((now.life == lifecycle::unknown) == now.content.name.empty(),
         "a known product has a name");
  ensure(now.created_at <= now.updated_at, "a product is not changed before it is made");
  ensure(now.review_count >= 0 && now.review_average_centi <= rating_centi_max, "reviews come to at most five stars");
}

void check_full(const state& now) {
  check(now);
  if (now.life == lifecycle::unknown) return;
  ensure(validate(now.content).has_value(), "a product's details are within their limits");
}

reply reply_to(const state& now, const command& what) {
  if (const auto* asked = std::get_if<quote>(&what)) {
    const money own = now.content.price;
    return quote_view{.name = now.content.name,
                      .price = price_in(now.content, asked->currency.value_or(own.currency)).value_or(own),
                      .category = now.content.category,
                      .weight_g = now.content.weight_g.value_or(0)};
  }
  return view_of(now);
}

std::size_t memory_bytes(const state& now) {
  const details& content = now.content;
  std::size_t bytes = sizeof(state) + heap_bytes(content.name) + heap_bytes(content.description) +
                      heap_bytes(content.category) + heap_bytes(content.brand) + heap_bytes(content.family);
  bytes += heap_bytes_of(content.gtin) + heap_bytes_of(content.images);
  bytes += heap_bytes_of(content.attributes) + heap_bytes_of(content.options);
  return bytes + vector_heap_bytes(content.prices);
}

}  // namespace omnicart::product
