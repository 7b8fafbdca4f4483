#include <boost/test/unit_test.hpp>

#include "actors/location/location_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::location {
namespace location_test {

static_assert(entity_kind<kind>);
using trial::number;

const caller boss{.as = role::admin, .session = {}, .user = {}};

details named(const char* name) {
  details d;
  d.name = name;
  return d;
}
details leeds() {
  details d = named("Leeds");
  d.type = "Store";
  d.address = postal_address{.line1 = "1 High Street",
                             .line2 = "",
                             .city = "Leeds",
                             .region = "",
                             .postal_code = "LS1 1AA",
                             .country = "GB"};
  d.at = coordinates{.latitude_udeg = 53'796'480, .longitude_udeg = -1'547'850};
  d.hours = "Mon-Sat: 9-18\nSun: 11-16";
  d.services = {"Click and collect"};
  return d;
}

BOOST_AUTO_TEST_SUITE(location_suite)

const std::vector<trial::rule<kind>> rules = {
    {"an admin puts a location there", {}, {put{leeds()}, boss}, 0, "defined"},
    {"support does not", {}, {put{leeds()}, trial::support}, number(base_errc::forbidden), ""},
    {"nor a stranger", {}, {put{leeds()}, trial::nobody}, number(base_errc::forbidden), ""},
    {"the same again changes nothing", {{put{leeds()}}}, {put{leeds()}}, 0, ""},
    {"other content replaces it", {{put{leeds()}}}, {put{named("York")}}, 0, "defined"},
    {"one without a name is none", {}, {put{{}}}, number(errc::invalid_location), ""},
    {"a description that is wrong replaces nothing",
     {{put{leeds()}}},
     {put{named("two\nlines")}},
     number(errc::invalid_location),
     ""},
    {"what must be there is not made",
     {},
     {put{leeds(), true}},
     number(base_errc::precondition_failed),
     ""},
    {"what is there may be required", {{put{leeds()}}}, {put{named("York"), true}}, 0, "defined"},
    {"an admin closes it", {{put{leeds()}}}, {close{}, boss}, 0, "closed"},
    {"support does not close it",
     {{put{leeds()}}},
     {close{}, trial::support},
     number(base_errc::forbidden),
     ""},
    {"once", {{put{leeds()}}, {close{}}}, {close{}}, 0, ""},
    {"what is not there is not closed", {}, {close{}}, number(errc::no_such_location), ""},
    {"put again as it was, it is open", {{put{leeds()}}, {close{}}}, {put{leeds()}}, 0, "defined"},
    {"and may close again", {{put{leeds()}}, {close{}}, {put{leeds()}}}, {close{}}, 0, "closed"},
    {"anybody may read it", {{put{leeds()}}}, {get{}, trial::nobody}, 0, ""},
    {"also a closed one: who shows it decides", {{put{leeds()}}, {close{}}}, {get{}}, 0, ""},
    {"what is not there is not read", {}, {get{}}, number(errc::no_such_location), ""},
};

BOOST_AUTO_TEST_CASE(a_location_follows_its_rules) { trial::check_rules<kind>(rules); }

BOOST_AUTO_TEST_CASE(every_refusal_is_in_the_table) {
  trial::check_every_code_is_in<kind>(
      rules, {number(errc::no_such_location), number(errc::invalid_location),
              number(base_errc::forbidden), number(base_errc::precondition_failed)});
}

BOOST_AUTO_TEST_CASE(a_description_keeps_to_its_limits) {
  const auto bad = [](auto change) {
    details d = leeds();
    change(d);
    const char* member = first_bad_member(d);
    return std::string(member ? member : "");
  };
  const auto long_text = [](std::size_t bytes) { return std::string(bytes, 'x'); };
  BOOST_TEST(bad([](details&) {}) == "");
  BOOST_TEST(bad([](details& d) { d = named("a"); }) == "");
  BOOST_TEST(bad([](details& d) { d.name = ""; }) == "name");
  BOOST_TEST(bad([&](details& d) { d.name = long_text(200); }) == "");
  BOOST_TEST(bad([&](details& d) { d.name = long_text(201); }) == "name");
  BOOST_TEST(bad([](details& d) { d.name = "\xFF"; }) == "name");
  BOOST_TEST(bad([&](details& d) { d.type = long_text(51); }) == "type");
  BOOST_TEST(bad([](details& d) { d.address->line1 = ""; }) == "address/line1");
  BOOST_TEST(bad([&](details& d) { d.address->line2 = long_text(201); }) == "address/line2");
  BOOST_TEST(bad([](details& d) { d.address->city = ""; }) == "address/city");
  BOOST_TEST(bad([](details& d) { d.address->region = "\t"; }) == "address/region");
  BOOST_TEST(bad([](details& d) { d.address->postal_code = ""; }) == "address/postal_code");
  for (const char* country : {"", "G", "gb", "GBR"})
    BOOST_TEST(bad([&](details& d) { d.address->country = country; }) == "address/country");
  BOOST_TEST(bad([](details& d) { d.at = coordinates{90'000'000, -180'000'000}; }) == "");
  BOOST_TEST(bad([](details& d) { d.at->latitude_udeg = -90'000'001; }) == "latitude");
  BOOST_TEST(bad([](details& d) { d.at->longitude_udeg = 180'000'001; }) == "longitude");
  BOOST_TEST(bad([](details& d) { d.at->longitude_udeg = INT64_MIN; }) == "longitude");
  BOOST_TEST(bad([&](details& d) { d.hours = long_text(501); }) == "hours");
  BOOST_TEST(bad([](details& d) { d.hours = "\x01"; }) == "hours");
  BOOST_TEST(bad([](details& d) { d.services.assign(50, "x"); }) == "");
  BOOST_TEST(bad([](details& d) { d.services.assign(51, "x"); }) == "services");
  BOOST_TEST(bad([](details& d) { d.services = {""}; }) == "services");
  BOOST_TEST(bad([&](details& d) { d.services = {long_text(101)}; }) == "services");
}

BOOST_AUTO_TEST_CASE(ids_are_short_words) {
  for (const char* good : {"1000", "a", "Mall-of_America.2", "...", "-"})
    BOOST_TEST(is_location_id(good), good);
  for (const char* bad : {"", ".", "..", "a b", "a/b", "caf\xC3\xA9", "a\n"})
    BOOST_TEST(!is_location_id(bad), bad);
  BOOST_TEST(is_location_id(std::string(64, 'x')));
  BOOST_TEST(!is_location_id(std::string(65, 'x')));
}

BOOST_AUTO_TEST_CASE(only_the_put_that_made_it_says_so) {
  trial::subject<kind> one;
  const auto said = [&] { return decode_reply(one.reply).value(); };
  one.give(put{leeds()});
  BOOST_TEST(said().created);
  BOOST_TEST((said().created_at == trial::at(1'000) && said().updated_at == trial::at(1'000)));
  one.give(get{});
  BOOST_TEST(!said().created);
  one.now += std::chrono::seconds(1);
  one.give(put{leeds()});
  BOOST_TEST(!said().created);
  BOOST_TEST((said().updated_at == trial::at(1'000)));
  one.give(close{});
  BOOST_TEST(!said().active);
  BOOST_TEST((said().created_at == trial::at(1'000) && said().updated_at == trial::at(1'001)));
  one.give(put{leeds()});
  BOOST_TEST((said().active && !said().created));
}

// Whatever is put and closed in whatever order: the last accepted word holds, and a replay gives
// the same bytes.
BOOST_AUTO_TEST_CASE(random_commands_leave_what_was_said_last) {
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      trial::subject<kind> one;
      std::string name;
      bool open = false;
      for (int i = 0; i < 300; ++i) {
        one.now += std::chrono::milliseconds(random() % 3);
        const bool may = random() % 4 != 0;
        const caller& who = may ? boss : trial::support;
        switch (random() % 4) {
          case 0:
          case 1: {
            const std::string wanted = "n" + std::to_string(random() % 3);
            const auto code = one.give(put{named(wanted.c_str())}, who);
            BOOST_REQUIRE(code == (may ? 0 : number(base_errc::forbidden)));
            if (may) name = wanted;
            open = open || may;
            break;
          }
          case 2:
            one.give(close{}, who);
            if (may) open = false;
            break;
          default:
            one.s = trial::reread<kind>(one.s);
        }
        BOOST_REQUIRE((one.s.active == open && one.s.content.name == name));
      }
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  trial::subject<kind> one;
  one.give(put{leeds()}, boss);
  one.give(close{}, boss);
  const std::string described =
      "96c4054c65656473c40553746f726596c40d31204869676820537472656574c400c4054c65656473c400c4074c53"
      "3120314141c402474292ce0334de80d2ffe861b6c4184d6f6e2d5361743a20392d31380a53756e3a2031312d3136"
      "91c411436c69636b20616e6420636f6c6c656374";
  BOOST_TEST(trial::hex(one.log.at(0)) == "9201920093" + described + "9303c400c400ce000f4240");
  BOOST_TEST(trial::hex(one.log.at(1)) == "92019201929303c400c400ce000f4240");
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "920195c3" + described + "c2ce000f4240ce000f4240");
  BOOST_TEST(trial::hex(encode(command{put{named("a"), true}})) ==
             "920192009296c40161c400c0c0c40090c3");
  BOOST_TEST(trial::hex(encode(command{close{}})) == "9201920190");
  BOOST_TEST(trial::hex(encode(command{get{}})) == "9201920290");
  BOOST_TEST(trial::hex(one.reply) == "920195" + described + "c2ce000f4240ce000f4240c2");
  BOOST_TEST(decode_reply(trial::with_one_more_field(one.reply)).has_value());
  BOOST_TEST(!decode_reply(trial::of_unknown_schema(one.reply)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace location_test
}  // namespace omnicart::location
