#pragma once

#include <string>
#include <string_view>

#include "tools/omnicartctl/exit_code.hpp"

namespace omnicart::ctl {

struct location_line {
  std::string id;
  std::string body;  // what PUT /api/locations/{id} takes
};

// A line of a file of stores. What is in the shop's own form stays as it is. What others export
// otherwise is renamed: an id that is a number is its digits; "address" (a text), "address2",
// "city", "state" and "zip" make the address, in "country" or else the US; "location" with "lat"
// and "lon" the coordinates, rounded to six decimals digit by digit. Members that are null or empty
// are left out; in texts control characters become spaces, and those at the ends go. Failure:
// usage, with what is wrong.
outcome<location_line> read_location_line(std::string_view text);

}  // namespace omnicart::ctl
