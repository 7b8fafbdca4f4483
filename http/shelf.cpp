#include "http/shelf.hpp"

#include <utility>
#include <variant>

#include "runtime/base/codec.hpp"

namespace omnicart::http {
namespace {

struct applier {
  shelf& at;
  const std::string& product;
  projection_rows& rows;

  void operator()(const stock::counted& e) const { at.available = e.on_hand - at.reserved; }
  void operator()(const stock::adjusted& e) const { at.available += e.delta; }
  void operator()(const stock::reserved& e) const { take(hold_row(e.reservation.str()), e.quantity); }
  void operator()(const stock::extended&) const {}
  void operator()(const stock::released& e) const { give_back(hold_row(e.reservation.str())); }
  void operator()(const stock::expired& e) const { give_back(hold_row(e.reservation.str())); }
  void operator()(const stock::claimed& e) const {
    for (const auto& hold : e.taken) give_back(hold_row(hold.str()));
    take(claim_row(e.order.str()), e.quantity);
  }
  void operator()(const stock::unclaimed& e) const { give_back(claim_row(e.order.str())); }
  void operator()(const stock::settled& e) const { at.reserved -= end(claim_row(e.order.str())); }
  void operator()(const stock::restocked& e) const { at.available += e.quantity; }
  void operator()(const stock::terms_set& e) const { at.promised = e.to; }
  void operator()(const stock::transfer_sent& e) const { take(transfer_row(e.transfer), e.quantity); }
  void operator()(const stock::transfer_received& e) const { give_back(transfer_row(e.transfer)); }
  void operator()(const stock::transfer_recalled& e) const { give_back(transfer_row(e.transfer)); }

 private:
  std::string hold_row(const std::string& reservation) const { return "h" + product + '\0' + reservation; }
  std::string claim_row(const std::string& order) const { return "c" + product + '\0' + order; }
  std::string transfer_row(const std::string& transfer) const { return "t" + product + '\0' + transfer; }

  void take(std::string row, std::int64_t units) const {
    at.available -= units;
    at.reserved += units;
    rows.put(std::move(row), codec::encode(units));
  }
  void give_back(std::string row) const {
    const std::int64_t units = end(std::move(row));
    at.available += units;
    at.reserved -= units;
  }
  // The units of what ends; 0 when there was no such thing.
  std::int64_t end(std::string row) const {
    const auto stored = rows.get(row);
    const auto units = stored ? codec::decode<std::int64_t>(*stored) : result<std::int64_t>(0);
    if (stored) rows.erase(std::move(row));
    return units.value_or(0);
  }
};

}  // namespace

void put_on_shelf(shelf& at, const std::string& product, const stock::event& what, projection_rows& rows) {
  std::visit(applier{at, product, rows}, what);
}

}  // namespace omnicart::http
