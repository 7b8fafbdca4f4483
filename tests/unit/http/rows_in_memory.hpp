#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/projection.hpp"

namespace omnicart::http {

// A projection's rows without a store: what is put is scanned at once.
class rows_in_memory final : public projection_rows {
 public:
  std::optional<std::string> get(std::string_view key) override {
    const auto at = rows.find(key);
    return at == rows.end() ? std::nullopt : std::optional(at->second);
  }
  void put(std::string key, std::string value) override { rows[std::move(key)] = std::move(value); }
  void erase(std::string key) override { rows.erase(key); }
  void scan(std::string_view from, std::string_view to, const visitor& visit) override {
    for (auto at = rows.lower_bound(from); at != rows.end() && at->first < to; ++at) {
      if (!visit(at->first, at->second)) return;
    }
  }
  std::size_t count(char prefix) const {
    std::size_t found = 0;
    for (const auto& [key, value] : rows) found += key.front() == prefix;
    return found;
  }

  std::map<std::string, std::string, std::less<>> rows;
};

// Runs each query at once, as if everything was applied.
class host_at_once final : public projection_host {
 public:
  explicit host_at_once(projection_rows& rows) : rows_(rows) {}
  void query(std::string_view, std::function<void(projection_rows&)> run, std::function<void(error)>) override {
    ++asked;
    run(rows_);
  }
  int asked = 0;

 private:
  projection_rows& rows_;
};

}  // namespace omnicart::http
