#include "cluster/link/ending.hpp"

namespace omnicart::cluster {

const char* to_string(ending why) {
  switch (why) {
    case ending::too_many:
      return "too_many";
    case ending::slow:
      return "slow";
    case ending::truncated:
      return "truncated";
    case ending::tls_refused:
      return "tls_refused";
    case ending::no_identity:
      return "no_identity";
    case ending::garbage:
      return "garbage";
    case ending::wrong_cluster:
      return "wrong_cluster";
    case ending::wrong_node:
      return "wrong_node";
    case ending::wrong_side:
      return "wrong_side";
    case ending::not_a_member:
      return "not_a_member";
    case ending::another_store:
      return "another_store";
    case ending::no_common_version:
      return "no_common_version";
    case ending::old_boot:
      return "old_boot";
    case ending::replayed:
      return "replayed";
    case ending::lost:
      return "lost";
    case ending::silent:
      return "silent";
    case ending::violation:
      return "violation";
    case ending::replaced:
      return "replaced";
    case ending::removed:
      return "removed";
    case ending::stopped:
      return "stopped";
  }
  return "";
}

}  // namespace omnicart::cluster
