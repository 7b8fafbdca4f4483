#pragma once

#include <string_view>

#include "runtime/base/entity.hpp"
#include "runtime/projection.hpp"

namespace omnicart {

// What a projection is besides, whose kinds keep no history: when its rows are made anew, snapshots tell it what the
// events that are gone did.
class snapshot_reader {
 public:
  virtual ~snapshot_reader() = default;
  // A snapshot of a wanted kind, encoded as the kind does it. Comes before the events that are kept of the entity, some of
  // which it may contain already, and perhaps over rows that were there.
  virtual void restore(const entity_ref& entity, std::string_view state, projection_rows& rows) = 0;
};

}  // namespace omnicart
