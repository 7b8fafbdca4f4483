#include "runtime/log.hpp"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/base/describe.hpp"

namespace omnicart::log {
namespace {

constexpr std::size_t text_bytes_max = 2'048;
constexpr std::string_view redacted = "[redacted]";

// Fields whose values let somebody act as another; compared without case, '-' as '_'.
constexpr std::array secret_names{"token",         "password",    "authorization", "cookie",
                                  "set_cookie",    "secret",      "passwd",        "signature",
                                  "tls_key",       "card_number", "access_token",  "cvc",
                                  "refresh_token", "id_token",    "api_key"};

bool is_secret(std::string_view name) {
  std::string plain(name);
  for (char& c : plain) c = c == '-' ? '_' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  const std::string_view view = plain;
  return view.ends_with("_token") || view.ends_with("password") ||
         std::find(secret_names.begin(), secret_names.end(), view) != secret_names.end();
}

// At most text_bytes_max bytes, cut between characters.
std::string shortened(std::string_view text) {
  if (text.size() <= text_bytes_max) return std::string(text);
  std::size_t end = text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "\xe2\x80\xa6";
}

bool is_bare(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

void append_text(std::string& out, format as, std::string_view text) {
  if (as == format::text && is_bare(text) && text.size() <= text_bytes_max) {
    out += text;
  } else {
    describe::append_string(out, shortened(text));
  }
}

void append_number(std::string& out, double number) {
  std::array<char, 32> digits;
  std::snprintf(digits.data(), digits.size(), "%.9g", number);
  out += std::isfinite(number) ? digits.data() : "null";
}

void append_value(std::string& out, format as, const value& what) {
  std::visit(
      [&](const auto& held) {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, bool>) {
          out += held ? "true" : "false";
        } else if constexpr (std::is_same_v<held_type, double>) {
          append_number(out, held);
        } else if constexpr (std::is_same_v<held_type, std::string_view>) {
          append_text(out, as, held);
        } else {
          out += std::to_string(held);
        }
      },
      what.held());
}

void append_field(std::string& out, format as, const field& one) {
  if (as == format::json) {
    out += ',';
    describe::append_string(out, one.name);
    out += ':';
  } else {
    out += ' ';
    out += one.name;
    out += '=';
  }
  is_secret(one.name) ? append_text(out, as, redacted) : append_value(out, as, one.what);
}

std::string line_of(format as, std::string_view level_name, std::string_view message, fields with) {
  std::string out;
  out.reserve(128);
  out += as == format::json ? "\"level\":\"" : "level=";
  out += level_name;
  out += as == format::json ? "\",\"msg\":" : " msg=";
  describe::append_string(out, shortened(message));
  for (const auto& one : with) append_field(out, as, one);
  return out;
}

std::unique_ptr<spdlog::formatter> formatter_of(format as) {
  const char* pattern = as == format::json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}"
                                           : "time=%Y-%m-%dT%H:%M:%S.%eZ %v";
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc);
}

// Where lines go now; replaced as a whole while others write.
class switch_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void replace(std::shared_ptr<spdlog::sinks::sink> next, std::unique_ptr<spdlog::formatter> with) {
    const std::lock_guard lock(mutex_);
    if (next_) next_->flush();
    next->set_formatter(std::move(with));
    next_ = std::move(next);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override { next_->log(message); }
  void flush_() override { next_->flush(); }

 private:
  std::shared_ptr<spdlog::sinks::sink> next_;
};

struct output {
  std::atomic<level> at{level::info};
  std::atomic<format> as{format::text};
  std::atomic<bool> access{true};
  std::mutex opening;  // one open() or reopen() at a time; guards `file`
  std::string file;
  std::shared_ptr<switch_sink> sink = std::make_shared<switch_sink>();
  std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>("omnicart", sink);

  output() {
    sink->replace(std::make_shared<spdlog::sinks::stderr_sink_st>(), formatter_of(format::text));
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::warn);
    spdlog::register_logger(logger);
    spdlog::flush_every(std::chrono::seconds(1));
  }
};

// Never destroyed: destructors of other statics may still write.
output& out() {
  static output& the_only = *new output;
  return the_only;
}

spdlog::level::level_enum level_of(level at) {
  switch (at) {
    case level::debug:
      return spdlog::level::debug;
    case level::info:
      return spdlog::level::info;
    case level::warning:
      return spdlog::level::warn;
    case level::error:
      return spdlog::level::err;
    case level::off:
      break;
  }
  return spdlog::level::off;
}

result<std::shared_ptr<spdlog::sinks::sink>> open_sink(const std::string& file) {
  if (file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_st>();
  const int made = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (made < 0) return fail(base_errc::io, "log.file " + file + ": " + std::strerror(errno));
  ::close(made);
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_st>(file);
  } catch (const spdlog::spdlog_ex& e) {
    return fail(base_errc::io, "log.file " + file + ": " + e.what());
  }
}

}  // namespace

std::optional<level> parse_level(std::string_view name) {
  for (const level at : {level::debug, level::info, level::warning, level::error, level::off}) {
    if (to_string(at) == name) return at;
  }
  return std::nullopt;
}

std::string_view to_string(level at) {
  switch (at) {
    case level::debug:
      return "debug";
    case level::info:
      return "info";
    case level::warning:
      return "warning";
    case level::error:
      return "error";
    case level::off:
      return "off";
  }
  return "";
}

status open(const settings& with) {
  const std::lock_guard lock(out().opening);
  auto next = open_sink(with.file);
  if (!next) return fail(std::move(next.error()));
  out().file = with.file;
  out().as = with.as;
  out().sink->replace(std::move(*next), formatter_of(with.as));
  set_level(with.at);
  set_access(with.access);
  return {};
}

status reopen() {
  const std::lock_guard lock(out().opening);
  auto next = open_sink(out().file);
  if (!next) return fail(std::move(next.error()));
  out().sink->replace(std::move(*next), formatter_of(out().as));
  return {};
}

void set_level(level at) { out().at.store(at, std::memory_order_relaxed); }
void set_access(bool on) { out().access.store(on, std::memory_order_relaxed); }
void flush() { out().logger->flush(); }
bool enabled(level at) {
  return at != level::off && at >= out().at.load(std::memory_order_relaxed);
}
bool access_enabled() { return out().access.load(std::memory_order_relaxed); }

void write(level at, std::string_view message, fields with) {
  out().logger->log(level_of(at), line_of(out().as, to_string(at), message, with));
}

void write_access(std::string_view message, fields with) {
  out().logger->log(spdlog::level::info, line_of(out().as, "access", message, with));
}

}  // namespace omnicart::log
