#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "actors/order/order_codec.hpp"
#include "cluster/backup/backup_folder.hpp"
#include "cluster/backup/chunk_cutter.hpp"
#include "loopback_server.hpp"
#include "one_shard_backup.hpp"
#include "persistence/key_layout.hpp"
#include "shell.hpp"
#include "tools/backup/shop_books.hpp"
#include "tools/omnicartctl/backup_commands.hpp"

// What a restore makes of the provider's ledger.
namespace omnicart::ctl {
namespace backup_restore_test {

using json = nlohmann::ordered_json;
using testing::has;
using testing::said;

money pence(std::int64_t amount) { return {amount, *currency_code::parse("GBP")}; }

order::events paid_order() {
  order::place what;
  what.id = order_id{"o"};
  what.payment.type = payment::method_type::card;
  return {order::placed{what, {}},
          order::cart_taken{{{.line_id = 1,
                              .product = product_id{"p"},
                              .name = "P",
                              .quantity = 2,
                              .unit_price = pence(250)}}},
          order::totalled{pence(500)}, order::stock_claimed{0}, order::payment_began{},
          order::paid{pence(500), "4242", {}}};
}

// A backup of one order, which was paid.
void make_backup(const std::string& path) {
  const auto folder = cluster::backup_folder::open(path, cluster::backup_folder::use::write);
  BOOST_TEST_REQUIRE(folder.has_value());
  auto shard = testing::first_shard();
  cluster::chunk_cutter cutter([&](const std::string& chunk, std::size_t records) -> status {
    cluster::chunk_name name{.hash = cluster::hash_of(chunk), .bytes = chunk.size()};
    if (auto put = (*folder)->put_chunk(name, chunk); !put) return fail(put.error());
    shard.records += records;
    shard.chunks.push_back(std::move(name));
    return {};
  });
  backup::shop_books books;
  const auto prefix = persistence::entity_prefix(0, entity_ref{"order", "o"});
  std::uint64_t version = 0;
  for (const auto& each : paid_order()) {
    const event_record record{.at = {}, .by = {}, .event = order::encode_event(each)};
    const auto key = persistence::event_key(prefix, ++version);
    const auto value = persistence::encode(record);
    BOOST_TEST_REQUIRE(cutter.add(persistence::family::events, key, value).has_value());
    BOOST_TEST_REQUIRE(books.take(persistence::family::events, key, value).has_value());
  }
  BOOST_TEST_REQUIRE(cutter.finish().has_value());
  testing::put_one_shard_backup(**folder, std::move(shard), books.totals());
}

json entry_of(int seq, const char* kind, std::int64_t amount, const char* refund_key = "") {
  return json{{"seq", seq},        {"kind", kind}, {"key", "o"},
              {"currency", "GBP"}, {"at", "t"},    {"amount", amount},
              {"refund_key", refund_key}};
}

// A provider on a free loopback port, with this ledger.
struct provider {
  explicit provider(const std::vector<json>& ledger) {
    auto entries = json::array();
    for (const auto& each : ledger) entries.push_back(each);
    json page = json::object();
    page["entries"] = std::move(entries);
    server.routes().Get("/ledger", [all = page.dump()](const httplib::Request& req, httplib::Response& res) {
      const bool from_the_first = req.get_param_value("from") == "1";
      res.set_content(from_the_first ? all : std::string(R"({"entries":[]})"), "application/json");
    });
    server.start();
  }

  testing::loopback_server server;
};

struct lost_shop {
  testing::folder home;
  std::string backups = home.path / "backups";
  std::string data = home.path / "new";

  lost_shop() { make_backup(backups); }

  said restore(const provider& from, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"backup", "restore",    backups,          "--data",
                                   data,     "--provider", from.server.url()};
    words.insert(words.end(), more.begin(), more.end());
    const auto given = parse_command_line(words);
    BOOST_TEST_REQUIRE(std::holds_alternative<command_line>(given));
    std::ostringstream out, err;
    const auto code = run(std::get<command_line>(given),
                          {.out = out, .err = err, .password = {}, .confirm = {}, .pause = {}});
    return {code, out.str(), err.str()};
  }
  bool is_restored() const { return std::filesystem::exists(data + "/db"); }
  json listed() const {
    std::ifstream file(data + ".unknown-payments.json");
    return json::parse(file);
  }
};

BOOST_FIXTURE_TEST_SUITE(ctl_backup_restore, lost_shop)

BOOST_AUTO_TEST_CASE(a_ledger_with_the_payments_of_the_backup_lets_it_be_restored) {
  const provider right(std::vector<json>{entry_of(1, "capture", 500)});
  const auto got = restore(right);
  BOOST_TEST((got.code == exit_code::ok), got.err);
  BOOST_TEST(has(got.out, "1 entries known, 0 that their orders will ask for again, 0 unknown, 0 missing"),
             got.out);
  BOOST_TEST(is_restored());
}

BOOST_AUTO_TEST_CASE(a_ledger_without_the_payments_of_the_backup_is_taken_for_a_wrong_one) {
  const provider empty(std::vector<json>{});
  const auto refused = restore(empty);
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(has(refused.out, "! missing: order o was paid 500 GBP (minor units)"), refused.out);
  BOOST_TEST(has(refused.err, "--accept-missing"), refused.err);
  BOOST_TEST(!std::filesystem::exists(data));
  const auto file = listed();
  BOOST_TEST((file["missing_count"] == 1));
  BOOST_TEST((file["missing"][0]["order_id"] == "o"));
  BOOST_TEST((file["missing"][0]["amount_minor"] == 500));
  BOOST_TEST((file["known"] == 0));
  BOOST_TEST((restore(empty, {"--accept-unknown"}).code == exit_code::failed));
  BOOST_TEST(!is_restored());
  const auto accepted = restore(empty, {"--accept-missing", "--json"});
  BOOST_TEST((accepted.code == exit_code::ok), accepted.err);
  BOOST_TEST((json::parse(accepted.out)["provider"]["missing_count"] == 1));
  BOOST_TEST(is_restored());
}

BOOST_AUTO_TEST_CASE(a_refund_made_after_the_backup_is_listed_with_its_key) {
  const provider later(std::vector<json>{entry_of(1, "capture", 500),
                                         entry_of(2, "refund", 100, "refund-1")});
  const auto refused = restore(later, {"--accept-missing"});
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(has(refused.out, "! refund refund-1 of 100 GBP (minor units)"), refused.out);
  BOOST_TEST(has(refused.err, "--accept-unknown"), refused.err);
  BOOST_TEST((listed()["unknown"][0]["refund_key"] == "refund-1"));
  BOOST_TEST((listed()["missing_count"] == 0));
  BOOST_TEST(!is_restored());
  BOOST_TEST((restore(later, {"--accept-unknown"}).code == exit_code::ok));
  BOOST_TEST(is_restored());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace backup_restore_test
}  // namespace omnicart::ctl
