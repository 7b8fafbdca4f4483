#include "runtime/base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace omnicart {
namespace {

// Reads exactly `width` digits at `pos`, or fails.
bool read_digits(std::string_view text, std::size_t pos, std::size_t width, int& out) {
  if (text.size() < pos + width) return false;
  out = 0;
  for (char c : text.substr(pos, width)) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  return true;
}

// The zone at the end: "Z" or "+hh:mm"/"-hh:mm", in minutes east of UTC.
bool read_zone(std::string_view zone, int& minutes) {
  if (zone == "Z" || zone == "z") {
    minutes = 0;
    return true;
  }
  int hours = 0, rest = 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return false;
  if (!read_digits(zone, 1, 2, hours) || !read_digits(zone, 4, 2, rest)) return false;
  if (hours > 23 || rest > 59) return false;
  minutes = (zone[0] == '-' ? -1 : 1) * (hours * 60 + rest);
  return true;
}

}  // namespace

std::string to_rfc3339(timestamp_ms time) {
  using namespace std::chrono;
  // A damaged record may hold any time; RFC 3339 writes years of four digits, the nearest is shown.
  constexpr timestamp_ms first = sys_days{year{1} / January / 1};
  constexpr timestamp_ms last = sys_days{year{10'000} / January / 1} - 1ms;
  time = std::clamp(time, first, last);
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::array<char, 40> text;
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                    static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                    static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                    static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

result<timestamp_ms> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [] { return fail(base_errc::malformed, "not an RFC 3339 time"); };
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  const bool digits = read_digits(text, 0, 4, y) && read_digits(text, 5, 2, mo) &&
                      read_digits(text, 8, 2, d) && read_digits(text, 11, 2, h) &&
                      read_digits(text, 14, 2, mi) && read_digits(text, 17, 2, s);
  if (!digits || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
      text[13] != ':' || text[16] != ':') {
    return bad();
  }
  std::size_t pos = 19;
  int millis = 0;
  if (pos < text.size() && text[pos] == '.') {
    int scale = 100;
    const std::size_t first = ++pos;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, scale /= 10) {
      millis += (text[pos] - '0') * scale;
    }
    if (pos == first) return bad();
  }
  int zone_minutes = 0;
  if (!read_zone(text.substr(pos), zone_minutes)) return bad();
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!date.ok() || h > 23 || mi > 59 || s > 60) return bad();
  return timestamp_ms{sys_days{date}} + hours{h} + minutes{mi - zone_minutes} + seconds{s} +
         milliseconds{millis};
}

}  // namespace omnicart
