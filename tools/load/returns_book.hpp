#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// Which sales of the wholesaler's year each cancellation row takes back. The rows do not say, so there is a rule: so
// many units of that code against the same customer's earlier sales not yet returned; at the row's own price first,
// then the newest; units may come from several sales; a row matches wholly or not at all. A row without a customer
// matches nothing. Pure; fed in file order.
namespace omnicart::load {

struct returned_units {
  std::uint32_t invoice = 0;  // indexes of the sales book
  std::uint32_t product = 0;
  std::int64_t unit_pence = 0;
  std::int64_t quantity = 0;
};

struct matched_return {
  std::uint32_t row = 0;  // data row in the file, from 1
  std::string number;     // of the cancellation
  std::vector<returned_units> from;
};

class returns_book {
 public:
  void sold(std::string_view customer, std::string_view code, const returned_units& units);
  // `quantity` is above 0. True if the row matched.
  bool cancelled(std::string_view customer, std::string_view code, matched_return row,
                 std::int64_t quantity, std::int64_t unit_pence);

  // A customer's matched rows, in file order; customers in the order of their first one.
  const std::vector<std::vector<matched_return>>& by_customer() const { return by_customer_; }

  std::int64_t matched_rows = 0;
  std::int64_t unmatched_rows = 0;
  std::int64_t matched_units = 0;
  std::int64_t claimed_pence = 0;    // what the matched rows say
  std::int64_t unmatched_pence = 0;  // what the others say
  std::int64_t refund_pence = 0;     // what the sales they take back were paid with

 private:
  using lots = std::vector<returned_units>;  // what is left of each sale, oldest first

  std::unordered_map<std::string, lots> left_;  // by customer and code
  std::unordered_map<std::string, std::size_t> customer_at_;
  std::vector<std::vector<matched_return>> by_customer_;
};

}  // namespace omnicart::load
