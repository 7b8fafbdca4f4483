#include <boost/test/unit_test.hpp>

#include "actors/stock/stock_kind.hpp"
#include "http/metrics.hpp"
#include "http/operator_server.hpp"
#include "tests/unit/http/tiny_shop.hpp"
#include "tests/unit/http_server/peer.hpp"

// What operators are shown of a node's own store.
namespace omnicart::http::trial {
namespace own_copy_test {

struct no_rows final : projection_rows {
  std::optional<std::string> get(std::string_view) override { return std::nullopt; }
  void put(std::string, std::string) override {}
  void erase(std::string) override {}
  void scan(std::string_view, std::string_view, const visitor&) override {}
};

// The newest of what the shop acknowledged is here once the leaders were asked how far they are.
struct follower final : projection_host {
  void query(std::string_view, std::function<void(projection_rows&)> run,
             std::function<void(error)> refused) override {
    if (cut_off) return refused(make_error(base_errc::unavailable, "a part cannot be reached"));
    has_all = true;
    no_rows rows;
    run(rows);
  }
  bool cut_off = false;
  bool has_all = false;
};

struct late_store final : no_store {
  explicit late_store(const follower& copy) : copy_(copy) {}
  void load(const entity_ref&, std::function<void(result<stored_entity>)> done) override {
    stored_entity found;
    found.events = events();
    done(std::move(found));
  }
  void history(const entity_ref&, std::uint64_t, std::size_t,
               std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)>
                   done) override {
    std::vector<std::pair<std::uint64_t, event_record>> found;
    for (auto& each : events()) found.emplace_back(found.size() + 1, std::move(each));
    done(std::move(found));
  }

 private:
  std::vector<event_record> events() const {
    std::vector<event_record> found(1);
    found[0].event = stock::kind::encode_event(stock::counted{});
    if (copy_.has_all) found.push_back(found[0]);
    return found;
  }
  const follower& copy_;
};

struct no_directory final : entity_directory {
  result<std::vector<std::string>> ids(std::string_view, std::uint16_t, std::string_view,
                                       std::size_t) override {
    return std::vector<std::string>{};
  }
  std::uint16_t shard_count() const override { return 1; }
};

struct operator_port {
  operator_port() {
    base.orders.attach(copy);
    auto started = operator_server::start("127.0.0.1", 0,
                                          {.front = front,
                                           .entities = directory,
                                           .requests = figures,
                                           .token = "t",
                                           .version = "",
                                           .pay_url = "",
                                           .http_address = {},
                                           .figures = {},
                                           .refusing = {},
                                           .provider_trouble = {},
                                           .projections = {}});
    BOOST_REQUIRE(started.has_value());
    server = std::move(*started);
  }
  reply get(const std::string& path) const {
    return peer(server->port())
        .ask("GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nConnection: close\r\n\r\n");
  }
  nlohmann::json shown(const std::string& path) const {
    const auto got = get(path);
    BOOST_TEST(got.status == 200, got.body);
    return nlohmann::json::parse(got.body, nullptr, false);
  }

  tiny_shop base;
  follower copy;
  late_store store{copy};
  shop front{.entities = base.entities,
             .store = store,
             .kinds = base.kinds,
             .time = base.time,
             .ids = base.ids,
             .tokens = base.tokens,
             .passwords = base.passwords,
             .sign_ins = base.sign_ins,
             .orders = base.orders,
             .catalogue = base.catalogue,
             .currency = *currency_code::parse("GBP"),
             .records = base.records};
  no_directory directory;
  metrics figures;
  std::unique_ptr<operator_server> server;
};

constexpr const char* history = "/entities/stock/p1?history=1";
const std::vector<const char*> all_paths{"/entities/stock/p1", history, "/audit", "/audit/verify"};

BOOST_FIXTURE_TEST_SUITE(operators_own_copy, operator_port)

BOOST_AUTO_TEST_CASE(a_history_has_what_was_acknowledged_anywhere) {
  const auto got = shown(history);
  BOOST_TEST(got["items"].size() == 2u);
  BOOST_TEST(!got.contains("behind"));
}

BOOST_AUTO_TEST_CASE(so_has_all_that_operators_are_shown_of_the_store) {
  for (const char* path : all_paths) {
    copy.has_all = false;
    BOOST_TEST(!shown(path).contains("behind"), path);
    BOOST_TEST(copy.has_all, path);
  }
  BOOST_TEST(shown("/entities/stock/p1")["version"] == 2);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_cut_off_shows_what_it_has_and_says_that_it_may_be_behind) {
  copy.cut_off = true;
  for (const char* path : all_paths)
    BOOST_TEST(shown(path).value("behind", "") == "a part cannot be reached", path);
  BOOST_TEST(shown(history)["items"].size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace own_copy_test
}  // namespace omnicart::http::trial
