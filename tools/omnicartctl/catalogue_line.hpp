#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/omnicartctl/exit_code.hpp"

namespace omnicart::ctl {

// A line of a catalogue file as POST /api/products/import takes it. What is in the shop's own form
// ("id", "price", "family", "options") stays as it is. What shops export otherwise is renamed:
// "sku" is the id; "price_minor" and "currency" the price; "category_path", a list, the category;
// "model" and "released" become attributes. Members that are null are left out, control characters
// become spaces. `on_hand`: units that a line without its own figure gets. Failure: usage, with
// what is wrong.
outcome<std::string> catalogue_line(std::string_view text, std::optional<std::int64_t> on_hand);

// `text` with a space for each control character: those of ASCII, and U+0080 to U+009F, which are
// what is left of other encodings' dashes and quotes.
std::string without_controls(std::string text);

}  // namespace omnicart::ctl
