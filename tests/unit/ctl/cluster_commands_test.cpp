#include "tools/omnicartctl/cluster_commands.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_desk.hpp"
#include "fake_operator.hpp"
#include "tools/omnicartctl/cluster_report.hpp"

namespace {

using namespace omnicart;
using namespace omnicart::ctl;
using omnicart::ctl::testing::cluster_port;
using omnicart::ctl::testing::fake_desk;
using omnicart::ctl::testing::good_token;
using json = nlohmann::ordered_json;

struct said {
  exit_code code;
  std::string out, err;
};

// A desk of a cluster, its port, and a terminal on which a person says `reply`.
struct terminal {
  fake_desk desk;
  cluster_port port{&desk};
  std::string token_file = [] {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-token-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    std::ofstream(name) << good_token << '\n';
    return name;
  }();
  outcome<bool> reply = true;
  std::vector<std::string> asked;
  std::function<bool(duration_ms)> pause = [](duration_ms) { return true; };
  bool is_terminal = false;
  std::string elsewhere;  // asked in place of the port

  ~terminal() { std::filesystem::remove(token_file); }

  said operator()(std::vector<std::string> words) {
    const auto url = elsewhere.empty() ? port.url() : elsewhere;
    words.insert(words.begin(), {"--operator", url, "--token-file", token_file, "cluster"});
    const auto given = parse_command_line(words);
    BOOST_TEST_REQUIRE(std::holds_alternative<command_line>(given));
    std::ostringstream out, err;
    const auto confirm = [this](const std::string& question) {
      asked.push_back(question);
      return reply;
    };
    const auto code = run(std::get<command_line>(given), {.out = out,
                                                          .err = err,
                                                          .password = {},
                                                          .confirm = confirm,
                                                          .pause = pause,
                                                          .terminal = is_terminal});
    return {code, out.str(), err.str()};
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

cluster_record::node_state state_of(const fake_desk& desk, cluster_record::node_id id) {
  const auto* n = find(desk.record(), id);
  BOOST_REQUIRE(n != nullptr);
  return n->state;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ctl_cluster, terminal)

BOOST_AUTO_TEST_CASE(init_founds_once_and_then_says_that_it_was_done) {
  const auto first = (*this)({"init"});
  BOOST_TEST(first.out == "founded cluster " + std::string(32, 'c') + '\n');
  const auto again = (*this)({"init"});
  BOOST_TEST((again.code == exit_code::ok));
  BOOST_TEST(again.out == "this node belongs to cluster " + std::string(32, 'c') + " already\n");
  BOOST_TEST(json::parse((*this)({"init", "--json"}).out)["founded"] == false);
}

BOOST_AUTO_TEST_CASE(a_sound_cluster_says_so_at_once) {
  desk.found_with(3);
  const auto got = (*this)({"status"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(has(got.out, "serving  (as n1 sees it, http://"), got.out);
  BOOST_TEST(has(got.out, "  nodes    3 active\n"), got.out);
  BOOST_TEST(has(got.out, "4 and the cluster's own, up to 3 replicas each; none moving"), got.out);
  BOOST_TEST(has(got.out, "ann@desk: join node 3 (n3) at 10.0.0.3:7000\n"), got.out);
  BOOST_TEST(!has(got.out, "!"), got.out);
}

BOOST_AUTO_TEST_CASE(two_voters_are_pointed_out) {
  desk.found_with(2);
  const auto got = (*this)({"status"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(has(got.out,
                 "! 5 shards have two voters: losing one node stops writes; add a third node: "
                 "omnicartctl cluster join\n"),
             got.out);
}

BOOST_AUTO_TEST_CASE(shards_that_cannot_be_written_to_end_status_with_1) {
  desk.found_with(2);
  desk.silent = 2;
  const auto got = (*this)({"status"});
  BOOST_TEST((got.code == exit_code::failed));
  BOOST_TEST(got.out.starts_with("NOT SERVING IN FULL"), got.out);
  BOOST_TEST(has(got.out, "! 5 shards cannot be written to"), got.out);
  BOOST_TEST(has(got.out, "n2 cannot be reached since 12 s; it votes in 5 shards"), got.out);
  const auto whole = json::parse((*this)({"status", "--json"}).out);
  BOOST_TEST(whole["warnings"][0]["severe"] == true);
}

BOOST_AUTO_TEST_CASE(a_node_that_leads_nothing_is_shown_with_its_reasons) {
  desk.found_with(3);
  desk.unfit = 2;
  desk.why = {.damaged = true, .disk_low = true};
  const auto status = (*this)({"status"});
  BOOST_TEST((status.code == exit_code::ok));
  BOOST_TEST(has(status.out, "  nodes    3 active; 1 unfit to lead\n"), status.out);
  BOOST_TEST(has(status.out, "! n2 met damage in its store and gives its leaderships away; "), status.out);
  const auto nodes = (*this)({"nodes"});
  BOOST_TEST(has(nodes.out, "yes      +3 ms  no: store damaged, disk low  10.0.0.2:7000"), nodes.out);
  BOOST_TEST(has(nodes.out, "yes      +3 ms  yes                          10.0.0.1:7000"), nodes.out);
  desk.silent = 2;  // nothing is known of it then
  desk.unfit = 0;
  BOOST_TEST(has((*this)({"nodes"}).out, "not since 12 s  +3 ms  -    10.0.0.2:7000"));
}

BOOST_AUTO_TEST_CASE(shards_on_the_move_are_counted) {
  desk.found_with(3);
  desk.voting[2] = {1, 2};
  BOOST_TEST(has((*this)({"status"}).out, "up to 3 replicas each; 1 moving"));
}

BOOST_AUTO_TEST_CASE(nodes_and_shards_are_tables) {
  desk.found_with(3);
  const auto nodes = (*this)({"nodes"});
  BOOST_TEST(has(nodes.out, "NODE  NAME  STATE   LEADS  REPLICAS  STANDBYS  REACHED"), nodes.out);
  BOOST_TEST(has(nodes.out, "2     n2    active  2      5         0         yes      +3 ms"),
             nodes.out);
  const auto shards = (*this)({"shards"});
  BOOST_TEST(has(shards.out, "1        n2      7     n2 n3 n1"), shards.out);
  BOOST_TEST(has(shards.out, "cluster  n2 "), shards.out);
  BOOST_TEST(json::parse((*this)({"nodes", "--json"}).out)["nodes"].size() == 3u);
  BOOST_TEST(json::parse((*this)({"shards", "--json"}).out)["shards"][4]["own"] == true);
}

BOOST_AUTO_TEST_CASE(hashes_are_a_table_and_damage_is_named) {
  desk.found_with(3);
  const auto got = (*this)({"hashes"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(has(got.out, "SHARD  THROUGH  RECORDS  HASH"), got.out);
  BOOST_TEST(has(got.out, "3      17       5        0000000000000abc"), got.out);
  const auto whole = json::parse((*this)({"hashes", "--json"}).out);
  BOOST_TEST(whole["node"] == 1);
  BOOST_TEST(whole["shards"][0]["hash"] == "0000000000000abc");
  desk.fault = make_error(base_errc::io, "000012.sst: block checksum mismatch");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"hashes"}, {"hashes", "--json"}}) {
    const auto damaged = (*this)(words);
    BOOST_TEST((damaged.code == exit_code::failed));
    BOOST_TEST(damaged.err == "omnicartctl: 000012.sst: block checksum mismatch\n");
    BOOST_TEST(damaged.out.empty(), damaged.out);
  }
  desk.fault = make_error(base_errc::malformed, "no record of a shard");
  BOOST_TEST(((*this)({"hashes"}).code == exit_code::failed));
}

BOOST_AUTO_TEST_CASE(hashes_of_a_node_that_cannot_answer_now_may_be_asked_for_again) {
  desk.found_with(3);
  for (const auto code : {base_errc::unavailable, base_errc::overloaded, base_errc::shutting_down}) {
    desk.fault = make_error(code, "not now");
    BOOST_TEST(((*this)({"hashes"}).code == exit_code::unreachable), to_string(code));
  }
}

BOOST_AUTO_TEST_CASE(a_node_joins_with_a_name_of_its_number) {
  desk.found_with(1);
  const auto got = (*this)({"join", "--id", "7", "--link", "10.0.0.7:7000", "--who", "bob"});
  BOOST_TEST(got.out == "node 7 (n7) may join at 10.0.0.7:7000\n");
  BOOST_TEST((state_of(desk, 7) == cluster_record::node_state::joining));
  BOOST_TEST(desk.record().operations.back().who == "bob");
}

BOOST_AUTO_TEST_CASE(what_takes_something_away_is_asked_for_first) {
  desk.found_with(3);
  reply = false;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"drain", "n3"}, {"remove", "n3"}, {"replace", "n3", "n2"}}) {
    const auto before = desk.record();
    const auto got = (*this)(words);
    BOOST_TEST((got.code == exit_code::failed));
    BOOST_TEST(got.err == "omnicartctl: nothing was done\n");
    BOOST_TEST((desk.record() == before));
  }
  BOOST_TEST(asked.size() == 3u);
  reply = fail_with(exit_code::usage, "give --yes");
  BOOST_TEST(((*this)({"drain", "n3"}).code == exit_code::usage));
  asked.clear();
  BOOST_TEST(((*this)({"drain", "n3", "--yes"}).code == exit_code::ok));
  BOOST_TEST(asked.empty());
}

BOOST_AUTO_TEST_CASE(a_drain_and_its_end_are_kept_with_who_and_why) {
  desk.found_with(3);
  const auto got = (*this)({"drain", "3", "--why", "new disk"});
  BOOST_TEST(got.out == "node 3 (n3) is draining\n");
  const auto& kept = desk.record().operations.back();
  BOOST_TEST(kept.who == who_is_here());
  BOOST_TEST(kept.what == "drain node 3 (n3)");
  BOOST_TEST(kept.why == "new disk");
  BOOST_TEST(has((*this)({"status"}).out, "drain node 3 (n3) (new disk)"));
  BOOST_TEST((*this)({"resume", "n3"}).out == "node 3 (n3) is active\n");
  BOOST_TEST((state_of(desk, 3) == cluster_record::node_state::active));
}

BOOST_AUTO_TEST_CASE(a_node_with_shards_is_not_removed_unless_by_force) {
  desk.found_with(3);
  const auto refused = (*this)({"remove", "n3", "--yes"});
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(has(refused.err, "n3 holds 5 shards; drain it first"), refused.err);
  BOOST_TEST(((*this)({"remove", "n3", "--yes", "--force"}).code == exit_code::ok));
  BOOST_TEST((state_of(desk, 3) == cluster_record::node_state::removed));
  const auto last = (*this)({"remove", "n2", "--yes", "--force"});
  BOOST_TEST(has(last.err, "no majority"), last.err);
}

BOOST_AUTO_TEST_CASE(force_removes_nobody_whom_the_reachable_nodes_need) {
  desk.found_with(3);
  desk.silent = 2;
  const auto refused = (*this)({"remove", "n3", "--yes", "--force"});
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(has(refused.err, "n2 cannot be reached"), refused.err);
  BOOST_TEST((state_of(desk, 3) == cluster_record::node_state::active));
  BOOST_TEST(((*this)({"remove", "n2", "--yes", "--force"}).code == exit_code::ok));
}

// n4 takes the place of n3, which is dead, and three shards of five still wait for their turn to move.
BOOST_AUTO_TEST_CASE(force_removes_nobody_whom_shards_need_that_are_still_to_move) {
  desk.found_with(3);
  desk.silent = 3;
  desk.add(4);
  BOOST_TEST_REQUIRE(((*this)({"replace", "n3", "n4", "--yes"}).code == exit_code::ok));
  for (const std::uint16_t shard : {2, 3, 4}) desk.voting[shard] = {1, 2, 3};
  const auto refused = (*this)({"remove", "n2", "--yes", "--force"});
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(has(refused.err,
                 "without n2, 3 shards have no majority of the voters there are now: n3 cannot be "
                 "reached; start what is missing, or wait until the moves are through: omnicartctl "
                 "cluster status"),
             refused.err);
  BOOST_TEST((state_of(desk, 2) == cluster_record::node_state::active));
  BOOST_TEST(has((*this)({"remove", "n3", "--yes"}).err, "n3 holds 3 shards; drain it first"));
  // The dead one itself is not needed by anybody.
  BOOST_TEST(((*this)({"remove", "n3", "--yes", "--force"}).code == exit_code::ok));
  BOOST_TEST(has((*this)({"remove", "n2", "--yes", "--force"}).err, "node 3 cannot be reached"));
  desk.voting.clear();  // the moves are through
  BOOST_TEST(((*this)({"remove", "n2", "--yes", "--force"}).code == exit_code::ok));
  BOOST_TEST((state_of(desk, 2) == cluster_record::node_state::removed));
}

BOOST_AUTO_TEST_CASE(a_dead_node_without_shards_is_removed) {
  desk.found_with(3);
  desk.add(4);
  (*this)({"replace", "n3", "n4", "--yes"});
  desk.silent = 3;
  BOOST_TEST(((*this)({"remove", "n3", "--yes"}).code == exit_code::ok));
  BOOST_TEST((state_of(desk, 3) == cluster_record::node_state::removed));
}

BOOST_AUTO_TEST_CASE(a_node_that_does_not_know_the_voters_removes_nobody) {
  desk.found_with(3);
  desk.add(4);
  desk.voting[1] = {};
  const auto refused = (*this)({"remove", "n4", "--yes"});
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(has(refused.err, "n1 does not know who votes in 1 shard: ask another node"), refused.err);
  desk.voting.clear();
  BOOST_TEST(((*this)({"remove", "n4", "--yes"}).code == exit_code::ok));
}

BOOST_AUTO_TEST_CASE(a_node_takes_the_place_of_another) {
  desk.found_with(3);
  (*this)({"join", "--id", "4", "--link", "h:1"});
  const auto early = (*this)({"replace", "n3", "n4", "--yes"});
  BOOST_TEST(has(early.err, "n4 is still joining"), early.err);
  desk.submit(cluster_record::ready{4}, {}, [](status) {});  // refused: an operator may not say so
  BOOST_TEST((state_of(desk, 4) == cluster_record::node_state::joining));
  BOOST_TEST((*this)({"replace", "n3", "n2", "--yes"}).out ==
             "node 2 (n2) takes the place of node 3 (n3)\n");
  BOOST_TEST((state_of(desk, 3) == cluster_record::node_state::draining));
}

BOOST_AUTO_TEST_CASE(a_shards_leader_is_chosen_and_forgotten) {
  desk.found_with(3);
  BOOST_TEST((*this)({"transfer", "0", "n3"}).out == "node 3 (n3) is to lead shard 0\n");
  BOOST_TEST(desk.record().desired[0].voters.front() == 3u);
  BOOST_TEST(has((*this)({"shards"}).out, "n3* n1 n2"));
  BOOST_TEST(((*this)({"transfer", "cluster", "1"}).code == exit_code::ok));
  BOOST_TEST(desk.record().desired[4].voters.front() == 1u);
  BOOST_TEST(((*this)({"transfer", "0x1", "n3"}).code == exit_code::usage));
  BOOST_TEST(has((*this)({"transfer", "77", "n3"}).err, "no such shard"));
  BOOST_TEST(((*this)({"rebalance"}).code == exit_code::ok));
  BOOST_TEST(!desk.record().desired[0].pinned);
}

BOOST_AUTO_TEST_CASE(settings_not_named_stay_as_they_are) {
  desk.found_with(1);
  BOOST_TEST((*this)({"configure", "--replicas", "5"}).out == "5 replicas, 4 moves at a time\n");
  BOOST_TEST((*this)({"configure", "--moves-max", "9"}).out == "5 replicas, 9 moves at a time\n");
}

BOOST_AUTO_TEST_CASE(what_two_operators_set_at_once_is_kept_of_both) {
  desk.found_with(1);
  const auto by_another = [](std::uint32_t moves) {
    return cluster_record::configure{.settings = {.replicas = 3, .moves_max = moves},
                                     .by = {.who = "bob@desk", .why = ""}};
  };
  desk.meanwhile = {by_another(7)};
  BOOST_TEST((*this)({"configure", "--replicas", "5"}).out == "5 replicas, 7 moves at a time\n");
  BOOST_TEST(desk.record().settings.moves_max == 7u);
  for (std::uint32_t i = 0; i < 100; ++i) desk.meanwhile.push_back(by_another(1 + i % 2));
  const auto never = (*this)({"configure", "--replicas", "4"});
  BOOST_TEST((never.code == exit_code::failed), never.err);
  BOOST_TEST(has(never.err, "changes all the time"), never.err);
  BOOST_TEST(desk.meanwhile.size() > 50u);  // it gave up
  BOOST_TEST(desk.record().settings.replicas == 3u);
}

// Each alone would leave a majority; whoever comes second is judged by what the first has left.
BOOST_AUTO_TEST_CASE(of_two_removals_by_force_at_once_the_second_sees_the_first) {
  desk.found_with(3);
  for (std::uint16_t shard = 0; shard <= 4; ++shard) desk.voting[shard] = {1, 2, 3};
  desk.meanwhile = {cluster_record::remove{.id = 3, .force = true, .still_member = {0}, .by = {.who = "bob@desk", .why = ""}, .unreachable = {}}};
  const auto second = (*this)({"remove", "n2", "--yes", "--force"});
  BOOST_TEST((second.code == exit_code::failed));
  BOOST_TEST(has(second.err, "without n2, 5 shards have no majority"), second.err);
  BOOST_TEST((state_of(desk, 3) == cluster_record::node_state::removed));
  BOOST_TEST((state_of(desk, 2) == cluster_record::node_state::active));
}

BOOST_AUTO_TEST_CASE(fewer_replicas_are_asked_for_first) {
  desk.found_with(3);
  reply = false;
  const auto refused = (*this)({"configure", "--replicas", "1"});
  BOOST_TEST((refused.code == exit_code::failed));
  BOOST_TEST(desk.record().settings.replicas == 3u);
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(asked.back() ==
             "Keep each shard on 1 node, not 3? The loss of 1 node then stops writes.");
  asked.clear();
  BOOST_TEST(((*this)({"configure", "--replicas", "5"}).code == exit_code::ok));
  BOOST_TEST(((*this)({"configure", "--moves-max", "2"}).code == exit_code::ok));
  BOOST_TEST(((*this)({"configure", "--replicas", "1", "--yes"}).code == exit_code::ok));
  BOOST_TEST(asked.empty());
  BOOST_TEST(desk.record().settings.replicas == 1u);
}

BOOST_AUTO_TEST_CASE(another_key_signs_when_an_operator_says_so) {
  desk.found_with(1);
  const auto got = (*this)({"rotate-key", "--json", "--why", "as every spring"});
  BOOST_TEST((json::parse(got.out)["done"] == "another key signs in a minute"));
  BOOST_TEST(desk.record().keys.back().number == 1u);
  const auto& kept = desk.record().operations.back();
  BOOST_TEST(kept.who == who_is_here());
  BOOST_TEST(kept.what == "rotate keys: number 1");
  BOOST_TEST(kept.why == "as every spring");
  BOOST_TEST(asked.empty());
}

BOOST_AUTO_TEST_CASE(refusing_what_other_keys_signed_is_asked_for_first) {
  desk.found_with(1);
  reply = false;
  BOOST_TEST(((*this)({"rotate-key", "--distrust-others"}).code == exit_code::failed));
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(has(asked.back(), "Everybody has to sign in again"), asked.back());
  BOOST_TEST(desk.record().keys.empty());
  BOOST_TEST(((*this)({"rotate-key", "--distrust-others", "--yes"}).code == exit_code::ok));
  BOOST_TEST(has(desk.record().operations.back().what, "the others are distrusted"));
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_no_answer_of_a_node) {
  const std::vector<std::vector<std::string>> commands{{"status"},
                                                       {"shards"},
                                                       {"hashes"},
                                                       {"rebalance"},
                                                       {"transfer", "cluster", "n1"},
                                                       {"configure", "--replicas", "1"}};
  for (const char* body : {"[1]", "7", "\"three\"", "null"}) {
    omnicart::ctl::testing::fake_operator other;
    other.answers({200, body});
    elsewhere = other.url();
    for (const auto& words : commands) {
      const auto got = (*this)(words);
      BOOST_TEST((got.code == exit_code::unreachable), words.front() + " and " + body);
      BOOST_TEST(has(got.err, "no JSON object"), got.err);
      BOOST_TEST(got.out.empty(), got.out);
    }
  }
}

BOOST_AUTO_TEST_CASE(replicas_that_are_no_number_are_not_compared) {
  for (const char* body : {"{}", R"({"replicas":"three"})", R"({"replicas":-1})"}) {
    omnicart::ctl::testing::fake_operator other;
    other.answers({200, body});
    elsewhere = other.url();
    const auto got = (*this)({"configure", "--replicas", "1"});
    BOOST_TEST((got.code == exit_code::unreachable), body);
    BOOST_TEST(has(got.err, "how many replicas"), got.err);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_node_is_named) {
  desk.found_with(3);
  const auto got = (*this)({"drain", "n9", "--yes"});
  BOOST_TEST((got.code == exit_code::failed));
  BOOST_TEST(has(got.err, "there is no node n9"), got.err);
}

BOOST_AUTO_TEST_CASE(why_a_command_cannot_be_done_now_is_told) {
  desk.found_with(3);
  desk.fault = make_error(base_errc::unavailable, "the cluster's own group has no leader");
  const auto got = (*this)({"drain", "n3", "--yes"});
  BOOST_TEST((got.code == exit_code::unreachable));
  BOOST_TEST(has(got.err, "the cluster's own group has no leader"), got.err);
}

BOOST_AUTO_TEST_CASE(watching_shows_it_again_until_told_to_end) {
  desk.found_with(3);
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  const auto plain = (*this)({"watch", "--times", "3"});
  BOOST_TEST(count(plain.out, "serving  (as n1") == 3u);
  BOOST_TEST(!has(plain.out, "\x1b"));
  is_terminal = true;
  int pauses = 0;
  pause = [&](duration_ms time) {
    BOOST_TEST(time.count() == 500);
    return ++pauses < 2;
  };
  const auto shown = (*this)({"watch", "--every", "500ms"});
  BOOST_TEST(count(shown.out, "\x1b[H\x1b[2J") == 2u);
  const auto lines = (*this)({"watch", "--json", "--times", "1"});
  BOOST_TEST(json::parse(lines.out)["nodes"].size() == 3u);
}

BOOST_AUTO_TEST_CASE(watching_goes_on_while_the_node_is_away) {
  omnicart::ctl::testing::fake_operator other;
  other.answers({503, R"({"code":"unavailable","detail":"it starts"})"});
  other.answers({200, R"({"nodes":[],"shards":[]})"});
  elsewhere = other.url();
  const auto got = (*this)({"watch", "--times", "2"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(got.out.starts_with("! it starts\n"), got.out);
  BOOST_TEST(has(got.out, "serving"), got.out);
  BOOST_TEST(other.asked().size() == 2u);
}

BOOST_AUTO_TEST_CASE(watching_ends_as_status_would_at_the_last_look) {
  desk.found_with(2);
  desk.silent = 2;
  const auto unsound = (*this)({"watch", "--times", "1"});
  BOOST_TEST((unsound.code == exit_code::failed));
  BOOST_TEST(unsound.out.starts_with("NOT SERVING IN FULL"), unsound.out);
  desk.silent = 0;
  BOOST_TEST(((*this)({"watch", "--times", "1"}).code == exit_code::ok));
  elsewhere = "http://127.0.0.1:1";  // where nobody listens
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"watch", "--times", "2"}, {"watch", "--times", "1", "--json"}}) {
    const auto got = (*this)(words);
    BOOST_TEST((got.code == exit_code::unreachable));
    BOOST_TEST(has(got.out, "nothing answers there"), got.out);
  }
}

BOOST_AUTO_TEST_CASE(a_refused_token_ends_watching_at_once) {
  desk.found_with(3);
  std::ofstream(token_file) << "another\n";
  int pauses = 0;
  pause = [&](duration_ms) { return ++pauses < 3; };
  const auto got = (*this)({"watch"});
  BOOST_TEST((got.code == exit_code::refused));
  BOOST_TEST(has(got.err, "token was refused"), got.err);
  BOOST_TEST(got.out.empty(), got.out);
  BOOST_TEST(pauses == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ctl_cluster_alone)

BOOST_AUTO_TEST_CASE(a_node_without_a_cluster_says_so) {
  const cluster_port port(nullptr);
  httplib::Client client(port.url());
  client.set_bearer_token_auth(good_token);
  for (const auto& got :
       {client.Get("/cluster"), client.Post("/cluster/init", "{}", "application/json"),
        client.Post("/cluster/drain", "{}", "application/json")}) {
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 409);
    BOOST_TEST(json::parse(got->body)["code"] == "no_cluster");
  }
}

BOOST_AUTO_TEST_CASE(bodies_that_are_none_are_refused_with_what_is_wrong) {
  fake_desk desk;
  desk.found_with(2);
  const cluster_port port(&desk);
  httplib::Client client(port.url());
  client.set_bearer_token_auth(good_token);
  for (const char* body : {"", "{", "[]", R"({"node":"n2"})", R"({"node":2,"who":"a"})",
                           R"({"node":"n2","who":"a","what":1})"}) {
    const auto got = client.Post("/cluster/drain", body, "application/json");
    BOOST_REQUIRE(got);
    BOOST_TEST(got->status == 400, body << " gives " << got->status);
  }
}

BOOST_AUTO_TEST_CASE(an_older_tool_reads_a_newer_report) {
  const json empty = json::object();
  BOOST_TEST(report_cluster(empty, "u").sound);
  BOOST_TEST(report_nodes(json::parse(R"({"nodes":[{"id":"x"},3]})")).sound);
  BOOST_TEST(report_shards(json::parse(R"({"shards":[{},null]})")).sound);
}

BOOST_AUTO_TEST_SUITE_END()
