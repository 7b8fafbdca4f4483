#include "tools/omnicartd/ledger_duty.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "cluster/link/private_file.hpp"
#include "runtime/log.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms tick_interval{500};
constexpr duration_ms retry_interval{2'000};

std::string mark_file(const std::string& data) { return data + "/ledger.mark"; }

// "PROVIDER FIRST NEXT". Faults: io, malformed.
result<std::optional<http::ledger_watch::mark>> load_mark(const std::string& path) {
  if (!std::filesystem::exists(path)) return std::optional<http::ledger_watch::mark>();
  std::ifstream in(path);
  http::ledger_watch::mark at;
  if (!(in >> at.provider >> at.first >> at.next) || at.first == 0 || at.next < at.first) {
    return fail(base_errc::io, path + " cannot be read, or is no place in a ledger; without it the ledger is looked at from its end on");
  }
  return std::optional(std::move(at));
}

std::string text_of(const http::ledger_watch::mark& at) {
  return at.provider + ' ' + std::to_string(at.first) + ' ' + std::to_string(at.next) + '\n';
}

}  // namespace

result<std::unique_ptr<ledger_duty>> ledger_duty::start(parts with) {
  auto ledger = http::provider_ledger::open(with.provider_url);
  if (!ledger) return fail(ledger.error());
  std::unique_ptr<ledger_duty> made(new ledger_duty(std::move(with), std::move(*ledger)));
  if (!std::filesystem::exists(mark_file(made->with_.data))) made->tick();
  made->ticks_ = std::make_unique<ticker>("ledger", tick_interval, [at = made.get()] { at->tick(); });
  return made;
}

ledger_duty::ledger_duty(parts with, http::provider_ledger ledger)
    : with_(std::move(with)),
      ledger_(std::move(ledger)),
      watch_({.entities = with_.entities,
              .all = with_.all,
              .time = with_.time,
              .provider = with_.provider_name,
              .page = [this](std::uint64_t from) { return ledger_.page(from); },
              .last = [this] { return ledger_.last(); },
              .load_mark = [this] { return load_mark(mark_file(with_.data)); },
              .save_mark =
                  [this](const http::ledger_watch::mark& at) {
                    return cluster::write_private_file(mark_file(with_.data), text_of(at),
                                                       cluster::existing_files::replace);
                  },
              .on_duty = with_.on_duty}) {}

ledger_duty::~ledger_duty() {
  watch_.stop();
  ledger_.stop();
  ticks_.reset();
}

void ledger_duty::tick() {
  const auto now = with_.time.monotonic();
  if (now < next_) return;
  const auto looked = watch_.look();
  next_ = now + (looked ? with_.interval : std::min(with_.interval, retry_interval));
  if (!looked && !std::exchange(failing_, true)) {
    log::warning("the provider's ledger cannot be looked at", {{"why", looked.error().detail}});
  }
  if (looked) failing_ = false;
}

}  // namespace omnicart::node
