#include "http/tariff_board.hpp"

namespace omnicart::http {

void tariff_board::post(tariff::tariff_view set) {
  const duration_ms good_until = shop_.time.monotonic() + freshness;
  auto next = std::make_shared<const notice>(notice{std::move(set), good_until});
  const std::lock_guard held(lock_);
  posted_ = std::move(next);
}

std::shared_ptr<const tariff_board::notice> tariff_board::posted() const {
  const std::lock_guard held(lock_);
  return posted_;
}

task<result<tariff_board::view>> tariff_board::current() {
  const auto known = posted();
  if (known && shop_.time.monotonic() < known->good_until) co_return view(known, &known->set);
  auto asked = inquire(shop_, {"tariff", tariff::shop_id}, tariff::encode(tariff::get{}), engine());
  const answer got = co_await asked;
  if (!got.ok()) {
    const bool still_good = known && shop_.time.monotonic() < known->good_until + stale_max;
    if (still_good) co_return view(known, &known->set);
    co_return fail(*got.failure);
  }
  auto set = tariff::decode_reply(got.payload);
  if (!set) co_return fail(set.error());
  post(std::move(*set));
  const auto now = posted();
  co_return view(now, &now->set);
}

}  // namespace omnicart::http
