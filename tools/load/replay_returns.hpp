#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tools/load/sales_book.hpp"
#include "tools/load/scenario.hpp"

namespace omnicart::load {

// The second half of the wholesaler's year: staff ship the orders that something comes back from, and take the units
// back, each row of the file in its order among its customer's. What is counted are the shop's answers.
class returns_desk {
 public:
  // All outlive it. `order_of` names an invoice's order, by its index; empty: it was not sold.
  returns_desk(stage& on, const sales_book& book, told& clients, const std::vector<std::string>& order_of)
      : on_(on), book_(book), clients_(clients), order_of_(order_of) {}

  task<> run(std::size_t connections);
  // Counts, a line for people, and the law file_returned_whole.
  void summarise(scenario_outcome& out) const;
  std::int64_t rows_done() const { return rows_done_; }

 private:
  // A line of an order: product and pence.
  using line_ids = std::map<std::pair<std::string, std::int64_t>, std::int64_t>;
  struct taken_back {
    std::int64_t units = 0;
    std::int64_t refunded = 0;
  };

  task<> one_customer(caller& by, const std::vector<matched_return>& rows);
  // True if every part of the row came back.
  task<bool> one_row(caller& by, const matched_return& row);
  task<bool> one_part(caller& by, const matched_return& row, std::uint32_t invoice,
                      const std::vector<returned_units>& units);
  // Ships the order at its first return. Null when the shop refuses.
  task<const line_ids*> shipped_lines(caller& by, std::uint32_t invoice);
  void refused(const char* what, const caller& by);

  stage& on_;
  const sales_book& book_;
  told& clients_;
  const std::vector<std::string>& order_of_;
  std::unordered_map<std::uint32_t, line_ids> shipped_;  // by invoice
  std::map<std::string, std::int64_t> refusals_;
  std::int64_t rows_done_ = 0;
  std::int64_t units_ = 0;
  recorder::operation ship_ = on_.where.run().record.named("ship");
  recorder::operation read_ = on_.where.run().record.named("read order");
  recorder::operation return_ = on_.where.run().record.named("return");
};

}  // namespace omnicart::load
