#pragma once

#include <cstdint>
#include <string>
#include <vector>

// A made-up catalogue to try the shop with. All of it follows from the seed: the same seed and
// count give the same products on every machine. Nothing here does I/O.
namespace omnicart::sample {

struct product {
  std::string id;  // "sample-00001", counted from 1
  std::string name;
  std::string description;
  std::string brand;
  std::string category;  // "a > b > c"
  std::int64_t price_minor = 0;
  std::int64_t rating_centi = 0;  // stars times 100, 100..500
  std::int64_t weight_g = 0;
  std::string colour;
  std::int64_t on_hand = 0;
};

// The first `count` products of the seed; a longer catalogue begins with a shorter one's products.
std::vector<product> catalogue(std::uint64_t seed, std::size_t count);

// One line of POST /api/products/import, with its line end. Prices are in GBP. Stock is not part of
// a product.
std::string import_line(const product& what);

}  // namespace omnicart::sample
