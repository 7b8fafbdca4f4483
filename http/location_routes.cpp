#include "http/location_routes.hpp"

#include "http/list_query.hpp"
#include "http/location_json.hpp"
#include "http/record_list.hpp"
#include "http/server/headers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t location_body_bytes_max = 65'536;
constexpr std::size_t id_bytes_max = 64;

response none(const request& req) {
  return refuse(req, 404, "no_such_location", "there is no such location");
}

response shown(const std::string& id, const answer& got, const location::location_view& view,
               int status) {
  response answered = json_response(status, location_json(id, view, got.version));
  answered.add_header("ETag", etag_of(got.version));
  mark_replayed(answered, got);
  return answered;
}

}  // namespace

void location_routes::add_to(router& routes) {
  const auto bound = [this](task<response> (location_routes::*call)(request&)) -> handler {
    return [this, call](request& req) { return (this->*call)(req); };
  };
  routes.get("/api/locations", bound(&location_routes::list));
  routes.get("/api/locations/{id}", bound(&location_routes::show));
  routes.put("/api/locations/{id}", bound(&location_routes::put),
             {.body_bytes_max = location_body_bytes_max});
  routes.remove("/api/locations/{id}", bound(&location_routes::close));
}

// One that closes meanwhile is left out, so a page may have less than its limit.
task<response> location_routes::list(request& req) {
  auto who = co_await authenticate(shop_, req);
  if (!who) co_return std::move(who.error());
  list_query read(req);
  const std::size_t limit = read.limit();
  const std::string cursor = read.cursor();
  const bool open_only = read.flag("active").value_or(true);
  if (!cursor.empty() && !location::is_location_id(cursor))
    read.report("cursor", "malformed", "not a cursor of this list");
  if (auto bad = read.finish()) co_return std::move(*bad);
  if (!open_only && !who->staff())
    co_return refuse(req, 403, "forbidden", "closed locations are for the shop's staff");
  const listed which = open_only ? listed::open : listed::all;
  auto listing = shop_.records.page("location", cursor, limit, which);
  const auto page = co_await std::move(listing);
  if (!page) co_return failure_response(page.error(), req);
  std::vector<envelope> questions;
  for (const auto& id : page->ids) {
    questions.push_back(make_envelope(shop_, {"location", id}, location::encode(location::get{}),
                                      who->who, {.repeatable = true}));
  }
  const auto answers = co_await ask_all(shop_, std::move(questions));
  std::string body;
  json_writer json(body);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].failure && is_fault(answers[i].failure->number))
      co_return failure_response(*answers[i].failure, req);
    const auto view = location::decode_reply(answers[i].payload);
    if (answers[i].ok() && view && (view->active || !open_only))
      json.raw(location_json(page->ids[i], *view, answers[i].version));
  }
  json.end_array().key("next_cursor");
  page->next_cursor.empty() ? json.null() : json.value(page->next_cursor);
  json.end_object();
  co_return json_response(200, std::move(body));
}

task<response> location_routes::show(request& req) {
  auto who = co_await authenticate(shop_, req);
  if (!who) co_return std::move(who.error());
  const std::string id(req.param("id"));
  if (!location::is_location_id(id)) co_return none(req);
  auto asked = inquire(shop_, {"location", id}, location::encode(location::get{}), who->who);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = location::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  if (!view->active && !who->staff()) co_return none(req);
  const std::string tag = etag_of(got.version);
  if (not_modified(req, tag)) co_return not_modified_response(tag);
  co_return shown(id, got, *view, 200);
}

task<response> location_routes::put(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const std::string id(req.param("id"));
  std::vector<field_error> errors;
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  if (const auto stated = read.optional_string("id", id_bytes_max); stated && *stated != id)
    read.report("id", "malformed", "not the id in the path");
  location::put wanted{.content = read_location(read, errors)};
  read.finish();
  if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
  if (!location::is_location_id(id)) {
    co_return refuse(req, 422, "invalid_location",
                     "an id is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'");
  }
  const auto condition = if_match(req);
  wanted.must_exist = condition && condition->must_exist;
  auto asked = ask(shop_, {"location", id}, location::encode(wanted), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  const auto view = location::decode_reply(got.payload);
  if (!view) co_return failure_response(view.error(), req);
  const bool made = view->created && got.version == 1;
  response answered = shown(id, got, *view, made ? 201 : 200);
  if (made) answered.add_header("Location", "/api/locations/" + id);
  co_return answered;
}

task<response> location_routes::close(request& req) {
  auto who = co_await require_session(shop_, req);
  if (!who) co_return std::move(who.error());
  auto options = unsafe_options(req, *who, key_need::optional);
  if (!options) co_return std::move(options.error());
  const std::string id(req.param("id"));
  if (!location::is_location_id(id)) co_return none(req);
  auto asked =
      ask(shop_, {"location", id}, location::encode(location::close{}), who->who, *options);
  const answer got = co_await asked;
  if (!got.ok()) co_return failure_response(*got.failure, req);
  response answered;
  answered.status = 204;
  mark_replayed(answered, got);
  co_return answered;
}

}  // namespace omnicart::http
