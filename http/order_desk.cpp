#include "http/order_desk.hpp"

#include <httplib.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>

#include "http/audit_trail.hpp"
#include "http/blocking_ask.hpp"
#include "http/operator_answers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/journal.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t stuck_after_s = 60;
constexpr std::int64_t stuck_listed_max = 1'000;

struct duty {
  std::string_view verb;
  const char* means;
  const char* advice;
};
constexpr const char* by_itself = "it asks again by itself; retry asks at once";
constexpr duty duties[] = {
    {"seal", "the cart has not said that it is sealed", by_itself},
    {"price", "a product has not said its price", by_itself},
    {"claim", "a stock record has not said whether it reserves", by_itself},
    {"unclaim", "a stock record has not released its claim", by_itself},
    {"settle", "a stock record has not booked its sale", "stock_done, once it is booked by hand"},
    {"restock", "a stock record has not taken its units back", "stock_done, once they are booked by hand"},
    {"shelve", "a stock record has not taken returned units back", "stock_done, once they are booked by hand"},
    {"charge", "the provider has not said whether it took the money",
     "after a minute it is voided by itself; give_up does so now"},
    {"void", "the provider has not said that it gave the payment up", by_itself},
    {"capture", "the provider has not taken what it authorised", by_itself},
    {"refund", "the provider has not given the money back", "refunds_done, once the buyer has it by other means"},
    {"part", "the provider has not given a part of the money back", "refunds_done, once the buyer has it by other means"},
    {"card_part", "a gift card has not taken its part of a refund back", by_itself},
    {"cart_done", "the cart has not forgotten what was bought", by_itself},
    {"abandon", "the cart has not been opened again", by_itself},
};

const duty* duty_of(std::string_view key) {
  const auto verb = key.substr(0, key.find('/'));
  const auto at = std::find_if(std::begin(duties), std::end(duties), [&](const duty& d) { return d.verb == verb; });
  return at == std::end(duties) ? nullptr : &*at;
}

bool is_stuck(const order::order_view& view) { return view.owes || view.after.hold == order::holding::lost; }

void write_order(json_writer& json, const std::string& id, const order::order_view& view, timestamp_ms now) {
  json.begin_object().member("order_id", id).member("status", to_string(view.status));
  json.member("since", to_rfc3339(view.updated_at)).member("seconds", (now - view.updated_at).count() / 1000);
  json.key("total").money_value(view.total.amount_minor, view.total.currency.text());
  if (view.after.hold == order::holding::lost) json.member("trouble", "the payment was not captured: " + view.after.capture_trouble);
  json.end_object();
}

// What the provider said to the capture that it refused; nothing: it refused none, or that was settled.
std::optional<std::string> refused_capture(const nlohmann::json& state) {
  const auto after = state.is_object() ? state.value("after", nlohmann::json::object()) : nlohmann::json::object();
  if (!after.is_object() || after.value("hold", "") != to_string(order::holding::lost)) return std::nullopt;
  return after.value("capture_trouble", "");
}

// Also the capture that was refused: nothing asks for it any more, but a person has to decide.
void write_duties(json_writer& json, const std::string& id, const std::vector<effect>& owed,
                  const std::optional<std::string>& refused) {
  json.key("owes").begin_array();
  for (const auto& each : owed) {
    const duty* known = duty_of(each.key);
    json.begin_object().member("what", each.key).member("to", each.to.str());
    if (known) json.member("means", known->means).member("advice", known->advice);
    json.end_object();
  }
  if (refused) {
    json.begin_object().member("what", "capture").member("to", "payment/" + id);
    json.member("means", "the provider refused to take what it authorised: " + *refused);
    json.member("advice", "retry asks once more; written_off, once the money came by other means, or never will");
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void order_desk::add_to(httplib::Server& server, const std::function<handler(handler)>& guard) {
  const auto bound = [&](void (order_desk::*call)(const httplib::Request&, httplib::Response&)) {
    return guard([this, call](const httplib::Request& in, httplib::Response& out) { (this->*call)(in, out); });
  };
  server.Get("/orders/stuck", bound(&order_desk::stuck));
  server.Get(R"(/orders/([^/]+)/explain)", bound(&order_desk::explain));
  server.Post(R"(/orders/([^/]+)/retry)", bound(&order_desk::retry));
  server.Post(R"(/orders/([^/]+)/resolve)", bound(&order_desk::resolve));
  server.Get("/payments/reconcile", guard([this](const httplib::Request&, httplib::Response& out) {
               reconcile(out, reconciliation::mode::report);
             }));
  server.Post("/payments/reconcile", guard([this](const httplib::Request&, httplib::Response& out) {
                written_down(out, "mend both ledgers", [&] { reconcile(out, reconciliation::mode::mend); });
              }));
}

void order_desk::stuck(const httplib::Request& in, httplib::Response& out) {
  const auto older = number_of(in, "older_s").value_or(stuck_after_s);
  const auto limit = number_of(in, "limit").value_or(100);
  if (older < 0 || limit < 1 || limit > stuck_listed_max)
    return answer_problem(out, 400, "invalid_query", "older_s is 0 or more, limit from 1 to 1,000");
  const timestamp_ms now = with_.front.time.wall();
  std::string body;
  json_writer json(body);
  std::int64_t count = 0;
  json.begin_object().key("items").begin_array();
  entity_walk walk(with_.front.entities, with_.entities, with_.front.time, with_.stopping);
  const auto take = [&](const std::string& id, const answer& got, timestamp_ms) -> status {
    if (!got.ok()) return fail(*got.failure);
    const auto view = order::decode_reply(got.payload);
    if (!view) return fail(view.error());
    if (!is_stuck(*view) || now - view->updated_at < std::chrono::seconds(older)) return {};
    if (++count <= limit) write_order(json, id, *view, now);
    return {};
  };
  const auto walked = walk.each("order", order::encode(order::get{}), take);
  if (!walked) return answer_failure(out, walked.error());
  json.end_array().member("count", count).end_object();
  answer_json(out, 200, body);
}

result<std::unique_ptr<entity>> order_desk::load(const std::string& id, std::uint64_t& version) {
  const kind_entry* kind = with_.front.kinds.find("order");
  if (!kind) return fail(base_errc::unknown_kind);
  const auto promised = std::make_shared<std::promise<result<stored_entity>>>();
  auto got = promised->get_future();
  with_.front.store.load({"order", id}, [promised](result<stored_entity> stored) { promised->set_value(std::move(stored)); });
  if (got.wait_for(operator_patience) != std::future_status::ready) return fail(base_errc::timeout);
  const auto stored = got.get();
  if (!stored) return fail(stored.error());
  auto state = kind->make();
  if (stored->state) {
    if (auto read = state->restore(stored->state->state); !read) return fail(read.error());
    version = stored->state->version;
  }
  for (const auto& record : stored->events) {
    if (auto read = state->replay(record.event); !read) return fail(read.error());
    ++version;
  }
  if (version == 0) return fail(order::errc::no_such_order);
  return state;
}

void order_desk::explain(const httplib::Request& in, httplib::Response& out) {
  const std::string id = in.matches[1];
  std::uint64_t version = 0;
  const auto order = load(id, version);
  if (!order) return answer_failure(out, order.error());
  std::string body;
  json_writer json(body);
  json.begin_object().member("order_id", id).member("version", version);
  const auto state = nlohmann::json::parse((*order)->describe(), nullptr, false);
  write_duties(json, id, (*order)->pending(limits::effects_in_flight_max), refused_capture(state));
  if (state.is_object()) {
    for (const char* name : {"status", "at", "due", "why", "decline_code"}) {
      if (state.contains(name)) json.key(name).raw(state[name].dump());
    }
  }
  json.key("state").raw((*order)->describe()).end_object();
  answer_json(out, 200, body);
}

void order_desk::carry_out(httplib::Response& out, const std::string& id, const order::command& what) {
  envelope message = engine_question("order", id, order::encode(what));
  message.asker.as = role::admin;
  message.repeatable = false;
  std::vector<envelope> one;
  one.push_back(std::move(message));
  const answer got = ask_and_wait(with_.front.entities, std::move(one), operator_patience).front();
  if (!got.ok()) return answer_failure(out, *got.failure);
  const auto view = order::decode_reply(got.payload);
  if (!view) return answer_failure(out, view.error());
  std::string body;
  json_writer json(body);
  json.begin_object().member("order_id", id).member("status", to_string(view->status)).member("owes", view->owes);
  json.end_object();
  answer_json(out, 200, body);
}

void order_desk::written_down(httplib::Response& out, const std::string& action, const std::function<void()>& deed) {
  const auto begun = begin_action_and_wait(with_.front, action);
  if (!begun) return answer_failure(out, begun.error());
  deed();
  end_action_and_wait(with_.front, *begun, out.status);
}

void order_desk::retry(const httplib::Request& in, httplib::Response& out) {
  const std::string id = in.matches[1];
  const order::command what = order::retry{};
  written_down(out, "retry what order " + id + " owes", [&] { carry_out(out, id, what); });
}

void order_desk::resolve(const httplib::Request& in, httplib::Response& out) {
  std::vector<field_error> errors;
  const auto body = parse_json(in.body, errors);
  object_reader read(body, errors);
  order::resolve wanted;
  wanted.how = static_cast<order::resolution>(
      read.required_word("how", {"give_up", "refunds_done", "stock_done", "written_off"}));
  wanted.note = read.required_string("note", order::reason_bytes_max);
  read.finish();
  if (!errors.empty()) {
    return answer_problem(out, 400, "invalid_body",
                          "how is give_up, refunds_done, stock_done or written_off, and note a line");
  }
  const std::string id = in.matches[1];
  const std::string action = "resolve order " + id + ": " + to_string(wanted.how);
  const order::command what = std::move(wanted);
  written_down(out, action, [&] { carry_out(out, id, what); });
}

void order_desk::reconcile(httplib::Response& out, reconciliation::mode how) {
  const std::unique_lock lock(one_at_a_time_, std::try_to_lock);
  if (!lock) return answer_problem(out, 503, "overloaded", "the ledgers are being compared already");
  reconciliation both(with_.front.entities, with_.entities, with_.front.time, with_.ledger, with_.stopping);
  const auto report = both.run(how);
  if (!report) return answer_failure(out, report.error());
  answer_json(out, 200, report->json());
}

}  // namespace omnicart::http
