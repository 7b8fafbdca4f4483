#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server/task.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

struct record_page {
  std::vector<std::string> ids;
  std::string next_cursor;  // empty: that was all
};

// Which of a kind's records a page has.
enum class listed { all, open };

// Which coupons, gift cards and stock locations there are, by id: a projection of their events. A
// cursor is the last id seen. Rows:
//
//   "coupon" NUL code, "gift_card" NUL code    every one that was defined or issued; no value
//   "location" NUL id                          every one there is; "closed", or no value
class record_list final : public projection {
 public:
  void attach(projection_host& host) { host_ = &host; }

  // `kind`: coupon, gift_card or location; `which` tells locations apart only. Faults of the
  // projection host.
  task<result<record_page>> page(std::string kind, std::string cursor, std::size_t limit,
                                 listed which = listed::all) const;

  std::string_view name() const override { return "records"; }
  bool wants(std::string_view kind) const override {
    return kind == "coupon" || kind == "gift_card" || kind == "location";
  }
  void open(projection_rows&) override {}
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;

 private:
  projection_host* host_ = nullptr;
};

}  // namespace omnicart::http
