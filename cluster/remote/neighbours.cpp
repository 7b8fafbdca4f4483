#include "cluster/remote/neighbours.hpp"

#include <algorithm>

#include "runtime/base/codec.hpp"

namespace omnicart::cluster {

std::string encode(const control_message& message) { return codec::encode(message); }

result<control_message> decode_control(std::string_view bytes) { return codec::decode<control_message>(bytes); }

neighbours::neighbours(transport& net, const clock& time, positions_fn ours, told_fn told)
    : net_(net), time_(time), ours_(std::move(ours)), told_(std::move(told)) {}

void neighbours::attach() {
  net_.receive(channel::control, [this](node_id from, const std::string& bytes) { on_message(from, bytes); });
  net_.watch([this](const peer_change& change) {
    if (change.up) return;
    const std::lock_guard lock(guard_);
    heard_.erase(change.peer);
  });
}

void neighbours::on_message(node_id from, std::string_view bytes) {
  auto read = decode_control(bytes);
  if (!read) return malformed_.note(from, read.error().detail);
  if (auto* about = std::get_if<node_report>(&*read)) {
    const auto ahead = time_.wall() - about->wall;
    const std::lock_guard lock(guard_);
    heard_[from] = {.said = std::move(*about), .heard = time_.monotonic(), .clock_ahead = ahead};
  } else if (const auto* wanted = std::get_if<positions_wanted>(&*read)) {
    net_.send(from, channel::control, encode(positions_told{.request = wanted->request, .led = ours_()}));
  } else if (const auto* told = std::get_if<positions_told>(&*read)) {
    told_(from, *told);
  } else if (const auto* order = std::get_if<cut_order>(&*read)) {
    if (order_) order_(from, *order);
  } else if (const auto* report = std::get_if<cut_report>(&*read)) {
    if (report_) report_(from, *report);
  } else if (const auto* taken = std::get_if<rate_uses>(&*read)) {
    if (rates_) rates_(*taken);
  }
}

void neighbours::tell(const std::vector<node_id>& peers, const std::vector<rate_use>& taken) {
  for (std::size_t from = 0; from < taken.size(); from += rate_uses_max) {
    const auto first = taken.begin() + static_cast<std::ptrdiff_t>(from);
    const auto count = std::min(rate_uses_max, taken.size() - from);
    const rate_uses some{.taken = {first, first + static_cast<std::ptrdiff_t>(count)}};
    const std::string bytes = encode(some);
    for (const auto peer : peers) net_.send(peer, channel::control, bytes);
  }
}

void neighbours::tell(const std::vector<node_id>& peers, const node_report& about_us) {
  const std::string bytes = encode(about_us);
  for (const auto peer : peers) net_.send(peer, channel::control, bytes);
}

void neighbours::ask_positions(const std::vector<node_id>& peers, std::uint64_t request) {
  const std::string bytes = encode(positions_wanted{.request = request});
  for (const auto peer : peers) net_.send(peer, channel::control, bytes);
}

void neighbours::take_cuts(order_fn order, report_fn report) {
  order_ = std::move(order);
  report_ = std::move(report);
}

void neighbours::send(node_id to, const cut_order& order) { net_.send(to, channel::control, encode(control_message(order))); }

void neighbours::send(node_id to, const cut_report& report) { net_.send(to, channel::control, encode(control_message(report))); }

std::map<node_id, neighbours::known> neighbours::heard() const {
  const std::lock_guard lock(guard_);
  return heard_;
}

bool neighbours::is_leaving(node_id node) const {
  const std::lock_guard lock(guard_);
  const auto at = heard_.find(node);
  return at != heard_.end() && at->second.said.leaving;
}

std::optional<duration_ms> neighbours::clock_ahead() const {
  std::vector<duration_ms> ahead{duration_ms{0}};
  {
    const std::lock_guard lock(guard_);
    for (const auto& [node, what] : heard_) ahead.push_back(what.clock_ahead);
  }
  if (ahead.size() == 1) return std::nullopt;
  const auto middle = ahead.begin() + static_cast<std::ptrdiff_t>((ahead.size() - 1) / 2);
  std::nth_element(ahead.begin(), middle, ahead.end());
  return *middle;
}

}  // namespace omnicart::cluster
