#include "tools/omnicartctl/run.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "persistence/store.hpp"
#include "runtime/system_ports.hpp"
#include "shell.hpp"
#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/secret_input.hpp"
#include "tools/pay/ledger_file.hpp"
#include "tools/pay/ledger_scan.hpp"

namespace {

using namespace omnicart;
using namespace omnicart::ctl;
using namespace omnicart::ctl::testing;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ctl_run, shell)

BOOST_AUTO_TEST_CASE(an_issued_token_is_printed_alone) {
  node.answers({200, R"({"token":"abc.def","expires_at":"2026-03-01T12:00:00.000Z"})"});
  const auto got = (*this)({"token", "issue", "--role", "admin", "--ttl", "1500ms"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(got.out == "abc.def\n");
  BOOST_TEST(got.err.empty());
  BOOST_TEST(node.asked().at(0) == R"(POST /tokens {"role":"admin","ttl_s":2})");
}

BOOST_AUTO_TEST_CASE(laws_wait_as_long_as_told_and_end_with_1_when_one_is_broken) {
  node.answers({200, R"({"laws":{"a":true}})"});
  node.answers({200, R"({"laws":{"a":false},"detail":{"a":"why"}})"});
  BOOST_TEST(((*this)({"laws", "--wait", "30s"}).code == exit_code::ok));
  const auto broken = (*this)({"laws", "--json"});
  BOOST_TEST((broken.code == exit_code::failed));
  BOOST_TEST(nlohmann::json::parse(broken.out)["detail"]["a"] == "why");
  BOOST_TEST(node.asked().at(0) == "GET /laws?wait_s=30");
  BOOST_TEST(node.asked().at(1) == "GET /laws?wait_s=0");
}

BOOST_AUTO_TEST_CASE(a_node_that_refuses_work_ends_status_with_1) {
  node.answers({200, R"({"read_only":false})"});
  node.answers({200, R"({"read_only":true})"});
  BOOST_TEST(((*this)({"status"}).code == exit_code::ok));
  const auto full = (*this)({"status"});
  BOOST_TEST((full.code == exit_code::failed));
  BOOST_TEST(has(full.out, "read-only"));
}

BOOST_AUTO_TEST_CASE(a_state_is_printed_as_json_and_the_id_is_encoded) {
  node.answers({200, R"({"entity":"product/a b/ü","version":2,"state":{"z":1,"a":[]}})"});
  const auto got =
      (*this)({"entity", "show", "product/a b/ü", "--at", "2026-03-01T13:00:00+01:00"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(got.out == "{\n  \"z\": 1,\n  \"a\": []\n}\n");
  BOOST_TEST(node.asked().at(0) ==
             "GET /entities/product/a%20b%2F%C3%BC?at=2026-03-01T12%3A00%3A00.000Z");
  const auto whole = (*this)({"entity", "show", "product/a", "--json"});
  BOOST_TEST(nlohmann::json::parse(whole.out)["version"] == 2);
}

BOOST_AUTO_TEST_CASE(a_history_is_read_page_by_page) {
  node.answers(
      {200,
       R"({"items":[{"version":1,"at":"t1","what":{"event":"a"}},{"version":2,"at":"t2","what":{"event":"b"}}],
                         "next_cursor":"3"})"});
  node.answers(
      {200, R"({"items":[{"version":3,"at":"t3","what":{"event":"c"}}],"next_cursor":null})"});
  const auto got = (*this)({"entity", "show", "cart/c", "--history"});
  BOOST_TEST((got.code == exit_code::ok));
  BOOST_TEST(std::ranges::count(got.out, '\n') == 3);
  BOOST_TEST(node.asked().size() == 2u);
  BOOST_TEST(node.asked().at(1) == "GET /entities/cart/c?history=1&limit=1000&cursor=3");
}

BOOST_AUTO_TEST_CASE(a_history_ends_at_its_limit_and_names_what_follows) {
  node.answers({200, R"({"items":[{"version":1},{"version":2}],"next_cursor":"3"})"});
  const auto inside = (*this)({"entity", "show", "cart/c", "--history", "--limit", "1", "--json"});
  BOOST_TEST(
      inside.out ==
      nlohmann::ordered_json::parse(R"({"items":[{"version":1}],"next_cursor":"2"})").dump(2) +
          "\n");
  const auto at_end = (*this)({"entity", "show", "cart/c", "--history", "--limit", "2", "--json"});
  BOOST_TEST(nlohmann::json::parse(at_end.out)["next_cursor"] == "3");
  BOOST_TEST(node.asked().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_record_without_events_is_not_found) {
  node.answers({200, R"({"items":[],"next_cursor":null})"});
  const auto got = (*this)({"entity", "show", "cart/none", "--history"});
  BOOST_TEST((got.code == exit_code::failed));
  BOOST_TEST(has(got.err, "no such record"), got.err);
}

BOOST_AUTO_TEST_CASE(a_node_whose_copy_may_be_behind_is_not_believed_silently) {
  const std::string behind = R"("behind":"a part\u001bcannot be reached")";
  const auto note = "! this node's copy may lack the newest: a part cannot be reached\n";
  const std::string page = R"({"items":[{"version":1}],"next_cursor":null,)" + behind + '}';
  node.answers({200, page});
  node.answers({200, page});
  node.answers({200, R"({"entity":"cart/c","version":1,"state":{},)" + behind + '}'});
  node.answers({200, R"({"sound":true,"entries":1,"head":"a",)" + behind + '}'});
  node.answers({200, R"({"items":[],"next_cursor":null,)" + behind + '}'});
  BOOST_TEST(((*this)({"entity", "show", "cart/c", "--history"}).err == note));
  BOOST_TEST(((*this)({"audit", "list", "--json"}).err == note));
  const auto state = (*this)({"entity", "show", "cart/c"});
  BOOST_TEST((state.code == exit_code::ok));
  BOOST_TEST(state.out == "{}\n");
  BOOST_TEST(state.err == note);
  BOOST_TEST(((*this)({"audit", "verify"}).err == note));
  const auto none = (*this)({"entity", "show", "cart/none", "--history"});
  BOOST_TEST((none.code == exit_code::failed));
  BOOST_TEST(none.err.starts_with(note), none.err);
}

BOOST_AUTO_TEST_CASE(an_entry_that_a_node_may_not_have_yet_does_not_accuse_the_log) {
  const std::string sound = R"({"sound":true,"entries":1,"head":"a"})";
  node.answers({200, sound});
  node.answers({200, R"({"items":[],"next_cursor":null})"});
  node.answers({200, sound});
  node.answers({200, R"({"items":[],"next_cursor":null,"behind":"a part cannot be reached"})"});
  const auto gone = (*this)({"audit", "verify", "--expect", "7:abc"});
  BOOST_TEST((gone.code == exit_code::failed));
  BOOST_TEST(has(gone.out, "entry 7:abc is not as noted"), gone.out << gone.err);
  const auto unknown = (*this)({"audit", "verify", "--expect", "7:abc"});
  BOOST_TEST((unknown.code == exit_code::unreachable));
  BOOST_TEST(has(unknown.err, "entry 7 is not in this node's copy yet"), unknown.err);
  BOOST_TEST(node.asked().size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_history_that_turns_in_a_circle_ends) {
  node.answers({200, R"({"items":[{"version":1}],"next_cursor":"3"})"});
  BOOST_TEST(((*this)({"entity", "show", "cart/c", "--history"}).code == exit_code::unreachable));
}

BOOST_AUTO_TEST_CASE(a_user_is_created_with_the_password_that_was_typed_or_filed) {
  node.answers({201, R"({"user_id":"u-1","email":"a@b.example","role":"admin"})"});
  const auto typed_in = (*this)({"user", "create", "--email", "a@b.example", "--role", "admin"});
  BOOST_TEST(typed_in.out == "created admin a@b.example, user id u-1\n");
  const auto file = home.file("p", "from file\r\nnot this\n");
  (*this)({"user", "create", "--email", "a@b.example", "--role", "admin", "--name", "Ann",
           "--password-file", file});
  BOOST_TEST(node.asked().at(0) ==
             R"(POST /users {"email":"a@b.example","password":"correct horse","role":"admin"})");
  BOOST_TEST(
      node.asked().at(1) ==
      R"(POST /users {"email":"a@b.example","password":"from file","role":"admin","name":"Ann"})");
}

BOOST_AUTO_TEST_CASE(without_a_password_nobody_is_asked) {
  typed = fail_with(exit_code::usage, "the two passwords differ");
  const auto got = (*this)({"user", "create", "--email", "a@b.example", "--role", "admin"});
  BOOST_TEST((got.code == exit_code::usage));
  BOOST_TEST(got.err == "omnicartctl: the two passwords differ\n");
  BOOST_TEST(node.asked().empty());
  typed = std::string("\xff\xfe");
  BOOST_TEST(((*this)({"user", "create", "--email", "a@b.example", "--role", "admin"}).code ==
              exit_code::usage));
}

BOOST_AUTO_TEST_CASE(a_problem_is_one_line_with_its_detail) {
  node.answers({404, R"({"code":"not_found","title":"Not found","detail":"no such\nentity"})"});
  const auto got = (*this)({"entity", "show", "cart/none"});
  BOOST_TEST((got.code == exit_code::failed));
  BOOST_TEST(got.out.empty());
  BOOST_TEST(got.err == "omnicartctl: no such entity\n");
}

BOOST_AUTO_TEST_CASE(a_port_that_is_not_the_operators_is_said_to_be_so) {
  using answered = omnicart::ctl::testing::canned;
  for (const answered& each : {answered{404, R"({"code":"not_found","detail":"no such path"})"},
                               answered{404, "<html>"}, answered{200, "<html>"}}) {
    const shell there;
    there.node.answers(each);
    const auto got = there({"status"});
    BOOST_TEST((got.code == exit_code::unreachable));
    BOOST_TEST(has(got.err, "operator port?"), got.err);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_or_missing_token_is_exit_77_and_says_which_to_give) {
  node.answers({200, "{}"});
  token_file = home.file("other", "not-it");
  const auto wrong = (*this)({"status"});
  BOOST_TEST((wrong.code == exit_code::refused));
  BOOST_TEST(has(wrong.err, "--token-file DIR/operator.token"), wrong.err);
}

BOOST_AUTO_TEST_CASE(an_unreadable_token_file_is_exit_74) {
  for (const auto& file : {home.path / "absent", home.path}) {
    token_file = file.string();
    const auto got = (*this)({"status"});
    BOOST_TEST((got.code == exit_code::io));
    BOOST_TEST(has(got.err, token_file), got.err);
  }
  for (const char* content : {"", " \n", "two words", "a\tb", "caf\xc3\xa9"}) {
    token_file = home.file("bad", content);
    BOOST_TEST(((*this)({"status"}).code == exit_code::io), content);
  }
  token_file = home.file("long", std::string(secret_bytes_max + 1, 'x'));
  BOOST_TEST(((*this)({"status"}).code == exit_code::io));
  BOOST_TEST(node.asked().empty());
}

BOOST_AUTO_TEST_CASE(where_nothing_listens_is_exit_69) {
  std::string url;
  {
    const fake_operator gone;
    url = gone.url();
  }
  const auto got = (*this)({"status", "--operator", url});
  BOOST_TEST((got.code == exit_code::unreachable));
  BOOST_TEST(has(got.err, url + ": nothing answers there"), got.err);
}

BOOST_AUTO_TEST_CASE(an_output_that_cannot_be_written_is_exit_74) {
  node.answers({200, "{}"});
  command_line given;
  given.operator_url = node.url();
  given.token_file = token_file;
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  BOOST_TEST((run(given, {.out = out, .err = err, .password = {}}) == exit_code::io));
}

BOOST_AUTO_TEST_CASE(a_store_is_verified_unless_a_node_has_it_open) {
  const system_clock time;
  const auto data = (home.path / "data").string();
  persistence::store_options options;
  options.directory = data;
  options.free_disk_bytes_min = 0;
  std::filesystem::create_directory(data);
  {
    auto open = persistence::store::open(options, time);
    BOOST_TEST_REQUIRE(open.has_value());
    const auto in_use = (*this)({"store", "verify", data});
    BOOST_TEST((in_use.code == exit_code::unreachable));
    BOOST_TEST(has(in_use.err, "stop the node first"), in_use.err);
    BOOST_TEST_REQUIRE((*open)->close().has_value());
  }
  const auto sound = (*this)({"store", "verify", data});
  BOOST_TEST((sound.code == exit_code::ok), sound.out + sound.err);
  BOOST_TEST(sound.out.starts_with("sound: " + data + "\n"), sound.out);
  BOOST_TEST(nlohmann::json::parse((*this)({"store", "verify", data, "--json"}).out)["sound"] ==
             true);

  for (const auto& each : std::filesystem::directory_iterator(data + "/db")) {
    if (each.path().extension() != ".sst") continue;
    std::fstream file(each.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(10);
    file.put('\x5a');
  }
  const auto damaged = (*this)({"store", "verify", data});
  BOOST_TEST((damaged.code == exit_code::failed), damaged.out + damaged.err);
  BOOST_TEST(damaged.out.starts_with("DAMAGED: "), damaged.out);
  BOOST_TEST(has(damaged.out, "\n! "), damaged.out);
  const auto json = nlohmann::json::parse((*this)({"store", "verify", data, "--json"}).out);
  BOOST_TEST(json["problem_count"].get<int>() > 0);
  BOOST_TEST(!json["problems"].at(0)["where"].get<std::string>().empty());

  BOOST_TEST(((*this)({"store", "verify", data + "/none"}).code == exit_code::failed));
  BOOST_TEST(node.asked().empty());
}

BOOST_AUTO_TEST_CASE(a_store_that_may_not_be_opened_is_not_said_to_be_in_use) {
  const auto data = home.path / "data";
  std::filesystem::create_directories(data / "db" /
                                      "LOCK");  // a folder is no file to lock, whoever asks
  const auto got = (*this)({"store", "verify", data.string()});
  BOOST_TEST((got.code == exit_code::io), got.err);
  BOOST_TEST(has(got.err, "cannot be locked"), got.err);
  BOOST_TEST(!has(got.err, "in use"), got.err);
}

BOOST_AUTO_TEST_CASE(the_providers_ledger_is_verified_with_the_store) {
  const system_clock time;
  const auto data = (home.path / "data").string();
  std::filesystem::create_directory(data);
  persistence::store_options options;
  options.directory = data;
  options.free_disk_bytes_min = 0;
  auto store = persistence::store::open(options, time);
  BOOST_TEST_REQUIRE((*store)->close().has_value());
  store->reset();
  std::string notice;
  pay::provider_book book;
  auto ledger = pay::ledger_file::open(data + "/pay", book, notice);
  BOOST_TEST_REQUIRE(ledger.has_value());
  const money pound{100, *currency_code::parse("GBP")};
  for (const char* key : {"a", "b"}) {
    std::vector<pay::entry> made;
    book.handle(pay::charge_request{key, pound, pay::method::card, "tok_ok"}, time.wall(), made);
    for (const auto& what : made) (*ledger)->append(what);
    BOOST_TEST_REQUIRE((*ledger)->commit().has_value());
  }
  const auto in_use = (*this)({"store", "verify", data});
  BOOST_TEST((in_use.code == exit_code::unreachable), in_use.err);
  ledger->reset();
  const auto sound = (*this)({"store", "verify", data});
  BOOST_TEST((sound.code == exit_code::ok), sound.out + sound.err);
  BOOST_TEST(has(sound.out, "\n  ledger       4 entries"), sound.out);

  const auto file = data + "/pay/ledger.log";
  const auto end = std::filesystem::file_size(file);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(end) - 30)
      .put('#');
  const auto damaged = (*this)({"store", "verify", data});
  BOOST_TEST((damaged.code == exit_code::failed), damaged.out + damaged.err);
  BOOST_TEST(has(damaged.out, "! pay/ledger.log at byte "), damaged.out);
  BOOST_TEST(has(damaged.out, "entry 4 is damaged"), damaged.out);
  const auto json = nlohmann::json::parse((*this)({"store", "verify", data, "--json"}).out);
  BOOST_TEST(json["ledger_entries"] == 3);
  BOOST_TEST(json["problem_count"] == 1);

  std::filesystem::resize_file(file, end - 40);
  const auto lost = (*this)({"store", "verify", data});
  BOOST_TEST((lost.code == exit_code::failed), lost.out + lost.err);
  BOOST_TEST(has(lost.out, "entry 4 is damaged, and ledger.synced says that it was synced"), lost.out);
  std::ofstream(data + "/pay/ledger.synced") << pay::synced_mark(3);  // a crash came before
  const auto torn = (*this)({"store", "verify", data});
  BOOST_TEST((torn.code == exit_code::ok), torn.out + torn.err);
  BOOST_TEST(has(torn.out, "note: pay/ledger.log ends within a write, at byte "), torn.out);
}

BOOST_AUTO_TEST_CASE(certificates_are_made_without_a_node_and_never_over_others) {
  const std::string certs = (home.path / "certs").string();
  const auto early = (*this)({"cert", "node", certs, "--id", "1"});
  BOOST_TEST((early.code == exit_code::failed));
  BOOST_TEST(has(early.err, "omnicartctl cert init DIR"), early.err);
  const auto authority = (*this)({"cert", "init", certs, "--cluster", "shop-1"});
  BOOST_TEST((authority.code == exit_code::ok), authority.err);
  BOOST_TEST(has(authority.out, "cluster shop-1"), authority.out);
  BOOST_TEST(has(authority.out, "under [cluster]:\n  name = \"shop-1\"\n"), authority.out);
  const auto made = (*this)({"cert", "node", certs, "--id", "1", "--host", "n1.example", "--json"});
  BOOST_TEST((made.code == exit_code::ok), made.err);
  const auto files = nlohmann::json::parse(made.out);
  for (const char* part : {"authority", "certificate", "private_key"}) {
    BOOST_TEST(std::filesystem::exists(files[part].get<std::string>()), part);
  }
  const auto again = (*this)({"cert", "node", certs, "--id", "1"});
  BOOST_TEST((again.code == exit_code::failed));
  BOOST_TEST(has(again.err, "--force"), again.err);
  BOOST_TEST(((*this)({"cert", "node", certs, "--id", "1", "--force"}).code == exit_code::ok));
  const auto other = (*this)({"cert", "init", certs});
  BOOST_TEST((other.code == exit_code::failed));
  BOOST_TEST(has(other.err, "--force makes another authority, which no node of this cluster trusts"), other.err);
  const auto longer = (*this)({"cert", "node", certs, "--id", "2", "--days", "36500"});
  BOOST_TEST((longer.code == exit_code::usage));
  BOOST_TEST(has(longer.err, "the authority's own certificate ends on "), longer.err);
  std::filesystem::remove(certs + "/ca.key");
  const auto keyless = (*this)({"cert", "node", certs, "--id", "2"});
  BOOST_TEST((keyless.code == exit_code::failed));
  BOOST_TEST(has(keyless.err, "bring the cluster's ca.key from where it is kept"), keyless.err);
  BOOST_TEST(!has(keyless.err, "cert init"), keyless.err);
  BOOST_TEST(((*this)({"cert", "init", certs + "2", "--cluster", "A B"}).code == exit_code::usage));
  BOOST_TEST(((*this)({"cert", "init", certs + "/a/b"}).code == exit_code::io));
  BOOST_TEST(node.asked().empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ctl_exit_codes)

BOOST_AUTO_TEST_CASE(each_status_has_its_exit_code) {
  struct row {
    int status;
    exit_code code;
  };
  constexpr const char* problem = R"({"code":"c","title":"t","detail":"d"})";
  for (const auto& [status, code] :
       {row{400, exit_code::usage}, row{401, exit_code::refused}, row{403, exit_code::refused},
        row{404, exit_code::failed}, row{409, exit_code::failed}, row{413, exit_code::usage},
        row{414, exit_code::usage}, row{415, exit_code::usage}, row{422, exit_code::usage},
        row{429, exit_code::unreachable}, row{500, exit_code::unreachable},
        row{503, exit_code::unreachable}}) {
    BOOST_TEST((failure_of(status, problem, "u").code == code), status);
  }
  BOOST_TEST((failure_of(404, "nginx", "u").code == exit_code::unreachable));
}

BOOST_AUTO_TEST_CASE(a_problem_says_its_detail_or_else_its_title) {
  BOOST_TEST(failure_of(409, R"({"title":"t","detail":"d"})", "u").what == "d");
  BOOST_TEST(failure_of(409, R"({"title":"t"})", "u").what == "t");
  BOOST_TEST(failure_of(409, R"({"title":"t","detail":""})", "u").what == "t");
  BOOST_TEST(failure_of(503, "", "u").what == "u: status 503");
  BOOST_TEST(
      failure_of(
          400,
          R"({"detail":"bad","errors":[{"pointer":"/a","detail":"too\nlong"},7,{"pointer":"/b","code":"c"}]})",
          "u")
          .what == "bad (/a: too long, /b: c)");
}

BOOST_AUTO_TEST_CASE(an_operator_url_is_scheme_host_and_port) {
  for (const char* url : {"http://127.0.0.1:1", "127.0.0.1:1", "localhost:1", "http://[::1]:1/"}) {
    BOOST_TEST(operator_client::open(url, "").has_value(), url);
  }
  for (const char* url : {"", "http://", "ftp://h:1", "http://h:1/path", "http://u@h:1",
                          "http://h:x", "http://h:99999", "http://h:99999999999", "h h"}) {
    const auto opened = operator_client::open(url, "");
    BOOST_TEST_REQUIRE(!opened.has_value(), url);
    BOOST_TEST((opened.error().code == exit_code::usage), url);
  }
}

BOOST_AUTO_TEST_SUITE_END()
