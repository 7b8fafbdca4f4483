#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "tests/sim/linear_history.hpp"
#include "tests/sim/sim_client.hpp"

namespace omnicart::sim {

// What is asked of a cart whose products have one price each, and what was answered.
struct cart_call {
  enum class kind : std::uint8_t { add, set, clear, look };
  kind what = kind::look;
  std::string product;
  std::int64_t quantity = 0;
  bool refused = false;                      // by the rules: nothing was done
  std::optional<std::int64_t> shown;         // units of the product afterwards, by the answer
  std::map<std::string, std::int64_t> seen;  // of a look
};
using cart_history = std::vector<observed_call<cart_call>>;

// A cart as its owners think of it: units by product.
struct cart_model {
  using state = std::map<std::string, std::int64_t>;
  static std::optional<state> next(const state& now, const cart_call& call, bool known);
  static std::string key(const state& now);
};

// What all owners of a cart asked and were told. Whenever none of them waits for an answer it is
// judged.
class cart_book {
 public:
  cart_book(std::string cart, const timeline& time, sim_checks& checks);

  const std::string& cart() const { return cart_; }
  const cart_history& calls() const { return calls_; }
  std::size_t begin(cart_call what);
  cart_call& at(std::size_t call) { return calls_[call].what; }
  enum class outcome : std::uint8_t { known, unknown };
  void end(std::size_t call, outcome how);

 private:
  void judge();

  const std::string cart_;
  const timeline& time_;
  sim_checks& checks_;
  cart_history calls_;
  linear_stretches<cart_model, cart_call> stretches_;
  std::size_t open_ = 0;    // calls that somebody waits for
  std::size_t judged_ = 0;  // calls
};

// One of several owners of a cart, who all add, change and look at once, through any node, and
// write down what they were told. None checks it out, so that the cart is nobody else's.
class cart_witness final : public sim_client {
 public:
  // `book`: of all owners of the cart; outlives them.
  cart_witness(timeline& time, wire& node, sim_checks& checks, const std::string& name,
               std::uint32_t actions, cart_book& book);
  void start() { rest(); }
  bool finished() const { return left_ == 0 && !busy_; }
  // With everything at rest: one look more.
  void look_back() { act(cart_call{}); }

 private:
  void rest();
  cart_call draw();
  void act(cart_call call);
  static std::string encode(const cart_call& call, const std::string& tag);
  static bool note_answer(cart_call& call, const answer& got);

  void ended(std::size_t call, cart_book::outcome how);

  std::uint32_t left_;
  bool busy_ = false;
  cart_book& book_;
};

// The whole history at once. Says which cart has no explanation, or is too much to search.
void check_linearizable(const std::string& cart, const cart_history& book, sim_checks& checks);

}  // namespace omnicart::sim
