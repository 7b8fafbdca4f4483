#include "http/own_copy.hpp"

#include <future>
#include <memory>

#include "http/order_list.hpp"

namespace omnicart::http {
namespace {

constexpr duration_ms catch_up_patience{10'000};  // a list that is made anew answers nobody before it is

}  // namespace

std::string behind(const shop& in) {
  auto promised = std::make_shared<std::promise<result<bool>>>();
  auto told = promised->get_future();
  in.orders.when_caught_up([promised](result<bool> value) { promised->set_value(std::move(value)); });
  if (told.wait_for(catch_up_patience) != std::future_status::ready) return "its lists have not caught up";
  const auto current = told.get();
  if (current) return {};
  const error& why = current.error();
  return why.detail.empty() ? to_string(static_cast<base_errc>(why.number)) : why.detail;
}

void write_behind(json_writer& json, const std::string& why) {
  if (!why.empty()) json.member("behind", why);
}

}  // namespace omnicart::http
