#include <boost/test/unit_test.hpp>
#include <random>

#include "actors/cluster/cluster_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::cluster_record {
namespace cluster_test {

static_assert(entity_kind<kind>);
using trial::number;
using step = trial::step<kind>;
using rule = trial::rule<kind>;

const caller admin{.as = role::admin, .session = {}, .user = {}};
const cause ann{.who = "ann@desk", .why = "new hardware"};
const std::string id_a(32, 'a');

node node_of(node_id id) {
  const std::string digits = std::to_string(id);
  return {.id = id,
          .name = "n" + digits,
          .link = "10.0.0." + digits + ":7000",
          .http = "10.0.0." + digits + ":8080",
          .operators = "10.0.0." + digits + ":8081",
          .state = node_state::joining,
          .since = {}};
}

signing_key key_of(std::uint64_t number, std::int64_t from_s = 1'000,
                   std::int64_t until_s = 90'000) {
  return {.number = number,
          .secret = std::string(key_secret_bytes, static_cast<char>('A' + number)),
          .active_from = trial::at(from_s),
          .expires_at = trial::at(until_s)};
}

found founding(std::uint16_t shards = 2) {
  return {.cluster = id_a, .first = node_of(1), .shard_count = shards, .keys = {key_of(1)}};
}
rotate_key rotating(signing_key key) { return {std::move(key), ann, false}; }
join joining(node_id id) { return {.who = node_of(id), .by = ann}; }
place placing(std::uint16_t shard, std::vector<node_id> voters) {
  return {.shards = {{.shard = shard, .voters = std::move(voters)}}};
}
template <class Command>
Command with(Command c, const auto& change) {
  change(c);
  return c;
}
remove removal(node_id id, bool force = false, std::vector<std::uint16_t> still = {}) {
  return {id, force, std::move(still), ann, {}};
}

const std::vector<step> alone{{founding()}};
const std::vector<step> two{{founding()}, {joining(2)}, {ready{2}}};
const std::vector<step> three{{founding()}, {joining(2)}, {ready{2}}, {joining(3)}, {ready{3}}};
// Shard 0 on 1, 2, 3; shard 1 and the record's own group on 1.
const std::vector<step> spread = [] {
  auto steps = three;
  steps.push_back({placing(0, {1, 2, 3})});
  return steps;
}();

std::vector<step> after(std::vector<step> first, std::initializer_list<step> more) {
  first.insert(first.end(), more);
  return first;
}

std::vector<rule> founding_and_joining() {
  const auto bad = number(base_errc::malformed);
  const auto found_as = [](const auto& change) { return step{with(founding(), change)}; };
  const auto join_as = [](const auto& change) { return step{with(joining(2), change)}; };
  return {
      {"a cluster is founded", {}, {founding()}, 0, "founded"},
      {"by the system", {}, {founding(), admin}, number(base_errc::forbidden), ""},
      {"once", alone, {founding()}, 0, ""},
      {"again when its first key has expired", alone, {founding(), trial::system, 100'000}, 0, ""},
      {"not as another", alone, found_as([](found& c) { c.cluster[0] = 'b'; }),
       number(errc::already_founded), ""},
      {"nor by another", alone, found_as([](found& c) { c.first = node_of(2); }),
       number(errc::already_founded), ""},
      {"with an id of 32 hex digits",
       {},
       found_as([](found& c) { c.cluster.pop_back(); }),
       bad,
       ""},
      {"in small letters", {}, found_as([](found& c) { c.cluster[3] = 'A'; }), bad, ""},
      {"with a node that has a number", {}, found_as([](found& c) { c.first.id = 0; }), bad, ""},
      {"with shards", {}, found_as([](found& c) { c.shard_count = 0; }), bad, ""},
      {"a lone node needs no link",
       {},
       found_as([](found& c) { c.first.link = ""; }),
       0,
       "founded"},
      {"keys have 64 bytes",
       {},
       found_as([](found& c) { c.keys[0].secret.pop_back(); }),
       number(errc::invalid_key),
       ""},
      {"and rising numbers",
       {},
       found_as([](found& c) {
         c.keys = {key_of(2), key_of(2)};
       }),
       number(errc::invalid_key),
       ""},
      {"and not too many",
       {},
       found_as([](found& c) {
         for (std::uint64_t n = 2; n <= keys_max + 1; ++n) c.keys.push_back(key_of(n));
       }),
       number(errc::invalid_key),
       ""},
      {"nothing else comes first", {}, {joining(2)}, number(errc::not_founded), ""},
      {"not even a question", {}, {read{}}, number(errc::not_founded), ""},

      {"a node joins", alone, {joining(2)}, 0, "joined"},
      {"an admin may let it", alone, {joining(2), admin}, 0, "joined"},
      {"support may not", alone, {joining(2), trial::support}, number(base_errc::forbidden), ""},
      {"nobody else may", alone, {joining(2), trial::nobody}, number(base_errc::forbidden), ""},
      {"it may ask again", two, {joining(2)}, 0, ""},
      {"somebody did it", alone, join_as([](join& c) { c.by.who = ""; }), bad, ""},
      {"on one line", alone, join_as([](join& c) { c.by.why = "a\nb"; }), bad, ""},
      {"that is not too long", alone, join_as([](join& c) { c.by.why.assign(501, 'x'); }), bad, ""},
      {"a name is no number", alone, join_as([](join& c) { c.who.name = "17"; }), bad, ""},
      {"a link is there", alone, join_as([](join& c) { c.who.link = ""; }), bad, ""},
      {"and an address", alone, join_as([](join& c) { c.who.link = "here"; }), bad, ""},
      {"the number is nobody else's", two, join_as([](join& c) { c.who.name = "other"; }),
       number(errc::node_exists), ""},
      {"an address that was mistaken is put right", after(alone, {{joining(2)}}),
       join_as([](join& c) { c.who.link = "10.0.0.22:7000"; }), 0, "addresses_updated"},
      {"with what the node told of itself since",
       after(alone, {{joining(2)}, {update_addresses{.id = 2, .link = node_of(2).link, .http = "h:1", .operators = "h:2", .store = 7}}}),
       join_as([](join& c) { c.who.http = c.who.operators = ""; }), 0, ""},
      {"not once it has joined", two, join_as([](join& c) { c.who.link = "10.0.0.22:7000"; }),
       number(errc::node_exists), ""},
      {"nor to another's", after(alone, {{joining(2)}}), join_as([](join& c) { c.who.link = node_of(1).link; }),
       number(errc::address_taken), ""},
      {"nor the name", two, join_as([](join& c) {
         c.who = node_of(3);
         c.who.name = "n2";
       }),
       number(errc::name_taken), ""},
      {"nor the address", two, join_as([](join& c) {
         c.who = node_of(3);
         c.who.link = node_of(2).link;
       }),
       number(errc::address_taken), ""},
      {"a removed one stays so",
       after(two, {{removal(2)}}),
       {joining(2)},
       number(errc::node_removed),
       ""},
      {"its name is free again", after(two, {{removal(2)}}), join_as([](join& c) {
         c.who = node_of(3);
         c.who.name = "n2";
       }),
       0, "joined"},
      {"all can reach all",
       {found_as([](found& c) { c.first.link = ""; })},
       {joining(2)},
       number(errc::illegal_state),
       ""},

      {"a joined node becomes active", after(alone, {{joining(2)}}), {ready{2}}, 0, "readied"},
      {"once", two, {ready{2}}, 0, ""},
      {"by the system's word",
       after(alone, {{joining(2)}}),
       {ready{2}, admin},
       number(base_errc::forbidden),
       ""},
      {"if it is known", alone, {ready{2}}, number(errc::no_such_node), ""},
      {"and not removed", after(two, {{removal(2)}}), {ready{2}}, number(errc::node_removed), ""},
  };
}

std::vector<rule> leaving() {
  return {
      {"a node is drained", two, {drain{2, ann}, admin}, 0, "drained"},
      {"once", after(two, {{drain{2, ann}}}), {drain{2, ann}}, 0, ""},
      {"not the last active one", alone, {drain{1, ann}}, number(errc::last_node), ""},
      {"nor the last but drained ones",
       after(two, {{drain{2, ann}}}),
       {drain{1, ann}},
       number(errc::last_node),
       ""},
      {"not one that is joining",
       after(alone, {{joining(2)}}),
       {drain{2, ann}},
       number(errc::illegal_state),
       ""},
      {"not an unknown one", alone, {drain{2, ann}}, number(errc::no_such_node), ""},
      {"not a removed one",
       after(two, {{removal(2)}}),
       {drain{2, ann}},
       number(errc::node_removed),
       ""},
      {"not by support", two, {drain{2, ann}, trial::support}, number(base_errc::forbidden), ""},
      {"a drained node resumes",
       after(two, {{drain{2, ann}}}),
       {resume{2, ann}, admin},
       0,
       "resumed"},
      {"once", two, {resume{2, ann}}, 0, ""},
      {"not while joining",
       after(alone, {{joining(2)}}),
       {resume{2, ann}},
       number(errc::illegal_state),
       ""},
      {"not when removed",
       after(two, {{removal(2)}}),
       {resume{2, ann}},
       number(errc::node_removed),
       ""},

      {"a node without shards is removed", two, {removal(2), admin}, 0, "removed"},
      {"once", after(two, {{removal(2)}}), {removal(2)}, 0, ""},
      {"also while joining", after(alone, {{joining(2)}}), {removal(2)}, 0, "removed"},
      {"not an unknown one", alone, {removal(2)}, number(errc::no_such_node), ""},
      {"not the last one", alone, {removal(1, true)}, number(errc::last_node), ""},
      {"nor the last active one",
       after(two, {{drain{2, ann}}}),
       {removal(1, true)},
       number(errc::last_node),
       ""},
      {"not while it is placed", spread, {removal(3)}, number(errc::still_placed), ""},
      {"not while it is a member", three, {removal(3, false, {1})}, number(errc::still_placed), ""},
      {"but by force", spread, {removal(3, true, {0, 1})}, 0, "removed"},
      {"force leaves a majority",
       after(spread, {{removal(3, true)}}),
       {removal(2, true)},
       number(errc::no_majority),
       ""},
      {"and every shard somebody", two, {removal(1, true)}, number(errc::no_majority), ""},

      {"a node is replaced",
       after(spread, {{joining(4)}, {ready{4}}}),
       {replace{3, 4, ann}, admin},
       0,
       "replaced"},
      {"once",
       after(spread, {{joining(4)}, {ready{4}}, {replace{3, 4, ann}}}),
       {replace{3, 4, ann}},
       0,
       ""},
      {"also a drained one",
       after(spread, {{joining(4)}, {ready{4}}, {drain{3, ann}}}),
       {replace{3, 4, ann}},
       0,
       "replaced"},
      {"not by itself", two, {replace{2, 2, ann}}, number(base_errc::malformed), ""},
      {"not by an unknown one", two, {replace{2, 4, ann}}, number(errc::no_such_node), ""},
      {"not by a removed one",
       after(three, {{removal(3)}}),
       {replace{2, 3, ann}},
       number(errc::node_removed),
       ""},
      {"not by one that is joining",
       after(two, {{joining(3)}}),
       {replace{2, 3, ann}},
       number(errc::illegal_state),
       ""},
      {"not by one that leaves",
       after(three, {{drain{3, ann}}}),
       {replace{2, 3, ann}},
       number(errc::illegal_state),
       ""},
      {"not one that is joining",
       after(two, {{joining(3)}}),
       {replace{3, 2, ann}},
       number(errc::illegal_state),
       ""},
  };
}

std::vector<rule> placement() {
  const auto bad = number(base_errc::malformed);
  const place twice{.shards = {{.shard = 0, .voters = {1}}, {.shard = 0, .voters = {2}}}};
  return {
      {"a shard is placed", three, {placing(0, {3, 1, 2})}, 0, "placed"},
      {"the record's own group too", three, {placing(2, {1, 2, 3})}, 0, "placed"},
      {"once", spread, {placing(0, {1, 2, 3})}, 0, ""},
      {"by the system", three, {placing(0, {1}), admin}, number(base_errc::forbidden), ""},
      {"with a voter", three, {placing(0, {})}, bad, ""},
      {"with at most five", three, {placing(0, {1, 2, 3, 4, 5, 6})}, bad, ""},
      {"each once", three, {placing(0, {1, 2, 1})}, bad, ""},
      {"and each shard once", three, {twice}, bad, ""},
      {"a shard that is there", three, {placing(3, {1})}, number(errc::no_such_shard), ""},
      {"on nodes that are known", three, {placing(0, {1, 4})}, number(errc::no_such_node), ""},
      {"that hold shards",
       after(two, {{joining(3)}}),
       {placing(0, {1, 3})},
       number(errc::not_placeable),
       ""},
      {"and were not removed",
       after(two, {{removal(2)}}),
       {placing(0, {1, 2})},
       number(errc::not_placeable),
       ""},
      {"a draining one may stay",
       after(spread, {{drain{3, ann}}}),
       {placing(0, {2, 1, 3})},
       0,
       "placed"},

      {"a leader is chosen", spread, {transfer{0, 3, ann}, admin}, 0, "transferred"},
      {"once", after(spread, {{transfer{0, 3, ann}}}), {transfer{0, 3, ann}}, 0, ""},
      {"also the one that is preferred", spread, {transfer{0, 1, ann}}, 0, "transferred"},
      {"of a shard that is there", spread, {transfer{3, 1, ann}}, number(errc::no_such_shard), ""},
      {"a node that is known", spread, {transfer{0, 4, ann}}, number(errc::no_such_node), ""},
      {"a voter", spread, {transfer{1, 2, ann}}, number(errc::not_a_replica), ""},
      {"that stays",
       after(spread, {{drain{3, ann}}}),
       {transfer{0, 3, ann}},
       number(errc::illegal_state),
       ""},
      {"choices are forgotten",
       after(spread, {{transfer{0, 3, ann}}}),
       {rebalance{ann}, admin},
       0,
       "rebalanced"},
      {"if there are any", spread, {rebalance{ann}}, 0, ""},
      {"not by support",
       spread,
       {rebalance{ann}, trial::support},
       number(base_errc::forbidden),
       ""},
  };
}

std::vector<rule> keys_and_settings() {
  const auto addresses = [](std::string link, std::string http = "") {
    return update_addresses{
        .id = 2, .link = std::move(link), .http = std::move(http), .operators = {}};
  };
  const auto at_store = [](std::uint64_t store) {
    const node at = node_of(2);
    return update_addresses{.id = 2, .link = at.link, .http = at.http, .operators = at.operators, .store = store};
  };
  const auto bad = number(base_errc::malformed);
  std::vector<step> full = alone;
  for (std::uint64_t n = 2; n <= keys_max; ++n) full.push_back({rotating(key_of(n))});
  return {
      {"a key follows", alone, {rotating(key_of(2)), admin}, 0, "key_rotated"},
      {"once", after(alone, {{rotating(key_of(2))}}), {rotating(key_of(2))}, 0, ""},
      {"with another number", alone, {rotating(key_of(1, 2'000))}, number(errc::invalid_key), ""},
      {"of 64 bytes",
       alone,
       {rotating(with(key_of(2), [](auto& k) { k.secret += 'x'; }))},
       number(errc::invalid_key),
       ""},
      {"that lives",
       alone,
       {rotating(key_of(2)), trial::system, 90'000},
       number(errc::invalid_key),
       ""},
      {"after it begins",
       alone,
       {rotating(key_of(2, 3'000, 3'000))},
       number(errc::invalid_key),
       ""},
      {"not too many at a time",
       full,
       {rotating(key_of(keys_max + 1))},
       number(errc::invalid_key),
       ""},
      {"expired ones make room",
       full,
       {rotating(key_of(99, 90'000, 200'000)), trial::system, 89'000},
       0,
       "key_rotated"},

      {"settings are changed",
       alone,
       {configure{{.replicas = 5, .moves_max = 1}, ann}, admin},
       0,
       "configured"},
      {"once", alone, {configure{{}, ann}}, 0, ""},
      {"a replica at least",
       alone,
       {configure{{.replicas = 0, .moves_max = 1}, ann}},
       number(errc::invalid_settings),
       ""},
      {"five at most",
       alone,
       {configure{{.replicas = 6, .moves_max = 1}, ann}},
       number(errc::invalid_settings),
       ""},
      {"a move at least",
       alone,
       {configure{{.replicas = 3, .moves_max = 0}, ann}},
       number(errc::invalid_settings),
       ""},
      {"64 at most",
       alone,
       {configure{{.replicas = 3, .moves_max = 65}, ann}},
       number(errc::invalid_settings),
       ""},

      {"a node moves", two, {addresses("10.0.0.9:7000")}, 0, "addresses_updated"},
      {"once", after(two, {{addresses("10.0.0.9:7000")}}), {addresses("10.0.0.9:7000")}, 0, ""},
      {"by its own word",
       two,
       {addresses("10.0.0.9:7000"), admin},
       number(base_errc::forbidden),
       ""},
      {"an unknown one does not",
       alone,
       {addresses("10.0.0.9:7000")},
       number(errc::no_such_node),
       ""},
      {"a removed one neither",
       after(two, {{removal(2)}}),
       {addresses("10.0.0.9:7000")},
       number(errc::node_removed),
       ""},
      {"its link is an address", two, {addresses("10.0.0.9")}, bad, ""},
      {"and there", two, {addresses("")}, bad, ""},
      {"its front too", two, {addresses("10.0.0.9:7000", "x")}, bad, ""},
      {"it tells its store", two, {at_store(7)}, 0, "addresses_updated"},
      {"once", after(two, {{at_store(7)}}), {at_store(7)}, 0, ""},
      {"whoever does not say keeps it", after(two, {{at_store(7)}}), {at_store(0)}, 0, ""},
      {"another one is not its own", after(two, {{at_store(7)}}), {at_store(8)}, number(errc::another_store), ""},
      {"it has its own", two, {addresses(node_of(1).link)}, number(errc::address_taken), ""},
      {"the record is read", two, {read{}}, 0, ""},
      {"by the system: it has secrets", two, {read{}, admin}, number(base_errc::forbidden), ""},
  };
}

BOOST_AUTO_TEST_SUITE(cluster_record_rules)

BOOST_AUTO_TEST_CASE(every_rule_has_its_row) {
  std::vector<rule> all;
  for (const auto& part : {founding_and_joining(), leaving(), placement(), keys_and_settings()})
    all.insert(all.end(), part.begin(), part.end());
  trial::check_rules<kind>(all);
  std::vector<rule> codes = all;
  codes.push_back({"the_cluster_takes_16_nodes", {}, {read{}}, number(errc::too_many_nodes), ""});
  for (auto code = errc::not_founded; code <= errc::invalid_key;
       code = static_cast<errc>(number(code) + 1)) {
    trial::check_every_code_is_in<kind>(codes, {number(code)});
    BOOST_TEST(*to_string(code) != '\0');
  }
}

trial::subject<kind> subject_after(const std::vector<step>& steps) {
  trial::subject<kind> one;
  for (const auto& s : steps) BOOST_TEST(one.give(s.what, s.asker) == 0);
  return one;
}

BOOST_AUTO_TEST_CASE(the_cluster_takes_16_nodes) {
  auto one = subject_after(alone);
  for (node_id id = 2; id <= living_nodes_max; ++id) BOOST_TEST(one.give(joining(id)) == 0);
  BOOST_TEST(one.give(joining(17)) == number(errc::too_many_nodes));
  BOOST_TEST(one.give(removal(16)) == 0);
  BOOST_TEST(one.give(joining(17)) == 0);
}

BOOST_AUTO_TEST_CASE(the_first_node_holds_everything) {
  const auto one = subject_after(alone);
  BOOST_TEST(one.s.desired.size() == 3u);  // two shards and the record's own group
  BOOST_TEST((shards_naming(one.s, 1) == std::vector<std::uint16_t>{0, 1, 2}));
  BOOST_TEST((find(one.s, 1)->state == node_state::active));
  BOOST_TEST((one.s.settings == settings{.replicas = 3, .moves_max = 4}));
}

BOOST_AUTO_TEST_CASE(a_new_node_stands_where_the_old_one_stood) {
  auto one = subject_after(after(spread, {{joining(4)}, {ready{4}}, {placing(1, {4, 1})}}));
  BOOST_TEST(one.give(replace{1, 4, ann}) == 0);
  BOOST_TEST((one.s.desired[0].voters == std::vector<node_id>{4, 2, 3}));
  BOOST_TEST(
      (one.s.desired[1].voters == std::vector<node_id>{4, 1}));  // it cannot stand there twice
  BOOST_TEST((one.s.desired[2].voters == std::vector<node_id>{4}));
  BOOST_TEST((find(one.s, 1)->state == node_state::draining));
}

BOOST_AUTO_TEST_CASE(a_removed_node_stays_as_a_tombstone_and_leaves_every_list) {
  auto one = subject_after(spread);
  BOOST_TEST(one.give(removal(3, true)) == 0);
  const node* gone = find(one.s, 3);
  BOOST_REQUIRE(gone != nullptr);
  BOOST_TEST((gone->state == node_state::removed));
  BOOST_TEST(gone->link == "");
  BOOST_TEST(shards_naming(one.s, 3).empty());
  BOOST_TEST(find_by_name(one.s, "n3") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_refused_removal_names_the_shards) {
  auto one = subject_after(spread);
  BOOST_TEST(one.give(removal(3, false, {1, 0})) == number(errc::still_placed));
  BOOST_TEST((*decode_shards(one.refusal.data) == std::vector<std::uint16_t>{0, 1}));
  BOOST_TEST(one.give(removal(1, true)) == number(errc::no_majority));
  BOOST_TEST((*decode_shards(one.refusal.data) == std::vector<std::uint16_t>{1, 2}));
}

BOOST_AUTO_TEST_CASE(a_chosen_leader_stays_until_balance_is_asked_for_or_another_is_placed) {
  auto one = subject_after(after(spread, {{transfer{0, 3, ann}}}));
  BOOST_TEST((one.s.desired[0] == shard_nodes{.voters = {3, 1, 2}, .pinned = true}));
  BOOST_TEST(one.give(placing(0, {3, 2})) == 0);
  BOOST_TEST(one.s.desired[0].pinned);
  BOOST_TEST(one.give(placing(0, {2, 3})) == 0);
  BOOST_TEST(!one.s.desired[0].pinned);
  BOOST_TEST(one.give(transfer{0, 3, ann}) == 0);
  BOOST_TEST(one.give(rebalance{ann}) == 0);
  BOOST_TEST((one.s.desired[0] == shard_nodes{.voters = {3, 2}, .pinned = false}));
}

BOOST_AUTO_TEST_CASE(the_newest_key_in_force_signs_and_all_unexpired_verify) {
  auto one = subject_after(alone);
  one.give(rotating(key_of(2, 2'000, 95'000)));
  const auto signer = [&](std::int64_t s) {
    const auto* key = key_to_sign(one.s, trial::at(s));
    return key ? key->number : 0;
  };
  BOOST_TEST(signer(999) == 0u);
  BOOST_TEST(signer(1'999) == 1u);
  BOOST_TEST(signer(2'000) == 2u);
  BOOST_TEST(signer(94'999) == 2u);
  BOOST_TEST(signer(95'000) == 0u);
  BOOST_TEST(key_to_verify(one.s, 2, trial::at(0)) != nullptr);  // tokens may come before its time
  BOOST_TEST(key_to_verify(one.s, 1, trial::at(89'999)) != nullptr);
  BOOST_TEST(key_to_verify(one.s, 1, trial::at(90'000)) == nullptr);
  BOOST_TEST(key_to_verify(one.s, 3, trial::at(2'000)) == nullptr);
}

BOOST_AUTO_TEST_CASE(expired_keys_leave_the_record_when_another_comes) {
  auto one = subject_after(alone);
  one.now = trial::at(90'000);
  BOOST_TEST(one.give(rotating(key_of(2, 90'000, 100'000))) == 0);
  BOOST_TEST(one.s.keys.size() == 1u);
  BOOST_TEST(one.s.keys.front().number == 2u);
}

BOOST_AUTO_TEST_CASE(what_operators_did_is_told_with_who_and_why) {
  auto one = subject_after(after(spread, {{transfer{0, 3, ann}}, {drain{2, ann}}}));
  std::string told;
  for (const auto& o : one.s.operations) told += o.who + ": " + o.what + " (" + o.why + ")\n";
  BOOST_TEST(told == "omnicartd: init " + id_a +
                         " ()\n"
                         "ann@desk: join node 2 (n2) at 10.0.0.2:7000 (new hardware)\n"
                         "ann@desk: join node 3 (n3) at 10.0.0.3:7000 (new hardware)\n"
                         "ann@desk: transfer shard 0 to node 3 (n3) (new hardware)\n"
                         "ann@desk: drain node 2 (n2) (new hardware)\n");
}

BOOST_AUTO_TEST_CASE(the_log_of_operations_forgets_the_oldest) {
  auto one = subject_after(two);
  const auto before = one.s.operations.size();
  for (std::size_t i = 0; i < operations_max; i += 2) {
    one.give(drain{2, ann});
    one.give(resume{2, ann});
  }
  BOOST_TEST(before > 0u);
  BOOST_TEST(one.s.operations.size() == operations_max);
  BOOST_TEST(one.s.operations.front().what == "drain node 2 (n2)");
}

BOOST_AUTO_TEST_CASE(a_reader_gets_as_many_operations_as_asked_for) {
  auto one = subject_after(three);
  one.give(read{.operations = 1});
  auto whole = decode_reply(one.reply)->whole;
  BOOST_REQUIRE(whole.has_value());
  BOOST_TEST(whole->operations.size() == 1u);
  BOOST_TEST(whole->operations.front().what == "join node 3 (n3) at 10.0.0.3:7000");
  whole->operations = one.s.operations;
  BOOST_TEST((*whole == one.s));
  one.give(drain{2, ann});
  BOOST_TEST(!decode_reply(one.reply)->whole.has_value());
}

BOOST_AUTO_TEST_CASE(secrets_are_not_shown) {
  auto one = subject_after(alone);
  const auto secret = one.s.keys.front().secret;
  const auto shown = kind::describe_state(one.s);
  BOOST_TEST(shown.find(secret) == shown.npos);
  BOOST_TEST(shown.find("fingerprint ") != shown.npos);
  const auto event = kind::describe_event(*kind::decode_event(one.log.front()));
  BOOST_TEST(event.find(secret) == event.npos);
  one.give(rotating(key_of(2)));
  const auto rotated = kind::describe_event(*kind::decode_event(one.log.back()));
  BOOST_TEST(rotated.find(key_of(2).secret) == rotated.npos);
}

BOOST_AUTO_TEST_CASE(names_and_addresses_are_what_commands_and_sockets_take) {
  for (const char* good : {"a", "node-1", "eu_west.3", "1a"}) BOOST_TEST(is_good_name(good), good);
  for (const char* bad : {"", "12", "a b", "a/b", "\xC3\xA4"}) BOOST_TEST(!is_good_name(bad), bad);
  BOOST_TEST(is_good_name(std::string(64, 'a')));
  BOOST_TEST(!is_good_name(std::string(65, 'a')));
  for (const char* good : {"a:1", "10.0.0.1:65535", "[::1]:7000"})
    BOOST_TEST(is_good_address(good), good);
  for (const char* bad :
       {"", "a", "a:", ":1", "a:0", "a:65536", "a:1x", "a b:1", "::1:7000", "a:-1"})
    BOOST_TEST(!is_good_address(bad), bad);
}

// Any command, mostly of small numbers, so that most are accepted and many are not.
command any_command(std::mt19937& chance) {
  const auto any = [&](int below) {
    return static_cast<int>(chance() % static_cast<unsigned>(below));
  };
  const auto id = [&] { return static_cast<node_id>(1 + any(7)); };
  switch (any(14)) {
    case 0:
      return founding();
    case 1:
      return joining(id());
    case 2:
      return ready{id()};
    case 3:
      return drain{id(), ann};
    case 4:
      return resume{id(), ann};
    case 5:
      return removal(id(), any(2) == 0);
    case 6:
      return replace{id(), id(), ann};
    case 7:
      return rotating(key_of(static_cast<std::uint64_t>(any(12))));
    case 8:
      return configure{{.replicas = static_cast<std::uint32_t>(any(7)), .moves_max = 2}, ann};
    case 9:
      return with(update_addresses{.id = id(), .link = {}, .http = {}, .operators = {}},
                  [&](auto& c) { c.link = node_of(id()).link; });
    case 10:
      return transfer{static_cast<std::uint16_t>(any(4)), id(), ann};
    case 11:
      return rebalance{ann};
    default: {
      place c;
      for (int n = 0; n <= any(2); ++n) {
        c.shards.push_back({.shard = static_cast<std::uint16_t>(any(3)), .voters = {}});
        for (int v = 0; v < 1 + any(3); ++v) c.shards.back().voters.push_back(id());
      }
      return c;
    }
  }
}

// A number that was once removed never serves again.
void check_tombstones(const state& before, const state& now) {
  for (const auto& n : before.nodes) {
    BOOST_REQUIRE(find(now, n.id) != nullptr);
    if (n.state == node_state::removed)
      BOOST_REQUIRE((find(now, n.id)->state == node_state::removed));
  }
}

// More of its desired voters stay than leave, whatever is removed at once.
void check_majorities(const state& before, const state& now) {
  for (std::size_t shard = 0; shard < before.desired.size(); ++shard) {
    const auto& voters = before.desired[shard].voters;
    const auto left =
        std::ranges::count_if(voters, [&](node_id v) { return is_serving(*find(now, v)); });
    BOOST_REQUIRE(static_cast<std::size_t>(left) >= voters.size() / 2 + 1);
  }
}

BOOST_AUTO_TEST_CASE(any_sequence_keeps_the_invariants_and_replays_to_equal_bytes) {
  std::size_t accepted = 0, refused = 0;
  for (const auto seed : trial::seeds(200)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 chance(seed);
      trial::subject<kind> one;
      for (int i = 0; i < 80; ++i) {
        const state before = one.s;
        one.now += duration_ms{chance() % 1'000'000};
        one.give(any_command(chance), chance() % 8 == 0 ? admin : trial::system) == 0 ? ++accepted
                                                                                      : ++refused;
        check_tombstones(before, one.s);
        check_majorities(before, one.s);
        if (i % 16 == 0) one.reload();
      }
      one.check_replay();
    }
  }
  BOOST_TEST(accepted > refused / 4);
  BOOST_TEST(refused > accepted / 4);
}

BOOST_AUTO_TEST_CASE(a_stored_record_stays_as_it_is) {
  auto one = subject_after(after(alone, {{transfer{0, 1, ann}}}));
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "920197c420616161616161616161616161616161616161616161616161616161616161616102919801c4"
             "026e31c40d31302e302e302e313a37303030c40d31302e302e302e313a38303830c40d31302e302e302e"
             "313a3830383102ce000f42400093929101c3929101c2929101c2920304919401c440424242424242424242"
             "4242424242424242424242424242424242424242424242424242424242424242424242424242424242"
             "4242424242424242424242424242ce000f4240ce055d4a809294ce000f4240c409"
             "6f6d6e696361727464c425696e6974206161616161616161616161616161616161616161616161616161"
             "616161616161c40094ce000f4240c408616e6e406465736bc41f7472616e736665722073686172642030"
             "20746f206e6f6465203120286e3129c40c6e6577206861726477617265");
  BOOST_TEST(trial::hex(one.reply) == "920191c0");
}

BOOST_AUTO_TEST_CASE(longer_arrays_are_read_and_unknown_schemas_are_refused) {
  const auto one = subject_after(spread);
  const std::string bytes = kind::encode_state(one.s);
  const auto longer = kind::decode_state(trial::with_one_more_field(bytes));
  BOOST_REQUIRE(longer.has_value());
  BOOST_TEST((kind::encode_state(*longer) == bytes));
  BOOST_TEST(kind::decode_state(trial::of_unknown_schema(bytes)).error().is(base_errc::malformed));
}

BOOST_AUTO_TEST_CASE(memory_is_told_with_what_it_holds) {
  const auto bytes = kind::memory_bytes(subject_after(alone).s);
  BOOST_TEST(kind::memory_bytes(subject_after(two).s) > bytes + 200);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_test
}  // namespace omnicart::cluster_record
