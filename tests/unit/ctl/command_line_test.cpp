#include "tools/omnicartctl/command_line.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "config/fields.hpp"
#include "tools/omnicartctl/completion.hpp"

namespace {

using namespace omnicart::ctl;

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

auto parse(const std::string& line) { return parse_command_line(words(line)); }

command_line parsed(const std::string& line) {
  const auto got = parse(line);
  BOOST_TEST_REQUIRE(std::holds_alternative<command_line>(got), line);
  return std::get<command_line>(got);
}

const std::vector<std::string> commands{"status",
                                        "entity show",
                                        "laws",
                                        "token issue",
                                        "user create",
                                        "orders stuck",
                                        "orders explain",
                                        "orders retry",
                                        "orders resolve",
                                        "payments reconcile",
                                        "catalogue import",
                                        "locations import",
                                        "locations list",
                                        "store verify",
                                        "cert init",
                                        "cert node",
                                        "cluster init",
                                        "cluster join",
                                        "cluster status",
                                        "cluster nodes",
                                        "cluster shards",
                                        "cluster drain",
                                        "cluster resume",
                                        "cluster remove",
                                        "cluster replace",
                                        "cluster transfer",
                                        "cluster rebalance",
                                        "cluster configure",
                                        "cluster rotate-key",
                                        "cluster watch",
                                        "completion"};

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_command_line)

BOOST_AUTO_TEST_CASE(options_of_the_program_stand_before_or_after_the_command) {
  for (const char* line : {"--operator http://h:1 --token-file f --json entity show cart/c1",
                           "entity --json show --operator http://h:1 cart/c1 --token-file f",
                           "entity show cart/c1 --token-file f --operator http://h:1 --json",
                           "entity show --token-file=f --operator=http://h:1 --json cart/c1"}) {
    BOOST_TEST_CONTEXT(line) {
      const auto got = parsed(line);
      BOOST_TEST((got.what == verb::entity_show));
      BOOST_TEST((got.as == form::json));
      BOOST_TEST(got.operator_url == "http://h:1");
      BOOST_TEST(got.token_file == "f");
      BOOST_TEST(got.entity_kind == "cart");
      BOOST_TEST(got.entity_id == "c1");
    }
  }
}

BOOST_AUTO_TEST_CASE(every_command_takes_its_options) {
  BOOST_TEST((parsed("status").what == verb::status));
  BOOST_TEST(parsed("status").operator_url == "http://127.0.0.1:8081");
  BOOST_TEST((parsed("orders stuck").older.count() == 60'000 && parsed("orders stuck --older 10m").older.count() == 600'000));
  BOOST_TEST((parsed("orders explain o1").what == verb::orders_explain && parsed("orders explain o1").entity_id == "o1"));
  const auto resolve = parsed("orders resolve o1 give_up --note x");
  BOOST_TEST((resolve.resolution == "give_up" && resolve.why == "x"));
  BOOST_TEST((!parsed("payments reconcile").mend && parsed("payments reconcile --mend").mend));
  BOOST_TEST(parsed("laws").wait.count() == 0);
  BOOST_TEST(parsed("laws --wait 500ms").wait.count() == 500);
  const auto token = parsed("token issue --role admin --ttl 600");
  BOOST_TEST((token.what == verb::token_issue));
  BOOST_TEST(token.role == "admin");
  BOOST_TEST(token.ttl->count() == 600'000);
  BOOST_TEST(!parsed("token issue --role support").ttl);
  const auto user =
      parsed("user create --email a@b.example --role admin --name Ann --password-file p");
  BOOST_TEST((user.what == verb::user_create));
  BOOST_TEST(user.email + user.role + user.name + user.password_file == "a@b.exampleadminAnnp");
  BOOST_TEST(parsed("store verify data/dev").directory == "data/dev");
  const auto authority = parsed("cert init d --cluster shop-1 --days 30 --force");
  BOOST_TEST((authority.what == verb::cert_init && authority.force && authority.days == 30));
  BOOST_TEST(authority.directory + authority.cluster == "dshop-1");
  const auto node = parsed("cert node --host a --id 65535 --host b d");
  BOOST_TEST((node.what == verb::cert_node && !node.force && !node.days));
  BOOST_TEST((node.node == 65'535u && node.hosts == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(node.directory == "d");
  const auto stores = parsed("locations import stores.gz --from-line 7");
  BOOST_TEST((stores.what == verb::locations_import));
  BOOST_TEST((stores.file == "stores.gz" && stores.from_line == 7u));
  BOOST_TEST((parsed("locations list").what == verb::locations_list));
  BOOST_TEST(parsed("completion fish").shell == "fish");
  const auto joining = parsed("cluster join --id 2 --link h:1 --operators h:3 --who ann --why w");
  BOOST_TEST((joining.what == verb::cluster_join && joining.node == 2));
  BOOST_TEST(joining.link + joining.operators + joining.who + joining.why == "h:1h:3annw");
  const auto gone = parsed("cluster remove n3 --force --yes");
  BOOST_TEST((gone.what == verb::cluster_remove && gone.force && gone.yes && gone.target == "n3"));
  const auto swap = parsed("cluster replace n3 4");
  BOOST_TEST(swap.target + swap.substitute == "n34");
  const auto led = parsed("cluster transfer cluster n2");
  BOOST_TEST(led.shard + led.target == "clustern2");
  BOOST_TEST(*parsed("cluster configure --replicas 5").replicas == 5u);
  BOOST_TEST(parsed("cluster watch --every 500ms").every.count() == 500);
  BOOST_TEST(*parsed("entity show order/o --at 2026-03-01T13:00:00+01:00").at ==
             "2026-03-01T12:00:00.000Z");
  BOOST_TEST(*parsed("entity show order/o --history --limit 5").limit == 5u);
  BOOST_TEST(parsed("entity show product/a/b").entity_id == "a/b");
}

BOOST_AUTO_TEST_CASE(a_wrong_command_line_is_exit_64_with_a_reason) {
  for (const char* line : {"",
                           "frob",
                           "entity",
                           "entity show",
                           "entity show cart",
                           "entity show /c1",
                           "entity show cart/",
                           "entity show cart/c --at noon",
                           "entity show cart/c --at 2026-03-01T12:00:00Z --history",
                           "entity show cart/c --limit 3",
                           "entity show cart/c --history --limit 0",
                           "laws --wait soon",
                           "laws --wait",
                           "laws 30s",
                           "token issue",
                           "token issue --role king",
                           "token issue --role shopper",
                           "token issue --role admin --ttl 0",
                           "token issue --role admin --ttl 500ms",
                           "user create --email a@b.example",
                           "user create --role admin",
                           "orders",
                           "orders stuck --older soon",
                           "orders stuck --limit 0",
                           "orders stuck --limit 1001",
                           "orders explain",
                           "orders resolve o1 give_up",
                           "orders resolve o1 --note x",
                           "orders resolve o1 dance --note x",
                           "payments",
                           "payments reconcile now",
                           "store verify",
                           "cert",
                           "cert init",
                           "cert init d --days 0",
                           "cert init d --id 1",
                           "cert node d",
                           "cert node --id 1",
                           "cert node d --id 0",
                           "cert node d --id -1",
                           "cert node d --id one",
                           "cert node d --id 65536",
                           "cert node d --id 18446744073709551616",
                           "cert node d --id 1 --host",
                           "cert node d --id 1 --days 36501",
                           "cluster",
                           "cluster join --id 2",
                           "cluster join --id 0 --link h:1",
                           "cluster join --id 65536 --link h:1",
                           "cluster drain",
                           "cluster replace n1",
                           "cluster transfer 1",
                           "cluster configure --replicas 6",
                           "cluster configure --moves-max 0",
                           "cluster watch --every 5ms",
                           "cluster status --yes",
                           "locations",
                           "locations import",
                           "locations import f --from-line 0",
                           "locations list f",
                           "completion",
                           "completion tcsh",
                           "status laws",
                           "status --frob",
                           "--operator"}) {
    BOOST_TEST_CONTEXT(line) {
      const auto got = parse(line);
      BOOST_TEST_REQUIRE(std::holds_alternative<early_end>(got));
      BOOST_TEST((std::get<early_end>(got).code == exit_code::usage));
      BOOST_TEST(!std::get<early_end>(got).text.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_command_line_is_named_on_one_line) {
  struct row {
    const char* line;
    const char* says;
  };
  for (const auto& [line, says] :
       {row{"", "wants a command: status, entity, laws"},
        row{"token", "token wants a command: issue"}, row{"statsu", "statsu"},
        row{"entity shwo", "shwo"}, row{"laws --wiat 3", "--wiat"}, row{"token issue", "--role"},
        row{"cert node d --id 70000", "\"70000\" is no number of a node; they are from 1 to 65535"},
        row{"cluster join --id 70000 --link h:1", "they are from 1 to 65535"},
        row{"laws --wait soon", "\"soon\" is no span of time"}}) {
    const auto text = std::get<early_end>(parse(line)).text;
    BOOST_TEST(text.starts_with("omnicartctl: "), text);
    BOOST_TEST(text.find(says) != std::string::npos, text);
    BOOST_TEST(text.find('\n') == text.size() - 1, text);
  }
}

BOOST_AUTO_TEST_CASE(a_node_may_have_any_number_that_a_configuration_may_give_it) {
  const auto all = omnicart::config::fields();
  const auto number = std::ranges::find(all, "cluster.node", &omnicart::config::field::name);
  BOOST_TEST_REQUIRE((number != all.end()));
  BOOST_TEST(parsed("cert node d --id " + std::to_string(number->least)).node == 1u);
  const auto most = static_cast<std::uint64_t>(number->most);
  BOOST_TEST(parsed("cert node d --id " + std::to_string(most)).node == most);
  BOOST_TEST((std::holds_alternative<early_end>(parse("cert node d --id " + std::to_string(most + 1)))));
}

BOOST_AUTO_TEST_CASE(of_an_option_of_the_program_given_twice_the_last_counts) {
  const auto got =
      parsed("--operator http://a:1 --token-file a status --operator http://b:1 --token-file b");
  BOOST_TEST(got.operator_url == "http://b:1");
  BOOST_TEST(got.token_file == "b");
}

BOOST_AUTO_TEST_CASE(the_help_of_every_command_has_an_example_of_it) {
  for (const auto& command : commands) {
    BOOST_TEST_CONTEXT(command) {
      const auto got = parse(command + " --help");
      BOOST_TEST_REQUIRE(std::holds_alternative<early_end>(got));
      const auto& end = std::get<early_end>(got);
      BOOST_TEST((end.code == exit_code::ok));
      BOOST_TEST(end.text.find("omnicartctl " + command) != std::string::npos, end.text);
    }
  }
  const auto all = std::get<early_end>(parse("--help"));
  BOOST_TEST(all.text.find("Exit codes") != std::string::npos);
  BOOST_TEST((std::get<early_end>(parse("--version")).code == exit_code::ok));
}

BOOST_AUTO_TEST_CASE(completion_knows_every_command_and_option) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    for (const auto& command : commands) {
      BOOST_TEST(script.find("\" " + command + '"') != std::string::npos, shell << ": " << command);
    }
    const std::string dashes = std::string(shell) == "fish" ? "-l " : "--";
    for (const char* option :
         {"operator", "token-file", "json", "help", "history", "at", "limit", "wait", "role", "ttl",
          "email", "name", "password-file", "version", "cluster", "days", "force", "id", "host"}) {
      BOOST_TEST(script.find(dashes + option) != std::string::npos, shell << ": " << option);
    }
  }
  const auto bash = completion_script("bash");
  for (const char* offer :
       {R"(" token issue --role") COMPREPLY=($(compgen -W "support admin" --)",
        R"(" user create --role") COMPREPLY=($(compgen -W "shopper support admin" --)",
        R"(" laws --token-file") compopt -o filenames; COMPREPLY=($(compgen -f)",
        R"(" completion") COMPREPLY=($(compgen -W "--help)", "bash zsh fish",
        R"(--from-line" -- "$cur")); compopt -o filenames; COMPREPLY+=($(compgen -f)"}) {
    BOOST_TEST(bash.find(offer) != std::string::npos, offer);
  }
  BOOST_TEST(completion_script("tcsh").empty());
}

BOOST_AUTO_TEST_SUITE_END()
