#pragma once

#include <string_view>
#include <vector>

#include "http/server/json_reader.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::http {

// A member that is an array of amounts in different currencies, at most 30, none negative; empty
// when it is absent. Errors go to the reader's list.
std::vector<money> read_price_list(object_reader& read, std::string_view name);

// One of those, required to have at least one.
std::vector<money> read_some_prices(object_reader& read, std::string_view name);

}  // namespace omnicart::http
