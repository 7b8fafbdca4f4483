#include "tools/omnicartctl/duration_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace omnicart::ctl {
namespace {

struct unit {
  std::string_view suffix;
  std::int64_t ms;
};

constexpr std::array units{unit{"", 1'000}, unit{"ms", 1}, unit{"s", 1'000}, unit{"m", 60'000},
                           unit{"h", 3'600'000}};

}  // namespace

result<duration_ms> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return fail(base_errc::malformed,
                "\"" + std::string(text) + "\" is no span of time; write 30, 30s, 500ms, 2m or 1h");
  };
  const char* const end = text.data() + text.size();
  std::int64_t count = 0;
  const auto [rest, why] = std::from_chars(text.data(), end, count);
  if (why != std::errc{} || count < 0 || text.front() == '-') return wrong();
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  const auto* const found = std::ranges::find(units, suffix, &unit::suffix);
  if (found == units.end() || count > duration_max.count() / found->ms) return wrong();
  return duration_ms(count * found->ms);
}

}  // namespace omnicart::ctl
