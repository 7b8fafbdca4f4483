#pragma once

#include <string_view>

namespace omnicart::http {

// What a code means, in a sentence for people: the detail of a problem whose cause gave none of its own, or one that
// is not for strangers. "" for unknown codes.
std::string_view explanation_of(std::string_view code);

}  // namespace omnicart::http
