#include "actors/product/product_kind.hpp"
#include "rule_table.hpp"

namespace omnicart::product {
namespace product_test {

using namespace trial;
using rules = std::vector<rule<kind>>;
static_assert(entity_kind<kind>);

const currency_code gbp = *currency_code::parse("GBP");

details lamp() {
  return {.name = "Lamp",
          .description = "Warm\n\tlight",
          .price = {1299, gbp},
          .category = "home > light",
          .brand = "Lux",
          .gtin = {"5012345678900"},
          .attributes = {{"colour", "red"}},
          .images = {"/lamp.jpg"},
          .weight_g = 750,
          .rating_centi = {}};
}

details variant() {
  details content = lamp();
  content.family = "lamps";
  content.options = {{"size", "L"}, {"shade", "linen"}};
  return content;
}

template <class Change>
details lamp_but(Change change) {
  details content = lamp();
  change(content);
  return content;
}

details rated_lamp() {
  return lamp_but([](details& d) { d.rating_centi = 450; });
}

rules table() {
  const step<kind> made{create{lamp()}};
  const step<kind> gone{retire{}};
  const auto dearer = lamp_but([](details& d) { d.price.amount_minor = 1399; });
  const auto bad_name = number(errc::invalid_name), bad_details = number(errc::invalid_details);
  rules rows{
      {"a product is created", {}, {create{lamp()}}, 0, "created"},
      {"a living product is not created again",
       {made},
       {create{dearer}},
       number(errc::already_exists),
       ""},
      {"a retired product may be created again", {made, gone}, {create{dearer}}, 0, "created"},
      {"an unknown product cannot be replaced",
       {},
       {replace{lamp()}},
       number(errc::no_such_product),
       ""},
      {"a retired product cannot be replaced",
       {made, gone},
       {replace{lamp()}},
       number(errc::retired),
       ""},
      {"a product is told of its reviews", {made}, {rate{.average_centi = 450, .count = 2, .revision = 2}}, 0, "rated"},
      {"an older average comes too late",
       {made, {rate{.average_centi = 450, .count = 2, .revision = 2}}},
       {rate{.average_centi = 500, .count = 1, .revision = 1}},
       0,
       ""},
      {"no product has reviews without stars",
       {made},
       {rate{.average_centi = 50, .count = 1, .revision = 1}},
       number(base_errc::malformed),
       ""},
      {"an average is of some reviews",
       {made},
       {rate{.average_centi = 300, .count = 0, .revision = 1}},
       number(base_errc::malformed),
       ""},
      {"an unknown product has no reviews",
       {},
       {rate{.average_centi = 300, .count = 1, .revision = 1}},
       number(errc::no_such_product),
       ""},
      {"nor has a retired one",
       {made, gone},
       {rate{.average_centi = 300, .count = 1, .revision = 1}},
       number(errc::retired),
       ""},
      {"a product is replaced", {made}, {replace{dearer}}, 0, "replaced"},
      {"replacing by the same changes nothing", {made}, {replace{lamp()}}, 0, ""},
      {"import makes a product", {}, {import{lamp()}}, 0, "created"},
      {"import of the same content changes nothing", {made}, {import{lamp()}}, 0, ""},
      {"import replaces", {made}, {import{rated_lamp()}}, 0, "replaced"},
      {"import brings a retired product back", {made, gone}, {import{lamp()}}, 0, "created"},
      {"a replace keeps the rating", {{import{rated_lamp()}}}, {replace{lamp()}}, 0, ""},
      {"a product is retired", {made}, {retire{}}, 0, "retired"},
      {"retiring twice is once", {made, gone}, {retire{}}, 0, ""},
      {"an unknown product cannot be retired", {}, {retire{}}, number(errc::no_such_product), ""},
      {"an unknown product is not shown", {}, {get{}}, number(errc::no_such_product), ""},
      {"a retired product is not shown", {made, gone}, {get{}}, number(errc::retired), ""},
      {"a retired product is not quoted", {made, gone}, {quote{}}, number(errc::retired), ""},
      {"a product is shown", {made}, {get{}}, 0, ""},
      {"a price of 0 is a price",
       {},
       {create{lamp_but([](auto& d) { d.price.amount_minor = 0; })}},
       0,
       "created"},
      {"a price is not negative",
       {},
       {create{lamp_but([](auto& d) { d.price.amount_minor = -1; })}},
       number(errc::invalid_price),
       ""},
      {"a name is not empty", {}, {create{lamp_but([](auto& d) { d.name = ""; })}}, bad_name, ""},
      {"a name has 500 bytes",
       {},
       {create{lamp_but([](auto& d) { d.name = std::string(500, 'x'); })}},
       0,
       "created"},
      {"a name has no 501 bytes",
       {},
       {create{lamp_but([](auto& d) { d.name = std::string(501, 'x'); })}},
       bad_name,
       ""},
      {"a name is one line",
       {made},
       {replace{lamp_but([](auto& d) { d.name = "a\nb"; })}},
       bad_name,
       ""},
      {"a name is UTF-8",
       {},
       {import{lamp_but([](auto& d) { d.name = "\xC0\x80"; })}},
       bad_name,
       ""},
      {"a name is checked before a price",
       {},
       {create{lamp_but([](auto& d) {
         d.name = "";
         d.price.amount_minor = -1;
       })}},
       bad_name,
       ""},
  };
  const auto refused = [&](const char* claim, details content) {
    rows.push_back({claim, {}, {create{std::move(content)}}, bad_details, ""});
  };
  refused("a description is bounded",
          lamp_but([](auto& d) { d.description = std::string(20'001, 'x'); }));
  refused("a description has no carriage return",
          lamp_but([](auto& d) { d.description = "a\rb"; }));
  refused("a category is bounded", lamp_but([](auto& d) { d.category = std::string(501, 'x'); }));
  refused("a brand is bounded", lamp_but([](auto& d) { d.brand = std::string(201, 'x'); }));
  refused("GTINs are bounded in number", lamp_but([](auto& d) { d.gtin.assign(201, "1"); }));
  refused("a GTIN is ASCII", lamp_but([](auto& d) { d.gtin = {"\xC3\xA9"}; }));
  refused("attributes are bounded in number", lamp_but([](auto& d) {
            d.attributes.assign(301, {"a", "b"});
          }));
  refused("an attribute has a name", lamp_but([](auto& d) { d.attributes = {{"", "b"}}; }));
  refused("an attribute's name is bounded", lamp_but([](auto& d) {
            d.attributes = {{std::string(201, 'a'), "b"}};
          }));
  refused("an attribute's value is bounded", lamp_but([](auto& d) {
            d.attributes = {{"a", std::string(8'001, 'b')}};
          }));
  refused("images are bounded in number", lamp_but([](auto& d) { d.images.assign(51, "i"); }));
  refused("an image's address is bounded",
          lamp_but([](auto& d) { d.images = {std::string(2'001, 'i')}; }));
  refused("a weight is not negative", lamp_but([](auto& d) { d.weight_g = -1; }));
  refused("a rating is at most five stars", lamp_but([](auto& d) { d.rating_centi = 501; }));
  const auto variant_but = [](auto change) {
    details content = variant();
    change(content);
    return content;
  };
  const auto taken = [&](const char* claim, details content) {
    rows.push_back({claim, {}, {create{std::move(content)}}, 0, "created"});
  };
  taken("a product may be of a family", variant());
  taken("a family needs no options", variant_but([](auto& d) { d.options.clear(); }));
  taken("a family's name has 64 bytes", variant_but([](auto& d) { d.family = std::string(64, 'f'); }));
  taken("a family's name may have spaces inside", variant_but([](auto& d) { d.family = "a b~!"; }));
  taken("names of options differ in case too", variant_but([](auto& d) { d.options = {{"a", "1"}, {"A", "1"}}; }));
  taken("an option has 50 + 100 bytes of any language", variant_but([](auto& d) {
          d.options = {{std::string(48, 'a') + "\xC3\xA9", std::string(98, 'b') + "\xC3\xA9"}};
        }));
  refused("a family's name has no 65 bytes", variant_but([](auto& d) { d.family = std::string(65, 'f'); }));
  refused("a family's name is ASCII", variant_but([](auto& d) { d.family = "\xC3\xA9"; }));
  refused("a family's name is one line", variant_but([](auto& d) { d.family = "a\nb"; }));
  refused("a family's name has no slash", variant_but([](auto& d) { d.family = "a/b"; }));
  refused("a family's name begins with no space", variant_but([](auto& d) { d.family = " a"; }));
  refused("a family's name ends with no space", variant_but([](auto& d) { d.family = "a "; }));
  refused("options are those of a family", variant_but([](auto& d) { d.family.clear(); }));
  refused("options are bounded in number", variant_but([](auto& d) {
            d.options.clear();
            for (int i = 0; i < 11; ++i) d.options.emplace_back(std::to_string(i), "x");
          }));
  refused("an option has a name", variant_but([](auto& d) { d.options = {{"", "b"}}; }));
  refused("an option has a value", variant_but([](auto& d) { d.options = {{"a", ""}}; }));
  refused("an option's name is bounded", variant_but([](auto& d) { d.options = {{std::string(51, 'a'), "b"}}; }));
  refused("an option's value is bounded", variant_but([](auto& d) { d.options = {{"a", std::string(101, 'b')}}; }));
  refused("an option's name is one line", variant_but([](auto& d) { d.options = {{"a\tb", "c"}}; }));
  refused("an option's value is one line", variant_but([](auto& d) { d.options = {{"a", "b\nc"}}; }));
  refused("no option has two values", variant_but([](auto& d) { d.options = {{"a", "1"}, {"b", "1"}, {"a", "2"}}; }));
  const step<kind> made_variant{create{variant()}};
  const auto other_family = variant_but([](auto& d) { d.family = "g"; });
  const auto other_order = variant_but([](auto& d) { std::swap(d.options[0], d.options[1]); });
  rows.push_back({"a product changes its family", {made_variant}, {replace{other_family}}, 0, "replaced"});
  rows.push_back({"the order of options is kept", {made_variant}, {import{other_order}}, 0, "replaced"});
  rows.push_back({"a product leaves its family", {made_variant}, {replace{lamp()}}, 0, "replaced"});
  return rows;
}

BOOST_AUTO_TEST_SUITE(product_rules)

BOOST_AUTO_TEST_CASE(every_rule_has_its_row) {
  check_rules(table());
  check_every_code_is_in(table(), {300, 301, 302, 303, 304, 305});
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_member_beyond_its_limit) {
  subject<kind> one;
  one.give(create{lamp_but([](auto& d) { d.weight_g = -1; })});
  BOOST_TEST(one.refusal.detail == "weight_g");
  details content = variant();
  content.family.clear();
  one.give(create{content});
  BOOST_TEST(one.refusal.detail == "options");
  content.family = "/";
  one.give(create{content});
  BOOST_TEST(one.refusal.detail == "family");
}

BOOST_AUTO_TEST_CASE(a_quote_is_name_and_price_only) {
  subject<kind> one;
  one.give(create{lamp()});
  one.give(quote{});
  const auto answer = decode_reply(one.reply);
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(std::get<quote_view>(*answer).name == "Lamp");
  BOOST_TEST(std::get<quote_view>(*answer).price.amount_minor == 1299);
}

BOOST_AUTO_TEST_CASE(a_replaced_product_keeps_its_rating_and_its_birthday) {
  subject<kind> one;
  one.give(import{rated_lamp()});
  const auto born = one.now;
  one.now += std::chrono::seconds{5};
  one.give(replace{lamp_but([](auto& d) { d.name = "Lantern"; })});
  const auto view = std::get<product_view>(*decode_reply(one.reply));
  BOOST_TEST((view.content.rating_centi == 450));
  BOOST_TEST((view.created_at == born && view.updated_at == one.now));
}

BOOST_AUTO_TEST_CASE(any_sequence_keeps_the_limits_and_replays_to_equal_bytes) {
  for (const auto seed : seeds(30)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      subject<kind> one;
      for (int i = 0; i < 60; ++i) {
        const details content = lamp_but([&](auto& d) {
          d.price.amount_minor = static_cast<std::int64_t>(random() % 4) - 1;
          if (random() % 3 == 0) d.rating_centi = random() % 600;
        });
        const command commands[] = {create{content}, replace{content}, import{content}, retire{},
                                    get{},           quote{}};
        one.now += std::chrono::milliseconds{random() % 1000};
        one.give(commands[random() % 6]);
        if (random() % 10 == 0) one.s = reread<kind>(one.s);
      }
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(stored_bytes_never_change) {
  const details small{.name = "Lamp",
                      .description = {},
                      .price = {1299, gbp},
                      .category = {},
                      .brand = {},
                      .gtin = {"1"},
                      .attributes = {{"a", "b"}},
                      .images = {},
                      .weight_g = 7,
                      .rating_centi = {}};
  BOOST_TEST(hex(encode_event(created{small, at(1)})) ==
             "92019200929dc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c0"
             "90c40090cd03e8");
  BOOST_TEST(hex(encode_event(replaced{small, at(1)})) ==
             "92019201929dc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c0"
             "90c40090cd03e8");
  details large = small;
  large.family = "f";
  large.options = {{"a", "L"}};
  BOOST_TEST(hex(encode_event(created{large, at(1)})) ==
             "92019200929dc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c0"
             "90c401669192c40161c4014ccd03e8");
  BOOST_TEST(hex(encode_event(retired{at(1)})) == "9201920291cd03e8");
  const state living{
      .life = lifecycle::living, .content = small, .created_at = at(1), .updated_at = at(2)};
  BOOST_TEST(hex(encode_state(living)) ==
             "920197019dc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c090"
             "c40090cd03e8cd07d0000000");
  // As builds without prices in several currencies wrote it, and then those without families.
  for (const char* earlier :
       {"92019200929ac4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c0cd03e8",
        "92019200929bc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c0"
        "90cd03e8"}) {
    const auto old = decode_event(trial::unhex(earlier));
    BOOST_REQUIRE(old.has_value());
    BOOST_TEST((std::get<created>(*old).content == small));
  }
  // As it was written before products had families, before they knew of reviews, and before they had several prices.
  for (const char* earlier :
       {"920197019bc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c090"
        "cd03e8cd07d0000000",
        "920194019bc4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c090cd03e8"
        "cd07d0",
        "920194019ac4044c616d70c40092cd0513c403474250c400c40091c401319192c40161c401629007c0cd03e8"
        "cd07d0"}) {
    const auto older = decode_state(trial::unhex(earlier));
    BOOST_REQUIRE(older.has_value());
    BOOST_TEST((encode_state(*older) == encode_state(living)));
  }
  BOOST_TEST(hex(encode_event(rated{.average_centi = 5, .count = 2, .revision = 3, .at = at(1)})) ==
             "9201920394050203cd03e8");
}

BOOST_AUTO_TEST_CASE(reviews_outrank_an_imported_rating_and_outlive_replacement_and_retirement) {
  const auto shown = [](subject<kind>& one) {
    one.give(get{});
    const auto reply = decode_reply(one.reply);
    const auto& view = std::get<product_view>(*reply);
    return std::pair(view.content.rating_centi.value_or(-1), view.review_count);
  };
  subject<kind> one;
  one.give(import{rated_lamp()});
  BOOST_TEST((shown(one) == std::pair<std::int64_t, std::int64_t>(450, 0)));
  BOOST_TEST(one.give(rate{.average_centi = 300, .count = 2, .revision = 2}) == 0);
  for (const command& next : {command(replace{lamp()}), command(import{rated_lamp()}), command(create{lamp()})}) {
    if (std::holds_alternative<create>(next)) one.give(retire{});
    BOOST_TEST(one.give(next) == 0);
    BOOST_TEST((shown(one) == std::pair<std::int64_t, std::int64_t>(300, 2)));
  }
}

BOOST_AUTO_TEST_CASE(a_product_is_quoted_in_each_currency_it_has_a_price_in) {
  const currency_code euros = *currency_code::parse("EUR"), dollars = *currency_code::parse("USD");
  details both = lamp();
  both.prices = {{1'500, euros}};
  subject<kind> one;
  BOOST_TEST(one.give(create{both}) == 0);
  BOOST_TEST(one.give(quote{}) == 0);
  BOOST_TEST((std::get<quote_view>(*decode_reply(one.reply)).price == both.price));
  BOOST_TEST(one.give(quote{euros}) == 0);
  BOOST_TEST((std::get<quote_view>(*decode_reply(one.reply)).price == money{1'500, euros}));
  BOOST_TEST(one.give(quote{dollars}) == number(errc::no_such_price));
  for (const std::vector<money>& bad :
       {std::vector<money>{{1, both.price.currency}}, std::vector<money>{{1, euros}, {2, euros}},
        std::vector<money>{{-1, euros}}}) {
    details wrong = lamp();
    wrong.prices = bad;
    BOOST_TEST(one.give(replace{wrong}) == number(errc::invalid_details));
  }
}

BOOST_AUTO_TEST_CASE(families_and_options_are_kept_and_their_memory_is_counted) {
  subject<kind> one;
  BOOST_TEST(one.give(create{variant()}) == 0);
  BOOST_TEST((reread<kind>(one.s).content == variant()));
  one.give(get{});
  BOOST_TEST((std::get<product_view>(*decode_reply(one.reply)).content == variant()));
  const auto before = memory_bytes(one.s);
  details larger = variant();
  larger.family = std::string(64, 'f');
  larger.options.emplace_back(std::string(50, 'n'), std::string(100, 'v'));
  BOOST_TEST(one.give(replace{larger}) == 0);
  BOOST_TEST(memory_bytes(one.s) >= before + 64 + 50 + 100);
}

BOOST_AUTO_TEST_CASE(longer_arrays_are_read_and_unknown_schemas_are_refused) {
  subject<kind> one;
  one.give(create{lamp()});
  const std::string bytes = encode_state(one.s);
  const auto longer = decode_state(with_one_more_field(bytes));
  BOOST_REQUIRE(longer.has_value());
  BOOST_TEST((encode_state(*longer) == bytes));
  BOOST_TEST(decode_state(of_unknown_schema(bytes)).error().is(base_errc::malformed));
  BOOST_TEST(decode_event(of_unknown_schema(one.log[0])).error().is(base_errc::malformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace product_test
}  // namespace omnicart::product
