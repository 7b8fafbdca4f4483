#include "config/quota.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <sstream>

namespace omnicart::config {
namespace {

constexpr std::int64_t most = 1'000'000;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value >= 1 && value <= most ? std::optional(value) : std::nullopt;
}

bool is_method(std::string_view text) {
  for (const std::string_view known : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    if (text == known) return true;
  }
  return false;
}

std::optional<quota::subject> subject_of(std::string_view text) {
  if (text == "address") return quota::subject::address;
  if (text == "session") return quota::subject::session;
  if (text == "user") return quota::subject::user;
  return std::nullopt;
}

}  // namespace

result<quota> parse_quota(std::string_view text) {
  const auto bad = [&] {
    return fail(base_errc::malformed, "rate_limits.quotas: '" + std::string(text) +
                                          "' is not like POST /api/orders 5/60s burst 2 per user");
  };
  std::istringstream in{std::string(text)};
  std::string verb, path, rate, burst_word, burst, per_word, per, more;
  in >> verb >> path >> rate >> burst_word >> burst >> per_word >> per;
  if (!in || in >> more || burst_word != "burst" || per_word != "per") return bad();
  const auto slash = rate.find('/');
  if (!is_method(verb) || !path.starts_with("/api/") || slash == rate.npos || !rate.ends_with('s'))
    return bad();
  const auto count = number(std::string_view(rate).substr(0, slash));
  const auto seconds = number(std::string_view(rate).substr(slash + 1, rate.size() - slash - 2));
  const auto at_once = number(burst);
  const auto who = subject_of(per);
  if (!count || !seconds || !at_once || !who) return bad();
  return quota{.route = verb + ' ' + path,
               .count = *count,
               .seconds = *seconds,
               .burst = *at_once,
               .per = *who};
}

}  // namespace omnicart::config
