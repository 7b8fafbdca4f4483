#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persistence/projection_runner.hpp"
#include "runtime/log.hpp"

// Of projection_runner's own files only.
namespace omnicart::persistence {

// Changes of the batch being applied, over the table.
class projection_runner::rows final : public projection_rows {
 public:
  explicit rows(projection_store& table) : table_(table) {}

  std::optional<std::string> get(std::string_view key) override {
    if (const auto at = changes_.find(key); at != changes_.end()) return at->second;
    auto found = table_.get(key);
    return found ? *found : std::nullopt;
  }
  void put(std::string key, std::string value) override {
    changes_[std::move(key)] = std::move(value);
  }
  void erase(std::string key) override { changes_[std::move(key)] = std::nullopt; }
  void scan(std::string_view from, std::string_view to, const visitor& visit) override {
    if (auto read = table_.scan(from, to, visit); !read) {
      log::error("projection cannot be read", {{"why", read.error().detail}});
    }
  }
  std::size_t changes() const { return changes_.size(); }
  std::vector<projection_store::change> take_changes() {
    std::vector<projection_store::change> changes;
    changes.reserve(changes_.size());
    for (auto& [key, value] : changes_) changes.push_back({.key = key, .value = std::move(value)});
    changes_.clear();
    return changes;
  }

 private:
  projection_store& table_;
  std::map<std::string, std::optional<std::string>, std::less<>> changes_;
};

}  // namespace omnicart::persistence
