#pragma once

#include <cstdint>
#include <string>

#include "actors/stock/stock.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

// What a list of products knows of one product's stock.
struct shelf {
  std::uint64_t version = 0;  // of the stock record, as far as seen
  std::int64_t available = 0;  // below 0: sold and not there
  std::int64_t reserved = 0;  // in holds, claims and transfers
  stock::terms promised;
  bool is_low() const { return promised.low_stock > 0 && available <= promised.low_stock; }
  OMNICART_FIELDS(version, available, reserved, promised)
};

// Applies one event of the product's stock. What ends a hold, a claim or a transfer names it without its units, so these
// stand in rows of their own for as long as they are open ("h", "c" and "t", catalogue_list.hpp).
void put_on_shelf(shelf& at, const std::string& product, const stock::event& what, projection_rows& rows);

}  // namespace omnicart::http
