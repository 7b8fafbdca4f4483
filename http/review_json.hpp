#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "actors/reviews/reviews_messages.hpp"
#include "http/server/json_writer.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What stands in the place of an author's name once they were erased.
inline constexpr std::string_view former_customer = "former customer";

// Whose key an author's name is sealed with ("user:ID", "session:ID"); nothing for staff without an
// account.
std::optional<entity_ref> author_of(std::string_view by);
// Makes the names of authors readable. Nothing, or a fault: then those that could not be asked for are left out.
task<std::optional<error>> open_authors(const shop& in, std::vector<reviews::review_view>& all);
// {number, rating, author?, title?, text?, written_at}; with the product it is of, if that is said.
void write_review(json_writer& json, const reviews::review_view& each, std::string_view product = {});

}  // namespace omnicart::http
