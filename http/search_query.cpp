#include "http/search_query.hpp"

#include "actors/product/product_messages.hpp"
#include "http/list_query.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t attributes_max = 10;
constexpr std::size_t attribute_bytes_max = 200;
constexpr std::size_t options_max = 10;
constexpr std::size_t option_bytes_max = 100;

using search::sort_by;

// In the order of the words below.
constexpr sort_by orders[] = {sort_by::id,         sort_by::name,   sort_by::price_up,
                              sort_by::price_down, sort_by::rating, sort_by::newest,
                              sort_by::relevance,  sort_by::sales};

std::optional<std::int64_t> price(list_query& read, std::string_view name, currency_code in) {
  const auto text = read.text(name, 40);
  if (!text) return std::nullopt;
  const auto amount = parse_decimal(*text, in);
  if (!amount) read.report(name, "malformed", "a decimal price such as 12.99");
  return amount ? std::optional(amount->amount_minor) : std::nullopt;
}

std::optional<std::int64_t> stars(list_query& read) {
  const auto text = read.text("min_rating", 10);
  if (!text) return std::nullopt;
  const auto number = parse_decimal(*text, *currency_code::parse("USD"));
  if (number && number->amount_minor >= 0 && number->amount_minor <= 500)
    return number->amount_minor;
  read.report("min_rating", "out_of_range", "a number from 0 to 5");
  return std::nullopt;
}

currency_code currency(list_query& read, currency_code own) {
  const auto text = read.text("currency", 10);
  if (!text) return own;
  const auto code = currency_code::parse(*text);
  if (!code) read.report("currency", "malformed", "three capital letters such as GBP");
  return code.value_or(own);
}

std::string family(list_query& read) {
  auto name = read.text("family", limits::product_id_bytes_max).value_or("");
  if (!name.empty() && !product::is_family(name))
    read.report("family", "malformed",
                "printable ASCII characters without '/', no space at either end");
  return name;
}

std::string trimmed(const std::string& text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  return from == text.npos ? std::string()
                           : text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

}  // namespace

tl::expected<search_query, response> read_search_query(const request& req, currency_code own) {
  list_query read(req);
  search_query query;
  query.limit = read.limit();
  query.cursor = read.cursor();
  query.text = trimmed(read.text("q", 200).value_or(""));
  query.only.category = read.text("category", 500).value_or("");
  query.only.brand = read.text("brand", 200).value_or("");
  query.only.currency = currency(read, own);
  query.only.min_price = price(read, "min_price", query.only.currency);
  query.only.max_price = price(read, "max_price", query.only.currency);
  query.only.min_rating_centi = stars(read);
  query.only.in_stock = read.flag("in_stock");
  query.only.attributes = read.texts_behind("attr.", attributes_max, attribute_bytes_max);
  query.only.family = family(read);
  query.only.options = read.texts_behind("option.", options_max, option_bytes_max);
  if (read.word("collapse", {"family"})) query.collapsed = search::collapse::family;
  const auto sort = read.word(
      "sort", {"id", "name", "price", "-price", "rating", "newest", "relevance", "sales"});
  query.sort = sort ? orders[*sort] : query.text.empty() ? sort_by::id : sort_by::relevance;
  if (query.text.empty() && query.sort == sort_by::relevance) query.sort = sort_by::id;
  if (auto bad = read.finish()) return tl::unexpected(std::move(*bad));
  return query;
}

bool is_plain_list(const search_query& query) {
  return query.text.empty() && query.only.empty() && query.collapsed == search::collapse::none &&
         query.sort != search::sort_by::sales;
}

}  // namespace omnicart::http
