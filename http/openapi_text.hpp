#pragma once

#include <string_view>

namespace omnicart::http {

// The parts of http/openapi in the order of their names, and its page; compiled in.
std::string_view openapi_text();
std::string_view docs_page();

}  // namespace omnicart::http
