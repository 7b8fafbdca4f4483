#include <boost/test/unit_test.hpp>

#include "actors/cart/cart_kind.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "tests/sim/running_books.hpp"
#include "tests/sim/stock_sum.hpp"

// The laws of the books see what they are there for, at the event that breaks them.
namespace omnicart::sim {
namespace books_test {

using stock::event;

constexpr timestamp_ms now{duration_ms{1'000}};

event counted(std::int64_t on_hand, const std::string& location = {}, std::int64_t there = 0) {
  return stock::counted{
      .on_hand = on_hand, .at = now, .location = location, .location_units = there};
}
event claimed(const char* order, std::int64_t units, std::int64_t short_of = 0) {
  return stock::claimed{
      .order = order_id(order), .quantity = units, .at = now, .short_of = short_of};
}
event unclaimed(const char* order) { return stock::unclaimed{order_id(order), now}; }
event settled(const char* order, std::vector<stock::drawn_units> drawn = {}) {
  return stock::settled{order_id(order), now, std::move(drawn)};
}
event restocked(const char* order, std::int64_t units) {
  return stock::restocked{order_id(order), "back", units, now};
}
event terms(std::int64_t owed_max, std::int64_t customer_max = 0) {
  const auto more = owed_max > 0 ? stock::backorder::later : stock::backorder::none;
  return stock::terms_set{.to = {.more = more, .owed_max = owed_max, .customer_max = customer_max},
                          .by = {},
                          .at = now};
}
event sent(const char* id, const char* from, const char* to, std::int64_t units) {
  return stock::transfer_sent{id, from, to, units, "", {}, now};
}
event received(const char* id) { return stock::transfer_received{id, {}, now}; }
event recalled(const char* id) { return stock::transfer_recalled{id, {}, now}; }
event lost(std::int64_t units, const std::string& location) {
  return stock::adjusted{.delta = -units,
                         .at = now,
                         .location = location,
                         .location_delta = location.empty() ? 0 : -units};
}
event came(std::int64_t units, const std::string& location, std::int64_t there) {
  return stock::adjusted{.delta = units, .at = now, .location = location, .location_delta = there};
}

// Orders of "ann…" are of one customer, however often she comes.
stock_sum::order_facts facts(const std::string& order) {
  return {.customer = order.starts_with("ann") ? "ann@example.org" : ""};
}

BOOST_AUTO_TEST_SUITE(simulated_books)

BOOST_AUTO_TEST_CASE(laws_of_a_stock_record_are_seen_broken_where_they_break) {
  using namespace stock_law;
  constexpr const char* fine = "none";
  struct row {
    const char* what;
    std::vector<event> events;
    const char* law;
  };
  const row rows[] = {
      {"a sale", {counted(3), claimed("o", 2), settled("o")}, fine},
      {"more than there is", {counted(3), claimed("o", 4, 1)}, by_terms},
      {"as many as may be owed", {counted(3), terms(2), claimed("o", 5, 2)}, fine},
      {"one too many", {counted(3), terms(2), claimed("o", 6, 3)}, by_terms},
      {"terms were taken back",
       {counted(3), terms(2), terms(0), claimed("o", 3), claimed("p", 1, 1)},
       by_terms},
      {"a claim that says too little", {counted(3), terms(2), claimed("o", 5, 1)}, by_terms},
      {"within the limit", {counted(9), terms(0, 3), claimed("ann", 2), claimed("ann-2", 1)}, fine},
      {"above it", {counted(9), terms(0, 3), claimed("ann", 2), claimed("ann-2", 2)}, by_customer},
      {"others have their own",
       {counted(9), terms(0, 3), claimed("ann", 3), claimed("bob", 4)},
       fine},
      {"given up",
       {counted(9), terms(0, 3), claimed("ann", 3), unclaimed("ann"), claimed("ann.1", 3)},
       fine},
      {"came back",
       {counted(9), terms(0, 3), claimed("ann", 3), settled("ann"), restocked("ann", 1),
        claimed("ann-2", 1)},
       fine},
      {"came back, but not so many",
       {counted(9), terms(0, 3), claimed("ann", 3), settled("ann"), restocked("ann", 1),
        claimed("ann-2", 2)},
       by_customer},
      {"lifted and set again",
       {counted(9), terms(0, 3), claimed("ann", 3), terms(0), terms(0, 3), claimed("ann-2", 3)},
       fine},
      {"a count that counts another location", {counted(5, "a", 5), counted(9, "b", 5)}, by_location},
      {"a transfer",
       {counted(5, "a", 5), sent("t", "a", "b", 3), received("t"), lost(1, "b"), claimed("o", 4),
        settled("o", {{"a", 2}, {"b", 2}})},
       fine},
      {"received twice",
       {counted(5, "a", 5), sent("t", "a", "b", 3), received("t"), received("t")},
       once},
      {"received and called back",
       {counted(5, "a", 5), sent("t", "a", "b", 3), received("t"), recalled("t")},
       once},
      {"sent again under its name",
       {counted(5, "a", 5), sent("t", "a", "b", 3), recalled("t"), sent("t", "a", "b", 3)},
       once},
      {"sent from where it is not", {counted(5, "a", 5), sent("t", "b", "a", 1)}, by_location},
      {"sent though it is claimed",
       {counted(5, "a", 5), claimed("o", 5), sent("t", "a", "b", 1)},
       no_oversell},
      {"sold on its way", {counted(5, "a", 5), sent("t", "a", "b", 3), claimed("o", 3, 1)}, by_terms},
      {"a sale from where least is",
       {counted(2, "a", 2), counted(5, "b", 3), claimed("o", 2), settled("o", {{"a", 2}})},
       by_location},
      {"a sale that leaves from nowhere",
       {counted(2, "a", 2), claimed("o", 2), settled("o")},
       by_location},
      {"what comes in is owed",
       {counted(2, "a", 2), terms(3), claimed("o", 4, 2), settled("o", {{"a", 2}}),
        came(3, "a", 1)},
       fine},
      {"what comes in goes to the shelf",
       {counted(2, "a", 2), terms(3), claimed("o", 4, 2), settled("o", {{"a", 2}}),
        came(3, "a", 3)},
       by_location},
      {"what is claimed is written off", {counted(2), claimed("o", 2), lost(1, "")}, no_oversell},
      {"a second sale", {counted(2), claimed("o", 1), settled("o"), settled("o")}, sound},
  };
  for (const auto& r : rows) {
    stock_sum sum(facts);
    for (std::size_t i = 0; i < r.events.size(); ++i) {
      if (i + 1 == r.events.size())
        BOOST_TEST(!sum.broken(), r.what << ": " << (sum.broken() ? sum.broken()->detail : ""));
      sum.add(r.events[i]);
    }
    BOOST_TEST((sum.broken() ? sum.broken()->law : fine) == r.law, r.what);
  }
}

// --- while a story runs ------------------------------------------------------------------------

struct open_books {
  std::vector<std::string> broken;
  running_books books{
      [this](const std::string& law, const std::string&) { broken.push_back(law); }};
  std::map<std::string, std::uint64_t> versions;

  static recorded record(std::uint64_t version, std::string bytes) {
    return {version, {.at = now, .by = {}, .event = std::move(bytes)}};
  }
  void add(const event& what) {
    books.add("stock/p", record(++versions["stock/p"], stock::encode_event(what)));
  }
  void add(const std::string& order, const order::event& what) {
    const auto name = "order/" + order;
    books.add(name, record(++versions[name], order::kind::encode_event(what)));
  }
  void add_line(const std::string& tag) {
    cart::lines_added added;
    added.lines.push_back({.product = product_id("p"), .name = tag, .quantity = 1});
    books.add("cart/c", record(++versions["cart/c"], cart::kind::encode_event(added)));
  }
  std::string law() const { return broken.empty() ? "none" : broken.front(); }
};

BOOST_FIXTURE_TEST_CASE(an_event_that_is_told_again_changes_nothing, open_books) {
  add(counted(3));
  const auto again = record(1, stock::encode_event(counted(3)));
  books.add("stock/p", again);
  books.add_all({{"stock/p", {again}}});
  BOOST_TEST(law() == "none");
  books.add("stock/p", record(3, stock::encode_event(counted(4))));
  BOOST_TEST(law() == "each version follows the one before");
}

BOOST_FIXTURE_TEST_CASE(what_was_committed_is_found_again_unchanged, open_books) {
  add(counted(3));
  books.add_all({{"stock/p", {record(1, stock::encode_event(counted(4)))}}});
  BOOST_TEST(law() == "what was committed stays");
  broken.clear();
  books.add_all({});
  BOOST_TEST(law() == "what was committed stays");
}

BOOST_FIXTURE_TEST_CASE(a_record_that_shows_something_else_breaks_the_law, open_books) {
  add(counted(3));
  stock::state kept;
  stock::apply(kept, counted(3));
  books.shown("p", 1, stock::reply_to(kept, stock::get{}, role::admin));
  books.shown("p", 2, {});  // of a later version than is known
  BOOST_TEST(law() == "none");
  stock::apply(kept, counted(4));
  books.shown("p", 1, stock::reply_to(kept, stock::get{}, role::admin));
  BOOST_TEST(law() == "a stock record shows what its events make");
}

BOOST_FIXTURE_TEST_CASE(a_transfer_is_as_it_was_told, open_books) {
  add(counted(5, "a", 5));
  add(sent("t", "a", "b", 3));
  add(received("t"));
  add(lost(1, "b"));
  books.received("p", "t", 2);
  BOOST_TEST(law() == "none");
  books.received("p", "t", 3);
  books.recalled("p", "t");
  BOOST_TEST(broken.size() == 2U);
  BOOST_TEST(law() == "an acknowledged transfer is as it was told");
}

BOOST_FIXTURE_TEST_CASE(goods_of_an_order_that_nobody_knows_break_the_law, open_books) {
  add(counted(3));
  add(claimed("o", 1));
  BOOST_TEST(law() == "an order claims what its lines say");
}

BOOST_FIXTURE_TEST_CASE(a_cart_that_is_told_of_twice_breaks_the_law, open_books) {
  add_line("tag 1");
  books.added_to_cart("c", "tag 1");
  BOOST_TEST(law() == "none");
  books.added_to_cart("c", "tag 2");
  books.refused_to_add("tag 1");
  add_line("tag 1");
  BOOST_TEST((broken == std::vector<std::string>{"every acknowledged cart write is there",
                                                 "a refused command changes nothing",
                                                 "a command id never runs twice",
                                                 "a refused command changes nothing"}));
}

BOOST_FIXTURE_TEST_CASE(the_provider_and_the_orders_agree_as_they_go, open_books) {
  const auto pounds = [](std::int64_t minor) { return money{minor, *currency_code::parse("GBP")}; };
  const auto entry = [&](pay::entry_kind kind, std::int64_t minor) {
    return pay::entry{.kind = kind, .key = "o", .amount = pounds(minor)};
  };
  const auto capture = pay::entry_kind::capture, refund = pay::entry_kind::refund;
  books.add({entry(capture, 5)});
  BOOST_TEST(law() == "both ledgers agree");  // of no order
  broken.clear();
  open_books shop;
  order::placed placed;
  placed.content.id = order_id("o");
  shop.add("o", placed);
  shop.add("o", order::totalled{pounds(0)});
  shop.books.add({entry(capture, 0), entry(capture, 0)});
  BOOST_TEST(shop.law() == "none");  // nothing is nothing
  shop.books.add({entry(capture, 0), entry(capture, 0), entry(capture, 3)});
  BOOST_TEST(shop.law() == "both ledgers agree");  // it costs nothing
  shop.broken.clear();
  shop.books.add({entry(capture, 0), entry(capture, 0), entry(capture, 3), entry(capture, 0)});
  BOOST_TEST(shop.law() == "at most one capture per order");
  shop.broken.clear();
  shop.books.add({entry(capture, 0), entry(capture, 0), entry(capture, 3), entry(capture, 0),
                  entry(refund, 4)});
  BOOST_TEST(shop.law() == "no more is refunded than was captured");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace books_test
}  // namespace omnicart::sim
