#include "runtime/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>
#include <vector>

namespace omnicart::log {
namespace log_test {

// A log file of this test's own; afterwards lines go to standard error again.
class log_file {
 public:
  explicit log_file(format as, level at = level::debug)
      : path_(std::filesystem::temp_directory_path() /
              ("omnicart_log_" + std::to_string(::getpid()))) {
    std::filesystem::remove(path_);
    BOOST_TEST_REQUIRE(open({.at = at, .as = as, .file = path_.string()}).has_value());
  }
  ~log_file() {
    static_cast<void>(open({}));
    std::filesystem::remove(path_);
  }
  const std::filesystem::path& path() const { return path_; }

  // All lines so far, without their time.
  std::vector<std::string> lines() const {
    flush();
    static const std::regex time(
        R"(^(time=|\{"time":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"?[ ,])");
    std::vector<std::string> read;
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) {
      BOOST_TEST(std::regex_search(line, time), line);
      read.push_back(std::regex_replace(line, time, ""));
    }
    return read;
  }

 private:
  std::filesystem::path path_;
};

void check_lines(const log_file& file, const std::vector<std::string>& expected) {
  BOOST_TEST(file.lines() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(structured_log)

BOOST_AUTO_TEST_CASE(a_text_line_carries_fields_of_every_type) {
  const log_file file(format::text);
  info("node serves", {{"port", 8080},
                       {"rate", 1.5},
                       {"tls", false},
                       {"host", "a.example"},
                       {"big", std::uint64_t{18446744073709551615u}},
                       {"wait_ms", std::chrono::milliseconds(-3)},
                       {"name", std::string("two words")},
                       {"none", ""}});
  check_lines(file, {"level=info msg=\"node serves\" port=8080 rate=1.5 tls=false host=a.example "
                     "big=18446744073709551615 wait_ms=-3 name=\"two words\" none=\"\""});
}

BOOST_AUTO_TEST_CASE(a_json_line_carries_fields_of_every_type) {
  const log_file file(format::json);
  warning("slow \"disk\"", {{"ms", 12}, {"ok", true}, {"ratio", std::nan("")}, {"path", "/a b"}});
  check_lines(
      file,
      {R"("level":"warning","msg":"slow \"disk\"","ms":12,"ok":true,"ratio":null,"path":"/a b"})"});
}

BOOST_AUTO_TEST_CASE(no_value_can_start_a_line_of_its_own_or_forge_a_field) {
  const log_file file(format::text);
  info("a\nlevel=error",
       {{"agent", "x\r\nlevel=error msg=forged"}, {"q", "a=b"}, {"raw", "\xff\x1b[2J"}});
  check_lines(
      file,
      {"level=info msg=\"a\\u000alevel=error\" agent=\"x\\u000d\\u000alevel=error msg=forged\" "
       "q=\"a=b\" raw=\"\xef\xbf\xbd\\u001b[2J\""});
}

BOOST_AUTO_TEST_CASE(secrets_are_not_written) {
  const log_file file(format::text);
  for (const char* name : {"token", "Authorization", "password", "old_password", "refresh_token",
                           "Set-Cookie", "cookie", "payment_token"}) {
    info("x", {{name, "hunter2"}});
  }
  for (const auto& line : file.lines()) {
    BOOST_TEST(line.find("hunter2") == std::string::npos, line);
    BOOST_TEST(line.find("=[redacted]") != std::string::npos, line);
  }
  BOOST_TEST(file.lines().size() == 8);
  info("x", {{"tokens_max", 5}});
  BOOST_TEST(file.lines().back() == "level=info msg=\"x\" tokens_max=5");
}

BOOST_AUTO_TEST_CASE(a_long_value_is_cut_between_characters) {
  const log_file file(format::json);
  info("x", {{"v", std::string(2047, 'a') + "\xc3\xa9tail"}});
  BOOST_TEST(file.lines().front() == "\"level\":\"info\",\"msg\":\"x\",\"v\":\"" +
                                         std::string(2047, 'a') + "\xe2\x80\xa6\"}");
}

BOOST_AUTO_TEST_CASE(the_level_changes_at_run_time) {
  const log_file file(format::text, level::warning);
  info("hidden");
  BOOST_TEST(!enabled(level::info));
  set_level(level::info);
  info("shown");
  debug("hidden");
  set_level(level::off);
  error("hidden");
  check_lines(file, {"level=info msg=\"shown\""});
}

BOOST_AUTO_TEST_CASE(access_lines_have_a_switch_of_their_own) {
  const log_file file(format::text, level::error);
  access("GET", {{"status", 200}});
  set_access(false);
  access("GET", {{"status", 500}});
  check_lines(file, {"level=access msg=\"GET\" status=200"});
}

BOOST_AUTO_TEST_CASE(level_names_parse_back) {
  for (const level at : {level::debug, level::info, level::warning, level::error, level::off}) {
    BOOST_TEST((parse_level(to_string(at)) == at));
  }
  BOOST_TEST(!parse_level("loud").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_moved_aside_is_opened_anew) {
  const log_file file(format::text);
  info("before");
  const auto aside = file.path().string() + ".1";
  std::filesystem::rename(file.path(), aside);
  BOOST_TEST(reopen().has_value());
  info("after");
  check_lines(file, {"level=info msg=\"after\""});
  BOOST_TEST(std::filesystem::remove(aside));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_changes_nothing) {
  const log_file file(format::text);
  const auto opened = open({.as = format::json, .file = "/nowhere/omnicart.log"});
  BOOST_TEST_REQUIRE(!opened.has_value());
  BOOST_TEST(opened.error().is(base_errc::io));
  info("still here");
  check_lines(file, {"level=info msg=\"still here\""});
}

BOOST_AUTO_TEST_CASE(others_may_not_read_the_file) {
  const log_file file(format::text);
  struct stat is {};
  BOOST_TEST_REQUIRE(::stat(file.path().c_str(), &is) == 0);
  BOOST_TEST((is.st_mode & 07) == 0u);
}

BOOST_AUTO_TEST_CASE(lines_of_many_threads_stay_whole) {
  const log_file file(format::text);
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 4; ++writer) {
      writers.emplace_back([] {
        for (int i = 0; i < 250; ++i)
          info("line", {{"text", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}});
      });
    }
  }
  const auto lines = file.lines();
  BOOST_TEST(lines.size() == 1000);
  for (const auto& line : lines) BOOST_TEST_REQUIRE(line.size() == lines.front().size(), line);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace log_test
}  // namespace omnicart::log
