#include "tools/omnicartctl/report.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace {

using namespace omnicart::ctl;
using json = nlohmann::ordered_json;

json sound_status() {
  return json::parse(R"({"version":"0.1.0","uptime_s":7980,"http":"127.0.0.1:8080",
    "pay":"http://127.0.0.1:39011","read_only":false,"refusing":"","residents":12345,"resident_bytes":32716800,
    "journal":{"items":45678,"batches":1234,"queue_items":0},
    "projections":{"orders":{"lag_batches":0},"catalogue":{"lag_batches":3}},
    "in_flight":1,"connections":64})");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_report)

BOOST_AUTO_TEST_CASE(a_sound_status_is_aligned_and_warns_of_nothing) {
  const auto got = report_status(sound_status(), "http://127.0.0.1:8081");
  BOOST_TEST(got.sound);
  BOOST_TEST(got.text ==
             "serving  (http://127.0.0.1:8081)\n"
             "  version               0.1.0\n"
             "  up                    2 h 13 min\n"
             "  shop                  127.0.0.1:8080\n"
             "  provider              http://127.0.0.1:39011\n"
             "  load                  1 request in flight, 64 connections\n"
             "  entities              12,345 entities in memory, 31.2 MiB (2.6 KiB each)\n"
             "  journal               45,678 writes in 1,234 batches (37.0 each), 0 waiting\n"
             "  projection orders     up to date\n"
             "  projection catalogue  3 batches behind\n");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_stands_first_with_what_to_do) {
  struct row {
    const char* patch;
    bool sound;
    const char* says;
  };
  for (const auto& [patch, sound, says] :
       {row{R"({"read_only":true})", false, "! read-only: free disk space is below"},
        row{R"({"refusing":"storage_full"})", false, "! read-only: free disk space is below"},
        row{R"({"refusing":"overloaded"})", false, "! refusing writes: the journal's queue"},
        row{R"({"refusing":"shutting_down"})", false, "! refusing writes: the node is stopping"},
        row{R"({"refusing":"unknown_outcome"})", false, "! refusing writes: a write has failed"},
        row{R"({"refusing":"tired"})", false, "! refusing writes: tired"},
        row{R"({"pay_trouble":"omnicart-pay was killed by signal 9"})", false,
            "! payments: omnicart-pay was killed by signal 9; the node starts it again"},
        row{R"({"in_flight":4096})", true,
            "! 4,096 requests in flight, the default limit http.in_flight_max"},
        row{R"({"in_flight":100,"in_flight_max":100})", false,
            "the limit http.in_flight_max is 100"},
        row{R"({"connections":20000})", true, "! 20,000 open connections"},
        row{R"({"journal":{"queue_items":8193}})", true, "! 8,193 writes wait for the disk"},
        row{R"({"projections":{"orders":{"lag_batches":1001}}})", true,
            "! projection orders is 1,001 batches behind"}}) {
    BOOST_TEST_CONTEXT(patch) {
      auto status = sound_status();
      status.merge_patch(json::parse(patch));
      const auto got = report_status(status, "u");
      BOOST_TEST(got.sound == sound);
      BOOST_TEST(has(got.text, says), got.text);
      BOOST_TEST(got.text.starts_with(sound ? "serving" : "NOT SERVING IN FULL"));
    }
  }
}

BOOST_AUTO_TEST_CASE(values_up_to_their_limit_are_calm) {
  auto status = sound_status();
  status.merge_patch(json::parse(
      R"({"in_flight":4095,"connections":19999,"journal":{"queue_items":8192},
          "projections":{"orders":{"lag_batches":1000}}})"));
  BOOST_TEST(!has(report_status(status, "u").text, "!"));
}

BOOST_AUTO_TEST_CASE(members_that_are_missing_or_strange_are_left_out) {
  for (const char* text :
       {"{}", "[]", "null", "7", R"({"journal":[],"projections":[1],"read_only":"yes","http":3})",
        R"({"journal":{"items":0,"batches":0},"residents":0,"resident_bytes":0,"uptime_s":1.5})"}) {
    BOOST_TEST(report_status(json::parse(text), "u").sound, text);
  }
}

BOOST_AUTO_TEST_CASE(laws_get_a_line_each_and_the_figures) {
  const auto got =
      report_laws(json::parse(R"({"laws":{"no_oversell":true,"one_capture":true},"detail":{},
    "figures":{"orders":19959,"order_lines":520074,"gross":{"GBP":1065562248},"captured":{},
      "refunds":{"JPY":-1234567,"USD":-48},"by_status":{"paid":1200,"cancelled":3}}})"));
  BOOST_TEST(got.sound);
  BOOST_TEST(got.text ==
             "no_oversell  ok\n"
             "one_capture  ok\n"
             "all 2 laws hold\n"
             "  orders       19,959\n"
             "  order lines  520,074\n"
             "  gross        10,655,622.48 GBP\n"
             "  captured     0\n"
             "  refunds      -1,234,567 JPY, -0.48 USD\n"
             "  by status    1,200 paid, 3 cancelled\n");
}

BOOST_AUTO_TEST_CASE(a_broken_law_is_named_with_its_detail) {
  const auto got = report_laws(json::parse(
      R"({"laws":{"no_oversell":false,"one_capture":true},"detail":{"no_oversell":"stock/a: -1"}})"));
  BOOST_TEST(!got.sound);
  BOOST_TEST(got.text ==
             "no_oversell  BROKEN  stock/a: -1\n"
             "one_capture  ok\n"
             "1 of 2 laws broken\n");
}

BOOST_AUTO_TEST_CASE(books_nobody_checked_are_not_in_order) {
  for (const char* text : {"{}", R"({"laws":{}})", R"({"laws":[true]})", "[]",
                           R"({"laws":{"a":"true"}})", R"({"laws":{"a":null}})"}) {
    BOOST_TEST(!report_laws(json::parse(text)).sound, text);
  }
}

BOOST_AUTO_TEST_CASE(an_event_is_one_line) {
  BOOST_TEST(
      report_event(json::parse(R"({"version":3,"at":"2026-03-01T12:00:00.000Z",
      "by":{"role":"shopper","user_id":"u-1"},
      "what":{"event":"line_added","product":"p\n1","quantity":2}})")) ==
      "3       2026-03-01T12:00:00.000Z  shopper u-1  line_added product=\"p\\n1\" quantity=2\n");
  BOOST_TEST(report_event(json::parse(R"({"version":3,"at":"\u001b[2Jx","what":[1]})")) ==
             "3        [2Jx                     -         [1]\n");
  BOOST_TEST(report_event(json::parse("7")).ends_with("-\n"));
}

BOOST_AUTO_TEST_CASE(numbers_are_written_for_people) {
  BOOST_TEST(grouped(0) == "0");
  BOOST_TEST(grouped(999) == "999");
  BOOST_TEST(grouped(1'000) == "1,000");
  BOOST_TEST(grouped(-1'234'567) == "-1,234,567");
  BOOST_TEST(grouped(-123) == "-123");
  BOOST_TEST(grouped(INT64_MIN) == "-9,223,372,036,854,775,808");
  BOOST_TEST(bytes_text(1'023) == "1023 B");
  BOOST_TEST(bytes_text(1'536) == "1.5 KiB");
  BOOST_TEST(bytes_text(std::int64_t{5} << 40) == "5.0 TiB");
  BOOST_TEST(span_text(59) == "59 s");
  BOOST_TEST(span_text(60) == "1 min");
  BOOST_TEST(span_text(3'661) == "1 h 1 min");
  BOOST_TEST(span_text(90'000) == "1 d 1 h");
}

BOOST_AUTO_TEST_SUITE_END()
