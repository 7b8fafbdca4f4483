#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/load/caller.hpp"
#include "tools/load/told.hpp"

// The shop as its clients see it (docs: the public API): typed calls for what scenarios do more
// than once.
namespace omnicart::load {

class shop;

// A guest's session and cart; renews itself by its refresh token.
class guest final : public credential {
 public:
  explicit guest(shop& where) : where_(where) {}
  task<bool> renew(std::string stale) override;

  const std::string& cart_id() const { return cart_id_; }
  // Takes over an answer of POST /api/sessions or /api/users/refresh. False if it is none.
  bool read(const std::string& answer);

 private:
  shop& where_;
  std::string refresh_token_;
  std::string cart_id_;
};

// The operator's token, read from its file again after each 401.
class operator_key final : public credential {
 public:
  explicit operator_key(std::string path) : path_(std::move(path)) {}
  // Throws cannot_go_on when the file cannot be read or is empty.
  void read();
  task<bool> renew(std::string stale) override;

 private:
  std::string path_;
};

// A member of staff: an access token with the role admin, issued on the operator's port.
class staff final : public credential {
 public:
  explicit staff(shop& where) : where_(where) {}
  task<bool> renew(std::string stale) override;

 private:
  shop& where_;
  bool renewing_ = false;
};

struct shop_address {
  std::vector<endpoint> nodes;  // at least one; any of them answers everything
  std::optional<endpoint> operator_port;
  std::string token_file;
};

// What an attempt to buy came to.
struct checkout_outcome {
  int status = 0;                     // 0: no answer
  std::string code;                   // of the problem
  std::optional<order_record> order;  // of a 201: with its final status
};

struct order_form {
  std::string email;
  std::string reference;
  std::string customer_reference = {};
  std::string card = "tok_ok";
  std::string country = {};  // of the shipping address; empty: none is given
};

struct new_product {
  std::string id;
  std::string name;
  money price;
};

// One shop under load: makes callers and credentials, knows the operator's port. Everything runs on
// the io_context's only thread. Outlives all it makes.
class shop {
 public:
  // `shop_dog` times requests of shoppers; the operator's answers may take longer. Throws
  // cannot_go_on without a readable token file where an operator's port is given.
  shop(run_state& run, watchdog& shop_dog, watchdog& operator_dog, shop_address where,
       std::uint64_t seed);

  run_state& run() { return run_; }
  const shop_address& where() const { return where_; }
  std::unique_ptr<caller> new_caller();
  // A bare connection, for requests made beforehand.
  std::unique_ptr<http_connection> new_connection();
  std::unique_ptr<caller> new_operator_caller();
  // Null without an operator's port. Owned by this.
  credential* admin() { return where_.operator_port ? &staff_ : nullptr; }
  credential& operator_token() { return operator_key_; }
  // Unique to this run: the beginning of every idempotency key and made-up e-mail.
  const std::string& run_id() const { return run_id_; }

  // Opens a guest session. False when refused or unreachable.
  task<bool> open_guest(caller& by, guest& who, std::string key,
                        std::optional<std::int64_t> intended_us = {});
  // Checks out the guest's own cart and waits while the order is pending.
  task<checkout_outcome> check_out(caller& by, guest& who, order_form form, std::string key,
                                   std::optional<std::int64_t> intended_us = {});

  // By staff; throw cannot_go_on when refused.
  task<> import_products(std::vector<new_product> products);
  task<> set_stock(caller& by, std::string product, std::int64_t on_hand, std::string reason);
  task<stock_record> read_stock(caller& by, std::string product);

  // The laws, read back over `connections` connections: waits for the shop to settle, pages through
  // the orders down to `newest_before`, reads the inventory of each product in `facts.stocked`, the
  // provider's sums and the engine's own laws (as "engine.<name>"). What was read stays in `facts`.
  task<std::vector<law>> audit(const told& clients, read_back& facts, std::string newest_before,
                               currency_code currency, std::size_t connections);
  // The id of the newest order now; empty in a shop without orders.
  task<std::string> newest_order(caller& by);
  // Nothing where the provider cannot be reached.
  task<std::optional<provider_sums>> read_provider(currency_code currency);

 private:
  friend class guest;
  friend class staff;
  task<std::vector<law>> engine_laws();
  task<std::vector<order_record>> orders_since(const told& clients, std::string newest_before);
  recorder::operation op(const char* name) { return run_.record.named(name); }

  run_state& run_;
  watchdog& shop_dog_;
  watchdog& operator_dog_;
  shop_address where_;
  std::uint64_t next_seed_;
  std::string run_id_;
  operator_key operator_key_;
  staff staff_;
};

// Takes `count` numbers 0.. in turns over `connections` callers: work(caller, number) for each.
task<> spread(shop& where, std::size_t connections, std::size_t count,
              std::function<task<>(caller&, std::size_t)> work);

}  // namespace omnicart::load
