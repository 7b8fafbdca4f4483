#include "http/search_routes.hpp"

#include "http/list_query.hpp"
#include "http/product_items.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t query_bytes_max = 100;
constexpr std::int64_t suggestions_max = 10;

void write_tree(json_writer& json, const std::vector<search::category_node>& level) {
  json.begin_array();
  for (const auto& node : level) {
    json.begin_object()
        .member("name", node.name)
        .member("path", node.path)
        .member("count", node.count);
    write_tree(json.key("children"), node.children);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void search_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (search_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.get("/api/products/suggest", bound(&search_routes::suggest));
  routes.get("/api/products/{id}/related", bound(&search_routes::related));
  routes.get("/api/categories", bound(&search_routes::categories));
}

task<response> search_routes::suggest(request& req) {
  list_query read(req);
  std::string text = read.text("query", query_bytes_max).value_or("");
  const auto limit = read.integer("limit", 1, suggestions_max).value_or(suggestions_max);
  if (auto bad = read.finish()) co_return std::move(*bad);
  const auto found = co_await finder_.suggest(std::move(text), static_cast<std::size_t>(limit));
  if (!found) co_return failure_response(found.error(), req);
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (const auto& each : *found) {
    json.begin_object().member("text", each.text).member("kind", each.kind);
    if (!each.product_id.empty()) json.member("product_id", each.product_id);
    json.end_object();
  }
  json.end_array().end_object();
  co_return json_response(200, std::move(body));
}

task<response> search_routes::categories(request& req) {
  list_query read(req);
  if (auto bad = read.finish()) co_return std::move(*bad);
  const auto tree = co_await finder_.categories();
  if (!tree) co_return failure_response(tree.error(), req);
  std::string body;
  json_writer json(body);
  write_tree(json.begin_object().key("items"), *tree);
  json.end_object();
  co_return json_response(200, std::move(body));
}

task<response> search_routes::related(request& req) {
  list_query read(req);
  const auto limit = static_cast<std::size_t>(read.integer("limit", 1, 50).value_or(10));
  if (auto bad = read.finish()) co_return std::move(*bad);
  std::string id(req.param("id"));
  if (!is_product_id(id)) co_return refuse(req, 404, "no_such_product", "no such product");
  auto ids = co_await finder_.related(std::move(id), limit);
  if (!ids && ids.error().is(base_errc::not_found))
    co_return refuse(req, 404, "no_such_product", "no such product");
  if (!ids) co_return failure_response(ids.error(), req);
  auto items = co_await product_items(shop_, req, std::move(*ids));
  if (!items) co_return std::move(items.error());
  std::string body;
  json_writer(body).begin_object().key("items").raw(*items).end_object();
  co_return json_response(200, std::move(body));
}

}  // namespace omnicart::http
