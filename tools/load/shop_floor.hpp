#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/load/pacer.hpp"
#include "tools/load/scenario.hpp"
#include "tools/load/storefront_book.hpp"

namespace omnicart::load {

// A product as visitors see it.
struct shelf_item {
  std::string id;
  std::string word;  // of its name, to search for
  std::string category;
  std::string brand;
  money price;
};
// Nothing: no product, or one without a price.
std::optional<shelf_item> shelf_item_of(const nlohmann::json& object);

// One person in the shop, from the session to the order.
struct visit {
  caller& by;
  guest who;
  std::string name;                                 // prefix of its keys
  int steps = 0;                                    // for its keys
  std::map<std::string, std::int64_t> wanted = {};  // the cart as the shop must hold it
  bool cart_sure = true;       // false once an answer failed: then the order is not compared
  std::string country = "GB";  // where the order goes
  std::optional<std::int64_t> intended_us = {};  // of the next request

  std::int64_t units() const;
  std::string next_key() { return name + "-" + std::to_string(++steps); }
};

// What all visitors of a storefront share. One thread; outlives them.
struct shop_floor {
  explicit shop_floor(stage& stage_of_run)
      : on(stage_of_run), where(stage_of_run.where), luck(stage_of_run.options.seed) {}

  // A step of a visit, after a pause to think. `get` is false once the time is up; `write` (with a
  // key of its own) when the answer is no success.
  task<bool> get(visit& here, const char* op, std::string path);
  task<bool> write(visit& here, const char* op, const char* method, std::string path,
                   std::string body);
  // As write(), for what changes no line of the cart: a failure leaves the cart as sure as it was.
  task<bool> wish(visit& here, const char* op, const char* method, std::string path,
                  std::string body);
  task<> think();
  task<> pause(std::int64_t mean_ms);

  // Reads the catalogue. Throws cannot_go_on when it cannot, or there is nothing in it.
  task<> read_shelf(caller& by);
  const shelf_item& pick() { return shelf[popularity->draw(luck)]; }
  currency_code currency() const { return shelf.front().price.currency; }
  // In minor units; at least 1.
  std::int64_t usual_price() const;
  bool time_is_up() const;

  stage& on;
  shop& where;
  chance luck;
  std::vector<shelf_item> shelf;
  std::optional<zipf> popularity;
  std::int64_t end_us = 0;
  std::map<std::string, std::int64_t> counts;  // for the report
  told clients;
  storefront_book book;
};

}  // namespace omnicart::load
