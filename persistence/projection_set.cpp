#include <utility>

#include "persistence/projection_runner.hpp"

namespace omnicart::persistence {

projection_set::projection_set(store& data, std::vector<projection*> projections, projection_limits limits,
                               projection_runner::committed_fn committed_through) {
  for (auto* each : projections) {
    runners_.emplace(std::string(each->name()),
                     std::make_unique<projection_runner>(data, *each, limits, committed_through));
  }
}

status projection_set::start() {
  for (auto& [name, runner] : runners_) {
    if (auto started = runner->start(); !started) return started;
  }
  return {};
}

void projection_set::stop() {
  for (auto& [name, runner] : runners_) runner->stop();
}

void projection_set::committed(const committed_batch& batch) {
  for (auto& [name, runner] : runners_) runner->committed(batch);
}

void projection_set::replaced(std::uint16_t shard, std::uint64_t through) {
  for (auto& [name, runner] : runners_) runner->replaced(shard, through);
}

void projection_set::checkpoint() {
  for (auto& [name, runner] : runners_) runner->checkpoint();
}

void projection_set::query(std::string_view projection, std::function<void(projection_rows&)> run,
                           std::function<void(error)> refused) {
  const auto at = runners_.find(projection);
  if (at == runners_.end()) return refused(make_error(base_errc::not_found, "no such list"));
  at->second->query(std::move(run), std::move(refused));
}

void projection_set::rebuild(std::string_view projection, projection_runner::rebuilt_fn done) {
  const auto at = runners_.find(projection);
  if (at == runners_.end()) return done(fail(base_errc::not_found, "no such projection"));
  at->second->rebuild(std::move(done));
}

std::map<std::string, projection_stats> projection_set::stats() const {
  std::map<std::string, projection_stats> all;
  for (const auto& [name, runner] : runners_) all.emplace(name, runner->stats());
  return all;
}

std::vector<std::string> projection_set::names() const {
  std::vector<std::string> names;
  for (const auto& [name, runner] : runners_) names.push_back(name);
  return names;
}

}  // namespace omnicart::persistence
