#include "tools/load/card_mix.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace omnicart::load {
namespace {

constexpr std::array<std::string_view, 9> cards{
    "ok",   "declined", "timeout_before", "timeout_after", "twice",
    "late", "garbage",  "async",          "async_declined"};

}  // namespace

result<card_mix> card_mix::parse(const std::vector<std::string>& shares) {
  card_mix mix;
  double sum = 0;
  for (const auto& each : shares) {
    const auto cut = each.find('=');
    const std::string name = each.substr(0, cut);
    if (cut == each.npos || std::find(cards.begin(), cards.end(), name) == cards.end()) {
      return fail(base_errc::malformed,
                  "\"" + each +
                      "\": CARD=PERCENT, where CARD is ok, declined, timeout_before, "
                      "timeout_after, twice, late, garbage, async or async_declined");
    }
    double percent = 0;
    const char* const end = each.data() + each.size();
    const auto [stop, wrong] = std::from_chars(each.data() + cut + 1, end, percent);
    if (wrong != std::errc{} || stop != end || !std::isfinite(percent) || percent < 0 ||
        percent > 100) {
      return fail(base_errc::malformed, "\"" + each + "\": the share is 0 to 100");
    }
    const std::string token = "tok_" + name;
    const bool twice = std::any_of(mix.shares_.begin(), mix.shares_.end(),
                                   [&](const auto& known) { return known.first == token; });
    if (twice) return fail(base_errc::malformed, "\"" + name + "\" has two shares");
    mix.shares_.emplace_back(token, percent);
    sum += percent;
  }
  if (sum > 100) return fail(base_errc::malformed, "the cards' shares come to more than 100");
  return mix;
}

std::string card_mix::draw(chance& luck) const {
  double at = luck.fraction() * 100.0;
  for (const auto& [token, percent] : shares_) {
    if (at < percent) return token;
    at -= percent;
  }
  return "tok_ok";
}

bool card_mix::declines(std::string_view token) {
  return token == "tok_declined" || token == "tok_async_declined";
}

}  // namespace omnicart::load
