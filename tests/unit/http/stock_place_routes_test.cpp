#include "actors/stock/stock_messages.hpp"
#include "tests/unit/http/tiny_shop.hpp"

// Units by location, transfers, and what is sold ahead of coming in, over HTTP.
namespace omnicart::http {
namespace stock_place_routes_test {

using nlohmann::json;
using trial::told;

constexpr const char* tea_path = "/api/inventory/tea";

struct stocked {
  stocked() {
    const json product = {
        {"id", "tea"}, {"name", "Tea"}, {"price", {{"amount", 100}, {"currency", "GBP"}}}};
    must(api({.verb = "POST", .path = "/api/products", .body = product, .token = admin}), 201);
    for (const char* id : {"leeds", "york", "shut"}) open(id);
    must(api({.verb = "DELETE", .path = "/api/locations/shut", .token = admin}), 204);
  }

  static const told& must(const told& got, int status) {
    BOOST_REQUIRE_MESSAGE(got.status == status, got.status << ' ' << got.body.dump());
    return got;
  }
  void open(const std::string& id) {
    must(api({.verb = "PUT",
              .path = "/api/locations/" + id,
              .body = {{"name", id}},
              .token = admin}),
         201);
  }
  told put(json body, const std::string& key = "") {
    body["reason"] = "delivery";
    return api({.verb = "PUT", .path = tea_path, .body = body, .token = admin, .key = key});
  }
  void count(int units, const std::string& location) {
    must(put({{"on_hand", units}, {"location_id", location}}), 200);
  }
  told terms(const json& body) {
    return api({.verb = "PUT",
                .path = std::string(tea_path) + "/terms",
                .body = body,
                .token = admin});
  }
  told send(const json& body, const std::string& key = "") {
    return api({.verb = "POST",
                .path = std::string(tea_path) + "/transfers",
                .body = body,
                .token = admin,
                .key = key});
  }
  told send(const char* from, const char* to, int units, const std::string& key = "") {
    return send({{"from", from}, {"to", to}, {"quantity", units}}, key);
  }
  std::string path_of(const told& sent) const {
    return std::string(tea_path) + "/transfers/" + sent.text("transfer_id");
  }
  told receive(const told& sent, const json& body = json::object(), const std::string& key = "") {
    return api({.verb = "POST",
                .path = path_of(sent) + "/receive",
                .body = body,
                .token = admin,
                .key = key});
  }
  told recall(const told& sent, const std::string& key = "") {
    return api({.verb = "DELETE", .path = path_of(sent), .token = admin, .key = key});
  }
  json seen_by(const std::string& token) {
    return must(api({.verb = "GET", .path = tea_path, .token = token}), 200).body;
  }
  json figures() { return seen_by(support); }
  json offered() { return seen_by(""); }
  // "leeds 3, york 2"
  std::string places() {
    std::string text;
    const json all = figures();
    for (const auto& each : all["locations"]) {
      if (!text.empty()) text += ", ";
      text += each["location_id"].get<std::string>() + ' ' + each["on_hand"].dump();
    }
    return text;
  }
  // As an order's checkout does.
  void claim(const std::string& order, int units) {
    envelope message;
    message.to = {"stock", "tea"};
    message.command = stock::encode(stock::claim{order_id{order}, units, {}});
    message.asker.as = role::system;
    bool claimed = false;
    message.reply = [&](answer got) { claimed = got.ok(); };
    api.entities.send(std::move(message));
    BOOST_REQUIRE(claimed);
  }

  trial::tiny_shop api;
  std::string admin = api.staff_token(role::admin);
  std::string support = api.staff_token(role::support);
};

struct refusal {
  int status = 0;
  std::string code;
  std::string pointer;  // of the first bad member
  friend bool operator==(const refusal&, const refusal&) = default;
  friend std::ostream& operator<<(std::ostream& out, const refusal& what) {
    return out << what.status << ' ' << what.code << ' ' << what.pointer;
  }
};

refusal refused(const told& got) {
  refusal what{got.status, got.text("code"), ""};
  if (got.body.contains("errors")) what.pointer = got.body["errors"][0]["pointer"];
  return what;
}

const refusal not_there{409, "not_there", ""};
const refusal unknown_transfer{404, "no_such_transfer", ""};

BOOST_AUTO_TEST_SUITE(stock_place_routes)

// --- where units are

BOOST_FIXTURE_TEST_CASE(units_are_counted_and_adjusted_where_they_are, stocked) {
  count(5, "leeds");
  count(2, "york");
  BOOST_TEST(put({{"delta", 3}, {"location_id", "york"}}, "k").status == 200);
  BOOST_TEST(put({{"on_hand", 14}}).body["at_no_location"] == 4);
  BOOST_TEST(places() == "leeds 5, york 5");
  const json all = figures();
  BOOST_TEST(all["on_hand"] == 14);
  BOOST_TEST(all["available"] == 14);
  BOOST_TEST(all["in_transfer"] == 0);
  BOOST_TEST(put({{"delta", -6}, {"location_id", "york"}}, "l").text("code") == "not_there");
}

BOOST_FIXTURE_TEST_CASE(a_location_that_is_not_there_is_named_by_its_pointer, stocked) {
  const refusal none{422, "no_such_location", "/location_id"};
  BOOST_TEST(refused(put({{"on_hand", 1}, {"location_id", "hull"}})) == none);
  BOOST_TEST(refused(put({{"delta", -1}, {"location_id", "hull"}}, "k")) == none);
  const refusal malformed{400, "invalid_body", "/location_id"};
  for (const char* id : {"", "a b", "a/b", "..", "\xC3\xA9"})
    BOOST_TEST(refused(put({{"on_hand", 1}, {"location_id", id}})) == malformed, id);
  BOOST_TEST(refused(put({{"on_hand", 1}, {"location_id", std::string(65, 'x')}})).status == 400);
  BOOST_TEST(figures()["received"] == 0);
}

BOOST_FIXTURE_TEST_CASE(nothing_comes_in_where_a_location_is_closed_and_what_is_there_may_go,
                        stocked) {
  const refusal closed{422, "location_closed", "/location_id"};
  BOOST_TEST(refused(put({{"on_hand", 1}, {"location_id", "shut"}})) == closed);
  BOOST_TEST(refused(put({{"delta", 1}, {"location_id", "shut"}}, "k")) == closed);
  count(3, "leeds");
  must(api({.verb = "DELETE", .path = "/api/locations/leeds", .token = admin}), 204);
  BOOST_TEST(put({{"delta", -1}, {"location_id", "leeds"}}, "l").status == 200);
  BOOST_TEST(send("leeds", "york", 2).status == 201);
  BOOST_TEST(refused(send("york", "leeds", 1)) == (refusal{422, "location_closed", "/to"}));
}

BOOST_FIXTURE_TEST_CASE(staff_see_where_units_are_and_others_do_not, stocked) {
  count(5, "leeds");
  const std::string guest =
      api({.verb = "POST", .path = "/api/sessions", .body = json::object()}).text("token");
  for (const auto& token : {std::string(), guest}) {
    const json seen = seen_by(token);
    BOOST_TEST(seen.size() == 4u);
    BOOST_TEST(seen["available"] == 5);
    BOOST_TEST(seen["state"] == "low_stock");
  }
  for (const auto& token : {admin, support}) {
    const json seen = seen_by(token);
    for (const char* name : {"owed", "locations", "at_no_location", "in_transfer", "transfers",
                             "terms", "low", "on_hand", "sold"})
      BOOST_TEST(seen.contains(name), name);
  }
}

// --- transfers

BOOST_FIXTURE_TEST_CASE(a_transfer_is_on_its_way_until_it_is_received, stocked) {
  count(5, "leeds");
  const told sent = send("leeds", "york", 3);
  BOOST_TEST(sent.status == 201);
  BOOST_TEST(sent.has_header("Location: " + path_of(sent)));
  BOOST_TEST(sent.text("product_id") == "tea");
  BOOST_TEST(sent.text("from") == "leeds");
  BOOST_TEST(sent.text("to") == "york");
  BOOST_TEST(sent.body["quantity"] == 3);
  BOOST_TEST(sent.body.contains("sent_at"));
  const json all = figures();
  BOOST_TEST(all["on_hand"] == 5);
  BOOST_TEST(all["available"] == 2);
  BOOST_TEST(all["in_transfer"] == 3);
  BOOST_TEST(all["transfers"].size() == 1u);
  BOOST_TEST(all["transfers"][0]["transfer_id"] == sent.text("transfer_id"));
  BOOST_TEST(places() == "leeds 2");
  const told arrived = receive(sent);
  BOOST_TEST(arrived.status == 200);
  BOOST_TEST(arrived.body["available"] == 5);
  BOOST_TEST(arrived.body["transfers"].empty());
  BOOST_TEST(places() == "leeds 2, york 3");
  BOOST_TEST(refused(receive(sent)) == unknown_transfer);
  BOOST_TEST(refused(recall(sent)) == unknown_transfer);
}

BOOST_FIXTURE_TEST_CASE(what_did_not_arrive_is_written_off, stocked) {
  count(5, "leeds");
  const told sent = send("leeds", "york", 3);
  BOOST_TEST(refused(receive(sent, {{"quantity", 4}})) == (refusal{422, "invalid_quantity", ""}));
  BOOST_TEST(receive(sent, {{"quantity", 1}}).body["on_hand"] == 3);
  BOOST_TEST(places() == "leeds 2, york 1");
  const told lost = send("leeds", "york", 2);
  BOOST_TEST(receive(lost, {{"quantity", 0}}).status == 200);
  BOOST_TEST(places() == "york 1");
  BOOST_TEST(figures()["adjusted"] == -4);
}

BOOST_FIXTURE_TEST_CASE(a_recalled_transfer_is_back_where_it_came_from, stocked) {
  count(5, "leeds");
  BOOST_TEST(recall(send("leeds", "york", 3)).status == 204);
  BOOST_TEST(places() == "leeds 5");
  BOOST_TEST(figures()["in_transfer"] == 0);
}

BOOST_FIXTURE_TEST_CASE(units_without_a_location_are_sent_to_one, stocked) {
  must(put({{"on_hand", 5}}), 200);
  const told sent = send({{"to", "york"}, {"quantity", 4}});
  BOOST_TEST(sent.status == 201);
  BOOST_TEST(!sent.body.contains("from"));
  BOOST_TEST(receive(sent).body["at_no_location"] == 1);
  BOOST_TEST(places() == "york 4");
}

BOOST_FIXTURE_TEST_CASE(transfers_that_cannot_be_are_refused, stocked) {
  count(5, "leeds");
  const auto bad = [](const char* pointer) { return refusal{400, "invalid_body", pointer}; };
  BOOST_TEST(refused(send("leeds", "york", 6)) == not_there);
  BOOST_TEST(refused(send("york", "leeds", 1)) == not_there);
  BOOST_TEST(refused(send("leeds", "leeds", 1)) == bad("/to"));
  BOOST_TEST(refused(send({{"quantity", 1}})) == bad("/to"));
  BOOST_TEST(refused(send("leeds", "york", 0)) == bad("/quantity"));
  BOOST_TEST(refused(send("leeds", "a b", 1)) == bad("/to"));
  BOOST_TEST(refused(send("hull", "york", 1)) == (refusal{422, "no_such_location", "/from"}));
  BOOST_TEST(refused(send("leeds", "hull", 1)) == (refusal{422, "no_such_location", "/to"}));
  BOOST_TEST(refused(send("leeds", "shut", 1)) == (refusal{422, "location_closed", "/to"}));
  claim("o", 4);
  BOOST_TEST(refused(send("leeds", "york", 2)).code == "contended");
  BOOST_TEST(figures()["transfers"].empty());
}

BOOST_FIXTURE_TEST_CASE(a_transfer_repeated_with_its_key_is_the_same_also_when_it_has_ended, stocked) {
  count(5, "leeds");
  const told first = send("leeds", "york", 3, "k");
  const told again = send("leeds", "york", 3, "k");
  BOOST_TEST(again.status == 201);
  BOOST_TEST(again.has_header("Idempotent-Replayed"));
  BOOST_TEST(again.body == first.body);
  BOOST_TEST(send("leeds", "york", 2, "k").status == 422);
  BOOST_TEST(send("leeds", "york", 1, "l").text("transfer_id") != first.text("transfer_id"));
  must(receive(first), 200);
  const told late = send("leeds", "york", 3, "k");
  BOOST_TEST(late.status == 201);
  BOOST_TEST(late.text("transfer_id") == first.text("transfer_id"));
  BOOST_TEST(!late.body.contains("sent_at"));
  BOOST_TEST(places() == "leeds 1, york 3");
}

BOOST_FIXTURE_TEST_CASE(what_ends_a_transfer_may_be_asked_again_with_its_key, stocked) {
  count(5, "leeds");
  const told received = send("leeds", "york", 3);
  for (int turn = 0; turn < 2; ++turn) {
    const told got = receive(received, json::object(), "k");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.has_header("Idempotent-Replayed") == (turn == 1));
  }
  const told recalled = send("leeds", "york", 1);
  for (int turn = 0; turn < 2; ++turn) BOOST_TEST(recall(recalled, "l").status == 204);
  BOOST_TEST(places() == "leeds 2, york 3");
}

BOOST_FIXTURE_TEST_CASE(transfers_are_of_products_that_are_known, stocked) {
  const std::string path = "/api/inventory/coal/transfers";
  const json body = {{"from", "leeds"}, {"quantity", 1}};
  BOOST_TEST(api({.verb = "POST", .path = path, .body = body, .token = admin}).text("code") ==
             "no_such_product");
  BOOST_TEST(api({.verb = "DELETE", .path = path + "/t", .token = admin}).text("code") ==
             "no_such_product");
  BOOST_TEST(api({.verb = "POST", .path = path + "/t/receive", .token = admin}).text("code") ==
             "no_such_product");
}

// --- terms

BOOST_FIXTURE_TEST_CASE(terms_are_shown_as_they_were_set_and_replaced_as_a_whole, stocked) {
  const json later = {{"back_order", {{"limit", 3}, {"available_from", "2030-01-01T00:00:00.000Z"}}},
                      {"low_stock", 7},
                      {"customer_limit", 2}};
  BOOST_TEST(terms(later).body["terms"] == later);
  BOOST_TEST(figures()["terms"] == later);
  const json ahead = {{"pre_order", {{"limit", 3}, {"available_from", "2030-01-01T00:00:00.000Z"}}}};
  BOOST_TEST(terms(ahead).body["terms"] == ahead);
  BOOST_TEST(terms({{"back_order", nullptr}}).body["terms"] == json::object());
  BOOST_TEST(figures()["state"] == "out_of_stock");
}

BOOST_FIXTURE_TEST_CASE(terms_that_cannot_be_are_refused, stocked) {
  const json dated = {{"limit", 1}, {"available_from", "2030-01-01T00:00:00Z"}};
  BOOST_TEST(refused(terms({{"back_order", dated}, {"pre_order", dated}})) ==
             (refusal{422, "invalid_terms", "/pre_order"}));
  const std::pair<json, const char*> rows[] = {
      {{{"pre_order", {{"limit", 1}}}}, "/pre_order/available_from"},
      {{{"pre_order", {{"limit", 1}, {"available_from", nullptr}}}}, "/pre_order/available_from"},
      {{{"pre_order", {{"limit", 1}, {"available_from", "soon"}}}}, "/pre_order/available_from"},
      {{{"back_order", json::object()}}, "/back_order/limit"},
      {{{"back_order", {{"limit", 0}}}}, "/back_order/limit"},
      {{{"back_order", {{"limit", 1'000'000'001}}}}, "/back_order/limit"},
      {{{"back_order", {{"limit", 1}, {"colour", "red"}}}}, "/back_order/colour"},
      {{{"back_order", 3}}, "/back_order"},
      {{{"low_stock", -1}}, "/low_stock"},
      {{{"customer_limit", 0}}, "/customer_limit"},
      {{{"customer_limit", 1'000'000}}, "/customer_limit"},
      {{{"limit", 1}}, "/limit"},
  };
  for (const auto& [body, pointer] : rows)
    BOOST_TEST(refused(terms(body)) == (refusal{400, "invalid_body", pointer}), body.dump());
  BOOST_TEST(figures()["terms"] == json::object());
}

BOOST_FIXTURE_TEST_CASE(available_is_never_below_nothing_and_the_state_says_what_may_be_had, stocked) {
  BOOST_TEST(offered()["state"] == "out_of_stock");
  must(terms({{"back_order", {{"limit", 3}}}}), 200);
  BOOST_TEST(offered()["state"] == "back_order");
  BOOST_TEST(!offered().contains("available_from"));
  must(put({{"on_hand", 1}}), 200);
  BOOST_TEST(offered()["state"] == "low_stock");
  claim("o", 3);
  BOOST_TEST(offered()["state"] == "back_order");
  BOOST_TEST(offered()["available"] == 0);
  const json all = figures();
  BOOST_TEST(all["available"] == 0);
  BOOST_TEST(all["owed"] == 2);
  BOOST_TEST(all["on_hand"] == 1);
  claim("p", 1);
  BOOST_TEST(offered()["state"] == "out_of_stock");
  must(put({{"delta", 9}}, "k"), 200);
  BOOST_TEST(offered()["available"] == 6);
  BOOST_TEST(offered()["state"] == "in_stock");
}

BOOST_FIXTURE_TEST_CASE(a_pre_order_says_when, stocked) {
  must(terms({{"pre_order", {{"limit", 3}, {"available_from", "2030-01-01T00:00:00Z"}}}}), 200);
  const json product = api({.verb = "GET", .path = "/api/products/tea"}).body;
  for (const json& shown : {offered(), product["stock"]}) {
    BOOST_TEST(shown["available"] == 0);
    BOOST_TEST(shown["state"] == "pre_order");
    BOOST_TEST(shown["available_from"] == "2030-01-01T00:00:00.000Z");
  }
  must(put({{"on_hand", 9}}), 200);
  BOOST_TEST(!offered().contains("available_from"));
}

BOOST_FIXTURE_TEST_CASE(a_products_tag_changes_with_what_its_stock_promises, stocked) {
  auto changed = [this, before = std::string()]() mutable {
    const std::string now = api({.verb = "GET", .path = "/api/products/tea"}).headers;
    return std::exchange(before, now) != now;
  };
  changed();
  BOOST_TEST(!changed());
  must(terms({{"back_order", {{"limit", 3}}}}), 200);
  BOOST_TEST(changed());
  must(terms({{"back_order", {{"limit", 3}, {"available_from", "2030-01-01T00:00:00Z"}}}}), 200);
  BOOST_TEST(changed());
  must(terms({{"pre_order", {{"limit", 3}, {"available_from", "2030-01-01T00:00:00Z"}}}}), 200);
  BOOST_TEST(changed());
  must(terms(json::object()), 200);
  BOOST_TEST(changed());
  const std::string shown = api({.verb = "GET", .path = "/api/products/tea"}).headers;
  const auto from = shown.find('"'), until = shown.find('"', from + 1);
  const json content = {{"name", "Tea"}, {"price", {{"amount", 90}, {"currency", "GBP"}}}};
  BOOST_TEST(api({.verb = "PUT",
                  .path = "/api/products/tea",
                  .body = content,
                  .token = admin,
                  .fields = {{"If-Match", shown.substr(from, until - from + 1)}}})
                 .status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_stock_is_low_at_its_threshold, stocked) {
  must(put({{"on_hand", 3}}), 200);
  BOOST_TEST(figures()["low"] == false);
  must(terms({{"low_stock", 2}}), 200);
  BOOST_TEST(figures()["low"] == false);
  must(put({{"on_hand", 2}}), 200);
  BOOST_TEST(figures()["low"] == true);
}

BOOST_FIXTURE_TEST_CASE(only_what_is_low_is_listed, stocked) {
  const auto list = [this](const std::string& query) {
    return refused(api({.verb = "GET", .path = "/api/inventory" + query, .token = support}));
  };
  const refusal bad{400, "invalid_query", "?low"};
  BOOST_TEST(list("") == bad);
  BOOST_TEST(list("?low=false") == bad);
  BOOST_TEST(list("?low=1") == bad);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace stock_place_routes_test
}  // namespace omnicart::http
