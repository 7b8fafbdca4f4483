#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/journal.hpp"

// Reads that no single entity can answer (lists, search, reports): consumers of the committed log.
namespace omnicart {

// The rows of one projection. Used on the projection's thread only.
class projection_rows {
 public:
  virtual ~projection_rows() = default;
  virtual std::optional<std::string> get(std::string_view key) = 0;
  // Seen by get() at once, by scans from the next query on.
  virtual void put(std::string key, std::string value) = 0;
  virtual void erase(std::string key) = 0;
  // Rows with from <= key < to in order (`to` empty: to the end) until `visit` returns false.
  using visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual void scan(std::string_view from, std::string_view to, const visitor& visit) = 0;
};

// Events may come again after a crash (at least once): apply must be idempotent by (entity, version) or by content.
class projection {
 public:
  virtual ~projection() = default;
  virtual std::string_view name() const = 0;
  virtual bool wants(std::string_view kind) const = 0;
  // Of the rows, which have keys that are not empty. Raised when they change their meaning: rows of another format are
  // dropped at the start and made anew, by apply(), from the histories that are kept of the wanted kinds.
  virtual std::uint32_t format() const { return 1; }
  // Before anything else, and again when the rows were made anew: what is kept in memory is forgotten and read from the
  // rows.
  virtual void open(projection_rows& rows) = 0;
  virtual void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
                     projection_rows& rows) = 0;
  // Called when all that was committed is applied and nobody asks: work that was put off, a short piece of it. True: there
  // is more. Called again after the next events, or at once.
  virtual bool idle(projection_rows&) { return false; }
};

// Runs queries where their projection lives. Thread-safe.
class projection_host {
 public:
  virtual ~projection_host() = default;
  // Calls `run` on the projection's thread, once it has applied all that was durable when query() was called: whoever
  // was told of a write sees it. Or calls `refused`, at once: overloaded, shutting_down, not_found (no such projection).
  virtual void query(std::string_view projection, std::function<void(projection_rows&)> run,
                     std::function<void(error)> refused) = 0;
};

}  // namespace omnicart
