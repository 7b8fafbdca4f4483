#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/shop_floor.hpp"

namespace omnicart::load {

// A country the shop sends to, and the methods that go there.
struct destination {
  std::string country;
  std::vector<std::string> methods;  // empty: any
};

// Where orders may go, by the answers of GET /api/shipping-methods and /api/tax-rates: the
// countries of zones that have a method, one from nowhere else for the zone "*", else the countries
// that are taxed, else GB. At most 300. Pure.
std::vector<destination> destinations_of(std::string_view shipping, std::string_view taxes);

// The staff's side of a storefront: coupons and gift cards of the run's own, and tax and shipping
// for a shop that charges neither. Without staff it only reads where the shop sends to.
class offer_desk {
 public:
  explicit offer_desk(shop_floor& floor) : floor_(floor), where_(floor.where) {}

  // Throws cannot_go_on when staff are refused what they set up.
  task<> open(caller& by);
  // How often the coupons were used and what is left on the cards, for the books.
  task<> read_back_into(caller& by, read_back& facts);
  // Ends what open() began: coupons and cards are disabled; tax and shipping go again, unless
  // somebody has changed them meanwhile. Tries for a few seconds and throws nothing; what was left
  // behind is said in `notes`.
  task<> close(std::vector<std::string>& notes);

  // What a visitor enters; empty where there is none.
  std::string draw_coupon();
  std::string draw_gift_card();
  const destination& draw_destination();

 private:
  task<> make_coupon(caller& by, std::string code, std::string rule, std::int64_t limit);
  task<> make_gift_card(caller& by, std::string code);
  task<> put_terms(caller& by);
  task<std::string> read(caller& by, const char* op, std::string path);
  // The record's version after the change.
  task<std::int64_t> change(caller& by, const char* op, const char* method, std::string path,
                            std::string body);
  task<> disable(caller& by, std::string kind, std::string code);
  task<> take_terms_back(caller& by);
  std::string amount_text(std::int64_t amount_minor) const;

  shop_floor& floor_;
  shop& where_;
  std::string percentage_, fixed_;
  std::vector<std::string> single_use_;
  std::vector<std::string> gift_cards_;
  std::vector<destination> destinations_;
  bool put_taxes_ = false, put_shipping_ = false;
  std::int64_t terms_version_ = 0;  // after what was put
};

}  // namespace omnicart::load
