#include "runtime/kind.hpp"

#include "runtime/base/limits.hpp"

namespace omnicart {

kind_registry::kind_registry(std::vector<kind_entry> kinds) {
  for (auto& kind : kinds) {
    ensure(!kind.name.empty() && kind.name.size() <= limits::kind_bytes_max, "kind names are 1-16 bytes");
    const bool added = kinds_.emplace(std::string(kind.name), kind).second;
    ensure(added, "a kind is registered once");
  }
}

const kind_entry* kind_registry::find(std::string_view name) const {
  const auto at = kinds_.find(name);
  return at == kinds_.end() ? nullptr : &at->second;
}

}  // namespace omnicart
