#include "tools/omnicartctl/backup_commands.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "one_shard_backup.hpp"
#include "shell.hpp"

namespace {

using namespace omnicart;
using namespace omnicart::ctl;
using omnicart::ctl::testing::backup_id;
using omnicart::ctl::testing::fake_operator;
using omnicart::ctl::testing::good_token;
using omnicart::ctl::testing::has;
using omnicart::ctl::testing::said;
using json = nlohmann::ordered_json;

struct terminal {
  testing::folder home;
  std::string token_file = home.file("operator.token", std::string(good_token) + "\n");
  std::string backups = home.path / "backups";
  fake_operator node;
  int pauses = 0;

  said operator()(std::vector<std::string> words) {
    words.insert(words.begin(), {"--operator", node.url(), "--token-file", token_file, "backup"});
    const auto given = parse_command_line(words);
    BOOST_TEST_REQUIRE(std::holds_alternative<command_line>(given));
    std::ostringstream out, err;
    const auto code =
        run(std::get<command_line>(given),
            {.out = out, .err = err, .password = {}, .confirm = {}, .pause = [this](duration_ms) {
               ++pauses;
               return true;
             }});
    return {code, out.str(), err.str()};
  }
  // An empty shop's backup of one shard.
  void make_backup() {
    const auto into = cluster::backup_folder::open(backups, cluster::backup_folder::use::write);
    BOOST_TEST_REQUIRE(into.has_value());
    testing::put_one_shard_backup(**into, testing::first_shard(), {});
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ctl_backup, terminal)

BOOST_AUTO_TEST_CASE(create_asks_and_looks_until_it_is_done) {
  node.answers({202, R"({"state":"cutting"})"});
  node.answers({200, R"({"state":"copying","shards":64,"shards_copied":3,"bytes":5})"});
  node.answers(
      {200,
       R"({"state":"done","new_bytes":5,"took_ms":8,"backup":{"id":"X","paused_ms":9,"tries":2,"bytes":7}})"});
  const auto got =
      (*this)({"create", "--to", "/b", "--why", "update", "--who", "ann", "--rate", "3"});
  BOOST_TEST((got.code == exit_code::ok), got.err);
  BOOST_TEST(has(got.out, "paused     9 ms, try 2"));
  BOOST_TEST(pauses == 2);
  BOOST_TEST(node.asked().at(0) ==
             R"(POST /backup {"to":"/b","who":"ann","why":"update","rate_mib_s":3})");
  BOOST_TEST(node.asked().at(2) == "GET /backup");
}

BOOST_AUTO_TEST_CASE(create_says_why_there_is_none) {
  node.answers({202, R"({"state":"cutting"})"});
  node.answers({200, R"({"state":"failed","why":"no consistent cut in 10 tries"})"});
  const auto failed = (*this)({"create", "--to", "/b"});
  BOOST_TEST((failed.code == exit_code::unreachable));
  BOOST_TEST(has(failed.err, "no consistent cut in 10 tries"));
  terminal other;
  other.node.answers(
      {409,
       R"({"code":"precondition_failed","detail":"/b is neither empty nor a backup folder"})"});
  BOOST_TEST(has(other({"create", "--to", "/b"}).err, "neither empty"));
  terminal odd;
  odd.node.answers({200, R"({"state":"copying","shards":"many","bytes":[]})"});
  odd.node.answers({200, R"({"state":"done","backup":7,"why":8})"});
  const auto strange = odd({"create", "--to", "/b"});
  BOOST_TEST((strange.code == exit_code::unreachable));
  BOOST_TEST(has(strange.err, "the node does not say why"), strange.err);
}

BOOST_AUTO_TEST_CASE(list_and_verify_need_no_node) {
  make_backup();
  const auto listed = (*this)({"--json", "list", backups});
  BOOST_TEST(json::parse(listed.out)["backups"][0]["id"] == backup_id);
  BOOST_TEST(!has(listed.out, std::string(20, 'k')));
  BOOST_TEST(((*this)({"verify", backups}).code == exit_code::ok));
  BOOST_TEST(((*this)({"verify", backups, backup_id}).code == exit_code::ok));
  BOOST_TEST(
      has((*this)({"verify", backups, "20260301T120000Z-00000002"}).err, "there is no backup"));
  std::ofstream(backups + "/backups/" + backup_id + ".manifest", std::ios::app) << 'x';
  const auto damaged = (*this)({"list", backups});
  BOOST_TEST((damaged.code == exit_code::failed));
  BOOST_TEST(has(damaged.out, "! " + std::string(backup_id)));
  BOOST_TEST(((*this)({"verify", backups}).code == exit_code::failed));
  BOOST_TEST(((*this)({"list", (home.path / "none").string()}).code == exit_code::failed));
}

BOOST_AUTO_TEST_CASE(restore_wants_an_empty_directory_and_a_provider_that_answers) {
  make_backup();
  const auto full = (*this)({"restore", backups, "--data", home.path, "--provider", node.url()});
  BOOST_TEST((full.code == exit_code::failed));
  BOOST_TEST(has(full.err, "is not empty"));
  node.answers({500, "{}"});
  const auto silent =
      (*this)({"restore", backups, "--data", (home.path / "new").string(), "--provider", node.url()});
  BOOST_TEST((silent.code == exit_code::unreachable));
  BOOST_TEST(!std::filesystem::exists(home.path / "new"));
}

BOOST_AUTO_TEST_SUITE_END()
