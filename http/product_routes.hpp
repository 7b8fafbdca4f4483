#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/product/product_messages.hpp"
#include "http/product_search.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// The catalogue: lists with filters, single products, and their upkeep by the shop's admins.
class product_routes {
 public:
  product_routes(const shop& in, product_search& finder) : shop_(in), finder_(finder) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> list(request& req);
  task<response> show(request& req);
  task<response> create(request& req);
  task<response> replace(request& req);
  task<response> retire(request& req);
  task<response> import(request& req);

  // The other products of its family as JSON; empty: it is of none, or the index has to be made first.
  task<std::string> variants_of(std::string id, std::string family) const;
  // The answer to create and replace: the product as it is now.
  task<response> shown(request& req, const std::string& id, const answer& got, int status);
  struct import_line;
  import_line read_line(std::string_view text, std::uint64_t number) const;
  task<bool> send_lines(std::vector<import_line>& lines, const caller& who);

  const shop& shop_;
  product_search& finder_;
};

// One JSON object's worth of product. `with_rating`: the member "rating" is allowed (imports only).
enum class rating_member { refused, allowed };
product::details read_product(object_reader& read, currency_code currency, rating_member rating);

}  // namespace omnicart::http
