#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace omnicart::load {

// RFC 4180, in pieces of any size: fields in double quotes may hold commas, line ends and doubled
// quotes; lines end in \n or \r\n; the last needs no end. Nothing is trimmed.
class csv_reader {
 public:
  // Called once a record with all its fields; the views live until it returns. False ends the
  // reading.
  using record_handler = std::function<bool(const std::vector<std::string_view>& fields)>;

  explicit csv_reader(record_handler on_record) : on_record_(std::move(on_record)) {}

  // Refusal: base_errc::malformed for text after a closing quote and for records over 1 MB. False
  // once the handler wanted no more.
  result<bool> feed(std::string_view piece);
  // The end of the input. Refusal: base_errc::malformed inside a quoted field.
  result<bool> finish();

  std::size_t records() const { return records_; }

 private:
  enum class place { field_start, bare, quoted, quote_in_quoted, after_return };

  result<bool> step(char c);
  void end_field();
  bool end_record();

  record_handler on_record_;
  place place_ = place::field_start;
  std::string text_;               // the record's fields, one after the other, unquoted
  std::vector<std::size_t> ends_;  // where each ends in text_
  std::vector<std::string_view> fields_;
  std::size_t records_ = 0;
};

inline constexpr std::size_t csv_record_bytes_max = 1'000'000;

// Reads a file, gzip or plain (told apart by its content), and feeds `reader` to the end or until
// its handler stops it. Never holds more than one 256 KB piece. Refusals: base_errc::io, and
// feed()'s.
status read_csv_file(const std::string& path, csv_reader& reader);

}  // namespace omnicart::load
