#include "cluster/backup/cut_messages.hpp"

#include <charconv>

namespace omnicart::cluster {
namespace {

constexpr std::string_view prefix = "cut ";

}  // namespace

std::string mark_text(cut_id cut) { return std::string(prefix) + std::to_string(cut); }

cut_id cut_of_mark(std::string_view text) {
  if (!text.starts_with(prefix)) return 0;
  text.remove_prefix(prefix.size());
  cut_id cut = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), cut);
  return wrong == std::errc{} && end == text.data() + text.size() ? cut : 0;
}

}  // namespace omnicart::cluster
