#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "tools/load/chance.hpp"

namespace omnicart::load {

// In which proportions buyers pay with the cards of the simulated provider.
class card_mix {
 public:
  // From shares as typed, "late=2": two of a hundred buyers pay with tok_late; who is left pays
  // with tok_ok. Refusal, with the reason: base_errc::malformed for another form, an unknown card,
  // the same one twice, a share outside 0 to 100, and more than 100 together.
  static result<card_mix> parse(const std::vector<std::string>& shares);

  std::string draw(chance& luck) const;

  // Whether the provider declines this card, at once or later.
  static bool declines(std::string_view token);

 private:
  std::vector<std::pair<std::string, double>> shares_;  // token and percent
};

}  // namespace omnicart::load
