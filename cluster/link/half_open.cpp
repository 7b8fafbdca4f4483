#include "cluster/link/half_open.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace omnicart::cluster {

std::size_t one_to_give_way(std::span<const half_open> all) {
  ensure(!all.empty(), "somebody can give way");
  const bool all_certified = std::ranges::all_of(all, &half_open::certified);
  const auto may_go = [&](const half_open& each) { return all_certified || !each.certified; };
  std::size_t found = 0;
  std::ptrdiff_t most = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!may_go(all[i])) continue;
    const auto alike = std::ranges::count_if(all, [&](const half_open& each) {
      return may_go(each) && each.network == all[i].network;
    });
    if (alike <= most) continue;
    most = alike;
    found = i;
  }
  return found;
}

}  // namespace omnicart::cluster
