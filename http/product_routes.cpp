#include "http/product_routes.hpp"

#include <algorithm>
#include <charconv>

#include "actors/stock/stock_messages.hpp"
#include "http/catalogue_list.hpp"
#include "http/price_list.hpp"
#include "http/product_items.hpp"
#include "http/product_json.hpp"
#include "http/search_query.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t import_bytes_max = std::size_t{4} << 30;
constexpr std::size_t product_body_bytes_max = 262'144;
constexpr std::size_t variants_max = 100;

// "4.5" as hundredths; ratings are 0 to 5 with at most two decimals.
std::optional<std::int64_t> read_rating(object_reader& read) {
  const auto* value = read.any("rating");
  if (!value || value->is == json_value::type::null) return std::nullopt;
  const auto stars = parse_decimal(value->text, *currency_code::parse("USD"));
  const bool number = value->is == json_value::type::number;
  if (!number || !stars || stars->amount_minor < 0 || stars->amount_minor > 500) {
    read.report("rating", "out_of_range", "a number from 0 to 5 with at most two decimals");
    return std::nullopt;
  }
  return stars->amount_minor;
}

// An object of texts: numbers as they are written, booleans as words.
std::vector<std::pair<std::string, std::string>> read_pairs(object_reader& read, std::string_view name,
                                                            std::size_t count_max) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto* object = read.optional_object(name);
  if (!object) return pairs;
  if (object->members.size() > count_max) {
    read.report(name, "out_of_range", "at most " + std::to_string(count_max) + " " + std::string(name));
  }
  for (const auto& member : object->members) {
    const bool text = member.value.is == json_value::type::string || member.value.is == json_value::type::number;
    const bool flag = member.value.is == json_value::type::boolean;
    if (!text && !flag) {
      read.report(name, "wrong_type", member.name + " is not a text, number or boolean");
      continue;
    }
    pairs.emplace_back(member.name, flag ? (member.value.flag ? "true" : "false") : member.value.text);
  }
  return pairs;
}

std::string read_family(object_reader& read) {
  auto family = read.optional_string("family", limits::product_id_bytes_max).value_or("");
  if (!family.empty() && !product::is_family(family)) {
    read.report("family", "malformed", "1-64 printable ASCII characters without '/', no space at either end");
  }
  return family;
}

product::product_view* view_of(result<product::reply>& reply) {
  return reply ? std::get_if<product::product_view>(&*reply) : nullptr;
}

}  // namespace

product::details read_product(object_reader& read, currency_code currency, rating_member rating) {
  product::details about;
  about.name = read.required_string("name", 500);
  about.description = read.optional_string("description", 20'000).value_or("");
  about.price = read.required_money("price", currency);
  about.prices = read_price_list(read, "prices");
  about.category = read.optional_string("category", 500).value_or("");
  about.brand = read.optional_string("brand", 200).value_or("");
  about.gtin = read.string_array("gtin", 200, 64);
  about.attributes = read_pairs(read, "attributes", 300);
  about.family = read_family(read);
  about.options = read_pairs(read, "options", 10);
  about.images = read.string_array("images", 50, 2'000);
  about.weight_g = read.optional_int("weight_g", 0, 1'000'000'000);
  if (rating == rating_member::allowed) about.rating_centi = read_rating(read);
  return about;
}

void product_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (product_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  const route_options body{.body_bytes_max = product_body_bytes_max};
  routes.get("/api/products", bound(&product_routes::list));
  routes.get("/api/products/{id}", bound(&product_routes::show));
  routes.post("/api/products", bound(&product_routes::create), body);
  routes.put("/api/products/{id}", bound(&product_routes::replace), body);
  routes.remove("/api/products/{id}", bound(&product_routes::retire));
  routes.post("/api/products/import", bound(&product_routes::import),
              {.body_bytes_max = import_bytes_max,
               .streaming = true,
               .consumes = "application/x-ndjson,application/ndjson,application/jsonl",
               .produces = "application/x-ndjson"});
}

// --- reading --------------------------------------------------------------------------------------------------

task<response> product_routes::list(request& req) {
  auto query = read_search_query(req, shop_.currency);
  if (!query) co_return std::move(query.error());
  auto asked = is_plain_list(*query) ? shop_.catalogue.page(*query) : finder_.page(*query);
  auto page = co_await std::move(asked);
  if (!page) co_return failure_response(page.error(), req);
  auto items = co_await product_items(shop_, req, page->ids);
  if (!items) co_return std::move(items.error());
  co_return json_response(200, search_page_json(*query, *page, *items));
}

task<response> product_routes::show(request& req) {
  const std::string id(req.param("id"));
  if (!is_product_id(id)) co_return refuse(req, 404, "no_such_product", "no such product");
  std::vector<envelope> questions;
  questions.push_back(make_envelope(shop_, {"product", id}, product::encode(product::get{}), engine(), {.repeatable = true}));
  questions.push_back(make_envelope(shop_, {"stock", id}, stock::encode(stock::get{}), engine(), {.repeatable = true}));
  const auto answers = co_await ask_all(shop_, std::move(questions));
  if (!answers[0].ok()) co_return failure_response(*answers[0].failure, req);
  auto reply = product::decode_reply(answers[0].payload);
  const auto* view = view_of(reply);
  if (!view) co_return refuse(req, 500, "internal", "");
  const std::string variants = co_await variants_of(id, view->content.family);
  // The tag covers the stock and the variants shown as well as the product.
  const availability in_stock = availability_of(answers[1]);
  std::string tag = '"' + std::to_string(answers[0].version) + '-' + tag_of(in_stock);
  if (!variants.empty()) tag += '-' + std::to_string(body_hash(variants));
  tag += '"';
  if (not_modified(req, tag)) co_return not_modified_response(tag);
  std::string body;
  json_writer json(body);
  write_product(json, id, *view, answers[0].version, in_stock, variants);
  response found = json_response(200, std::move(body));
  found.add_header("ETag", tag);
  co_return found;
}

task<std::string> product_routes::variants_of(std::string id, std::string family) const {
  if (family.empty()) co_return std::string();
  const auto others = co_await finder_.variants(std::move(id), std::move(family), variants_max);
  co_return others ? variants_json(*others) : std::string();
}

// --- upkeep ---------------------------------------------------------------------------------------------------

task<response> product_routes::shown(request& req, const std::string& id, const answer& got, int status) {
  if (!got.ok()) co_return failure_response(*got.failure, req);
  auto reply = product::decode_reply(got.payload);
  const auto* view = view_of(reply);
  if (!view) co_return refuse(req, 500, "internal", "");
  auto in_stock_asked = inquire(shop_, {"stock", id}, stock::encode(stock::get{}), engine());
  const answer in_stock = co_await in_stock_asked;
  std::string body;
  json_writer json(body);
  write_product(json, id, *view, got.version, availability_of(in_stock));
  response answered = json_response(status, std::move(body));
  answered.add_header("ETag", etag_of(got.version));
  mark_replayed(answered, got);
  co_return answered;
}

task<response> product_routes::create(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  auto id = read.optional_string("id", limits::product_id_bytes_max, 1);
  if (id && !is_product_id(*id)) {
    read.report("id", "malformed", "1-64 printable ASCII characters without '/', and no word that is a path segment");
  }
  auto about = read_product(read, shop_.currency, rating_member::refused);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (!id) id = to_base32(options->id ? digest_128({"product", to_base32(options->id)}) : shop_.ids.next());
  auto asked = ask(shop_, {"product", *id}, product::encode(product::create{std::move(about)}), who->who, *options);
  const answer got = co_await asked;
  response answered = co_await shown(req, *id, got, 201);
  if (got.ok()) answered.add_header("Location", "/api/products/" + percent_encoded(*id));
  co_return answered;
}

namespace {

// The tag of a read covers all that it shows, "<version>-<stock>-<hash of the variants>"; a change depends on the
// version alone.
void take_read_tag(const request& req, command_options& options) {
  const auto tags = parse_tags(req.header_list("If-Match"));
  if (!tags || tags->tags.size() != 1 || tags->tags.front().weak) return;
  const std::string& tag = tags->tags.front().text;
  std::uint64_t version = 0;
  const auto read = std::from_chars(tag.data(), tag.data() + tag.size(), version);
  if (read.ec == std::errc{} && read.ptr != tag.data() + tag.size() && *read.ptr == '-') options.expected_version = version;
}

}  // namespace

task<response> product_routes::replace(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  take_read_tag(req, *options);
  const std::string id(req.param("id"));
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  if (const auto stated = read.optional_string("id", limits::product_id_bytes_max); stated && *stated != id) {
    read.report("id", "malformed", "not the id in the path");
  }
  auto about = read_product(read, shop_.currency, rating_member::refused);
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (!is_product_id(id)) co_return refuse(req, 404, "no_such_product", "no such product");
  auto asked = ask(shop_, {"product", id}, product::encode(product::replace{std::move(about)}), who->who, *options);
  const answer got = co_await asked;
  co_return co_await shown(req, id, got, 200);
}

task<response> product_routes::retire(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  take_read_tag(req, *options);
  const std::string id(req.param("id"));
  if (!is_product_id(id)) co_return refuse(req, 404, "no_such_product", "no such product");
  auto asked = ask(shop_, {"product", id}, product::encode(product::retire{}), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  response answered;
  answered.status = 204;
  mark_replayed(answered, got);
  co_return answered;
}

}  // namespace omnicart::http
