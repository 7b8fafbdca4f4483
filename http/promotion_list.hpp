#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server/task.hpp"
#include "runtime/projection.hpp"

namespace omnicart::http {

struct promotion_page {
  std::vector<std::string> codes;
  std::string next_cursor;  // empty: that was all
};

// Which coupons and gift cards there are, by code: a projection of their events. A cursor is the
// last code seen. Rows:
//
//   "coupon" NUL code, "gift_card" NUL code    every one that was defined or issued
class promotion_list final : public projection {
 public:
  void attach(projection_host& host) { host_ = &host; }

  // `kind`: coupon or gift_card. Faults of the projection host.
  task<result<promotion_page>> page(std::string kind, std::string cursor, std::size_t limit) const;

  std::string_view name() const override { return "promotions"; }
  bool wants(std::string_view kind) const override {
    return kind == "coupon" || kind == "gift_card";
  }
  void open(projection_rows&) override {}
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;

 private:
  projection_host* host_ = nullptr;
};

}  // namespace omnicart::http
